// One thread, one CPU, one share of the clients: a worker owns its session table, its queues of
// every NIC port, and its half of every mailbox, and shares no written memory with anybody. Its
// turn is a list of duties, each a loop over a burst; nothing in it allocates, waits, logs or
// throws, and everything is bounded. Start reading at run_once().
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "config/model/worker_messages.h"
#include "dataplane/burst.h"
#include "dataplane/capture_tap.h"
#include "dataplane/chooser.h"
#include "dataplane/emitter.h"
#include "dataplane/fragment_room.h"
#include "dataplane/icmp_origin.h"
#include "dataplane/packet_path.h"
#include "dataplane/refit.h"
#include "dataplane/rehearsal.h"
#include "dataplane/reset.h"
#include "dataplane/tell_client.h"
#include "dataplane/token_bucket.h"
#include "dataplane/track.h"
#include "dataplane/turn_clock.h"
#include "dataplane/waiting_room.h"
#include "dataplane/worker_wiring.h"

struct rte_mempool;

namespace fulcrum {

class Worker {
  public:
    explicit Worker(const WorkerWiring& wiring);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Turns until `stop`. To be called on the worker's own thread.
    void run(const std::atomic<bool>& stop);

    // One turn; whether it had anything to do. Between online() and offline().
    bool run_once();
    void online() { reader_.online(); }
    void offline() { reader_.offline(); }

    // Whether the counter law holds now: asserted after every turn in debug builds and tests.
    bool obeys_counter_law() const;

  private:
    // What the sender of a packet hears that no real gets.
    enum class Refusal : std::uint8_t { silence, reset, unreachable };

    void take_up(const Snapshot& snapshot);
    bool serve_kernel();
    void serve_kernel_beside_local_reals(std::span<rte_mbuf*> mbufs, const Snapshot& snapshot);
    bool receive();
    bool adopt();
    void release_held(const Snapshot& snapshot);
    void release_fragments(const Snapshot& snapshot);

    void carry(const Snapshot& snapshot, Origin origin);
    void carry_captured(const Snapshot& snapshot, Origin origin);
    void emit_captured(std::size_t i, const Snapshot& snapshot);
    void look_at_buffers();
    void trim_untagged();
    void emit(const Snapshot& snapshot);
    void emit_one(std::size_t i, const Snapshot& snapshot);
    void refit(std::size_t i, const Snapshot& snapshot);
    void splice(std::size_t i, const Snapshot& snapshot);
    void splice_reset(std::size_t i, BareReset& reset) const;
    void answer(std::size_t i, const Snapshot& snapshot);
    void offer_cookie(std::size_t i, const Snapshot& snapshot);
    void open_at_real(std::size_t i, const Snapshot& snapshot);
    void close_up(std::size_t i, const Snapshot& snapshot);
    void acknowledge_real(std::size_t i, std::uint32_t real_time, const Snapshot& snapshot);
    void rebuff(std::size_t i, const Snapshot& snapshot);
    void retry_half_open(const Snapshot& snapshot);
    rte_mbuf* segment_of_client(const Splice& splice, const LeasingFlow& flow,
                                const Snapshot& snapshot);
    void give_up(const Splice& splice, const LeasingFlow& flow, const Snapshot& snapshot);
    void put_in_place(std::size_t i, std::uint16_t length);
    void count_forwarded(const Decision& decision, const ParsedPacket& packet);
    void hold(std::size_t i, const IpAddress& destination, const Snapshot& snapshot);
    void reset_both_sides(std::size_t i, const Snapshot& snapshot);
    void send_in_tunnel(rte_mbuf* mbuf, std::uint16_t length, std::size_t i,
                        const Snapshot& snapshot);
    void deliver(std::size_t i);
    void deliver(rte_mbuf* mbuf, const NextHop& hop);
    void await_first(std::size_t i);
    void hear_tunnel_error(std::size_t i, const Snapshot& snapshot);
    void refuse(std::size_t i, const Snapshot& snapshot);
    void refuse_no_real(std::size_t i, const Snapshot& snapshot);
    void refuse_at_vip(std::size_t i, const Snapshot& snapshot);
    void answer_refused(std::size_t i, Refusal refusal, const Snapshot& snapshot);
    void refuse_too_long(std::size_t i, const Snapshot& snapshot);
    void refuse_and_tell(std::size_t i, IcmpError error, const Snapshot& snapshot);

    void serve_inbox(const Snapshot& snapshot);
    void explain(const Question& question, const Snapshot& snapshot);
    void walk_some(const Snapshot& snapshot);
    template <typename Table>
    bool walk_sessions(const Table& table, const Snapshot& snapshot);
    bool walk_affinity(const Snapshot& snapshot);
    bool serve_peer(const Snapshot& snapshot);
    bool adopt_replicas(const Snapshot& snapshot);
    void adopt_client(const Replica& replica, const Snapshot& snapshot);
    bool transfer_some(const Snapshot& snapshot);
    bool transfer_clients(std::size_t count, const Snapshot& snapshot);
    IpAddress destination_of(std::size_t i, const Snapshot& snapshot) const;
    IpAddress client_of(std::size_t i) const;
    std::uint16_t service_of(std::size_t i, const Snapshot& snapshot) const;
    void drop(std::size_t i, DropReason reason, const Snapshot& snapshot);
    void drop_stranger(std::size_t i, const Snapshot& snapshot);
    unsigned owner_of(std::size_t i) const;
    IpAddress source_of(std::size_t i, const Snapshot& snapshot) const;
    void sweep_some(const Snapshot& snapshot);
    void renew_counts();
    void report(const WorkerReport& report);
    void rest(unsigned idle_turns);
    void close_turn(const Snapshot& snapshot, bool was_busy);

    struct Walk {
        WorkerRequest request;
        std::size_t next_bucket = 0;
        bool is_in_table6 = false;  // after the other one
        std::uint32_t reported = 0;
        bool is_running = false;
    };

    // A full transfer to the peer: one table after the other.
    struct PeerTransfer {
        enum class Table : std::uint8_t { none, sessions, sessions6, clients };
        Table table = Table::none;  // none: no transfer is under way
        std::uint32_t id = 0;
        std::size_t next_bucket = 0;
    };

    WorkerWiring wiring_;
    SnapshotReader reader_;
    SessionTable& table_;
    SessionTable6& table6_;
    CounterBoard& board_;
    WorkerCounters& counters_;
    Chooser chooser_;
    Tracker tracker_;
    Tracker6 tracker6_;
    PacketPath path_;
    Rehearsal rehearsal_;
    TurnClock clock_;
    Emitter emitter_;
    ClientTeller teller_;
    Refitter refitter_;
    IcmpOrigin icmp_;
    TokenBucket reset_rate_;  // of resets in the name of ports that no service has
    WaitingRoom waiting_;
    FragmentRoom early_fragments_;
    CaptureTap tap_;
    CapturedFrame captured_;  // in hand
    std::unique_ptr<Burst> burst_;
    rte_mempool* pool_ = nullptr;  // of the buffers in which cookies came back
    std::array<std::uint8_t, RTE_MAX_ETHPORTS> port_index_{};  // by DPDK's port id
    Walk walk_;
    PeerTransfer transfer_;
    std::uint64_t sweep_began_under_epoch_ = 0;
    bool sweeps_table6_ = false;  // after the other one
    std::uint64_t sweep_due_cycles_ = 0;
    std::uint64_t counts_due_cycles_ = 0;
    std::uint64_t longest_turn_since_cycles_ = 0;
};

}  // namespace fulcrum
