// The door for what flows from workers to everyone: monotonic counters, each written by one thread
// and read by any, never locked and never reset; readers subtract.
//
// The counter law, asserted at the end of every turn in tests and debug builds:
//
//   received + from_kernel + adopted + originated + released
//       = transmitted + punted + handed_over + sum(dropped by reason) + held_back
//
// `held_back` counts packets put aside, `released` those taken up again. Over all workers, adopted
// equals handed_over less what lies in the mailboxes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "config/model/limits.h"
#include "config/model/replica.h"
#include "dataplane/verdict.h"

namespace fulcrum {

// Written by one thread with plain moves (no lock prefix), read by any. Relaxed: a reader may see
// two counters at slightly different moments, which is harmless for what is only summed and shown.
class SingleWriterCounter {
  public:
    void add(std::uint64_t amount) {
        value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
    void subtract(std::uint64_t amount) {
        value_.store(value_.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
    }
    void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
    std::uint64_t read() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

struct alignas(limits::cache_line_size) WorkerCounters {
    // The law's terms.
    SingleWriterCounter received;
    SingleWriterCounter from_kernel;
    SingleWriterCounter adopted;     // from other workers' mailboxes
    SingleWriterCounter originated;  // made by us: resets, ICMP errors, pieces of a packet
    SingleWriterCounter released;
    SingleWriterCounter transmitted;
    SingleWriterCounter handed_over;
    SingleWriterCounter held_back;
    std::array<SingleWriterCounter, punt_class_count> punted;
    std::array<SingleWriterCounter, drop_reason_count> dropped;

    // The session table. The first five only grow; the last two are gauges.
    SingleWriterCounter sessions_opened;
    SingleWriterCounter sessions_expired;
    SingleWriterCounter sessions_evicted;
    SingleWriterCounter sessions_untracked;  // packets of new flows forwarded without a session
    SingleWriterCounter sessions_moved;      // relocations to a session's other bucket
    SingleWriterCounter sessions_live;
    SingleWriterCounter sessions_unconfirmed;

    // Clients' affinity: how many records (a gauge), how many made room for others, and how many
    // were not made because there was none.
    SingleWriterCounter affinity_records;
    SingleWriterCounter affinity_evicted;
    SingleWriterCounter affinity_refused;

    SingleWriterCounter local_ports_taken;          // a gauge: ends of sessions in full NAT
    SingleWriterCounter client_addresses_left_out;  // TOA: segments that had no room for the option

    SingleWriterCounter cookies_sent;      // SYNs answered by us
    SingleWriterCounter cookies_accepted;  // sessions opened by what came back
    SingleWriterCounter sessions_spliced;  // a gauge: those of them that there are

    // ICMP errors of our own: those sent, and those that the rate forbade.
    SingleWriterCounter icmp_errors_sent;
    SingleWriterCounter icmp_errors_policed;

    // The peer: what was told of sessions, what found the mailbox full, what was taken of what was
    // heard, and what was not.
    SingleWriterCounter replicas_told;
    SingleWriterCounter replicas_lost;
    SingleWriterCounter replicas_taken;
    std::array<SingleWriterCounter, replica_refusal_count> replicas_refused;

    SingleWriterCounter captures_lost;  // copies of frames that found the mailbox full

    // The loop.
    SingleWriterCounter turns;
    SingleWriterCounter busy_cycles;  // TSC cycles of turns that had work
    SingleWriterCounter total_cycles;
    SingleWriterCounter reports_lost;         // the outbox was full
    SingleWriterCounter longest_turn_cycles;  // a gauge: only turns since the last reset by us
    SingleWriterCounter epoch_seen;           // a gauge: the snapshot of the last turn
    // A gauge: the epoch under which the last complete sweep of the table was begun. Indexes freed
    // before that epoch are named by no session of this worker.
    SingleWriterCounter epoch_swept;
};

// What one worker has carried for one real. One cache line, written once a packet.
struct alignas(limits::cache_line_size) RealTally {
    SingleWriterCounter in_packets;   // towards the real
    SingleWriterCounter in_bytes;     // IP octets
    SingleWriterCounter out_packets;  // from the real; none under direct routing
    SingleWriterCounter out_bytes;
    SingleWriterCounter sessions_opened;
    SingleWriterCounter sessions_live;       // a gauge
    SingleWriterCounter sessions_confirmed;  // a gauge
    SingleWriterCounter sessions_active;     // a gauge: what is_active() says of their states
};
static_assert(sizeof(RealTally) == limits::cache_line_size);

// What one worker has seen of connections that begin at one real: SYNs that went there before it
// had answered, repeated ones too, and what came back to them. SCTP's INITs likewise; datagrams are
// not counted, nor is anything where answers do not pass here. Written while a handshake is under
// way, and never else. Two share a cache line.
struct alignas(limits::cache_line_size / 2) OpeningTally {
    SingleWriterCounter asked;
    SingleWriterCounter answered;  // SYN,ACK
    SingleWriterCounter refused;   // RST
};

// What one worker says of a real's limit of sessions: whether it is overloaded, for all workers to
// know (see real_counts.h). Of all workers' words the one with the latest number holds (numbers
// wrap); who finds that it holds no longer says so under the next one.
class OverloadWord {
  public:
    OverloadWord() = default;
    OverloadWord(std::uint32_t number, std::uint32_t limit)
        : bits_{std::uint64_t{number} << 32 | limit} {}
    static OverloadWord read_from(const SingleWriterCounter& place) {
        OverloadWord word;
        word.bits_ = place.read();
        return word;
    }
    void write_to(SingleWriterCounter& place) const { place.set(bits_); }

    std::uint32_t number() const { return static_cast<std::uint32_t>(bits_ >> 32); }
    // The upper limit under which the real became overloaded; 0: it is not.
    std::uint32_t limit() const { return static_cast<std::uint32_t>(bits_); }

    static OverloadWord latest_of(OverloadWord a, OverloadWord b) {
        const auto ahead = static_cast<std::int32_t>(a.number() - b.number());
        return ahead > 0 || (ahead == 0 && a.limit() > b.limit()) ? a : b;
    }

  private:
    std::uint64_t bits_ = 0;
};

// What one worker has dropped of one service's packets, and how many SYNs it has answered for it.
// Written when that happens, and never else. What is dropped before it is known whose it is, or
// when a port's queue turns out to be full, is in WorkerCounters alone.
struct ServiceDrops {
    std::array<SingleWriterCounter, drop_reason_count> by_reason;
    SingleWriterCounter cookies_sent;
};

// What one worker has carried by a VLAN that is a port. Frames are counted without their tags.
struct VlanCounters {
    SingleWriterCounter received_packets;
    SingleWriterCounter received_bytes;
    SingleWriterCounter transmitted_packets;
    SingleWriterCounter transmitted_bytes;
};

// One worker's board. Tallies are indexed by SnapshotReal::tally, drops by SnapshotService::number:
// those of services whose number is beyond are counted for no service. Allocated before the worker
// starts and alive until after it has ended.
class CounterBoard {
  public:
    explicit CounterBoard(std::size_t tally_count, std::size_t service_count = 0)
        : tallies_{std::make_unique<RealTally[]>(tally_count)},
          tally_count_{tally_count},
          overloads_{std::make_unique<SingleWriterCounter[]>(tally_count)},
          openings_{std::make_unique<OpeningTally[]>(tally_count)},
          drops_{std::make_unique<ServiceDrops[]>(service_count)},
          service_count_{service_count} {}

    WorkerCounters& worker() { return worker_; }
    const WorkerCounters& worker() const { return worker_; }
    RealTally& tally(std::uint32_t index) { return tallies_[index]; }
    const RealTally& tally(std::uint32_t index) const { return tallies_[index]; }
    std::size_t tally_count() const { return tally_count_; }
    // An OverloadWord's place.
    SingleWriterCounter& overload(std::uint32_t tally) { return overloads_[tally]; }
    const SingleWriterCounter& overload(std::uint32_t tally) const { return overloads_[tally]; }
    OpeningTally& opening(std::uint32_t tally) { return openings_[tally]; }
    const OpeningTally& opening(std::uint32_t tally) const { return openings_[tally]; }
    VlanCounters& vlan(std::size_t port) { return vlans_[port]; }
    const VlanCounters& vlan(std::size_t port) const { return vlans_[port]; }
    ServiceDrops& drops(std::uint16_t service) { return drops_[service]; }
    const ServiceDrops& drops(std::uint16_t service) const { return drops_[service]; }
    std::size_t service_count() const { return service_count_; }

  private:
    WorkerCounters worker_;
    std::array<VlanCounters, limits::ports_max> vlans_;  // by port
    std::unique_ptr<RealTally[]> tallies_;
    std::size_t tally_count_;
    std::unique_ptr<SingleWriterCounter[]> overloads_;  // by tally
    std::unique_ptr<OpeningTally[]> openings_;          // by tally
    std::unique_ptr<ServiceDrops[]> drops_;
    std::size_t service_count_;
};

// What the twin thread has done, by NIC port.
struct alignas(limits::cache_line_size) TwinCounters {
    SingleWriterCounter to_kernel;         // frames written to the TAP
    SingleWriterCounter to_kernel_failed;  // the TAP refused them
    SingleWriterCounter from_kernel;       // frames read from the TAP and given to a worker
    SingleWriterCounter from_kernel_lost;  // no mbuf, or the worker's ring was full
};

}  // namespace fulcrum
