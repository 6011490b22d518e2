// Wiring, turns, and the proof at the end.
#include "tests/support/worker_rig.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <utility>

#include "tests/support/no_allocation.h"

namespace fulcrum::test {
namespace {

// Two of rings, and the scene's VLANs of them.
std::vector<PortQueues> ports_of(const Config& config) {
    std::vector<PortQueues> ports{{.port_id = ring_port(0).id(), .mac = wan_mac},
                                  {.port_id = ring_port(1).id(), .mac = lan_mac}};
    for (std::size_t i = ports.size(); i < config.ports.size(); ++i) {
        const std::uint8_t parent = config.ports[i].parent == config.ports[1].name ? 1 : 0;
        ports.push_back({.port_id = vlan_port_id(i),
                         .has_receive_queue = false,
                         .mac = ports[parent].mac,
                         .vlan = config.ports[i].vlan,
                         .parent = parent});
    }
    return ports;
}

std::vector<Frame> emptied(rte_ring* ring) {
    std::vector<Frame> frames;
    void* mbuf = nullptr;
    while (rte_ring_dequeue(ring, &mbuf) == 0) {
        frames.push_back(frame_of(static_cast<rte_mbuf*>(mbuf)));
    }
    return frames;
}

void empty(PacketMailbox* mailbox) {
    rte_mbuf* mbuf = nullptr;
    while (mailbox != nullptr && mailbox->collect(&mbuf, 1) == 1) {
        rte_pktmbuf_free(mbuf);
    }
}

}  // namespace

WorkerRig::WorkerRig(Scene& scene, const Shape& shape)
    : WorkerRig(ports_of(scene.config()), scene.config().director.seed, shape) {
    scene_ = &scene;
    buffers_before_ = rte_mempool_in_use_count(packet_pool());
    publish();
}

WorkerRig::WorkerRig(std::vector<PortQueues> ports, const std::string& seed, const Shape& shape)
    : ports_{std::move(ports)},
      count_{shape.worker_count},
      steering_{owner_key(seed), count_, {.v4 = shape.owner_prefix}},
      publication_{count_},
      publisher_{std::make_unique<SnapshotPublisher>(publication_)} {
    for (unsigned i = 0; i < count_; ++i) {
        members_.push_back(std::make_unique<Member>(shape.bucket_count));
    }
    make_mailboxes();
    for (unsigned i = 0; i < count_; ++i) {
        members_[i]->worker = std::make_unique<Worker>(wiring_of(i, shape));
        members_[i]->worker->online();
    }
}

void WorkerRig::make_mailboxes() {
    between_.resize(std::size_t{count_} * count_);
    for (unsigned from = 0; from < count_; ++from) {
        Member& member = *members_[from];
        const std::string own = std::to_string(from);
        member.inbox =
            Mailbox<WorkerRequest>::create("test_inbox" + own, limits::worker_inbox_length);
        member.outbox =
            Mailbox<WorkerReport>::create("test_outbox" + own, limits::worker_outbox_length);
        member.captured =
            Mailbox<CapturedFrame>::create("test_captured" + own, limits::captured_frames_length);
        member.told = Mailbox<Replica>::create("test_told" + own, limits::replicas_told_length);
        member.heard = Mailbox<Replica>::create("test_heard" + own, limits::replicas_heard_length);
        member.door = TwinDoor::create(from, bell_);
        for (unsigned to = 0; to < count_; ++to) {
            if (from != to) {
                between_[from * count_ + to] = PacketMailbox::create(
                    "test_over" + own + "_" + std::to_string(to), limits::handover_ring_length);
            }
        }
    }
    from_kernel_ = PacketMailbox::create("test_from_kernel", limits::from_kernel_ring_length);
}

WorkerWiring WorkerRig::wiring_of(unsigned index, const Shape& shape) {
    WorkerWiring wiring;
    wiring.id = index;
    wiring.worker_count = count_;
    for (PortQueues port : ports_) {
        port.receive_queue = port.transmit_queue = static_cast<std::uint16_t>(index);
        port.completes_partial_checksums = shape.completes_partial_checksums;
        wiring.ports.push_back(port);
    }
    Member& member = *members_[index];
    wiring.steering = &steering_;
    wiring.table = &*member.table;
    wiring.table6 = &*member.table6;
    wiring.board = &member.board;
    member.local_ends = LocalEnds::create({index, count_}, {});
    wiring.local_ends = member.local_ends.get();
    member.cookies = CookieDesk::create(member.table->slot_count() + member.table6->slot_count(),
                                        shape.cookie_secret);
    wiring.cookies = member.cookies.get();
    for (unsigned other = 0; other < count_; ++other) {
        wiring.others[other] = other == index ? nullptr : &members_[other]->board;
    }
    wiring.publication = &publication_;
    for (unsigned other = 0; other < count_; ++other) {
        wiring.to_workers[other] = between_[index * count_ + other].get();
        wiring.from_workers[other] = between_[other * count_ + index].get();
    }
    wiring.twin = shape.has_twin ? member.door.get() : nullptr;
    wiring.from_kernel = index == 0 ? from_kernel_.get() : nullptr;
    wiring.inbox = member.inbox.get();
    wiring.outbox = member.outbox.get();
    wiring.captured = member.captured.get();
    wiring.replicas_told = shape.has_peer ? member.told.get() : nullptr;
    wiring.replicas_heard = shape.has_peer ? member.heard.get() : nullptr;
    return wiring;
}

WorkerRig::~WorkerRig() {
    for (const auto& member : members_) {
        member->worker->offline();
        member->worker.reset();
        for (std::size_t punt_class = 0; punt_class < punt_class_count; ++punt_class) {
            empty(&member->door->ring(punt_class));
        }
    }
    for (const auto& mailbox : between_) {
        empty(mailbox.get());
    }
    empty(from_kernel_.get());
    if (scene_ == nullptr) {
        return;  // the ports and their buffers are somebody else's
    }
    for (std::size_t port = 0; port < 2; ++port) {
        for (unsigned queue = 0; queue < rig_workers_max; ++queue) {
            emptied(ring_port(port).receive_queue(queue));
            emptied(ring_port(port).transmit_queue(queue));
        }
    }
    EXPECT_EQ(rte_mempool_in_use_count(packet_pool()), buffers_before_) << "buffers have leaked";
}

void WorkerRig::publish() { publish(scene_->snapshot()); }

void WorkerRig::publish(std::unique_ptr<const Snapshot> snapshot) {
    publisher_->publish(std::move(snapshot));
}

void WorkerRig::receive(const Frame& frame, unsigned worker, std::size_t segment) {
    const std::size_t port = arrival_of(frame) == lan_mac ? 1 : 0;
    rte_mbuf* mbuf = buffer_of(frame, ring_port(port).id(), segment);
    ASSERT_NE(mbuf, nullptr);
    ASSERT_EQ(rte_ring_enqueue(ring_port(port).receive_queue(worker), mbuf), 0);
}

void WorkerRig::receive_on(std::size_t port, const Frame& frame, unsigned worker) {
    rte_mbuf* mbuf = buffer_of(frame, ring_port(port).id());
    ASSERT_NE(mbuf, nullptr);
    ASSERT_EQ(rte_ring_enqueue(ring_port(port).receive_queue(worker), mbuf), 0);
}

void WorkerRig::receive_from_kernel(const Frame& frame, std::size_t port) {
    rte_mbuf* mbuf = buffer_of(frame, ports_[port].port_id);
    ASSERT_NE(mbuf, nullptr);
    ASSERT_TRUE(from_kernel_->post(mbuf));
}

bool WorkerRig::turn_of(Member& member) {
    bool was_busy = false;
    {
        const NoAllocation guard;
        was_busy = member.worker->run_once();
    }
    EXPECT_TRUE(member.worker->obeys_counter_law());
    return was_busy;
}

void WorkerRig::turn() {
    for (const auto& member : members_) {
        turn_of(*member);
    }
}

void WorkerRig::settle() {
    for (bool was_busy = true; was_busy;) {
        was_busy = false;
        for (const auto& member : members_) {
            was_busy |= turn_of(*member);
        }
    }
}

std::vector<Frame> WorkerRig::sent(std::size_t port) {
    std::vector<Frame> frames;
    for (unsigned worker = 0; worker < count_; ++worker) {
        for (Frame& frame : emptied(ring_port(port).transmit_queue(worker))) {
            frames.push_back(std::move(frame));
        }
    }
    return frames;
}

std::vector<Punted> WorkerRig::punted() {
    std::vector<Punted> all;
    for (const auto& member : members_) {
        for (std::size_t punt_class = 0; punt_class < punt_class_count; ++punt_class) {
            rte_mbuf* mbuf = nullptr;
            while (member->door->ring(punt_class).collect(&mbuf, 1) == 1) {
                const std::uint16_t port_id = mbuf->port;
                all.push_back({static_cast<PuntClass>(punt_class), port_id, frame_of(mbuf)});
            }
        }
    }
    return all;
}

std::vector<WorkerReport> WorkerRig::reports(unsigned worker) {
    std::vector<WorkerReport> all;
    WorkerReport report;
    while (members_[worker]->outbox->collect(&report, 1) == 1) {
        all.push_back(report);
    }
    return all;
}

std::vector<Replica> WorkerRig::told(unsigned worker) {
    std::vector<Replica> all(limits::replicas_told_length);
    all.resize(members_[worker]->told->collect(all.data(), static_cast<unsigned>(all.size())));
    return all;
}

std::vector<CapturedFrame> WorkerRig::captured(unsigned worker) {
    std::vector<CapturedFrame> all(limits::captured_frames_length);
    all.resize(members_[worker]->captured->collect(all.data(), static_cast<unsigned>(all.size())));
    return all;
}

std::vector<Frame> WorkerRig::answers(const Frame& frame, std::size_t port, unsigned worker) {
    receive(frame, worker);
    settle();
    return sent(port);
}

std::uint64_t WorkerRig::dropped(DropReason reason) const {
    std::uint64_t sum = 0;
    for (const auto& member : members_) {
        sum += member->board.worker().dropped[static_cast<std::size_t>(reason)].read();
    }
    return sum;
}

std::uint64_t WorkerRig::drops_of(std::uint16_t service, DropReason reason) const {
    std::uint64_t sum = 0;
    for (const auto& member : members_) {
        sum += member->board.drops(service).by_reason[static_cast<std::size_t>(reason)].read();
    }
    return sum;
}

std::uint64_t WorkerRig::dropped_for_any_reason() const {
    std::uint64_t sum = 0;
    for (std::size_t reason = 0; reason < drop_reason_count; ++reason) {
        sum += dropped(static_cast<DropReason>(reason));
    }
    return sum;
}

}  // namespace fulcrum::test
