// A flood at a service in full NAT: every SYN of it leases a local port, and an address has 64,512.
#include <gtest/gtest.h>

#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint dns_vip{Ipv4Address::of(10, 1, 0, 53), be16{53}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Ipv4Address local = Ipv4Address::of(10, 2, 0, 100);
constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};
constexpr std::uint32_t ports = 64'512;

Endpoint stranger(std::uint32_t number) {
    return {Ipv4Address::from_host(0xC612'0000 + number), be16{5'000}};
}

class FullNatFlood : public testing::Test {
  protected:
    static Scene scene() {
        Scene scene;
        scene.service("web", vip).real("a", real, ForwardingMode::full_nat);
        scene.service("dns", dns_vip, L4Protocol::udp).real("a", real, ForwardingMode::full_nat);
        scene.config().ports[1].local_addresses = {local};
        scene.kernel().addresses.push_back(local);
        return scene;
    }
    Decision request(Endpoint from, std::uint8_t flags) {
        return room_.carry(Packet::tcp(from, vip).flags(flags).bytes());
    }
    Decision datagram(Endpoint from) {
        return room_.carry(Packet::udp(from, dns_vip).payload("x").bytes());
    }

    Scene scene_ = scene();
    TrackingRoom room_{scene_.snapshot(), 1 << 17};  // no flood to the table
};

TEST_F(FullNatFlood, MakesWayForNewcomersInTheOrderInWhichItCame) {
    const be16 oldest = request(stranger(0), tcp_flag::syn).far_port;
    for (std::uint32_t number = 1; number < ports; ++number) {
        ASSERT_EQ(request(stranger(number), tcp_flag::syn).verdict, Verdict::transmit);
    }
    const Decision next = request(client, tcp_flag::syn);
    ASSERT_EQ(next.verdict, Verdict::transmit);
    EXPECT_EQ(next.far_port, oldest);
    EXPECT_TRUE(room_.sessions_of(stranger(0)).empty());
    EXPECT_EQ(room_.sessions_of(stranger(1)).size(), 1U);
    EXPECT_EQ(room_.counters().sessions_evicted.read(), 1U);
}

TEST_F(FullNatFlood, LeavesPortsThatRestAFewSecondsOnly) {
    for (std::uint32_t number = 0; number < ports; ++number) {
        ASSERT_EQ(request(stranger(number), tcp_flag::syn).verdict, Verdict::transmit);
    }
    room_.skip_s(31);
    room_.sweep_all();
    ASSERT_EQ(room_.live_count(), 0U);
    EXPECT_EQ(request(client, tcp_flag::syn).verdict, Verdict::transmit);
    EXPECT_EQ(room_.counters().sessions_evicted.read(), 0U);
}

TEST_F(FullNatFlood, OfDatagramsMakesWayWhenLateAnswersHaveHadTheirTime) {
    for (std::uint32_t number = 0; number < ports; ++number) {
        ASSERT_EQ(datagram(stranger(number)).verdict, Verdict::transmit);
    }
    EXPECT_EQ(datagram(client).reason, DropReason::no_local_port);
    room_.skip_s(4);
    EXPECT_EQ(datagram(client).verdict, Verdict::transmit);
}

}  // namespace
}  // namespace fulcrum::test
