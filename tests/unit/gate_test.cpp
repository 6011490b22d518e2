// Who comes in, and how often: through the tracking of a worker, and at the gate by a scripted
// clock.
#include "dataplane/gate.h"

#include <gtest/gtest.h>

#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};
constexpr Endpoint neighbour{Ipv4Address::of(198, 51, 100, 8), be16{40'000}};

Frame syn(Endpoint from = client) { return Packet::tcp(from, vip).flags(tcp_flag::syn).bytes(); }
Frame syn_from_port(std::uint16_t port) { return syn({client.address, be16{port}}); }

void deny(Scene& scene, const IpPrefix& prefix) {
    scene.last_service().access.rules =
        std::make_shared<const AccessRules>(AccessRules{.allow = {}, .deny = {prefix}});
}

class GateTest : public testing::Test {
  protected:
    GateTest() { scene_.service("web", vip).real("a", real); }

    RateLimits& limits() { return scene_.last_service().limits; }

    Scene scene_;
};

using DecisionReason = std::pair<Verdict, DropReason>;

DecisionReason judged(const Decision& decision) { return {decision.verdict, decision.reason}; }

TEST_F(GateTest, ADeniedClientOpensNoSessionAndEverybodyElseDoes) {
    deny(scene_, IpPrefix::only(client.address));
    TrackingRoom room{scene_.snapshot()};
    EXPECT_EQ(judged(room.carry(syn())), (DecisionReason{Verdict::drop, DropReason::denied}));
    EXPECT_EQ(room.live_count(), 0U);
    EXPECT_EQ(room.carry(syn(neighbour)).verdict, Verdict::transmit);
}

TEST_F(GateTest, ASessionThatADeniedClientHasGoesOn) {
    TrackingRoom room{scene_.snapshot()};
    room.carry(syn());
    deny(scene_, IpPrefix::only(client.address));
    room.use(scene_.snapshot());
    EXPECT_EQ(room.carry(Packet::tcp(client, vip).bytes()).verdict, Verdict::transmit);
    EXPECT_EQ(judged(room.carry(syn_from_port(40'001))),
              (DecisionReason{Verdict::drop, DropReason::denied}));
}

TEST_F(GateTest, WithoutSessionsEveryDatagramIsAskedFor) {
    scene_.service("dns", {vip.address, be16{53}}, L4Protocol::udp).real("a", real);
    scene_.last_service().one_packet = true;
    const Frame query = Packet::udp(client, {vip.address, be16{53}}).bytes();
    TrackingRoom room{scene_.snapshot()};
    EXPECT_EQ(room.carry(query).verdict, Verdict::transmit);
    deny(scene_, IpPrefix::only(client.address));
    room.use(scene_.snapshot());
    EXPECT_EQ(judged(room.carry(query)), (DecisionReason{Verdict::drop, DropReason::denied}));
}

// No time passes in the room: what comes at once is a second's worth.
TEST_F(GateTest, AClientOpensNoMoreSessionsThanItMay) {
    limits().client_sessions_per_s = 3;
    TrackingRoom room{scene_.snapshot()};
    unsigned opened = 0;
    for (std::uint16_t port = 1; port <= 10; ++port) {
        const Decision decision = room.carry(syn_from_port(port));
        opened += decision.verdict == Verdict::transmit ? 1U : 0U;
        EXPECT_EQ(decision.verdict == Verdict::drop, port > 3);
        if (decision.verdict == Verdict::drop) {
            EXPECT_EQ(decision.reason, DropReason::client_limited);
        }
    }
    EXPECT_EQ(opened, 3U);
    EXPECT_EQ(room.live_count(), 3U);
    EXPECT_EQ(room.carry(syn(neighbour)).verdict, Verdict::transmit) << "another client's rate";
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(room.carry(Packet::tcp({client.address, be16{1}}, vip).bytes()).verdict,
                  Verdict::transmit)
            << "a session is no new one";
    }
}

TEST_F(GateTest, ClientsOfOneNetworkAreOneIfSoAsked) {
    limits().client_sessions_per_s = 1;
    limits().prefix = 24;
    TrackingRoom room{scene_.snapshot()};
    EXPECT_EQ(room.carry(syn()).verdict, Verdict::transmit);
    EXPECT_EQ(judged(room.carry(syn(neighbour))),
              (DecisionReason{Verdict::drop, DropReason::client_limited}));
}

TEST_F(GateTest, AServiceOpensNoMoreSessionsThanItMay) {
    limits().sessions_per_s = 2;
    TrackingRoom room{scene_.snapshot()};
    EXPECT_EQ(room.carry(syn()).verdict, Verdict::transmit);
    EXPECT_EQ(room.carry(syn(neighbour)).verdict, Verdict::transmit);
    EXPECT_EQ(judged(room.carry(syn_from_port(9))),
              (DecisionReason{Verdict::drop, DropReason::service_limited}));
}

TEST_F(GateTest, AClientSendsNoMorePacketsThanItMayOfNewSessionsAndOldOnes) {
    limits().client_packets_per_s = 4;
    TrackingRoom room{scene_.snapshot()};
    const Frame next = Packet::tcp(client, vip).bytes();
    EXPECT_EQ(room.carry(syn()).verdict, Verdict::transmit);
    // Two in a burst, and their session in its first line.
    EXPECT_EQ(room.carry(std::vector<Frame>{next, next})[1].verdict, Verdict::transmit);
    EXPECT_EQ(room.carry(syn_from_port(9)).verdict, Verdict::transmit);
    EXPECT_EQ(judged(room.carry(next)),
              (DecisionReason{Verdict::drop, DropReason::client_limited}));
    EXPECT_EQ(judged(room.carry(syn_from_port(10))),
              (DecisionReason{Verdict::drop, DropReason::client_limited}));
    EXPECT_EQ(room.live_count(), 2U);
    EXPECT_EQ(room.carry(syn(neighbour)).verdict, Verdict::transmit);
    const Frame reply = Packet::tcp(real, client).macs(mac_of(real.address), lan_mac).bytes();
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(room.carry(reply).verdict, Verdict::transmit) << "replies are not its packets";
    }
}

TEST_F(GateTest, AServiceWithoutLimitsKnowsNothingOfAnothersClients) {
    limits().client_packets_per_s = 1;
    scene_.service("open", {vip.address, be16{81}}).real("b", {real.address, be16{8'081}});
    TrackingRoom room{scene_.snapshot()};
    const Frame other = Packet::tcp(client, {vip.address, be16{81}}).flags(tcp_flag::syn).bytes();
    EXPECT_EQ(room.carry(syn()).verdict, Verdict::transmit);
    EXPECT_EQ(room.carry(syn()).verdict, Verdict::drop);
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(room.carry(other).verdict, Verdict::transmit);
    }
}

// --- by the clock ----------------------------------------------------------------------------

constexpr HashKey key{1, 2};

SnapshotService service_with(const RateLimits& limits) {
    SnapshotService service;
    service.number = 3;
    service.gate = std::make_shared<const ServiceGate>(ServiceGate{nullptr, limits});
    return service;
}

unsigned sessions(Gate& gate, const SnapshotService& service, const char* client_address,
                  unsigned asked) {
    const ClientPrefix who = client_prefix_of(*parse_ip_address(client_address));
    unsigned count = 0;
    DropReason reason{};
    for (unsigned i = 0; i < asked; ++i) {
        count += gate.admits_session(service, who, reason) ? 1U : 0U;
    }
    return count;
}

TEST(GateByTheClock, IsOpenAgainAsTimePasses) {
    Gate gate{64, key, 1'000, 1};
    const SnapshotService service = service_with({.client_sessions_per_s = 10});
    gate.tick(1'000);
    EXPECT_EQ(sessions(gate, service, "198.51.100.7", 50), 10U);
    gate.tick(1'250);  // a quarter of a second: two and a half
    EXPECT_EQ(sessions(gate, service, "198.51.100.7", 50), 2U);
}

TEST(GateByTheClock, AnIpv6NetworkIsOneClientByDefault) {
    Gate gate{64, key, 1'000, 1};
    const SnapshotService service = service_with({.client_sessions_per_s = 2});
    EXPECT_EQ(sessions(gate, service, "2001:db8::1", 1), 1U);
    EXPECT_EQ(sessions(gate, service, "2001:db8::2", 9), 1U);
    EXPECT_EQ(sessions(gate, service, "2001:db8:0:1::1", 9), 2U);
}

TEST(GateByTheClock, WhatAClientMayNotHaveCostsTheOthersNothing) {
    Gate gate{64, key, 1'000, 1};
    const SnapshotService service = service_with({.client_sessions_per_s = 1, .sessions_per_s = 3});
    EXPECT_EQ(sessions(gate, service, "198.51.100.7", 1'000), 1U);
    EXPECT_EQ(sessions(gate, service, "198.51.100.8", 1'000), 1U);
    EXPECT_EQ(sessions(gate, service, "198.51.100.9", 1'000), 1U);
    EXPECT_EQ(sessions(gate, service, "198.51.100.10", 1'000), 0U);
}

TEST(GateByTheClock, SeveralWorkersShareAServicesRate) {
    Gate gate{64, key, 1'000, 4};
    const SnapshotService service = service_with({.sessions_per_s = 100});
    EXPECT_EQ(sessions(gate, service, "198.51.100.7", 1'000), 25U);
}

}  // namespace
}  // namespace fulcrum::test
