// Workers on one thread, between queues that a test fills and empties: the whole turn over real
// buffers, without a network. A turn may allocate nothing and must obey the counter law; both are
// checked whenever one is taken here. At its end a rig proves that every buffer has come back.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/worker.h"
#include "tests/support/eal.h"
#include "tests/support/rooms.h"
#include "tests/support/scene.h"

namespace fulcrum::test {

struct Punted {
    PuntClass punt_class;
    std::uint16_t port_id;
    Frame frame;
};

class WorkerRig {
  public:
    struct Shape {
        unsigned worker_count = 1;
        std::size_t bucket_count = 256;
        bool completes_partial_checksums = false;
        bool has_twin = true;
        std::uint8_t owner_prefix = 32;
        bool has_peer = false;
        HashKey cookie_secret{};
    };

    // Between ring ports. `scene` outlives the rig; what it compiles to is published.
    explicit WorkerRig(Scene& scene) : WorkerRig(scene, Shape{}) {}
    WorkerRig(Scene& scene, const Shape& shape);
    // Between other ports. Nothing is published yet; turns may be taken, and that is all.
    WorkerRig(std::vector<PortQueues> ports, const std::string& seed, const Shape& shape);
    ~WorkerRig();
    WorkerRig(const WorkerRig&) = delete;
    WorkerRig& operator=(const WorkerRig&) = delete;

    // Compiles the scene as it is now, and publishes that.
    void publish();
    void publish(std::unique_ptr<const Snapshot> snapshot);

    // Into the receive queue of the port that the frame's MAC address names (port 0 by default).
    void receive(const Frame& frame, unsigned worker = 0, std::size_t segment = SIZE_MAX);
    void receive_on(std::size_t port, const Frame& frame, unsigned worker = 0);
    void receive_from_kernel(const Frame& frame, std::size_t port);

    // One turn of every worker, in their order.
    void turn();
    // Turns until no worker has anything to do.
    void settle();

    // What has left by a port since it was last asked: worker after worker, in order.
    std::vector<Frame> sent(std::size_t port);
    std::vector<Punted> punted();
    std::vector<WorkerReport> reports(unsigned worker = 0);
    std::vector<CapturedFrame> captured(unsigned worker = 0);
    // Receives, settles, and gives the frames that left by `port`.
    std::vector<Frame> answers(const Frame& frame, std::size_t port, unsigned worker = 0);

    Worker& worker(unsigned index = 0) { return *members_[index]->worker; }
    const VlanCounters& vlan_counters(std::size_t port, unsigned worker = 0) const {
        return members_[worker]->board.vlan(port);
    }
    const WorkerCounters& counters(unsigned index = 0) const {
        return members_[index]->board.worker();
    }
    const OpeningTally& opening(std::uint32_t index) const {
        return members_[0]->board.opening(index);
    }
    const RealTally& tally(std::uint32_t index, unsigned worker = 0) const {
        return members_[worker]->board.tally(index);
    }
    SessionTable& table(unsigned index = 0) { return *members_[index]->table; }
    SessionTable6& table6(unsigned index = 0) { return *members_[index]->table6; }
    Mailbox<WorkerRequest>& inbox(unsigned index = 0) { return *members_[index]->inbox; }
    unsigned worker_count() const { return count_; }
    // What the peer would hear, and what it would say.
    std::vector<Replica> told(unsigned worker = 0);
    void hear(const Replica& replica, unsigned worker = 0) {
        ASSERT_TRUE(members_[worker]->heard->post(replica));
    }
    PacketMailbox& mailbox(unsigned from, unsigned to) { return *between_[from * count_ + to]; }
    const Steering& steering() const { return steering_; }
    const Snapshot& snapshot() const { return *publisher_->current(); }

    // Of all workers together.
    std::uint64_t dropped(DropReason reason) const;
    std::uint64_t dropped_for_any_reason() const;
    // Of one service, by its number.
    std::uint64_t drops_of(std::uint16_t service, DropReason reason) const;

  private:
    struct Member {
        explicit Member(std::size_t bucket_count)
            : table{bucket_count}, table6{bucket_count}, board{4'096, 256} {}

        OwnedTable table;
        OwnedTable6 table6;
        CounterBoard board;
        std::unique_ptr<LocalEnds> local_ends;
        std::unique_ptr<CookieDesk> cookies;
        std::unique_ptr<Mailbox<WorkerRequest>> inbox;
        std::unique_ptr<Mailbox<WorkerReport>> outbox;
        std::unique_ptr<Mailbox<CapturedFrame>> captured;
        std::unique_ptr<Mailbox<Replica>> told;
        std::unique_ptr<Mailbox<Replica>> heard;
        std::unique_ptr<TwinDoor> door;
        std::unique_ptr<Worker> worker;
    };

    void make_mailboxes();
    WorkerWiring wiring_of(unsigned index, const Shape& shape);
    bool turn_of(Member& member);

    Scene* scene_ = nullptr;
    std::vector<PortQueues> ports_;
    unsigned count_;
    Steering steering_;
    Publication publication_;
    std::unique_ptr<SnapshotPublisher> publisher_;
    TwinBell bell_;
    std::vector<std::unique_ptr<PacketMailbox>> between_;  // [from * count + to]
    std::unique_ptr<PacketMailbox> from_kernel_;
    std::vector<std::unique_ptr<Member>> members_;
    unsigned buffers_before_ = 0;
};

}  // namespace fulcrum::test
