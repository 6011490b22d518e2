// The director as a real: what its kernel is given of a client's packets, and what the client gets
// of the kernel's answers, whole frames against frames that were built the way they should look.
#include <gtest/gtest.h>

#include <optional>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};
constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint own{Ipv4Address::of(10, 2, 0, 1), be16{8'081}};
constexpr Ipv4Address first_own = Ipv4Address::of(10, 1, 0, 2);
constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;

class WorkerLocal : public testing::Test {
  protected:
    explicit WorkerLocal(const IpAddress& address = own.address) {
        scene_.service("web", vip).real("here", {address, own.port});
        rig_.emplace(scene_, WorkerRig::Shape{.worker_count = 2});
    }
    // From the client to the program and back; `address` is where the kernel has it, by `port`.
    void serves(const IpAddress& address, std::size_t port, const MacAddress& mac) {
        const Endpoint program{address, own.port};
        rig_->receive(Packet::tcp(client, vip).flags(tcp_flag::syn).bytes());
        rig_->settle();
        const std::vector<Punted> punted = rig_->punted();
        ASSERT_EQ(punted.size(), 1U);
        EXPECT_EQ(punted[0].punt_class, PuntClass::local);
        EXPECT_EQ(punted[0].port_id, ring_port(port).id());
        EXPECT_TRUE(same_frame(
            Packet::tcp(client, program).flags(tcp_flag::syn).ttl(63).macs(mac, mac).bytes(),
            punted[0].frame));
        rig_->receive_from_kernel(from_program(program).bytes(), 0);
        rig_->settle();
        const std::vector<Frame> sent = rig_->sent(0);
        ASSERT_EQ(sent.size(), 1U);
        EXPECT_TRUE(same_frame(
            Packet::tcp(vip, client).flags(syn_ack).ttl(63).macs(wan_mac, router_mac).bytes(),
            sent[0]));
    }
    static Packet from_program(const Endpoint& program) {
        return Packet::tcp(program, client).flags(syn_ack).macs(wan_mac, router_mac);
    }

    Scene scene_;
    std::optional<WorkerRig> rig_;
};

TEST_F(WorkerLocal, AProgramAtAnAddressOfOursServesThroughTheKernel) {
    serves(own.address, 1, lan_mac);
}

TEST_F(WorkerLocal, WhatIsNoReplyLeavesAsTheKernelMeantIt) {
    // Of another program, and of this one to somebody who asked it by its own address.
    const Endpoint other{own.address, be16{22}};
    for (const Endpoint& program : {other, own}) {
        rig_->receive_from_kernel(from_program(program).ttl(64).bytes(), 0);
        rig_->settle();
        const std::vector<Frame> sent = rig_->sent(0);
        ASSERT_EQ(sent.size(), 1U);
        const std::uint8_t ttl = program == own ? 63 : 64;
        EXPECT_TRUE(same_frame(from_program(program).ttl(ttl).bytes(), sent[0]));
    }
    EXPECT_TRUE(rig_->punted().empty());
}

TEST_F(WorkerLocal, AnErrorOfTheKernelNamesTheVipToTheClient) {
    rig_->receive(Packet::tcp(client, vip).flags(tcp_flag::syn).bytes());
    rig_->settle();
    rig_->punted();
    const auto error = [](const IpAddress& source, const Packet& quoted) {
        return Packet::icmp(source, client.address, 3, 3)
            .quoting(quoted, 8)
            .macs(wan_mac, router_mac);
    };
    rig_->receive_from_kernel(error(own.address, Packet::tcp(client, own)).bytes(), 0);
    rig_->settle();
    const std::vector<Frame> sent = rig_->sent(0);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_TRUE(same_frame(error(vip.address, Packet::tcp(client, vip)).ttl(63).bytes(), sent[0]));
}

// The kernel takes packets of any length from the twin's port: nothing lies between.
TEST_F(WorkerLocal, ALongPacketIsNotCutForThePortThatHoldsTheAddress) {
    scene_.kernel().ports[1].mtu = 1'280;
    rig_->publish();
    const Packet request = Packet::tcp(client, vip).payload(std::string(1'400, 'x'));
    rig_->receive(request.bytes());
    rig_->settle();
    const std::vector<Punted> punted = rig_->punted();
    ASSERT_EQ(punted.size(), 1U);
    EXPECT_EQ(punted[0].frame.size(), request.bytes().size());
}

TEST_F(WorkerLocal, AHandshakeIsHeldToTheServicesSegmentsOnItsWayToTheKernel) {
    scene_.last_service().mss_max = 1'000;
    rig_->publish();
    rig_->receive(
        Packet::tcp(client, vip).flags(tcp_flag::syn).tcp_options({2, 4, 5, 180}).bytes());
    rig_->settle();
    EXPECT_TRUE(rig_->sent(1).empty());
    const std::vector<Punted> punted = rig_->punted();
    ASSERT_EQ(punted.size(), 1U);
    EXPECT_TRUE(same_frame(Packet::tcp(client, own)
                               .flags(tcp_flag::syn)
                               .tcp_options({2, 4, 3, 232})
                               .ttl(63)
                               .macs(lan_mac, lan_mac)
                               .bytes(),
                           punted[0].frame));
}

// As a session ends whose real has been drained for too long: whichever side speaks, the program
// hears of it by the twin and the client by the wire.
TEST_F(WorkerLocal, AResetReachesTheProgramThroughTheKernel) {
    for (const bool is_from_client : {true, false}) {
        rig_->publish();
        serves(own.address, 1, lan_mac);
        auto lost = std::make_unique<Snapshot>(rig_->snapshot());
        lost->reals[0].standing = RealStanding::resetting;
        ++lost->epoch;
        rig_->publish(std::move(lost));
        if (is_from_client) {
            rig_->receive(Packet::tcp(client, vip).payload("more").bytes());
        } else {
            rig_->receive_from_kernel(from_program(own).flags(tcp_flag::ack).bytes(), 0);
        }
        rig_->settle();
        EXPECT_TRUE(rig_->sent(1).empty());
        EXPECT_EQ(rig_->sent(0).size(), 1U);
        const std::vector<Punted> punted = rig_->punted();
        ASSERT_EQ(punted.size(), 1U);
        EXPECT_EQ(punted[0].punt_class, PuntClass::local);
        EXPECT_EQ(punted[0].port_id, ring_port(1).id());
        EXPECT_NE(punted[0].frame[tcp_flags_at] & tcp_flag::rst, 0);
    }
}

class WorkerLoopback : public WorkerLocal {
  protected:
    WorkerLoopback() : WorkerLocal{Ipv4Address::of(127, 0, 0, 1)} {}
};

TEST_F(WorkerLoopback, StandsForTheFirstAddressOfAPort) { serves(first_own, 0, wan_mac); }

}  // namespace
}  // namespace fulcrum::test
