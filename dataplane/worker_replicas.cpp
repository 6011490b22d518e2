// What a worker does for the pair: takes the peer's sessions from one mailbox, and on request tells
// of all its own by the other, so much a turn as there is room for. What happens to single sessions
// meanwhile is told behind them in the same mailbox, so that the later word is the truer one.
#include "dataplane/worker.h"

namespace fulcrum {

// Whether there was anything to do.
[[gnu::noinline]] bool Worker::serve_peer(const Snapshot& snapshot) {
    const bool has_heard = adopt_replicas(snapshot);
    return transfer_some(snapshot) || has_heard;
}

bool Worker::adopt_replicas(const Snapshot& snapshot) {
    constexpr std::size_t at_once = 32;
    static_assert(limits::replicas_per_turn_max % at_once == 0);
    const Ages ages{snapshot, clock_.now_s()};
    std::array<Replica, at_once> heard;
    std::size_t taken = 0;
    while (taken < limits::replicas_per_turn_max) {
        const unsigned count = wiring_.replicas_heard->collect(heard.data(), at_once);
        for (unsigned n = 0; n < count; ++n) {
            heard[n].client.is_v4() ? tracker_.expect(heard[n]) : tracker6_.expect(heard[n]);
        }
        for (unsigned n = 0; n < count; ++n) {
            if (heard[n].kind == ReplicaKind::client) {
                adopt_client(heard[n], snapshot);
                continue;
            }
            const std::optional<ReplicaRefusal> refusal = heard[n].client.is_v4()
                                                              ? tracker_.adopt(heard[n], ages)
                                                              : tracker6_.adopt(heard[n], ages);
            if (refusal) {
                counters_.replicas_refused[static_cast<std::size_t>(*refusal)].add(1);
            } else {
                counters_.replicas_taken.add(1);
            }
        }
        taken += count;
        if (count < at_once) {
            break;
        }
    }
    return taken > 0;
}

// To whom a client is bound who may have no session now. Who is active knows his own clients.
void Worker::adopt_client(const Replica& replica, const Snapshot& snapshot) {
    const auto refuse = [&](ReplicaRefusal refusal) {
        counters_.replicas_refused[static_cast<std::size_t>(refusal)].add(1);
    };
    if (replica.listener >= snapshot.listeners.size() ||
        !snapshot.listeners[replica.listener].is_present) {
        return refuse(ReplicaRefusal::unknown);
    }
    const SnapshotListener& listener = snapshot.listeners[replica.listener];
    const SnapshotService& service = snapshot.services[listener.service];
    const AffinityRules rules{snapshot, clock_.now_s()};
    const AffinityTable::Key key{cut(client_prefix_of(replica.client), replica.prefix),
                                 service.group};
    const std::uint32_t ended_s = rules.now_s() - std::min(rules.now_s(), replica.idle_s);
    const AffinityRecord record{.high = key.client.high,
                                .low = key.client.low,
                                .group = key.group,
                                .real = replica.real,
                                .ended_s = ended_s,
                                .length = key.client.length};
    if (rules.is_over(record)) {
        return refuse(ReplicaRefusal::unknown);
    }
    AffinityTable& affinity = chooser_.affinity();
    if (!listener.is_standby && affinity.real_of(key, rules) != limits::index_none) {
        return refuse(ReplicaRefusal::kept);
    }
    if (!affinity.hold(key, replica.real, /*is_confirmed=*/true, rules)) {
        return refuse(ReplicaRefusal::no_room);
    }
    affinity.release(key, ended_s);
    counters_.replicas_taken.add(1);
}

bool Worker::transfer_some(const Snapshot& snapshot) {
    using Table = PeerTransfer::Table;
    const bool has_room =
        wiring_.replicas_told->count() < limits::replicas_told_length - limits::replicas_kept_free;
    if (transfer_.table == Table::none || !has_room) {
        return false;
    }
    const Ages ages{snapshot, clock_.now_s()};
    const std::size_t count = limits::walk_buckets_per_turn_max;
    const std::size_t from = transfer_.next_bucket;
    const bool has_more = transfer_.table == Table::sessions ? tracker_.tell_some(from, count, ages)
                          : transfer_.table == Table::sessions6
                              ? tracker6_.tell_some(from, count, ages)
                              : transfer_clients(count, snapshot);
    transfer_.next_bucket += count;
    if (has_more) {
        return true;
    }
    transfer_.next_bucket = 0;
    switch (transfer_.table) {
        case Table::sessions:
            transfer_.table = Table::sessions6;
            break;
        case Table::sessions6:
            transfer_.table = Table::clients;
            break;
        case Table::clients:
        case Table::none: {
            const Replica end{.kind = ReplicaKind::all_told, .number = transfer_.id};
            wiring_.replicas_told->post(end);  // there is room
            transfer_.table = Table::none;
            break;
        }
    }
    return true;
}

// Of those who have been served; false when there are no buckets left.
bool Worker::transfer_clients(std::size_t count, const Snapshot& snapshot) {
    const AffinityRules rules{snapshot, clock_.now_s()};
    return chooser_.affinity().walk(
        transfer_.next_bucket, count, [&](const AffinityRecord& record) {
            if (!record.is_confirmed || rules.is_over(record)) {
                return;
            }
            const SnapshotService& service = *rules.service_of(record);
            const Replica replica{.kind = ReplicaKind::client,
                                  .client = address_of(record.client()),
                                  .real = record.real,
                                  .prefix = record.length,
                                  .idle_s = service.affinity.timeout_s - rules.remaining_s(record),
                                  .number = service.id};
            (wiring_.replicas_told->post(replica) ? counters_.replicas_told
                                                  : counters_.replicas_lost)
                .add(1);
        });
}

}  // namespace fulcrum
