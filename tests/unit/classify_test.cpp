// What a packet is to the director, question by question in their order. The scene: service "web"
// on 10.1.0.80:80 with NAT real 10.2.0.11:8080, service "old" with a real by direct routing.
#include "dataplane/classify.h"

#include <gtest/gtest.h>

#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint old_vip{Ipv4Address::of(10, 1, 0, 81), be16{80}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Endpoint direct_real{Ipv4Address::of(10, 2, 0, 12), be16{80}};
constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};
constexpr Ipv4Address our_wan = Ipv4Address::of(10, 1, 0, 2);
constexpr Ipv4Address our_lan = Ipv4Address::of(10, 2, 0, 1);
constexpr Endpoint peer{Ipv4Address::of(10, 2, 0, 2), be16{8'849}};
constexpr Ipv4Address stranger = Ipv4Address::of(192, 0, 2, 99);

const Snapshot& snapshot() {
    static const auto compiled = [] {
        Scene scene;
        scene.service("web", vip).real("a", real);
        scene.service("old", old_vip).real("d", direct_real, ForwardingMode::direct);
        scene.config().pair = PairSettings{};
        scene.config().pair->links.push_back({.local = {our_lan, be16{8'849}}, .peer = peer});
        return scene.snapshot();
    }();
    return *compiled;
}

Classified of(const Packet& packet) {
    const Frame frame = packet.bytes();
    return classified(frame, snapshot(), arrival_of(frame));
}
// By the port that leads to the reals.
Packet by_lan(Packet packet) { return packet.macs(mac_of(real.address), lan_mac); }

void expect_punt(const Packet& packet, PuntClass punt_class) {
    const Classified classified = of(packet);
    EXPECT_EQ(classified.packet_class, PacketClass::punt);
    EXPECT_EQ(name_of(classified.punt_class), name_of(punt_class));
}

void expect_refused(const Classified& classified, DropReason reason) {
    EXPECT_EQ(classified.packet_class, PacketClass::refused);
    EXPECT_EQ(text_of(classified.reason).name, text_of(reason).name);
}

// --- requests --------------------------------------------------------------------------------

TEST(Classify, APacketToAListenerIsARequestOfItsSource) {
    const Classified classified = of(Packet::tcp(client, vip));
    EXPECT_EQ(classified.packet_class, PacketClass::request);
    EXPECT_EQ(snapshot().listeners[classified.listener].vip, vip.address.v4());
    EXPECT_EQ(classified.client, client.address);
    EXPECT_EQ(classified.client_key,
              client_key_of(client.address.v4(), client.port, L4Protocol::tcp));
}

TEST(Classify, AnErrorAboutAnAnswerIsARequestOfWhomTheAnswerWasFor) {
    const Packet answer = Packet::tcp(vip, client);
    const Classified classified = of(Packet::icmp(stranger, vip.address, 3, 1).quoting(answer, 8));
    EXPECT_EQ(classified.packet_class, PacketClass::request);
    EXPECT_EQ(classified.client, client.address);
    EXPECT_EQ(classified.client_key,
              client_key_of(client.address.v4(), client.port, L4Protocol::tcp));
}

TEST(Classify, AnotherProtocolOfTheVipsPortIsNoRequest) {
    expect_punt(Packet::udp(client, vip), PuntClass::rest);
}

TEST(Classify, ARequestToAGroupMacAddressIsRefused) {
    Frame frame = Packet::tcp(client, vip).bytes();
    frame[0] = 0xFF;
    expect_refused(classified(frame, snapshot()), DropReason::destination);
}

TEST(Classify, ARealThatIsAClientIsAClient) {
    const Endpoint asking{real.address, be16{50'000}};
    EXPECT_EQ(of(Packet::tcp(asking, old_vip)).packet_class, PacketClass::request);
}

// --- ours ------------------------------------------------------------------------------------

TEST(Classify, APacketToAVipsPortWithoutServiceIsPunted) {
    expect_punt(Packet::tcp(client, {vip.address, be16{443}}), PuntClass::rest);
}

TEST(Classify, APingToAVipIsPunted) {
    expect_punt(Packet::icmp(client.address, vip.address, 8), PuntClass::rest);
}

TEST(Classify, AnAnswerToOurOwnCheckIsPuntedAsCheck) {
    expect_punt(by_lan(Packet::tcp(real, {our_lan, be16{35'000}})), PuntClass::check);
    expect_punt(by_lan(Packet::icmp(real.address, our_lan, 0)), PuntClass::check);
    // From where clients are, it is only said to be a real's.
    expect_punt(Packet::tcp(real, {our_lan, be16{35'000}}), PuntClass::rest);
}

TEST(Classify, AnErrorAboutOurOwnCheckIsPunted) {
    const Packet probe = Packet::tcp({our_lan, be16{35'000}}, real);
    expect_punt(by_lan(Packet::icmp(stranger, our_lan, 3, 1).quoting(probe, 8)), PuntClass::check);
}

TEST(Classify, LoginsAndRoutingHaveAClassOfTheirOwn) {
    for (const std::uint16_t port : {std::uint16_t{22}, std::uint16_t{179}}) {
        expect_punt(Packet::tcp({stranger, be16{40'000}}, {our_wan, be16{port}}),
                    PuntClass::routing);
    }
    expect_punt(Packet::tcp({stranger, be16{179}}, {our_wan, be16{40'000}}), PuntClass::routing);
    // Anybody may send from a port.
    expect_punt(Packet::tcp({stranger, be16{22}}, {our_wan, be16{40'000}}), PuntClass::rest);
}

TEST(Classify, BfdOfOneHopIsANeighboursAlone) {
    const auto to_port = [](std::uint16_t port, std::uint8_t hops) {
        return Packet::udp({stranger, be16{49'152}}, {our_wan, be16{port}}).ttl(hops);
    };
    for (const std::uint16_t port : {std::uint16_t{3'784}, std::uint16_t{3'785}}) {
        expect_punt(to_port(port, 255), PuntClass::routing);
        expect_punt(to_port(port, 254), PuntClass::rest);
    }
    expect_punt(to_port(4'784, 60), PuntClass::routing);
}

TEST(Classify, WhatTheOtherDirectorOfThePairTellsHasAClassOfItsOwn) {
    const auto from = [](Endpoint sender) { return Packet::udp(sender, {our_lan, be16{8'849}}); };
    expect_punt(by_lan(from(peer)), PuntClass::peer);
    expect_punt(by_lan(from({stranger, peer.port})), PuntClass::rest);
    // From where clients are, it is only said to be its.
    expect_punt(from(peer), PuntClass::rest);
}

TEST(Classify, ARealThatSpeaksToUsIsACheckWhateverThePort) {
    expect_punt(by_lan(Packet::tcp({real.address, be16{40'000}}, {our_lan, be16{22}})),
                PuntClass::check);
}

TEST(Classify, AnythingElseForUsIsTheRest) {
    expect_punt(Packet::tcp({stranger, be16{40'000}}, {our_wan, be16{9'464}}), PuntClass::rest);
    expect_punt(Packet::icmp(stranger, our_wan, 8), PuntClass::rest);
    expect_punt(Packet::ipv4(stranger, our_wan, 47), PuntClass::rest);
}

TEST(Classify, VrrpOfANeighbourOrAPeerIsKeepalive) {
    for (const Ipv4Address to : {Ipv4Address::of(224, 0, 0, 18), our_wan}) {
        expect_punt(Packet::ipv4(stranger, to, 112).ttl(255), PuntClass::keepalive);
        // A router has sent it on, so it means nothing (RFC 9568, 7.1), and must not stand in the
        // way of what does.
        expect_punt(Packet::ipv4(stranger, to, 112).ttl(254), PuntClass::rest);
    }
    expect_punt(by_lan(Packet::ipv4(peer.address.v4(), our_lan, 112).ttl(60)),
                PuntClass::keepalive);
}

TEST(Classify, ArpAndIpv6AreTheLinks) {
    const Frame arp = with_word(Packet::tcp(client, vip).bytes(), ethertype_at, 0x0806);
    EXPECT_EQ(classified(arp, snapshot()).packet_class, PacketClass::punt);
    EXPECT_EQ(classified(arp, snapshot()).punt_class, PuntClass::link);
}

// --- replies ---------------------------------------------------------------------------------

TEST(Classify, APacketFromANatRealsEndpointIsAReplyToItsDestination) {
    const Classified classified = of(Packet::tcp(real, client));
    EXPECT_EQ(classified.packet_class, PacketClass::reply);
    EXPECT_EQ(classified.client, client.address);
    EXPECT_EQ(classified.client_key,
              client_key_of(client.address.v4(), client.port, L4Protocol::tcp));
    EXPECT_EQ(snapshot().listeners[classified.listener].vip, vip.address.v4());
}

TEST(Classify, AnErrorAboutARequestIsAReplyToWhoSentTheRequest) {
    const Packet request = Packet::tcp(client, real);
    const Classified classified =
        of(Packet::icmp(stranger, client.address, 11).quoting(request, 8));
    EXPECT_EQ(classified.packet_class, PacketClass::reply);
    EXPECT_EQ(classified.client, client.address);
}

TEST(Classify, ARealsOtherPortIsTransit) {
    expect_punt(Packet::tcp({real.address, be16{22}}, client), PuntClass::transit);
    expect_punt(Packet::udp(real, client), PuntClass::transit);
}

TEST(Classify, ARealByDirectRoutingSendsNoReplies) {
    expect_punt(Packet::tcp(direct_real, client), PuntClass::transit);
}

TEST(Classify, AReplyToAGroupMacAddressIsNone) {
    Frame frame = Packet::tcp(real, client).bytes();
    frame[0] = 0x01;
    EXPECT_EQ(classified(frame, snapshot()).packet_class, PacketClass::punt);
}

// --- nobody's --------------------------------------------------------------------------------

TEST(Classify, WhatComesBackToARealIsTransit) {
    expect_punt(Packet::udp({stranger, be16{53}}, {real.address, be16{33'333}}),
                PuntClass::transit);
}

TEST(Classify, StrangersToStrangersAreRefused) {
    expect_refused(of(Packet::tcp(client, {stranger, be16{80}})), DropReason::destination);
    expect_refused(of(Packet::ipv4(client.address, stranger, 47)), DropReason::destination);
}

TEST(Classify, MulticastAndBroadcastArePuntedAsTheRest) {
    expect_punt(
        Packet::udp({stranger, be16{5'353}}, {Ipv4Address::of(224, 0, 0, 251), be16{5'353}}),
        PuntClass::rest);
    expect_punt(
        Packet::udp({Ipv4Address{}, be16{68}}, {Ipv4Address::of(255, 255, 255, 255), be16{67}}),
        PuntClass::rest);
}

// --- fragments and refusals ------------------------------------------------------------------

TEST(Classify, AFragmentToAVipBelongsToItsSendersWorker) {
    for (const Packet& packet : {Packet::udp(client, vip).payload("12345678").fragment(0, true),
                                 Packet::udp(client, vip).fragment(185, false)}) {
        EXPECT_EQ(of(packet).packet_class, PacketClass::fragment);
        EXPECT_EQ(of(packet).client, client.address);
    }
}

TEST(Classify, AFragmentFromARealBelongsToItsReceiversWorker) {
    const Classified fragment = of(Packet::udp(real, client).fragment(185, false));
    EXPECT_EQ(fragment.packet_class, PacketClass::fragment);
    EXPECT_EQ(fragment.client, client.address);
}

TEST(Classify, AFragmentFromARealToUsIsTheKernels) {
    expect_punt(by_lan(Packet::udp(real, {our_wan, be16{40'000}}).fragment(185, false)),
                PuntClass::check);
}

TEST(Classify, AStrangersFragmentToAStrangerIsRefused) {
    expect_refused(of(Packet::udp(client, {stranger, be16{53}}).fragment(185, false)),
                   DropReason::destination);
}

TEST(Classify, AFragmentToUsIsTheKernels) {
    expect_punt(Packet::udp({stranger, be16{53}}, {our_wan, be16{40'000}}).fragment(0, true),
                PuntClass::rest);
}

TEST(Classify, AHostWithoutAddressIsNoClient) {
    expect_refused(of(Packet::tcp({Ipv4Address{}, be16{1'024}}, vip)), DropReason::ipv4_source);
}

TEST(Classify, WhatParseRefusedStaysRefusedByItsReason) {
    const Frame frame = with_octet(Packet::tcp(client, vip).bytes(), tcp_flags_at, 0);
    expect_refused(classified(frame, snapshot()), DropReason::tcp_flags);
}

}  // namespace
}  // namespace fulcrum::test
