// The turn, from queue to queue.
#include "dataplane/worker.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_prefetch.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "dataplane/reset.h"

namespace fulcrum {
namespace {

std::vector<PathPort> path_ports(const WorkerWiring& wiring) {
    std::vector<PathPort> ports;
    for (const PortQueues& queues : wiring.ports) {
        ports.push_back({queues.mac, queues.completes_partial_checksums, {}});
    }
    for (std::size_t i = 0; i < wiring.ports.size(); ++i) {
        const PortQueues& queues = wiring.ports[i];
        if (queues.vlan != 0) {
            ports[queues.parent].vlans.push_back({queues.vlan, static_cast<std::uint8_t>(i)});
        }
    }
    return ports;
}

ChooserWiring chooser_wiring(const WorkerWiring& wiring) {
    ChooserWiring chooser{.board = wiring.board,
                          .others = {},
                          .worker_id = wiring.id,
                          .worker_count = wiring.worker_count,
                          .affinity_record_count = wiring.affinity_record_count,
                          .affinity_memory = wiring.affinity_memory,
                          .key = wiring.secret,
                          .hz = rte_get_tsc_hz(),
                          .limit_record_count = wiring.limit_record_count};
    for (const CounterBoard* other : wiring.others) {
        if (other != nullptr) {
            chooser.others.push_back(other);
        }
    }
    return chooser;
}

constexpr unsigned idle_turns_before_pause = 64;
constexpr unsigned idle_turns_before_sleep = 512;
constexpr long sleep_ns_min = 10'000;
constexpr long sleep_ns_max = 100'000;

}  // namespace

Worker::Worker(const WorkerWiring& wiring)
    : wiring_{wiring},
      reader_{*wiring.publication, wiring.id},
      table_{*wiring.table},
      table6_{*wiring.table6},
      board_{*wiring.board},
      counters_{board_.worker()},
      chooser_{chooser_wiring(wiring)},
      tracker_{table_, board_, chooser_, *wiring.local_ends, *wiring.cookies},
      tracker6_{table6_, board_, chooser_, *wiring.local_ends, *wiring.cookies},
      path_{path_ports(wiring),
            *wiring.steering,
            wiring.id,
            wiring.worker_count,
            {tracker_, tracker6_}},
      rehearsal_{path_ports(wiring),
                 *wiring.steering,
                 wiring.id,
                 wiring.worker_count,
                 {chooser_, *wiring.local_ends, *wiring.cookies}},
      emitter_{wiring_, clock_},
      teller_{emitter_, counters_},
      refitter_{emitter_, counters_, wiring.id, wiring.worker_count},
      icmp_{emitter_, counters_, clock_},
      reset_rate_{clock_.hz() / IcmpOrigin::errors_per_s, IcmpOrigin::errors_at_once,
                  clock_.now_cycles()},
      early_fragments_{path_.fragments()},
      tap_{wiring.captured, counters_},
      burst_{std::make_unique<Burst>()} {
    for (std::size_t i = 0; i < wiring.ports.size(); ++i) {
        port_index_[wiring.ports[i].port_id] = static_cast<std::uint8_t>(i);
    }
    if (wiring.replicas_told != nullptr) {
        tracker_.tell(*wiring.replicas_told);
        tracker6_.tell(*wiring.replicas_told);
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
    if (wiring_.takes_up) [[unlikely]] {
        take_up(snapshot);
    }

    renew_counts();
    chooser_.gate().tick(clock_.now_cycles());
    bool was_busy = serve_kernel();
    was_busy |= receive();
    was_busy |= adopt();
    release_held(snapshot);
    release_fragments(snapshot);
    if (wiring_.cookies->has_due(clock_.now_s())) {
        retry_half_open(snapshot);
    }

    serve_inbox(snapshot);
    walk_some(snapshot);
    sweep_some(snapshot);
    if (wiring_.replicas_told != nullptr) {
        was_busy |= serve_peer(snapshot);
    }
    emitter_.flush();
    close_turn(snapshot, was_busy);
    reader_.quiescent();
    return was_busy || walk_.is_running;
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
    if (snapshot.capture != nullptr) [[unlikely]] {
        return carry_captured(snapshot, origin);
    }
    look_at_buffers();
    path_.carry(*burst_, snapshot, clock_.now_s(), origin);
    if (burst_->untagged_count != 0) {
        trim_untagged();
    }
    emit(snapshot);
}

void Worker::look_at_buffers() {
    Burst& burst = *burst_;
    for (std::size_t i = 0; i < burst.count; ++i) {
        rte_mbuf* mbuf = burst.mbufs[i];
        rte_prefetch0(rte_pktmbuf_mtod(mbuf, void*));
        burst.frames[i] = {rte_pktmbuf_mtod(mbuf, std::uint8_t*), mbuf->pkt_len, mbuf->data_len,
                           port_index_[mbuf->port]};
    }
}

void Worker::emit(const Snapshot& snapshot) {
    for (std::size_t i = 0; i < burst_->count; ++i) {
        emit_one(i, snapshot);
    }
    if (burst_->has_steps) {
        burst_->forget_steps();
    }
}

void Worker::emit_one(std::size_t i, const Snapshot& snapshot) {
    rte_mbuf* mbuf = burst_->mbufs[i];
    const Decision& decision = burst_->decisions[i];
    switch (decision.verdict) {
        case Verdict::transmit:
            count_forwarded(decision, burst_->packets[i]);
            emitter_.transmit(mbuf, decision.hop->port);
            break;
        case Verdict::refit:
            count_forwarded(decision, burst_->packets[i]);
            refit(i, snapshot);
            break;
        case Verdict::splice:
            count_forwarded(decision, burst_->packets[i]);
            splice(i, snapshot);
            break;
        case Verdict::answer:
            answer(i, snapshot);
            break;
        case Verdict::punt:
            emitter_.punt(mbuf, decision.punt_class);
            break;
        case Verdict::deliver:
            count_forwarded(decision, burst_->packets[i]);
            deliver(i);
            break;
        case Verdict::hand_over:
            if (!emitter_.hand_over(mbuf, owner_of(i))) {
                drop_stranger(i, snapshot);
            }
            break;
        case Verdict::hold:
            hold(i, destination_of(i, snapshot), snapshot);
            break;
        case Verdict::hear:
            hear_tunnel_error(i, snapshot);
            break;
        case Verdict::await:
            await_first(i);
            break;
        case Verdict::drop:
            refuse(i, snapshot);
            break;
        case Verdict::reset:
            reset_both_sides(i, snapshot);
            break;
        case Verdict::pending:
            std::abort();  // a stage forgot a packet
    }
}

unsigned Worker::owner_of(std::size_t i) const {
    return burst_->classified[i].packet_class == PacketClass::local_reply
               ? wiring_.steering->owner_of_local_port(burst_->packets[i].destination_port)
               : wiring_.steering->owner_of(client_of(i));
}

IpAddress Worker::client_of(std::size_t i) const {
    return burst_->packets[i].ip_version == 6 ? IpAddress{burst_->clients6[i].address}
                                              : IpAddress{burst_->classified[i].client};
}

IpAddress Worker::source_of(std::size_t i, const Snapshot& snapshot) const {
    const ParsedPacket& packet = burst_->packets[i];
    return burst_->decisions[i].is_reply
               ? snapshot.address_of(packet.source, packet.ip_version == 6)
               : client_of(i);
}

// Of a packet that has been decided on.
IpAddress Worker::destination_of(std::size_t i, const Snapshot& snapshot) const {
    const Decision& decision = burst_->decisions[i];
    return decision.is_reply ? client_of(i) : real_of(decision, burst_->packets[i], snapshot);
}

// The number of the service that the packet is of, if that is known: a request's by its listener, a
// reply's by the real whose counters it has been told.
std::uint16_t Worker::service_of(std::size_t i, const Snapshot& snapshot) const {
    const PacketClass packet_class = burst_->classified[i].packet_class;
    if (packet_class == PacketClass::request) {
        return snapshot.service_of(burst_->classified[i].listener).number;
    }
    const bool is_of_real =
        packet_class == PacketClass::reply || packet_class == PacketClass::fragment;
    return is_of_real ? snapshot.service_number_of(burst_->decisions[i].tally) : limits::index_none;
}

// Its owner has no room for it. A reply's service would be known to its owner alone.
[[gnu::noinline]] void Worker::drop_stranger(std::size_t i, const Snapshot& snapshot) {
    burst_->decisions[i].tally = limits::tallies_max;
    drop(i, DropReason::handover_full, snapshot);
}

// Counted for the packet's service too.
[[gnu::noinline]] void Worker::drop(std::size_t i, DropReason reason, const Snapshot& snapshot) {
    emitter_.drop(burst_->mbufs[i], {reason, service_of(i, snapshot)});
}

// Until the next hop towards `destination` is known. Untouched, so that it can be taken up again
// from the beginning.
void Worker::hold(std::size_t i, const IpAddress& destination, const Snapshot& snapshot) {
    const Paths::Answer path = snapshot.paths->to(destination);
    const std::uint64_t deadline = clock_.now_cycles() + clock_.cycles_of_ms(limits::hold_ms_max);
    if (!waiting_.admit(burst_->mbufs[i], path.neighbour, deadline, service_of(i, snapshot))) {
        return drop(i, DropReason::neighbour_unresolved, snapshot);
    }
    counters_.held_back.add(1);
    WorkerReport wanted;
    wanted.kind = ReportKind::neighbour_wanted;
    wanted.port = path.hop->port;
    wanted.neighbour = path.neighbour;
    report(wanted);
}

void Worker::release_held(const Snapshot& snapshot) {
    if (waiting_.is_empty()) {
        return;
    }
    burst_->count = 0;
    waiting_.call(
        snapshot, clock_.now_cycles(),
        [this](rte_mbuf* mbuf) { burst_->mbufs[burst_->count++] = mbuf; },
        [this](rte_mbuf* mbuf, std::uint16_t service) {
            counters_.released.add(1);
            emitter_.drop(mbuf, {DropReason::neighbour_unresolved, service});
        });
    if (burst_->count > 0) {
        counters_.released.add(burst_->count);
        carry(snapshot, Origin::held);
    }
}

void Worker::count_forwarded(const Decision& decision, const ParsedPacket& packet) {
    if (packet.kind == PacketKind::icmp_error || decision.tally >= board_.tally_count()) {
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

// A session has lost its real, and is to end: this packet's numbers reset its receiver, by a new
// frame if there is a buffer for it, and its sender, in its own buffer. Whoever does not hear it is
// told again with the next packet.
void Worker::reset_both_sides(std::size_t i, const Snapshot& snapshot) {
    rte_mbuf* mbuf = burst_->mbufs[i];
    const ParsedPacket& packet = burst_->packets[i];
    const Decision& decision = burst_->decisions[i];
    auto* const frame = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
    const SnapshotReal* const local = local_real_of(decision, snapshot);
    const auto send = [this](rte_mbuf* reset, std::uint16_t length, const NextHop& hop,
                             bool is_to_kernel) {
        reset->data_len = length;
        reset->pkt_len = length;
        counters_.originated.add(1);
        is_to_kernel ? deliver(reset, hop) : emitter_.transmit(reset, hop.port);
    };
    const bool can_go_on = decision.hop != nullptr && decision.hop->is_resolved;
    if (rte_mbuf* onwards = can_go_on ? rte_pktmbuf_alloc(mbuf->pool) : nullptr) {
        BareReset reset = reset_onwards(frame, packet, decision, client_of(i), snapshot);
        if (tells_client(decision)) {
            shift_reset(*burst_->tellings[i].shift, decision.is_reply, reset);
        }
        splice_reset(i, reset);
        auto* const octets = rte_pktmbuf_mtod(onwards, std::uint8_t*);
        const std::uint16_t length = write_reset(octets, reset, *decision.hop);
        if (decision.rewrite == Rewrite::tunnel) {
            send_in_tunnel(onwards, length, i, snapshot);
        } else {
            send(onwards, length, *decision.hop, local != nullptr && !decision.is_reply);
        }
    }
    const bool is_from_kernel = local != nullptr && decision.is_reply;
    const NextHop& back =
        is_from_kernel ? local->hop : *snapshot.paths->to(source_of(i, snapshot)).hop;
    if (!back.is_resolved || mbuf->nb_segs != 1) {
        return drop(i, decision.reason, snapshot);
    }
    emitter_.count_drop({decision.reason, service_of(i, snapshot)});
    send(mbuf, turn_into_reset(frame, packet, back), back, is_from_kernel);
}

// A little every turn, at a pace that ends a round within the sweep period, also when idle.
void Worker::sweep_some(const Snapshot& snapshot) {
    const std::uint64_t now = clock_.now_cycles();
    if (now < sweep_due_cycles_) {
        return;
    }
    const std::uint64_t round_cycles = clock_.hz() * limits::sweep_period_s / 2;
    const std::uint64_t cycles_per_step =
        std::max<std::uint64_t>(1, round_cycles * limits::sweep_buckets_per_turn_max /
                                       (table_.swept_count() + table6_.swept_count()));
    sweep_due_cycles_ = std::max(sweep_due_cycles_ + cycles_per_step, now);
    if (sweep_began_under_epoch_ == 0) {
        sweep_began_under_epoch_ = snapshot.epoch;
        chooser_.affinity().begin_round();
    }
    // Its round ends no later than the session tables', so that what is swept is swept in all.
    const std::uint32_t now_s = clock_.now_s();
    const std::size_t affinity_buckets = 1 + chooser_.affinity().bucket_count() *
                                                 limits::sweep_buckets_per_turn_max /
                                                 (table_.swept_count() + table6_.swept_count());
    chooser_.affinity().sweep(affinity_buckets, {snapshot, now_s});
    const bool is_through =
        sweeps_table6_ ? tracker6_.sweep(limits::sweep_buckets_per_turn_max, snapshot, now_s)
                       : tracker_.sweep(limits::sweep_buckets_per_turn_max, snapshot, now_s);
    if (is_through && sweeps_table6_) {
        counters_.epoch_swept.set(sweep_began_under_epoch_);
        sweep_began_under_epoch_ = 0;
    }
    sweeps_table6_ = is_through != sweeps_table6_;
}

// What schedulers know of the other workers' sessions is summed anew, but no more often than this.
void Worker::renew_counts() {
    if (wiring_.worker_count > 1 && clock_.now_cycles() >= counts_due_cycles_) {
        counts_due_cycles_ = clock_.now_cycles() + clock_.cycles_of_ms(limits::counts_renewed_ms);
        chooser_.renew_counts();
    }
}

void Worker::report(const WorkerReport& report) {
    if (wiring_.outbox == nullptr || !wiring_.outbox->post(report)) {
        counters_.reports_lost.add(1);
    }
}

void Worker::close_turn(const Snapshot& snapshot, bool was_busy) {
    counters_.affinity_records.set(chooser_.affinity().live_count());
    counters_.affinity_evicted.set(chooser_.affinity().evicted_count());
    counters_.affinity_refused.set(chooser_.affinity().refused_count());
    counters_.local_ports_taken.set(wiring_.local_ends->taken_count());
    counters_.sessions_spliced.set(wiring_.cookies->splices().count());
    counters_.sessions_live.set(table_.live_count() + table6_.live_count());
    counters_.sessions_unconfirmed.set(table_.unconfirmed_count() + table6_.unconfirmed_count());
    counters_.sessions_moved.set(table_.moved_count() + table6_.moved_count());
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
    return in == out + emitter_.pending_count();
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
