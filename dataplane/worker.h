// One thread, one CPU, one share of the clients: a worker owns its session table, its queues of
// every NIC port, and its half of every mailbox, and shares no written memory with anybody. Its
// turn is a list of duties, each a loop over a burst; nothing in it allocates, waits, logs or
// throws, and everything is bounded. Start reading at run_once().
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "config/model/service.h"
#include "config/model/worker_messages.h"
#include "dataplane/burst.h"
#include "dataplane/counters.h"
#include "dataplane/mailbox.h"
#include "dataplane/publication.h"
#include "dataplane/session_table.h"
#include "dataplane/steering.h"
#include "dataplane/token_bucket.h"
#include "dataplane/track.h"
#include "dataplane/turn_clock.h"
#include "dataplane/twin.h"

namespace fulcrum {

using PacketMailbox = Mailbox<rte_mbuf*>;

// A worker's queues of one NIC port. The index in WorkerWiring::ports is the port's index
// everywhere.
struct PortQueues {
    std::uint16_t port_id = 0;  // DPDK's
    std::uint16_t receive_queue = 0;
    std::uint16_t transmit_queue = 0;
    bool has_receive_queue = true;
    bool completes_partial_checksums =
        false;  // af_packet, af_xdp: the sender's kernel may not have
    MacAddress mac;
};

// Everything that a worker is connected to. Made by the composition root, alive as long as it.
struct WorkerWiring {
    unsigned id = 0;
    std::vector<PortQueues> ports;
    const Steering* steering = nullptr;
    SessionTable* table = nullptr;
    CounterBoard* board = nullptr;
    Publication* publication = nullptr;
    // By worker: [other] is our half of the mailbox to, and from, that worker; null for ourselves.
    std::array<PacketMailbox*, limits::workers_max> to_workers{};
    std::array<PacketMailbox*, limits::workers_max> from_workers{};
    unsigned worker_count = 1;
    TwinDoor* twin = nullptr;  // towards the kernel; null: what would be punted is dropped
    PacketMailbox* from_kernel = nullptr;  // null for all workers but one
    Mailbox<WorkerRequest>* inbox = nullptr;
    Mailbox<WorkerReport>* outbox = nullptr;
    Idle idle = Idle::adaptive;
};

class Worker {
  public:
    explicit Worker(const WorkerWiring& wiring);
    ~Worker();
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
    // Where a burst comes from: who may still hand it over.
    enum class Origin : std::uint8_t { nic, other_worker, held };

    bool serve_kernel();
    bool receive();
    bool adopt();
    void release_held(const Snapshot& snapshot);

    void carry(const Snapshot& snapshot, Origin origin);
    void parse();
    void classify(const Snapshot& snapshot);
    void steer(Origin origin);
    void emit(const Snapshot& snapshot);
    void emit_one(std::size_t i, const Snapshot& snapshot);
    void drop(rte_mbuf* mbuf, DropReason reason);
    void transmit(rte_mbuf* mbuf, std::size_t port);
    void punt(rte_mbuf* mbuf, PuntClass punt_class);
    void hand_over(rte_mbuf* mbuf, unsigned owner);
    void hold(std::size_t i);
    void count_forwarded(const Decision& decision, const ParsedPacket& packet);
    void refuse_no_real(std::size_t i, const Snapshot& snapshot);
    void flush();

    void serve_inbox(const Snapshot& snapshot);
    void walk_some(const Snapshot& snapshot);
    void sweep_some(const Snapshot& snapshot);
    void report(const WorkerReport& report);
    void rest(unsigned idle_turns);
    void close_turn(const Snapshot& snapshot, bool was_busy);

    struct Outgoing {
        std::array<rte_mbuf*, limits::burst_size_max> mbufs;
        std::size_t count = 0;
    };
    struct Held {
        rte_mbuf* mbuf;
        Ipv4Address neighbour;
        std::uint64_t deadline_cycles;
    };
    struct Walk {
        WorkerRequest request;
        std::size_t next_bucket = 0;
        std::uint32_t reported = 0;
        bool is_running = false;
    };

    WorkerWiring wiring_;
    SnapshotReader reader_;
    SessionTable& table_;
    CounterBoard& board_;
    WorkerCounters& counters_;
    Tracker tracker_;
    TurnClock clock_;
    std::array<TokenBucket, punt_class_count> punt_rates_;
    std::unique_ptr<Burst> burst_;
    std::array<Outgoing, limits::ports_max> outgoing_;
    std::array<Held, limits::held_packets_max> held_;
    std::size_t held_count_ = 0;
    std::uint64_t held_epoch_ = 0;
    Walk walk_;
    std::uint64_t sweep_began_under_epoch_ = 0;
    std::uint64_t sweep_due_cycles_ = 0;
    std::uint64_t longest_turn_since_cycles_ = 0;
};

}  // namespace fulcrum
