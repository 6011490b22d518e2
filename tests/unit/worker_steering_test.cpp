// Several workers that share the clients: whatever queue a packet comes by, its client's worker
// carries it, both ways, and no packet changes hands twice. Two and three workers on one thread.
#include <gtest/gtest.h>

#include <set>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};

class WorkersTest : public testing::TestWithParam<unsigned> {
  protected:
    WorkersTest() { scene_.service("web", vip).real("a", real); }

    unsigned count() const { return GetParam(); }

    static Endpoint client_number(std::uint32_t number) {
        return {Ipv4Address::from_host(0xC633'6400 + number), be16{40'000}};
    }
    static Frame request(Endpoint from) { return Packet::tcp(from, vip).bytes(); }
    static Frame reply(Endpoint to) {
        return Packet::tcp(real, to).macs(mac_of(real.address), lan_mac).bytes();
    }

    Scene scene_;
};

TEST_P(WorkersTest, APacketIsCarriedByItsClientsWorkerWhicheverQueueItComesBy) {
    WorkerRig rig{scene_, {.worker_count = count()}};
    for (std::uint32_t number = 0; number < 60; ++number) {
        const Endpoint from = client_number(number);
        const unsigned owner = rig.steering().owner_of(from.address);
        const std::uint64_t opened = rig.counters(owner).sessions_opened.read();
        const auto frames = rig.answers(request(from), 1, number % count());
        ASSERT_EQ(frames.size(), 1U);
        EXPECT_TRUE(
            same_frame(Packet::tcp(from, real).macs(lan_mac, mac_of(real.address)).ttl(63).bytes(),
                       frames[0]));
        EXPECT_EQ(rig.counters(owner).sessions_opened.read(), opened + 1);
    }
}

TEST_P(WorkersTest, AReplyMeetsTheSameWorkerAsItsRequest) {
    WorkerRig rig{scene_, {.worker_count = count()}};
    for (std::uint32_t number = 0; number < 60; ++number) {
        const Endpoint from = client_number(number);
        rig.answers(request(from), 1, number % count());
        const auto frames = rig.answers(reply(from), 0, (number + 1) % count());
        ASSERT_EQ(frames.size(), 1U);
        EXPECT_TRUE(same_frame(Packet::tcp(vip, from).macs(wan_mac, router_mac).ttl(63).bytes(),
                               frames[0]));
        const unsigned owner = rig.steering().owner_of(from.address);
        const Session* session = rig.table(owner).find(
            rig.table(owner).home_of(client_key_of(from.address.v4(), from.port, L4Protocol::tcp)),
            client_key_of(from.address.v4(), from.port, L4Protocol::tcp),
            [](const Session&) { return true; });
        ASSERT_NE(session, nullptr);
        EXPECT_EQ(session->tag.state(), SessionState::established);
    }
}

TEST_P(WorkersTest, AnErrorMeetsTheWorkerOfTheClientWhomItConcerns) {
    WorkerRig rig{scene_, {.worker_count = count()}};
    const Ipv4Address far_router = Ipv4Address::of(192, 0, 2, 1);
    for (std::uint32_t number = 0; number < 20; ++number) {
        const Endpoint from = client_number(number);
        rig.answers(request(from), 1, 0);
        const auto frames = rig.answers(
            Packet::icmp(far_router, vip.address, 3, 1).quoting(Packet::tcp(vip, from), 8).bytes(),
            1, number % count());
        ASSERT_EQ(frames.size(), 1U);
        EXPECT_TRUE(same_frame(Packet::icmp(far_router, real.address, 3, 1)
                                   .quoting(Packet::tcp(real, from), 8)
                                   .macs(lan_mac, mac_of(real.address))
                                   .ttl(63)
                                   .bytes(),
                               frames[0]));
    }
}

TEST_P(WorkersTest, EveryPacketHandedOverIsAdoptedOnce) {
    WorkerRig rig{scene_, {.worker_count = count()}};
    constexpr std::uint32_t packet_count = 200;
    std::uint64_t strangers = 0;
    for (std::uint32_t number = 0; number < packet_count; ++number) {
        const unsigned queue = number % count();
        strangers += rig.steering().owner_of(client_number(number).address) != queue ? 1 : 0;
        rig.receive(request(client_number(number)), queue);
    }
    rig.settle();
    std::uint64_t handed_over = 0;
    std::uint64_t adopted = 0;
    for (unsigned i = 0; i < count(); ++i) {
        handed_over += rig.counters(i).handed_over.read();
        adopted += rig.counters(i).adopted.read();
    }
    EXPECT_EQ(handed_over, strangers);
    EXPECT_EQ(adopted, strangers);
    EXPECT_GT(strangers, packet_count / 4);
    EXPECT_EQ(rig.sent(1).size(), packet_count);
    EXPECT_EQ(rig.dropped_for_any_reason(), 0U);
}

TEST_P(WorkersTest, PuntsAreNotHandedOver) {
    WorkerRig rig{scene_, {.worker_count = count()}};
    for (unsigned queue = 0; queue < count(); ++queue) {
        rig.receive(Packet::icmp(client_number(queue).address, vip.address, 8).bytes(), queue);
    }
    rig.settle();
    EXPECT_EQ(rig.punted().size(), count());
    for (unsigned queue = 0; queue < count(); ++queue) {
        EXPECT_EQ(rig.counters(queue).handed_over.read(), 0U);
    }
}

TEST_P(WorkersTest, AHeldPacketOfAnAdoptedFlowLeavesByItsOwner) {
    scene_.kernel().neighbours.pop_back();
    WorkerRig rig{scene_, {.worker_count = count()}};
    Endpoint from = client_number(0);
    while (rig.steering().owner_of(from.address) == 0) {
        from.address = Ipv4Address::from_host(from.address.v4().host() + 1);
    }
    const unsigned owner = rig.steering().owner_of(from.address);
    EXPECT_TRUE(rig.answers(request(from), 1, 0).empty());
    EXPECT_EQ(rig.counters(owner).held_back.read(), 1U);
    scene_.kernel().neighbours.push_back({real.address, 1, mac_of(real.address)});
    rig.publish();
    rig.settle();
    EXPECT_EQ(rig.sent(1).size(), 1U);
    EXPECT_EQ(rig.counters(owner).released.read(), 1U);
}

INSTANTIATE_TEST_SUITE_P(OneThread, WorkersTest, testing::Values(2U, 3U));

}  // namespace
}  // namespace fulcrum::test
