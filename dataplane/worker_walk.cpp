// Walks over a worker's tables for those who ask what is in them, a bounded number of buckets a
// turn.
#include "dataplane/worker.h"

namespace fulcrum {

void Worker::walk_some(const Snapshot& snapshot) {
    // A full outbox would lose records: the walk waits for the reader instead.
    if (!walk_.is_running || !wiring_.outbox->is_empty()) {
        return;
    }
    const WorkerRequest& request = walk_.request;
    const bool walks_sessions = request.table == WalkedTable::sessions;
    const bool has_more = !walks_sessions      ? walk_affinity(snapshot)
                          : walk_.is_in_table6 ? walk_sessions(table6_, snapshot)
                                               : walk_sessions(table_, snapshot);
    walk_.next_bucket += limits::walk_buckets_per_turn_max;
    const bool has_enough = walk_.reported >= request.records_max;
    if (!has_more && !has_enough && walks_sessions && !walk_.is_in_table6) {
        walk_.is_in_table6 = true;
        walk_.next_bucket = 0;
        return;
    }
    if (!has_more || has_enough) {
        WorkerReport end;
        end.kind = ReportKind::walk_done;
        end.walk_id = request.walk_id;
        report(end);
        walk_.is_running = false;
    }
}

// The next buckets; false when there are none left.
template <typename Table>
bool Worker::walk_sessions(const Table& table, const Snapshot& snapshot) {
    const WorkerRequest& request = walk_.request;
    const Ages ages{snapshot, clock_.now_s()};
    return table.walk(
        walk_.next_bucket, limits::walk_buckets_per_turn_max, [&](const auto& session) {
            const IpAddress client = session.client_address;
            const bool is_wanted =
                !ages.is_nameless(session) && walk_.reported < request.records_max &&
                (request.service == limits::service_id_none ||
                 request.service == snapshot.service_of(session.listener).id) &&
                (request.real == limits::index_none || request.real == session.real) &&
                (request.client.is_unspecified() || request.client == client);
            if (!is_wanted) {
                return;
            }
            const SnapshotListener& listener = snapshot.listeners[session.listener];
            WorkerReport found;
            found.kind = ReportKind::session;
            found.walk_id = request.walk_id;
            found.session = {
                .client = {client, session.client_port},
                .vip = {snapshot.address_of(listener.vip, listener.is_ipv6), session.vip_port},
                .local = local_end_of(session, *wiring_.local_ends, snapshot),
                .listener = session.listener,
                .real = session.real,
                .protocol = session.tag.protocol(),
                .state = session.tag.state(),
                .worker = static_cast<std::uint8_t>(wiring_.id),
                .idle_s = ages.age_s(session),
                .timeout_s = ages.timeout_s(session),
            };
            report(found);
            ++walk_.reported;
        });
}

bool Worker::walk_affinity(const Snapshot& snapshot) {
    const WorkerRequest& request = walk_.request;
    const AffinityRules rules{snapshot, clock_.now_s()};
    const ClientPrefix asked = client_prefix_of(request.client);
    return chooser_.affinity().walk(
        walk_.next_bucket, limits::walk_buckets_per_turn_max, [&](const AffinityRecord& record) {
            const bool is_wanted =
                !rules.is_over(record) && walk_.reported < request.records_max &&
                (request.service == limits::service_id_none ||
                 request.service == rules.service_of(record)->id) &&
                (request.real == limits::index_none || request.real == record.real) &&
                (request.client.is_unspecified() || cut(asked, record.length) == record.client());
            if (!is_wanted) {
                return;
            }
            WorkerReport found;
            found.kind = ReportKind::client;
            found.walk_id = request.walk_id;
            found.client = {.client = record.client(),
                            .service = rules.service_of(record)->id,
                            .real = record.real,
                            .sessions = record.sessions,
                            .remaining_s = rules.remaining_s(record),
                            .is_confirmed = record.is_confirmed,
                            .worker = static_cast<std::uint8_t>(wiring_.id)};
            report(found);
            ++walk_.reported;
        });
}

// Before the first packet: sessions, and what is counted of them, are as if we had opened them.
void Worker::take_up(const Snapshot& snapshot) {
    chooser_.affinity().take_up({snapshot, clock_.now_s()});
    tracker_.take_up(snapshot, clock_.now_s());
    tracker6_.take_up(snapshot, clock_.now_s());
    wiring_.takes_up = false;
}

void Worker::serve_inbox(const Snapshot& snapshot) {
    WorkerRequest request;
    for (std::size_t i = 0; i < limits::inbox_requests_per_turn_max; ++i) {
        if (wiring_.inbox == nullptr || wiring_.inbox->collect(&request, 1) == 0) {
            return;
        }
        if (request.kind == RequestKind::explain) {
            explain(request.question, snapshot);
        } else {
            walk_ = {.request = request, .is_running = true};
            walk_some(snapshot);
        }
    }
}

void Worker::explain(const Question& question, const Snapshot& snapshot) {
    Explanation explanation;
    rehearsal_.play(question, {table_, table6_}, snapshot, clock_.now_s(), explanation);
    if (wiring_.explanations == nullptr || !wiring_.explanations->post(explanation)) {
        counters_.reports_lost.add(1);
    }
}

}  // namespace fulcrum
