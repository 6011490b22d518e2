// A worker's memory of flows, driven by frames and by hand-made time: which real a packet goes to,
// which session it opens, keeps alive, ends or loses.
#include "dataplane/track.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint vip_b{Ipv4Address::of(10, 1, 0, 81), be16{80}};
constexpr Endpoint dns_vip{Ipv4Address::of(10, 1, 0, 53), be16{53}};
constexpr Endpoint real_a{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Endpoint real_b{Ipv4Address::of(10, 2, 0, 12), be16{8'080}};
constexpr Endpoint client{Ipv4Address::of(10, 9, 0, 5), be16{40'000}};

constexpr std::uint8_t syn = tcp_flag::syn;
constexpr std::uint8_t ack = tcp_flag::ack;
constexpr std::uint8_t fin_ack = tcp_flag::fin | tcp_flag::ack;
constexpr std::uint8_t rst = tcp_flag::rst;
constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;

Endpoint client_number(std::uint32_t number) {
    return {Ipv4Address::from_host(0x0A09'0000 + number / 50'000),
            be16{static_cast<std::uint16_t>(1'024 + number % 50'000)}};
}

Frame request(std::uint8_t flags, Endpoint from = client, Endpoint to = vip) {
    return Packet::tcp(from, to).flags(flags).bytes();
}

Frame reply(std::uint8_t flags, Endpoint from, Endpoint to = client) {
    return Packet::tcp(from, to).macs(mac_of(from.address), lan_mac).flags(flags).bytes();
}

Frame datagram(Endpoint from = client, Endpoint to = dns_vip) {
    return Packet::udp(from, to).payload("query").bytes();
}

Scene one_real() {
    Scene scene;
    scene.service("web", vip).real("a", real_a);
    return scene;
}

Scene two_reals() {
    Scene scene = one_real();
    scene.real("b", real_b);
    return scene;
}

// The handshake, as the director sees it under NAT.
void establish(TrackingRoom& room, Endpoint from, Endpoint to, Endpoint real) {
    room.carry(request(syn, from, to));
    room.carry(reply(syn_ack, real, from));
    room.carry(request(ack, from, to));
}

TEST(Track, OpensASessionForASyn) {
    TrackingRoom room{one_real().snapshot()};
    const Decision decision = room.carry(request(syn));
    EXPECT_EQ(decision.verdict, Verdict::transmit);
    EXPECT_EQ(decision.replacement, real_a);
    ASSERT_EQ(room.sessions_of(client).size(), 1U);
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::syn_seen);
    EXPECT_EQ(room.counters().sessions_opened.read(), 1U);
}

TEST(Track, ConfirmsASessionWhenItsHandshakeIsComplete) {
    TrackingRoom room{one_real().snapshot()};
    room.carry(request(syn));
    room.carry(reply(syn_ack, real_a));
    EXPECT_EQ(room.table().unconfirmed_count(), 1U);
    room.carry(request(ack));
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::established);
    EXPECT_EQ(room.table().unconfirmed_count(), 0U);
}

TEST(Track, KeepsAFlowAtItsReal) {
    TrackingRoom room{two_reals().snapshot()};
    for (std::uint32_t i = 0; i < 100; ++i) {
        const Endpoint from = client_number(i);
        const Endpoint first = endpoint_of(room.carry(request(syn, from)).replacement);
        room.carry(reply(syn_ack, first, from));
        EXPECT_EQ(room.carry(request(ack, from)).replacement, first);
        EXPECT_EQ(room.carry(request(fin_ack, from)).replacement, first);
    }
}

TEST(Track, SpreadsClientsOverReals) {
    TrackingRoom room{two_reals().snapshot(), 4'096};
    unsigned at_a = 0;
    for (std::uint32_t i = 0; i < 2'000; ++i) {
        at_a += room.carry(request(syn, client_number(i))).replacement == real_a ? 1 : 0;
    }
    EXPECT_NEAR(at_a, 1'000, 150);  // five standard deviations and the ring's rounding
}

TEST(Track, PacketsOfOneBurstShareTheSessionThatTheFirstOpens) {
    TrackingRoom room{two_reals().snapshot()};
    const auto decisions = room.carry({request(syn), request(ack), request(fin_ack)});
    EXPECT_EQ(room.sessions_of(client).size(), 1U);
    EXPECT_EQ(decisions[0].replacement, decisions[1].replacement);
    EXPECT_EQ(decisions[1].replacement, decisions[2].replacement);
}

TEST(Track, ANatReplyCarriesTheVip) {
    TrackingRoom room{one_real().snapshot()};
    room.carry(request(syn));
    const Decision decision = room.carry(reply(syn_ack, real_a));
    EXPECT_TRUE(decision.is_reply);
    EXPECT_EQ(decision.replacement, vip);
    EXPECT_EQ(decision.rewrite, Rewrite::nat_reply);
}

// --- who may open ----------------------------------------------------------------------------

TEST(Track, AResetWithoutSessionIsDropped) {
    TrackingRoom room{one_real().snapshot()};
    for (const std::uint8_t flags : {rst, static_cast<std::uint8_t>(rst | ack), syn_ack}) {
        const Decision decision = room.carry(request(flags));
        EXPECT_EQ(decision.verdict, Verdict::drop);
        EXPECT_EQ(decision.reason, DropReason::no_session);
    }
    EXPECT_EQ(room.live_count(), 0U);
}

TEST(Track, AnErrorAboutAnUnknownFlowIsDropped) {
    TrackingRoom room{one_real().snapshot()};
    const Packet lost = Packet::tcp(vip, client);
    const Decision decision = room.carry(
        Packet::icmp(Ipv4Address::of(10, 9, 9, 9), vip.address, 3, 1).quoting(lost, 8).bytes());
    EXPECT_EQ(decision.verdict, Verdict::drop);
    EXPECT_EQ(decision.reason, DropReason::no_session);
}

TEST(Track, AFlowInMidCourseIsPickedUp) {
    TrackingRoom room{one_real().snapshot()};
    EXPECT_EQ(room.carry(request(ack)).verdict, Verdict::transmit);
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::picked_up);
    room.carry(reply(rst, real_a));
    EXPECT_EQ(room.table().unconfirmed_count(), 1U);
    room.carry(reply(ack, real_a));
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::established);
}

// --- reals that come and go ------------------------------------------------------------------

TEST(Track, AServiceWithoutUsableRealSaysSo) {
    Scene scene = one_real();
    scene.last_service().reals[0].weight = 0;
    TrackingRoom room{scene.snapshot()};
    const Decision decision = room.carry(request(syn));
    EXPECT_EQ(decision.verdict, Verdict::drop);
    EXPECT_EQ(decision.reason, DropReason::no_real);
}

TEST(Track, TheFallbackServesWhenNobodyElseDoes) {
    constexpr Endpoint sorry{Ipv4Address::of(10, 2, 0, 99), be16{80}};
    Scene scene = one_real();
    scene.fallback(sorry);
    TrackingRoom room{scene.snapshot()};
    EXPECT_EQ(room.carry(request(syn)).replacement, real_a);
    scene.last_service().reals[0].weight = 0;
    room.use(scene.snapshot());
    EXPECT_EQ(room.carry(request(syn, client_number(1))).replacement, sorry);
    EXPECT_EQ(room.carry(request(ack)).replacement, real_a);
}

TEST(Track, ADrainedRealKeepsItsSessionsAndGetsNoNewOnes) {
    Scene scene = two_reals();
    TrackingRoom room{scene.snapshot()};
    std::vector<Endpoint> of_a;
    for (std::uint32_t i = 0; i < 50; ++i) {
        const Endpoint real = endpoint_of(room.carry(request(syn, client_number(i))).replacement);
        room.carry(reply(syn_ack, real, client_number(i)));
        room.carry(request(ack, client_number(i)));
        if (real == real_a) {
            of_a.push_back(client_number(i));
        }
    }
    scene.last_service().reals[0].weight = 0;
    room.use(scene.snapshot());
    ASSERT_GT(of_a.size(), 5U);
    for (const Endpoint from : of_a) {
        EXPECT_EQ(room.carry(request(ack, from)).replacement, real_a);
    }
    for (std::uint32_t i = 100; i < 150; ++i) {
        EXPECT_EQ(room.carry(request(syn, client_number(i))).replacement, real_b);
    }
}

TEST(Track, AnUnansweredSynMovesAwayFromARealThatIsNoLongerUsable) {
    Scene scene = one_real();
    TrackingRoom room{scene.snapshot()};
    room.carry(request(syn));
    scene.real("b", real_b);
    scene.last_service().reals[0].weight = 0;
    room.use(scene.snapshot());
    EXPECT_EQ(room.carry(request(syn)).replacement, real_b);
    EXPECT_EQ(room.sessions_of(client).size(), 1U);
}

TEST(Track, ARemovedRealKeepsItsSessionsUntilTheyEnd) {
    Scene scene = two_reals();
    TrackingRoom room{scene.snapshot()};
    establish(room, client, vip, real_a);
    const bool is_at_a = room.carry(request(ack)).replacement == real_a;
    scene.last_service().reals.erase(scene.last_service().reals.begin() + (is_at_a ? 0 : 1));
    room.use(scene.snapshot());
    EXPECT_EQ(room.carry(request(ack)).replacement, is_at_a ? real_a : real_b);
    EXPECT_EQ(room.carry(request(syn, client_number(7))).replacement, is_at_a ? real_b : real_a);
}

TEST(Track, ASessionWhoseRealIsAHoleMakesWayForAnother) {
    for (const std::uint8_t flags : {syn, ack}) {
        TrackingRoom room{one_real().snapshot()};
        establish(room, client, vip, real_a);
        auto holed = std::make_unique<Snapshot>(*two_reals().snapshot());
        holed->reals[holed->services[0].first_real].standing = RealStanding::absent;
        room.use(std::move(holed));
        EXPECT_EQ(room.carry(request(flags)).replacement, real_b);
        EXPECT_EQ(room.sessions_of(client).size(), 1U);
    }
}

TEST(Track, ASessionIsForgottenWithItsService) {
    Scene scene = one_real();
    scene.service("other", vip_b).real("b", real_b);
    TrackingRoom room{scene.snapshot()};
    establish(room, client, vip, real_a);
    ASSERT_EQ(room.live_count(), 1U);
    scene.config().services.erase(scene.config().services.begin());
    room.use(scene.snapshot());
    room.sweep_all();
    EXPECT_EQ(room.live_count(), 0U);
}

// --- a port used again -----------------------------------------------------------------------

TEST(Track, ASynOnAClosedSessionOpensAnewAtOnce) {
    TrackingRoom room{one_real().snapshot()};
    establish(room, client, vip, real_a);
    room.carry(request(fin_ack));
    room.carry(reply(fin_ack, real_a));
    ASSERT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::closed);
    EXPECT_EQ(room.carry(request(syn)).verdict, Verdict::transmit);
    ASSERT_EQ(room.sessions_of(client).size(), 1U);
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::syn_seen);
    EXPECT_EQ(room.counters().sessions_opened.read(), 2U);
}

TEST(Track, ASynOnALivingSessionChangesNothing) {
    TrackingRoom room{one_real().snapshot()};
    establish(room, client, vip, real_a);
    EXPECT_EQ(room.carry(request(syn)).verdict, Verdict::transmit);
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::established);
    EXPECT_EQ(room.counters().sessions_opened.read(), 1U);
}

TEST(Track, ABlindResetDoesNotKill) {
    TrackingRoom room{one_real().snapshot()};
    establish(room, client, vip, real_a);
    room.carry(request(rst));
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::reset_by_client);
    room.carry(request(ack));
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::established);
}

TEST(Track, ABlindResetAndSynLeaveAConnectionWhereItIs) {
    Scene scene = two_reals();
    scene.last_service().scheduler = Scheduler::rr;
    TrackingRoom room{scene.snapshot()};
    const Endpoint chosen = endpoint_of(room.carry(request(syn)).replacement);
    room.carry(reply(syn_ack, chosen));
    room.carry(request(ack));
    room.carry(request(rst));
    EXPECT_EQ(endpoint_of(room.carry(request(syn)).replacement), chosen);
    EXPECT_EQ(endpoint_of(room.carry(request(ack)).replacement), chosen);
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::established);
    EXPECT_EQ(room.counters().sessions_opened.read(), 1U);
}

TEST(Track, AfterAResetASynIsANewConnectionOnceItsRealIsNotUsed) {
    Scene scene = two_reals();
    scene.last_service().check.type = CheckType::connect;
    scene.snapshot();
    scene.set_health("web", "a", true);
    scene.set_health("web", "b", true);
    TrackingRoom room{scene.snapshot()};
    const Endpoint chosen = endpoint_of(room.carry(request(syn)).replacement);
    room.carry(reply(syn_ack, chosen));
    room.carry(request(ack));
    room.carry(request(rst));
    scene.set_health("web", chosen == real_a ? "a" : "b", false);
    room.use(scene.snapshot());
    EXPECT_NE(endpoint_of(room.carry(request(syn)).replacement), chosen);
}

// --- one client port, two services that share reals ------------------------------------------

TEST(Track, OneClientPortTowardTwoVipsThatShareRealsMeetsTwoReals) {
    Scene scene = two_reals();
    scene.service("other", vip_b).real("a", real_a).real("b", real_b);
    TrackingRoom room{scene.snapshot(), 4'096};
    for (std::uint32_t i = 0; i < 200; ++i) {
        const Endpoint from = client_number(i);
        const Endpoint first = endpoint_of(room.carry(request(syn, from, vip)).replacement);
        const Endpoint second = endpoint_of(room.carry(request(syn, from, vip_b)).replacement);
        ASSERT_NE(first, second);
        EXPECT_EQ(room.carry(reply(syn_ack, first, from)).replacement, vip);
        EXPECT_EQ(room.carry(reply(syn_ack, second, from)).replacement, vip_b);
    }
}

TEST(Track, OneClientPortTowardTwoVipsWithOneRealIsRefusedTheSecond) {
    Scene scene = one_real();
    scene.service("other", vip_b).real("a", real_a);
    TrackingRoom room{scene.snapshot()};
    EXPECT_EQ(room.carry(request(syn, client, vip)).verdict, Verdict::transmit);
    const Decision refused = room.carry(request(syn, client, vip_b));
    EXPECT_EQ(refused.verdict, Verdict::drop);
    EXPECT_EQ(refused.reason, DropReason::client_port_in_use);
    EXPECT_EQ(room.carry(request(syn, client_number(1), vip_b)).verdict, Verdict::transmit);
}

TEST(Track, ASessionThatIsOverFreesItsClientPortForAnotherService) {
    Scene scene = one_real();
    scene.service("other", vip_b).real("a", real_a);
    TrackingRoom room{scene.snapshot()};
    establish(room, client, vip, real_a);
    room.carry(request(fin_ack));
    room.carry(reply(fin_ack, real_a));
    EXPECT_EQ(room.carry(request(syn, client, vip_b)).verdict, Verdict::transmit);
    EXPECT_EQ(room.carry(reply(syn_ack, real_a)).replacement, vip_b);
    EXPECT_EQ(room.live_count(), 1U);
}

TEST(Track, TwoHundredVipsInFrontOfTheSameFourRealsGetTheirOwnReplies) {
    Scene scene;
    const auto vip_number = [](std::uint32_t number) {
        return Endpoint{Ipv4Address::of(10, 1, 1, static_cast<std::uint8_t>(number)), be16{80}};
    };
    const auto real_number = [](std::uint8_t number) {
        return Endpoint{Ipv4Address::of(10, 2, 0, number), be16{80}};
    };
    for (std::uint32_t v = 0; v < 200; ++v) {
        scene.service("site" + std::to_string(v), vip_number(v));
        scene.last_service().ring_size = 251;
        for (std::uint8_t r = 1; r <= 4; ++r) {
            scene.real("real" + std::to_string(r), real_number(r));
        }
    }
    TrackingRoom room{scene.snapshot(), 4'096};
    for (std::uint32_t v = 0; v < 200; ++v) {
        for (std::uint32_t c = 0; c < 10; ++c) {
            const Endpoint from = client_number(c * 200 + v);
            const Endpoint real =
                endpoint_of(room.carry(request(syn, from, vip_number(v))).replacement);
            EXPECT_EQ(room.carry(reply(syn_ack, real, from)).replacement, vip_number(v));
        }
    }
    EXPECT_EQ(room.live_count(), 2'000U);
}

TEST(Track, ACrowdedClientPortIsRefusedOnlyWhenEveryRealIsTaken) {
    Scene scene;
    const auto vip_number = [](std::uint8_t number) {
        return Endpoint{Ipv4Address::of(10, 1, 1, number), be16{80}};
    };
    for (std::uint8_t v = 0; v < 6; ++v) {
        scene.service("site" + std::to_string(v), vip_number(v));
        for (std::uint8_t r = 1; r <= 4; ++r) {
            scene.real("real" + std::to_string(r), {Ipv4Address::of(10, 2, 0, r), be16{80}});
        }
    }
    TrackingRoom room{scene.snapshot()};
    std::set<Endpoint> met;
    for (std::uint8_t v = 0; v < 4; ++v) {
        met.insert(endpoint_of(room.carry(request(syn, client, vip_number(v))).replacement));
    }
    EXPECT_EQ(met.size(), 4U);
    EXPECT_EQ(room.carry(request(syn, client, vip_number(4))).reason,
              DropReason::client_port_in_use);
}

// --- time ------------------------------------------------------------------------------------

TEST(Track, AnIdleSessionEndsAfterItsTimeoutAndNotBefore) {
    Scene scene = one_real();
    scene.last_service().timeouts.tcp_established_s = 900;
    TrackingRoom room{scene.snapshot()};
    establish(room, client, vip, real_a);
    room.skip_s(900);
    room.sweep_all();
    EXPECT_EQ(room.live_count(), 1U);
    room.skip_s(1);
    room.sweep_all();
    EXPECT_EQ(room.live_count(), 0U);
    EXPECT_EQ(room.counters().sessions_expired.read(), 1U);
}

TEST(Track, EveryPacketKeepsItsSessionAlive) {
    TrackingRoom room{one_real().snapshot()};
    establish(room, client, vip, real_a);
    for (unsigned i = 0; i < 200; ++i) {  // three days
        room.skip_s(899);
        room.carry(i % 2 == 0 ? request(ack) : reply(ack, real_a));
        room.sweep_all();
        ASSERT_EQ(room.live_count(), 1U);
    }
}

TEST(Track, AnErrorDoesNotKeepASessionAlive) {
    TrackingRoom room{one_real().snapshot()};
    establish(room, client, vip, real_a);
    room.skip_s(600);
    const Packet lost = Packet::tcp(vip, client);
    const Decision decision =
        room.carry(Packet::icmp(client.address, vip.address, 3, 1).quoting(lost, 8).bytes());
    EXPECT_EQ(decision.rewrite, Rewrite::icmp_request);
    room.skip_s(301);
    room.sweep_all();
    EXPECT_EQ(room.live_count(), 0U);
}

TEST(Track, TimeoutsOfDaysAreKept) {
    Scene scene = one_real();
    scene.last_service().timeouts.tcp_established_s = 7 * 24 * 3'600;
    TrackingRoom room{scene.snapshot()};
    establish(room, client, vip, real_a);
    room.skip_s(7 * 24 * 3'600 - 1);
    room.sweep_all();
    EXPECT_EQ(room.live_count(), 1U);
    room.skip_s(2 * limits::coarse_unit_s);
    room.sweep_all();
    EXPECT_EQ(room.live_count(), 0U);
}

TEST(Track, AReloadThatChangesTheUnitOfTimeoutsMisjudgesNoAge) {
    Scene scene = one_real();
    TrackingRoom room{scene.snapshot()};
    room.skip_s(50'000);
    establish(room, client, vip, real_a);
    scene.last_service().timeouts.tcp_established_s = 100'000;
    room.use(scene.snapshot());
    room.skip_s(800);
    room.sweep_all();
    EXPECT_EQ(room.live_count(), 1U);
    room.carry(request(ack));
    room.skip_s(90'000);
    room.sweep_all();
    EXPECT_EQ(room.live_count(), 1U);
    room.skip_s(11'000);
    room.sweep_all();
    EXPECT_EQ(room.live_count(), 0U);
}

// --- UDP and direct routing: one side may be all that passes here ----------------------------

Scene dns_scene(ForwardingMode mode) {
    Scene scene;
    scene.service("dns", dns_vip, L4Protocol::udp)
        .real("ns", {Ipv4Address::of(10, 2, 0, 53), be16{53}}, mode);
    return scene;
}

TEST(Track, AnAnswerConfirmsADatagramsSession) {
    TrackingRoom room{dns_scene(ForwardingMode::nat).snapshot()};
    room.carry(datagram());
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::one_way);
    const Decision answer =
        room.carry(Packet::udp({Ipv4Address::of(10, 2, 0, 53), be16{53}}, client)
                       .macs(router_mac, lan_mac)
                       .bytes());
    EXPECT_EQ(answer.replacement, dns_vip);
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::two_way);
}

TEST(Track, DatagramsInThreeDifferentSecondsConfirm) {
    TrackingRoom room{dns_scene(ForwardingMode::direct).snapshot()};
    room.carry(datagram());
    room.carry(datagram());
    room.skip_s(1);
    room.carry(datagram());
    room.carry(datagram());
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::one_way);
    room.skip_s(1);
    room.carry(datagram());
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::two_way);
}

// One of two name servers, told apart by address, is in this standing from now on.
std::unique_ptr<const Snapshot> with_standing(Scene& scene, Endpoint real, RealStanding standing) {
    auto changed = std::make_unique<Snapshot>(*scene.snapshot());
    for (SnapshotReal& each : changed->reals) {
        each.standing = each.address == real.address ? standing : each.standing;
    }
    return changed;
}

TEST(Track, ADatagramsFlowMovesFromARealThatIsDownAndStaysAtADrainedOne) {
    Scene scene = dns_scene(ForwardingMode::nat);
    scene.real("ns2", {Ipv4Address::of(10, 2, 0, 54), be16{53}});
    TrackingRoom room{scene.snapshot()};
    const Endpoint first = endpoint_of(room.carry(datagram()).replacement);
    room.use(with_standing(scene, first, RealStanding::draining));
    EXPECT_EQ(room.carry(datagram()).replacement, first);
    room.use(with_standing(scene, first, RealStanding::down));
    EXPECT_NE(room.carry(datagram()).replacement, first);
    EXPECT_EQ(room.sessions_of(client).size(), 1U);
}

TEST(Track, AConnectionStaysAtARealThatIsDown) {
    Scene scene = two_reals();
    TrackingRoom room{scene.snapshot()};
    const Endpoint first = endpoint_of(room.carry(request(syn)).replacement);
    room.carry(reply(syn_ack, first));
    room.carry(request(ack));
    room.use(with_standing(scene, first, RealStanding::down));
    EXPECT_EQ(room.carry(request(ack)).replacement, first);
    // The client has forgotten it, or never had it: nobody is there to say so.
    EXPECT_FALSE(room.carry(request(syn)).replacement == first);
}

TEST(Track, ASynOnAConnectionAtADrainedRealChangesNothing) {
    Scene scene = two_reals();
    TrackingRoom room{scene.snapshot()};
    const Endpoint first = endpoint_of(room.carry(request(syn)).replacement);
    room.carry(reply(syn_ack, first));
    room.carry(request(ack));
    room.use(with_standing(scene, first, RealStanding::draining));
    EXPECT_EQ(room.carry(request(syn)).replacement, first);
}

Scene direct_scene() {
    Scene scene;
    scene.service("web", vip)
        .real("a", {real_a.address, vip.port}, ForwardingMode::direct)
        .real("b", {real_b.address, vip.port}, ForwardingMode::direct);
    return scene;
}

TEST(Track, DirectRoutingConfirmsAConnectionSeenInThreeDifferentSeconds) {
    TrackingRoom room{direct_scene().snapshot()};
    room.carry(request(syn));
    room.skip_s(1);
    room.carry(request(ack));
    EXPECT_EQ(room.table().unconfirmed_count(), 1U);
    room.skip_s(1);
    room.carry(request(ack));
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::established);
}

TEST(Track, DirectRoutingHearsAFinInTheSecondThatConfirms) {
    TrackingRoom room{direct_scene().snapshot()};
    room.carry(request(syn));
    room.skip_s(1);
    room.carry(request(ack));
    room.skip_s(1);
    room.carry(request(fin_ack));
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::client_closed);
}

TEST(Track, DirectRoutingOpensAnewOnASynAfterTheClientsFin) {
    TrackingRoom room{direct_scene().snapshot()};
    for (const std::uint8_t flags : {syn, ack, ack, fin_ack}) {
        room.carry(request(flags));
        room.skip_s(1);
    }
    room.carry(request(syn));
    ASSERT_EQ(room.sessions_of(client).size(), 1U);
    EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::direct_opening);
}

TEST(Track, ATunnelKnowsTheClientsSideAloneLikeDirectRouting) {
    for (const ForwardingMode mode :
         {ForwardingMode::ipip, ForwardingMode::gue, ForwardingMode::gre}) {
        Scene scene;
        scene.service("web", vip).real("a", {real_a.address, vip.port}, mode);
        scene.service("other", vip_b).real("a", {real_a.address, vip_b.port}, mode);
        TrackingRoom room{scene.snapshot()};
        EXPECT_EQ(room.carry(request(syn)).verdict, Verdict::refit);
        EXPECT_EQ(room.sessions_of(client)[0].tag.state(), SessionState::direct_opening);
        EXPECT_EQ(room.carry(request(syn, client, vip_b)).verdict, Verdict::refit);
    }
}

TEST(Track, ServicesByDirectRoutingMayShareAClientPortAtOneReal) {
    Scene scene;
    scene.service("web", vip).real("a", {real_a.address, be16{80}}, ForwardingMode::direct);
    scene.service("other", vip_b).real("a", {real_a.address, be16{80}}, ForwardingMode::direct);
    TrackingRoom room{scene.snapshot()};
    EXPECT_EQ(room.carry(request(syn, client, vip)).verdict, Verdict::transmit);
    EXPECT_EQ(room.carry(request(syn, client, vip_b)).verdict, Verdict::transmit);
}

// --- replies without a session ---------------------------------------------------------------

TEST(Track, AReplyWithoutSessionIsTranslatedWhenItsRealServesOneServiceOnly) {
    TrackingRoom room{one_real().snapshot()};
    const Decision decision = room.carry(reply(ack, real_a));
    EXPECT_EQ(decision.verdict, Verdict::transmit);
    EXPECT_EQ(decision.replacement, vip);
    EXPECT_EQ(room.live_count(), 0U);
}

TEST(Track, AReplyWithoutSessionIsTransitWhenItsRealServesSeveral) {
    Scene scene = one_real();
    scene.service("other", vip_b).real("a", real_a);
    TrackingRoom room{scene.snapshot()};
    const Decision decision = room.carry(reply(ack, real_a));
    EXPECT_EQ(decision.verdict, Verdict::punt);
    EXPECT_EQ(decision.punt_class, PuntClass::transit);
}

// --- tallies ---------------------------------------------------------------------------------

TEST(Track, TalliesFollowSessionsThroughTheirLives) {
    TrackingRoom room{one_real().snapshot()};
    const std::uint32_t index = room.snapshot().reals[0].tally;
    establish(room, client, vip, real_a);
    room.carry(request(syn, client_number(1)));
    EXPECT_EQ(room.tally(index).sessions_opened.read(), 2U);
    EXPECT_EQ(room.tally(index).sessions_live.read(), 2U);
    EXPECT_EQ(room.tally(index).sessions_confirmed.read(), 1U);
    room.skip_s(10'000);
    room.sweep_all();
    EXPECT_EQ(room.tally(index).sessions_opened.read(), 2U);
    EXPECT_EQ(room.tally(index).sessions_live.read(), 0U);
    EXPECT_EQ(room.tally(index).sessions_confirmed.read(), 0U);
}

// --- a table under pressure ------------------------------------------------------------------

// Sixteen buckets: 64 slots, and 32 of overflow.
constexpr std::size_t tiny = 16;

TEST(Track, EveryPacketOfACrowdedBurstGetsADecision) {
    TrackingRoom room{two_reals().snapshot(), tiny};
    std::uint32_t next = 0;
    // Each burst begins with clients of the burst before, whose sessions the newcomers push out.
    std::vector<Frame> burst;
    for (unsigned round = 0; round < 200; ++round) {
        burst.clear();
        for (std::uint32_t i = 0; i < 64; ++i) {
            const bool is_known = i < 20 && next > 64;
            const Endpoint from = client_number(is_known ? next - 1 - i : next++);
            burst.push_back(request(is_known && i % 2 == 0 ? ack : syn, from));
        }
        const auto decisions = room.carry(burst);
        for (const Decision& decision : decisions) {
            ASSERT_NE(decision.verdict, Verdict::pending) << "round " << round;
        }
    }
    EXPECT_GT(room.counters().sessions_evicted.read(), 1'000U);
}

TEST(Track, CountsStayTrueWhenOnePacketEndsTheSessionOfAnother) {
    // Service "web" may no longer use real a, "other" still does. In one burst, a SYN to "other"
    // ends the closed session of "web", whose own SYN comes right behind.
    Scene scene = two_reals();
    scene.service("other", vip_b).real("a", real_a);
    TrackingRoom room{scene.snapshot()};
    std::uint32_t number = 0;
    Endpoint from = client_number(number);
    while (room.carry(request(syn, from)).replacement != real_a) {
        from = client_number(++number);
    }
    room.carry(reply(syn_ack, real_a, from));
    room.carry({request(ack, from), request(fin_ack, from)});
    room.carry(reply(fin_ack, real_a, from));
    ASSERT_EQ(room.sessions_of(from)[0].tag.state(), SessionState::closed);
    scene.config().services[0].reals[0].weight = 0;
    room.use(scene.snapshot());

    const std::size_t others = room.live_count() - 1;
    const auto decisions = room.carry({request(syn, from, vip_b), request(syn, from, vip)});
    EXPECT_EQ(decisions[0].replacement, real_a);
    EXPECT_EQ(decisions[1].replacement, real_b);
    EXPECT_EQ(room.live_count(), others + 2);
    EXPECT_EQ(room.sessions_of(from).size(), 2U);
}

TEST(Track, AFloodCostsNoConfirmedSessionItsPlace) {
    TrackingRoom room{one_real().snapshot(), 256};
    for (std::uint32_t i = 0; i < 250; ++i) {
        establish(room, client_number(i), vip, real_a);
    }
    for (std::uint32_t i = 0; i < 10'240; ++i) {  // ten times the table
        room.carry(request(syn, client_number(100'000 + i)));
    }
    for (std::uint32_t i = 0; i < 250; ++i) {
        ASSERT_EQ(room.sessions_of(client_number(i)).size(), 1U);
        ASSERT_EQ(room.sessions_of(client_number(i))[0].tag.state(), SessionState::established);
    }
}

TEST(Track, ANewcomerWithoutRoomGoesUntrackedIfItsRepliesFindTheirWay) {
    TrackingRoom room{one_real().snapshot(), tiny};
    for (std::uint32_t i = 0; room.counters().sessions_untracked.read() == 0; ++i) {
        ASSERT_LT(i, 1'000U);
        establish(room, client_number(i), vip, real_a);
        ASSERT_EQ(room.carry(request(ack, client_number(i))).verdict, Verdict::transmit);
    }
    EXPECT_GT(room.live_count(), 60U);
    EXPECT_EQ(room.counters().sessions_evicted.read(), 0U);
}

TEST(Track, ANewcomerWithoutRoomIsRefusedIfItsRepliesWouldBeLost) {
    Scene scene = one_real();
    scene.service("other", vip_b).real("a", real_a);
    TrackingRoom room{scene.snapshot(), tiny};
    Decision decision;
    for (std::uint32_t i = 0; i < 1'000; ++i) {
        establish(room, client_number(i), vip, real_a);
        decision = room.carry(request(ack, client_number(i)));
        if (decision.verdict == Verdict::drop) {
            break;
        }
    }
    EXPECT_EQ(decision.verdict, Verdict::drop);
    EXPECT_EQ(decision.reason, DropReason::table_full);
}

}  // namespace
}  // namespace fulcrum::test
