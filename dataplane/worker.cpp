// The turn, from queue to queue.
#include "dataplane/worker.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_prefetch.h>
#include <time.h>

#include <cstdlib>

#include "dataplane/rewrite.h"

namespace fulcrum {
namespace {

// Frames a second and at once for the kernel, by class. The sum stays far below what would starve
// the control plane's CPU.
struct PuntRate {
    std::uint64_t frames_per_s;
    std::uint64_t burst;
};
constexpr std::array<PuntRate, punt_class_count> punt_rates{{
    {20'000, 1'000},   // keepalive
    {10'000, 1'000},   // link
    {100'000, 4'000},  // check: fifty thousand reals every five seconds
    {50'000, 2'000},   // routing
    {50'000, 2'000},   // transit
    {10'000, 1'000},   // rest
}};

// The packets ahead of the one in hand whose headers are fetched meanwhile.
constexpr std::size_t parse_prefetch_distance = 6;

constexpr unsigned idle_turns_before_pause = 64;
constexpr unsigned idle_turns_before_sleep = 512;
constexpr long sleep_ns_min = 10'000;
constexpr long sleep_ns_max = 100'000;

}  // namespace

Worker::Worker(const WorkerWiring& wiring)
    : wiring_{wiring},
      reader_{*wiring.publication, wiring.id},
      table_{*wiring.table},
      board_{*wiring.board},
      counters_{board_.worker()},
      tracker_{table_, board_},
      burst_{std::make_unique<Burst>()} {
    for (std::size_t i = 0; i < punt_class_count; ++i) {
        punt_rates_[i] = TokenBucket{clock_.hz() / punt_rates[i].frames_per_s, punt_rates[i].burst,
                                     clock_.now_cycles()};
    }
}

Worker::~Worker() {
    for (std::size_t i = 0; i < held_count_; ++i) {
        rte_pktmbuf_free(held_[i].mbuf);
    }
}

void Worker::run(const std::atomic<bool>& stop) {
    online();
    unsigned idle_turns = 0;
    while (!stop.load(std::memory_order_relaxed)) {
        idle_turns = run_once() ? 0 : idle_turns + 1;
        if (wiring_.idle == Idle::adaptive && idle_turns > idle_turns_before_pause) {
            rest(idle_turns);
        }
    }
    offline();
}

bool Worker::run_once() {
    clock_.tick();
    const Snapshot* const published = reader_.current();
    if (published == nullptr) {
        reader_.quiescent();
        return false;
    }
    const Snapshot& snapshot = *published;  // ours until the last line

    bool was_busy = serve_kernel();
    was_busy |= receive();
    was_busy |= adopt();
    release_held(snapshot);

    serve_inbox(snapshot);
    walk_some(snapshot);
    sweep_some(snapshot);
    flush();
    close_turn(snapshot, was_busy);
    reader_.quiescent();
    return was_busy || walk_.is_running;
}

// Frames from the kernel are whole and addressed already: they leave by their twin's port.
bool Worker::serve_kernel() {
    if (wiring_.from_kernel == nullptr) {
        return false;
    }
    std::array<rte_mbuf*, limits::from_kernel_per_turn_max> mbufs;
    const unsigned count = wiring_.from_kernel->collect(mbufs.data(), mbufs.size());
    counters_.from_kernel.add(count);
    for (unsigned i = 0; i < count; ++i) {
        for (std::size_t port = 0; port < wiring_.ports.size(); ++port) {
            if (wiring_.ports[port].port_id == mbufs[i]->port) {
                transmit(mbufs[i], port);
                break;
            }
        }
    }
    return count > 0;
}

bool Worker::receive() {
    bool was_busy = false;
    for (const PortQueues& port : wiring_.ports) {
        if (!port.has_receive_queue) {
            continue;
        }
        burst_->count = rte_eth_rx_burst(port.port_id, port.receive_queue, burst_->mbufs.data(),
                                         limits::burst_size_max);
        if (burst_->count > 0) {
            counters_.received.add(burst_->count);
            carry(*reader_.current(), Origin::nic);
            was_busy = true;
        }
    }
    return was_busy;
}

bool Worker::adopt() {
    bool was_busy = false;
    for (unsigned other = 0; other < wiring_.worker_count; ++other) {
        PacketMailbox* mailbox = wiring_.from_workers[other];
        if (mailbox == nullptr) {
            continue;
        }
        burst_->count = mailbox->collect(burst_->mbufs.data(), limits::burst_size_max);
        if (burst_->count > 0) {
            counters_.adopted.add(burst_->count);
            carry(*reader_.current(), Origin::other_worker);
            was_busy = true;
        }
    }
    return was_busy;
}

void Worker::carry(const Snapshot& snapshot, Origin origin) {
    parse();
    classify(snapshot);
    steer(origin);
    tracker_.look_up(*burst_, snapshot);
    tracker_.open(*burst_, snapshot, clock_.now_s());
    tracker_.decide(*burst_, snapshot, clock_.now_s());
    emit(snapshot);
}

void Worker::parse() {
    Burst& burst = *burst_;
    for (std::size_t i = 0; i < burst.count; ++i) {
        if (i + parse_prefetch_distance < burst.count) {
            rte_prefetch0(rte_pktmbuf_mtod(burst.mbufs[i + parse_prefetch_distance], void*));
        }
        rte_mbuf* mbuf = burst.mbufs[i];
        auto* frame = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
        const PortQueues* queues = &wiring_.ports[0];
        while (queues->port_id != mbuf->port) {
            ++queues;
        }
        burst.packets[i] = fulcrum::parse({frame, mbuf->data_len}, mbuf->pkt_len, queues->mac);
        if (queues->completes_partial_checksums && mbuf->nb_segs == 1) {
            complete_partial_checksum(frame, burst.packets[i]);
        }
    }
}

void Worker::classify(const Snapshot& snapshot) {
    Burst& burst = *burst_;
    burst.flow_count = 0;
    for (std::size_t i = 0; i < burst.count; ++i) {
        const Classified& classified = burst.classified[i] =
            fulcrum::classify(burst.packets[i], snapshot);
        switch (classified.packet_class) {
            case PacketClass::refused:
                burst.decisions[i].verdict = Verdict::drop;
                burst.decisions[i].reason = classified.reason;
                break;
            case PacketClass::punt:
                burst.decisions[i].verdict = Verdict::punt;
                burst.decisions[i].punt_class = classified.punt_class;
                break;
            case PacketClass::request:
            case PacketClass::reply:
                burst.flows[burst.flow_count++] = static_cast<std::uint8_t>(i);
                break;
        }
    }
}

// Strangers' clients go to their worker; what was handed over is at home, or somebody has erred.
void Worker::steer(Origin origin) {
    if (wiring_.worker_count == 1) {
        return;
    }
    Burst& burst = *burst_;
    std::size_t kept = 0;
    for (std::size_t n = 0; n < burst.flow_count; ++n) {
        const std::uint8_t i = burst.flows[n];
        if (wiring_.steering->owner_of(burst.classified[i].client) == wiring_.id) {
            burst.flows[kept++] = i;
        } else if (origin == Origin::nic) {
            burst.decisions[i].verdict = Verdict::hand_over;
        } else {
            burst.decisions[i].verdict = Verdict::drop;
            burst.decisions[i].reason = DropReason::handed_over_twice;
        }
    }
    burst.flow_count = kept;
}

void Worker::emit(const Snapshot& snapshot) {
    for (std::size_t i = 0; i < burst_->count; ++i) {
        emit_one(i, snapshot);
    }
}

void Worker::emit_one(std::size_t i, const Snapshot& snapshot) {
    rte_mbuf* mbuf = burst_->mbufs[i];
    const Decision& decision = burst_->decisions[i];
    switch (decision.verdict) {
        case Verdict::transmit:
            rewrite(rte_pktmbuf_mtod(mbuf, std::uint8_t*), burst_->packets[i], decision);
            count_forwarded(decision, burst_->packets[i]);
            transmit(mbuf, decision.hop->port);
            break;
        case Verdict::punt:
            punt(mbuf, decision.punt_class);
            break;
        case Verdict::hand_over:
            hand_over(mbuf, wiring_.steering->owner_of(burst_->classified[i].client));
            break;
        case Verdict::hold:
            hold(i);
            break;
        case Verdict::drop:
            if (decision.reason == DropReason::no_real) {
                refuse_no_real(i, snapshot);
            } else {
                drop(mbuf, decision.reason);
            }
            break;
        case Verdict::pending:
            std::abort();  // a stage forgot a packet
    }
}

void Worker::drop(rte_mbuf* mbuf, DropReason reason) {
    counters_.dropped[static_cast<std::size_t>(reason)].add(1);
    rte_pktmbuf_free(mbuf);
}

void Worker::transmit(rte_mbuf* mbuf, std::size_t port) {
    Outgoing& outgoing = outgoing_[port];
    outgoing.mbufs[outgoing.count++] = mbuf;
    if (outgoing.count == limits::burst_size_max) {
        flush();
    }
}

void Worker::flush() {
    for (std::size_t port = 0; port < wiring_.ports.size(); ++port) {
        Outgoing& outgoing = outgoing_[port];
        if (outgoing.count == 0) {
            continue;
        }
        const auto count = static_cast<std::uint16_t>(outgoing.count);
        const std::uint16_t sent =
            rte_eth_tx_burst(wiring_.ports[port].port_id, wiring_.ports[port].transmit_queue,
                             outgoing.mbufs.data(), count);
        counters_.transmitted.add(sent);
        for (std::uint16_t i = sent; i < count; ++i) {
            drop(outgoing.mbufs[i], DropReason::transmit_full);
        }
        outgoing.count = 0;
    }
}

void Worker::punt(rte_mbuf* mbuf, PuntClass punt_class) {
    const auto index = static_cast<std::size_t>(punt_class);
    if (!punt_rates_[index].take(clock_.now_cycles())) {
        drop(mbuf, DropReason::punt_policed);
    } else if (wiring_.twin == nullptr || !wiring_.twin->post(mbuf, punt_class)) {
        drop(mbuf, DropReason::punt_full);
    } else {
        counters_.punted[index].add(1);
        wiring_.twin->ring_if_asleep();
    }
}

void Worker::hand_over(rte_mbuf* mbuf, unsigned owner) {
    if (wiring_.to_workers[owner]->post(mbuf)) {
        counters_.handed_over.add(1);
    } else {
        drop(mbuf, DropReason::handover_full);
    }
}

// Untouched, so that it can be taken up again from the beginning.
void Worker::hold(std::size_t i) {
    if (held_count_ == limits::held_packets_max) {
        drop(burst_->mbufs[i], DropReason::neighbour_unresolved);
        return;
    }
    const Decision& decision = burst_->decisions[i];
    held_[held_count_++] = {burst_->mbufs[i], decision.neighbour,
                            clock_.now_cycles() + clock_.cycles_of_ms(limits::hold_ms_max)};
    counters_.held_back.add(1);
    WorkerReport wanted;
    wanted.kind = ReportKind::neighbour_wanted;
    wanted.port = decision.hop->port;
    wanted.neighbour = decision.neighbour;
    report(wanted);
}

// Those whose neighbour is known by now go their way; those who waited too long are dropped.
void Worker::release_held(const Snapshot& snapshot) {
    if (held_count_ == 0) {
        return;
    }
    const bool has_news = snapshot.epoch != held_epoch_;
    held_epoch_ = snapshot.epoch;
    Burst& burst = *burst_;
    burst.count = 0;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < held_count_; ++i) {
        const Held& held = held_[i];
        const bool is_late = clock_.now_cycles() >= held.deadline_cycles;
        const bool may_go = burst.count < limits::burst_size_max && has_news &&
                            snapshot.paths->to(held.neighbour).hop->is_resolved;
        if (may_go) {
            burst.mbufs[burst.count++] = held.mbuf;
        } else if (is_late) {
            counters_.released.add(1);
            drop(held.mbuf, DropReason::neighbour_unresolved);
        } else {
            held_[kept++] = held;
        }
    }
    held_count_ = kept;
    if (burst.count > 0) {
        held_epoch_ = 0;  // there may be more than one burst of them
        counters_.released.add(burst.count);
        carry(snapshot, Origin::held);
    }
}

void Worker::count_forwarded(const Decision& decision, const ParsedPacket& packet) {
    if (packet.kind != PacketKind::flow || decision.tally >= board_.tally_count()) {
        return;
    }
    RealTally& tally = board_.tally(decision.tally);
    if (decision.is_reply) {
        tally.out_packets.add(1);
        tally.out_bytes.add(packet.ip_length);
    } else {
        tally.in_packets.add(1);
        tally.in_bytes.add(packet.ip_length);
    }
}

// The service has nobody to serve it. Its clients are told at once, if it wants them told: the
// packet is dropped, and in its buffer a reset is made.
void Worker::refuse_no_real(std::size_t i, const Snapshot& snapshot) {
    rte_mbuf* mbuf = burst_->mbufs[i];
    const ParsedPacket& packet = burst_->packets[i];
    const SnapshotListener& listener = snapshot.listeners[burst_->classified[i].listener];
    const NextHop& hop = *snapshot.paths->to(packet.source).hop;
    const bool can_answer = packet.protocol == L4Protocol::tcp &&
                            snapshot.services[listener.service].no_real == NoReal::reset &&
                            hop.is_resolved && mbuf->nb_segs == 1;
    if (!can_answer) {
        drop(mbuf, DropReason::no_real);
        return;
    }
    counters_.dropped[static_cast<std::size_t>(DropReason::no_real)].add(1);
    counters_.originated.add(1);
    const std::uint16_t length =
        turn_into_reset(rte_pktmbuf_mtod(mbuf, std::uint8_t*), packet, hop);
    mbuf->data_len = length;
    mbuf->pkt_len = length;
    transmit(mbuf, hop.port);
}

void Worker::serve_inbox(const Snapshot& snapshot) {
    WorkerRequest request;
    for (std::size_t i = 0; i < limits::inbox_requests_per_turn_max; ++i) {
        if (wiring_.inbox == nullptr || wiring_.inbox->collect(&request, 1) == 0) {
            return;
        }
        walk_ = {request, 0, 0, /*is_running=*/true};
        walk_some(snapshot);
    }
}

void Worker::walk_some(const Snapshot& snapshot) {
    // A full outbox would lose records: the walk waits for the reader instead.
    if (!walk_.is_running || !wiring_.outbox->is_empty()) {
        return;
    }
    const WorkerRequest& request = walk_.request;
    const Ages ages{snapshot, clock_.now_s()};
    const bool has_more = table_.walk(
        walk_.next_bucket, limits::walk_buckets_per_turn_max, [&](const Session& session) {
            const bool is_wanted =
                !ages.is_nameless(session) && walk_.reported < request.records_max &&
                (request.listener == limits::index_none || request.listener == session.listener) &&
                (request.real == limits::index_none || request.real == session.real) &&
                (request.client.is_unspecified() || request.client == session.client_address);
            if (!is_wanted) {
                return;
            }
            const SnapshotListener& listener = snapshot.listeners[session.listener];
            WorkerReport found;
            found.kind = ReportKind::session;
            found.walk_id = request.walk_id;
            found.session = {
                .client = {session.client_address, session.client_port},
                .vip = {listener.vip, session.vip_port},
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
    walk_.next_bucket += limits::walk_buckets_per_turn_max;
    if (!has_more || walk_.reported >= request.records_max) {
        WorkerReport end;
        end.kind = ReportKind::walk_done;
        end.walk_id = request.walk_id;
        report(end);
        walk_.is_running = false;
    }
}

// A little every turn, at a pace that ends a round within the sweep period, also when idle.
void Worker::sweep_some(const Snapshot& snapshot) {
    const std::uint64_t now = clock_.now_cycles();
    if (now < sweep_due_cycles_) {
        return;
    }
    const std::uint64_t round_cycles = clock_.hz() * limits::sweep_period_s / 2;
    const std::uint64_t cycles_per_step = std::max<std::uint64_t>(
        1, round_cycles * limits::sweep_buckets_per_turn_max / table_.swept_count());
    sweep_due_cycles_ = std::max(sweep_due_cycles_ + cycles_per_step, now);
    if (sweep_began_under_epoch_ == 0) {
        sweep_began_under_epoch_ = snapshot.epoch;
    }
    if (tracker_.sweep(limits::sweep_buckets_per_turn_max, snapshot, clock_.now_s())) {
        counters_.epoch_swept.set(sweep_began_under_epoch_);
        sweep_began_under_epoch_ = 0;
    }
}

void Worker::report(const WorkerReport& report) {
    if (wiring_.outbox == nullptr || !wiring_.outbox->post(report)) {
        counters_.reports_lost.add(1);
    }
}

void Worker::close_turn(const Snapshot& snapshot, bool was_busy) {
    counters_.sessions_live.set(table_.live_count());
    counters_.sessions_unconfirmed.set(table_.unconfirmed_count());
    counters_.sessions_moved.set(table_.moved_count());
    counters_.turns.add(1);
    counters_.epoch_seen.set(snapshot.epoch);
    const std::uint64_t began = clock_.now_cycles();
    const std::uint64_t cycles = rte_rdtsc() - began;
    if (was_busy) {
        counters_.busy_cycles.add(cycles);
    }
    counters_.total_cycles.set(began);
    const bool is_new_window = began - longest_turn_since_cycles_ > clock_.hz() * 10;
    if (is_new_window || cycles > counters_.longest_turn_cycles.read()) {
        counters_.longest_turn_cycles.set(cycles);
        longest_turn_since_cycles_ = is_new_window ? began : longest_turn_since_cycles_;
    }
#ifdef FULCRUM_ASSERT_COUNTER_LAW
    if (!obeys_counter_law()) {
        std::abort();
    }
#endif
}

bool Worker::obeys_counter_law() const {
    std::uint64_t in = counters_.received.read() + counters_.from_kernel.read() +
                       counters_.adopted.read() + counters_.originated.read() +
                       counters_.released.read();
    std::uint64_t out =
        counters_.transmitted.read() + counters_.handed_over.read() + counters_.held_back.read();
    for (const SingleWriterCounter& dropped : counters_.dropped) {
        out += dropped.read();
    }
    for (const SingleWriterCounter& punted : counters_.punted) {
        out += punted.read();
    }
    for (std::size_t port = 0; port < wiring_.ports.size(); ++port) {
        out += outgoing_[port].count;
    }
    return in == out;
}

// Longer the longer nothing has come. Offline meanwhile, so that no publication waits for us.
void Worker::rest(unsigned idle_turns) {
    if (idle_turns < idle_turns_before_sleep) {
        rte_pause();
        return;
    }
    const long steps = static_cast<long>(std::min(idle_turns - idle_turns_before_sleep, 64U));
    const timespec nap{0, std::min(sleep_ns_min + steps * sleep_ns_min, sleep_ns_max)};
    offline();
    clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, nullptr);
    online();
}

}  // namespace fulcrum
