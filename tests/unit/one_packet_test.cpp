// A UDP service without sessions: each datagram goes by the ring, and answers find their way back
// by their sender alone.
#include <gtest/gtest.h>

#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 53), be16{53}};
constexpr Endpoint ns1{Ipv4Address::of(10, 2, 0, 11), be16{5'353}};
constexpr Endpoint ns2{Ipv4Address::of(10, 2, 0, 12), be16{5'353}};
constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};

Scene one_packet_scene() {
    Scene scene;
    scene.service("dns", vip, L4Protocol::udp).real("ns1", ns1).real("ns2", ns2);
    scene.last_service().one_packet = true;
    return scene;
}

Frame query(std::uint16_t port = client.port.host()) {
    return Packet::udp({client.address, be16{port}}, vip).payload("query").bytes();
}
Frame answer_of(Endpoint real) {
    return Packet::udp(real, client).macs(mac_of(real.address), lan_mac).payload("me").bytes();
}

TEST(OnePacket, ADatagramOpensNoSessionAndIsCountedForItsReal) {
    TrackingRoom room{one_packet_scene().snapshot()};
    for (std::uint16_t port = 1; port <= 100; ++port) {
        EXPECT_EQ(room.carry(query(port)).verdict, Verdict::transmit);
    }
    EXPECT_EQ(room.live_count(), 0U);
    const std::uint64_t opened =
        room.tally(0).sessions_opened.read() + room.tally(1).sessions_opened.read();
    EXPECT_EQ(opened, 100U);
    EXPECT_GT(room.tally(0).sessions_opened.read(), 20U);
    EXPECT_GT(room.tally(1).sessions_opened.read(), 20U);
}

TEST(OnePacket, AnAnswerIsTranslatedByItsSenderAlone) {
    TrackingRoom room{one_packet_scene().snapshot()};
    for (const Endpoint real : {ns1, ns2}) {
        const Decision decision = room.carry(answer_of(real));
        EXPECT_EQ(decision.verdict, Verdict::transmit);
        EXPECT_EQ(decision.replacement, vip);
        EXPECT_EQ(decision.tally, real == ns1 ? 0U : 1U);
    }
}

TEST(OnePacket, TheNextDatagramAvoidsARealThatIsDrained) {
    Scene scene = one_packet_scene();
    TrackingRoom room{scene.snapshot()};
    const Endpoint first = endpoint_of(room.carry(query()).replacement);
    scene.last_service().reals[first == ns1 ? 0 : 1].weight = 0;
    room.use(scene.snapshot());
    EXPECT_EQ(room.carry(query()).replacement, first == ns1 ? ns2 : ns1);
}

}  // namespace
}  // namespace fulcrum::test
