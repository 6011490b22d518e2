// What becomes of a packet whose service and real are known: values in, values out. The scene:
// clients behind the router on port 0, reals on the link of port 1.
#include "dataplane/decide.h"

#include <gtest/gtest.h>

#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};
constexpr Endpoint neighbour_client{Ipv4Address::of(10, 1, 0, 77), be16{40'000}};
constexpr Binding binding{0, 0, vip.port};

Scene scene_with(ForwardingMode mode = ForwardingMode::nat) {
    Scene scene;
    scene.service("web", vip)
        .real("a", {real.address, is_one_way(mode) ? vip.port : real.port}, mode);
    return scene;
}

ParsedPacket request(std::uint8_t ttl = 64, std::size_t payload_size = 0) {
    return parsed(
        Packet::tcp(client, vip).ttl(ttl).payload(std::string(payload_size, 'x')).bytes());
}

ParsedPacket reply(Endpoint to = client) { return parsed(Packet::tcp(real, to).bytes()); }

void expect_dropped(const Decision& decision, DropReason reason) {
    EXPECT_EQ(decision.verdict, Verdict::drop);
    EXPECT_EQ(text_of(decision.reason).name, text_of(reason).name);
}

TEST(Decide, ANatRequestGoesToTheRealsEndpointAndMac) {
    const auto snapshot = scene_with().snapshot();
    const Decision decision = decided_request(request(), binding, *snapshot);
    EXPECT_EQ(decision.verdict, Verdict::transmit);
    EXPECT_EQ(decision.rewrite, Rewrite::nat_request);
    EXPECT_EQ(decision.replacement, real);
    EXPECT_FALSE(decision.is_reply);
    EXPECT_EQ(*decision.hop, (NextHop{mac_of(real.address), lan_mac, 1, true, 1'500}));
    EXPECT_EQ(decision.tally, snapshot->reals[0].tally);
}

TEST(Decide, ADirectRequestGoesToTheRealsMacAlone) {
    const auto snapshot = scene_with(ForwardingMode::direct).snapshot();
    const Decision decision = decided_request(request(), binding, *snapshot);
    EXPECT_EQ(decision.verdict, Verdict::transmit);
    EXPECT_EQ(decision.rewrite, Rewrite::direct);
    EXPECT_EQ(decision.hop->destination, mac_of(real.address));
}

TEST(Decide, ATunnelledRequestIsRefittedForTheRealWithWhatTheTunnelLeavesOfTheMtu) {
    struct Case {
        ForwardingMode mode;
        std::uint16_t mtu;
    };
    for (const auto& [mode, mtu] :
         {Case{ForwardingMode::ipip, 1'480}, Case{ForwardingMode::gue, 1'468},
          Case{ForwardingMode::gre, 1'476}}) {
        const auto snapshot = scene_with(mode).snapshot();
        const Decision decision = decided_request(request(), binding, *snapshot);
        EXPECT_EQ(decision.verdict, Verdict::refit);
        EXPECT_EQ(decision.rewrite, Rewrite::tunnel);
        EXPECT_EQ(*decision.hop, (NextHop{mac_of(real.address), lan_mac, 1, true, mtu}));
        const std::size_t fits = mtu - 40U;
        EXPECT_EQ(decided_request(request(64, fits), binding, *snapshot).verdict, Verdict::refit);
        expect_dropped(decided_request(request(64, fits + 1), binding, *snapshot),
                       DropReason::mtu_exceeded);
    }
}

TEST(Decide, ATunnelWithoutAnAddressOfOursHasNoWay) {
    Scene scene = scene_with(ForwardingMode::ipip);
    scene.kernel().port_addresses.clear();
    const auto snapshot = scene.snapshot();
    expect_dropped(decided_request(request(), binding, *snapshot), DropReason::no_route);
}

TEST(Decide, AReplyTakesTheVipAndThePortThatTheClientKnows) {
    const auto snapshot = scene_with().snapshot();
    const Decision decision = decided_reply(reply(), binding, *snapshot);
    EXPECT_EQ(decision.verdict, Verdict::transmit);
    EXPECT_EQ(decision.rewrite, Rewrite::nat_reply);
    EXPECT_EQ(decision.replacement, vip);
    EXPECT_TRUE(decision.is_reply);
    EXPECT_EQ(*decision.hop, (NextHop{router_mac, wan_mac, 0, true, 1'500}));
}

TEST(Decide, ErrorsAreRewrittenWithinTheirQuotation) {
    const auto snapshot = scene_with().snapshot();
    const ParsedPacket to_real = parsed(Packet::icmp(client.address, vip.address, 3, 1)
                                            .quoting(Packet::tcp(vip, client), 8)
                                            .bytes());
    EXPECT_EQ(decided_request(to_real, binding, *snapshot).rewrite, Rewrite::icmp_request);
    const ParsedPacket to_client = parsed(Packet::icmp(real.address, client.address, 3, 3)
                                              .quoting(Packet::tcp(client, real), 8)
                                              .bytes());
    EXPECT_EQ(decided_reply(to_client, binding, *snapshot).rewrite, Rewrite::icmp_reply);
}

TEST(Decide, AReplyWithoutSessionBelongsToNoTally) {
    const auto snapshot = scene_with().snapshot();
    const Binding unknown_real{0, limits::index_none, vip.port};
    const Decision decision = decided_reply(reply(), unknown_real, *snapshot);
    EXPECT_EQ(decision.verdict, Verdict::transmit);
    EXPECT_GE(decision.tally, limits::tallies_max);
}

TEST(Decide, ATimeToLiveThatEndsHereIsDropped) {
    const auto snapshot = scene_with().snapshot();
    EXPECT_EQ(decided_request(request(2), binding, *snapshot).verdict, Verdict::transmit);
    expect_dropped(decided_request(request(1), binding, *snapshot), DropReason::ttl_expired);
    expect_dropped(decided_request(request(0), binding, *snapshot), DropReason::ttl_expired);
}

TEST(Decide, APacketLargerThanTheOutgoingPortCarriesIsDropped) {
    Scene scene = scene_with();
    scene.kernel().ports[1].mtu = 1'400;
    const auto snapshot = scene.snapshot();
    EXPECT_EQ(decided_request(request(64, 1'360), binding, *snapshot).verdict, Verdict::transmit);
    expect_dropped(decided_request(request(64, 1'361), binding, *snapshot),
                   DropReason::mtu_exceeded);
}

TEST(Decide, ARequestWaitsForItsRealsMac) {
    Scene scene = scene_with();
    scene.kernel().neighbours.pop_back();
    const auto snapshot = scene.snapshot();
    const Decision decision = decided_request(request(), binding, *snapshot);
    EXPECT_EQ(decision.verdict, Verdict::hold);
    EXPECT_EQ(decision.hop->port, 1);
}

TEST(Decide, AReplyWaitsForTheMacOfAClientOnTheLink) {
    const auto snapshot = scene_with().snapshot();
    const Decision decision = decided_reply(reply(neighbour_client), binding, *snapshot);
    EXPECT_EQ(decision.verdict, Verdict::hold);
    EXPECT_EQ(decision.hop->port, 0);
}

TEST(Decide, AReplyWaitsForTheMacOfItsGateway) {
    Scene scene = scene_with();
    scene.kernel().neighbours.erase(scene.kernel().neighbours.begin());
    const auto snapshot = scene.snapshot();
    const Decision decision = decided_reply(reply(), binding, *snapshot);
    EXPECT_EQ(decision.verdict, Verdict::hold);
    EXPECT_EQ(decision.hop->port, 0);
}

TEST(Decide, WithoutARouteThereIsNoWay) {
    Scene scene = scene_with();
    scene.kernel().routes.pop_back();
    const auto snapshot = scene.snapshot();
    expect_dropped(decided_reply(reply(), binding, *snapshot), DropReason::no_route);
}

TEST(Decide, ARealBehindAGatewayIsReachedByIt) {
    constexpr Ipv4Address inner = Ipv4Address::of(10, 2, 0, 254);
    constexpr Endpoint remote{Ipv4Address::of(172, 16, 0, 5), be16{80}};
    Scene scene;
    scene.service("web", vip).real("far", remote);
    scene.kernel().routes.push_back({{Ipv4Address::of(172, 16, 0, 0), 16}, inner, 1, 0});
    scene.kernel().neighbours.push_back({inner, 1, mac_of(inner)});
    const auto snapshot = scene.snapshot();
    const Decision decision = decided_request(request(), binding, *snapshot);
    EXPECT_EQ(decision.verdict, Verdict::transmit);
    EXPECT_EQ(decision.hop->destination, mac_of(inner));
    EXPECT_EQ(decision.replacement, remote);
}

}  // namespace
}  // namespace fulcrum::test
