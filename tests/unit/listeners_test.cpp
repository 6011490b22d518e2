// Services that listen on more than one port of one VIP: ranges, groups, blocks. What is addressed
// to them, where it goes, and whose the answers are.
#include <gtest/gtest.h>

#include <array>

#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr Ipv4Address vip = Ipv4Address::of(10, 1, 0, 80);
constexpr Ipv4Address vip_b = Ipv4Address::of(10, 1, 0, 81);
constexpr Ipv4Address real_a = Ipv4Address::of(10, 2, 0, 11);
constexpr Ipv4Address real_b = Ipv4Address::of(10, 2, 0, 12);
constexpr Endpoint client{Ipv4Address::of(10, 9, 0, 5), be16{40'000}};

Endpoint at(Ipv4Address address, std::uint16_t port) { return {address, be16{port}}; }

Frame request(Endpoint to, std::uint8_t flags = tcp_flag::syn, Endpoint from = client) {
    return Packet::tcp(from, to).flags(flags).bytes();
}

Frame reply(Endpoint from, std::uint8_t flags = tcp_flag::syn | tcp_flag::ack) {
    return Packet::tcp(from, client).macs(mac_of(from.address), lan_mac).flags(flags).bytes();
}

// A service without a listener yet.
Scene& group(Scene& scene, const std::string& name) {
    scene.service(name, {});
    return scene;
}
void listen(Scene& scene, PortRange ports, IpPrefix where = {vip, 32},
            L4Protocol protocol = L4Protocol::tcp) {
    scene.last_service().listen.push_back({.vip = where, .ports = ports, .protocol = protocol});
}

// --- ranges ----------------------------------------------------------------------------------

Scene range_on_the_clients_port() {
    Scene scene;
    group(scene, "range").real("a", at(real_a, 0));
    listen(scene, {8'000, 8'099});
    return scene;
}

TEST(Listeners, EveryPortOfARangeIsServedAndItsNeighboursAreNot) {
    TrackingRoom room{range_on_the_clients_port().snapshot()};
    for (const std::uint16_t port : std::array<std::uint16_t, 3>{8'000, 8'050, 8'099}) {
        const Decision decision = room.carry(request(at(vip, port)));
        EXPECT_EQ(decision.verdict, Verdict::transmit);
        EXPECT_EQ(decision.replacement, at(real_a, port));
    }
    for (const std::uint16_t port : std::array<std::uint16_t, 2>{7'999, 8'100}) {
        const auto snapshot = range_on_the_clients_port().snapshot();
        EXPECT_EQ(classified(request(at(vip, port)), *snapshot).packet_class, PacketClass::punt);
    }
}

TEST(Listeners, AnAnswerCarriesThePortThatItsClientUsed) {
    TrackingRoom room{range_on_the_clients_port().snapshot()};
    room.carry(request(at(vip, 8'001)));
    room.carry(request(at(vip, 8'002)));
    EXPECT_EQ(room.sessions_of(client).size(), 2U);
    EXPECT_EQ(room.carry(reply(at(real_a, 8'002))).replacement, at(vip, 8'002));
    EXPECT_EQ(room.carry(reply(at(real_a, 8'001))).replacement, at(vip, 8'001));
}

// It may have opened a connection of its own from one of them.
TEST(Listeners, WhatComesFromARangeWithoutASessionIsTheRealsOwn) {
    TrackingRoom room{range_on_the_clients_port().snapshot()};
    EXPECT_EQ(room.carry(reply(at(real_a, 8'005), tcp_flag::ack)).verdict, Verdict::punt);
}

TEST(Listeners, ARangeBeforeOnePortOfARealTellsClientPortsApart) {
    Scene scene;
    group(scene, "range").real("a", at(real_a, 8'080)).real("b", at(real_b, 8'080));
    listen(scene, {8'000, 8'099});
    TrackingRoom room{scene.snapshot()};
    const Endpoint first = endpoint_of(room.carry(request(at(vip, 8'001))).replacement);
    const Endpoint second = endpoint_of(room.carry(request(at(vip, 8'002))).replacement);
    EXPECT_NE(first, second);  // their answers could not be told apart
    EXPECT_EQ(room.carry(reply(first)).replacement, at(vip, 8'001));
    EXPECT_EQ(room.carry(reply(second)).replacement, at(vip, 8'002));
    const Decision third = room.carry(request(at(vip, 8'003)));
    EXPECT_EQ(third.verdict, Verdict::drop);
    EXPECT_EQ(third.reason, DropReason::client_port_in_use);
    const Decision stray = room.carry(Packet::tcp(first, at(client.address.v4(), 50'000))
                                          .macs(mac_of(first.address), lan_mac)
                                          .flags(tcp_flag::ack)
                                          .bytes());
    EXPECT_EQ(stray.verdict, Verdict::punt);  // which VIP port it belongs to, nobody knows
}

TEST(Listeners, OnePortBeatsARangeAndARangeBeatsAllPorts) {
    Scene scene;
    group(scene, "all").real("a", at(real_a, 1'000));
    listen(scene, PortRange::any());
    group(scene, "range").real("a", at(real_a, 2'000));
    listen(scene, {8'000, 8'099});
    scene.service("one", at(vip, 8'080)).real("a", at(real_a, 3'000));
    TrackingRoom room{scene.snapshot()};
    const auto from = [](std::uint16_t port) { return at(client.address.v4(), port); };
    const auto real_port = [&](std::uint16_t vip_port, std::uint16_t client_port) {
        return room.carry(request(at(vip, vip_port), tcp_flag::syn, from(client_port)))
            .replacement.port.host();
    };
    EXPECT_EQ(real_port(8'080, 1), 3'000);
    EXPECT_EQ(real_port(8'081, 2), 2'000);
    EXPECT_EQ(real_port(22, 3), 1'000);
    EXPECT_EQ(real_port(65'535, 4), 1'000);
}

TEST(Listeners, PingToAVipWhoseEveryPortIsServedIsStillAnsweredByTheKernel) {
    Scene scene;
    group(scene, "all").real("a", at(real_a, 0));
    listen(scene, PortRange::any());
    const auto snapshot = scene.snapshot();
    const Frame ping = Packet::icmp(client.address, vip, 8).bytes();
    EXPECT_EQ(classified(ping, *snapshot).packet_class, PacketClass::punt);
}

TEST(Listeners, DirectRoutingLeavesThePortOfARangeAlone) {
    Scene scene;
    group(scene, "range").real("a", at(real_a, 0), ForwardingMode::direct);
    listen(scene, {8'000, 8'099});
    TrackingRoom room{scene.snapshot()};
    const Decision decision = room.carry(request(at(vip, 8'042)));
    EXPECT_EQ(decision.verdict, Verdict::transmit);
    EXPECT_EQ(decision.rewrite, Rewrite::direct);
}

// --- many VIPs before the same reals ---------------------------------------------------------

TEST(Listeners, OneClientPortTowardsRangesOfTwoVipsBeforeOneRealIsToldApart) {
    Scene scene;
    group(scene, "one").real("a", at(real_a, 0)).real("b", at(real_b, 0));
    listen(scene, {8'000, 8'099});
    group(scene, "two").real("a", at(real_a, 0)).real("b", at(real_b, 0));
    listen(scene, {8'000, 8'099}, {vip_b, 32});
    TrackingRoom room{scene.snapshot()};
    const Endpoint first = endpoint_of(room.carry(request(at(vip, 8'001))).replacement);
    const Endpoint second = endpoint_of(room.carry(request(at(vip_b, 8'001))).replacement);
    EXPECT_NE(first, second);
    EXPECT_EQ(room.carry(reply(first)).replacement, at(vip, 8'001));
    EXPECT_EQ(room.carry(reply(second)).replacement, at(vip_b, 8'001));
    // Another VIP port is another port of the real: no conflict.
    EXPECT_EQ(room.carry(request(at(vip, 8'002))).verdict, Verdict::transmit);
}

TEST(Listeners, AStrayAnswerFromARangeThatTwoVipsShareIsNotGuessedAt) {
    Scene scene;
    group(scene, "one").real("a", at(real_a, 0));
    listen(scene, {8'000, 8'099});
    group(scene, "two").real("a", at(real_a, 0));
    listen(scene, {8'050, 8'149}, {vip_b, 32});
    scene.service("three", at(vip_b, 9'000)).real("a", at(real_a, 8'010));
    const auto snapshot = scene.snapshot();
    const auto speaks_for = [&](std::uint16_t port) {
        const Frame stray = reply(at(real_a, port), tcp_flag::ack);
        const std::uint16_t listener = classified(stray, *snapshot, lan_mac).listener;
        return listener == limits::index_none ? IpAddress{}
                                              : IpAddress{snapshot->listeners[listener].vip};
    };
    EXPECT_EQ(speaks_for(8'049), vip);
    EXPECT_EQ(speaks_for(8'050), IpAddress{});
    EXPECT_EQ(speaks_for(8'099), IpAddress{});
    EXPECT_EQ(speaks_for(8'100), vip_b);
    EXPECT_EQ(speaks_for(8'010), IpAddress{});
}

// --- groups and blocks -----------------------------------------------------------------------

TEST(Listeners, AGroupServesTcpAndUdpOfOnePortApart) {
    Scene scene;
    group(scene, "web").real("a", at(real_a, 443));
    listen(scene, PortRange::only(443));
    listen(scene, PortRange::only(443), {vip, 32}, L4Protocol::udp);
    TrackingRoom room{scene.snapshot()};
    room.carry(request(at(vip, 443)));
    room.carry(Packet::udp(client, at(vip, 443)).payload("quic").bytes());
    const auto sessions = room.sessions_of(client);
    ASSERT_EQ(sessions.size(), 2U);
    EXPECT_NE(sessions[0].tag.protocol(), sessions[1].tag.protocol());
    EXPECT_NE(sessions[0].listener, sessions[1].listener);
    EXPECT_EQ(sessions[0].real, sessions[1].real);
    const Frame answer =
        Packet::udp(at(real_a, 443), client).macs(mac_of(real_a), lan_mac).payload("quic").bytes();
    EXPECT_EQ(room.carry(answer).replacement, at(vip, 443));
    EXPECT_EQ(room.carry(reply(at(real_a, 443))).replacement, at(vip, 443));
}

TEST(Listeners, EveryAddressOfABlockIsAVipOfItsOwn) {
    Scene scene;
    group(scene, "block").real("a", at(real_a, 8'080)).real("b", at(real_b, 8'080));
    listen(scene, PortRange::only(80), {Ipv4Address::of(10, 1, 0, 80), 30});
    TrackingRoom room{scene.snapshot()};
    for (std::uint8_t octet = 80; octet < 84; ++octet) {
        const Endpoint to = at(Ipv4Address::of(10, 1, 0, octet), 80);
        const Endpoint from = at(client.address.v4(), octet);
        const Endpoint real = endpoint_of(room.carry(request(to, tcp_flag::syn, from)).replacement);
        const Frame answer = Packet::tcp(real, from)
                                 .macs(mac_of(real.address), lan_mac)
                                 .flags(tcp_flag::syn | tcp_flag::ack)
                                 .bytes();
        EXPECT_EQ(room.carry(answer).replacement, to);
    }
    const auto snapshot = scene.snapshot();
    const Frame beside = request(at(Ipv4Address::of(10, 1, 0, 84), 80));
    EXPECT_EQ(classified(beside, *snapshot).packet_class, PacketClass::refused);
}

}  // namespace
}  // namespace fulcrum::test
