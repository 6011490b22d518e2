// What a worker hears about its tunnels and says of its own accord, over real buffers.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};
constexpr Endpoint far_real{Ipv4Address::of(10, 2, 0, 11), vip.port};
constexpr Ipv4Address our_lan = Ipv4Address::of(10, 2, 0, 1);
constexpr Ipv4Address far_router = Ipv4Address::of(192, 0, 2, 1);

class WorkerTunnel : public testing::Test {
  protected:
    WorkerTunnel() {
        scene_.service("web", vip).real("a", far_real, ForwardingMode::ipip);
        rig_.emplace(scene_);
    }
    // From a router on the way to the real, quoting an outer header and eight octets.
    static Frame too_long(std::uint16_t mtu, std::size_t length = 1'480,
                          const MacAddress& by = lan_mac) {
        const Packet outer =
            Packet::ipv4(our_lan, far_real.address, 4).payload(std::string(length - 20, 'x'));
        return Packet::icmp(far_router, our_lan, 3, 4)
            .macs(mac_of(far_real.address), by)
            .rest(mtu)
            .quoting(outer, 8)
            .bytes();
    }
    std::vector<WorkerReport> heard(std::uint16_t mtu) { return heard(too_long(mtu)); }
    std::vector<WorkerReport> heard(const Frame& frame) {
        rig_->receive(frame);
        rig_->settle();
        return rig_->reports();
    }

    Scene scene_;
    std::optional<WorkerRig> rig_;
};

TEST_F(WorkerTunnel, ReportsWhatARouterSaysOfAPathEvenIfItQuotesTooLittle) {
    const std::vector<WorkerReport> reports = heard(1'400);
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].kind, ReportKind::path_mtu);
    EXPECT_EQ(reports[0].neighbour, far_real.address);
    EXPECT_EQ(reports[0].mtu, 1'400);
    EXPECT_EQ(rig_->dropped(DropReason::tunnel_error), 1U);
}

TEST_F(WorkerTunnel, ReportsNothingThatIsNoNewsOrNonsense) {
    EXPECT_TRUE(heard(1'500).empty());  // our own link carries as much
    EXPECT_TRUE(heard(0).empty());
    EXPECT_TRUE(heard(575).empty());
}

TEST_F(WorkerTunnel, BelievesNobodyAboutPacketsThatItCannotHaveSent) {
    EXPECT_TRUE(heard(too_long(600, 600)).empty()) << "it would have passed";
    EXPECT_EQ(heard(too_long(600, 601)).size(), 1U);
    EXPECT_TRUE(heard(too_long(600, 1'480, wan_mac)).empty()) << "not from the real's side";
    const auto about = [&](Endpoint to) {
        const Packet inner = Packet::tcp(client, to).payload(std::string(1'400, 'x'));
        const Frame within = inner.bytes();
        const Packet outer =
            Packet::ipv4(our_lan, far_real.address, 4)
                .payload(std::string(within.begin() + std::ptrdiff_t{ip_at}, within.end()));
        return Packet::icmp(far_router, our_lan, 3, 4)
            .macs(mac_of(far_real.address), lan_mac)
            .rest(700)
            .quoting(outer, 64)
            .bytes();
    };
    EXPECT_TRUE(heard(about({far_router, vip.port})).empty()) << "nobody's VIP";
    EXPECT_EQ(heard(about(vip)).size(), 1U);
}

TEST(WorkerTunnelOfIpv6, ReportsWhatARouterSaysOfAPathIfIpv6AllowsIt) {
    Scene scene;
    const IpAddress our_lan6 = *parse_ip_address("2001:db8:2::1");
    const Endpoint far_real6{*parse_ip_address("2001:db8:2::11"), be16{53}};
    scene.kernel().addresses.push_back(our_lan6);
    scene.kernel().port_addresses.push_back({{our_lan6, 64}, 1});
    scene.service("dns", {*parse_ip_address("2001:db8:1::80"), be16{53}}, L4Protocol::udp)
        .real("a", far_real6, ForwardingMode::gue);
    WorkerRig rig{scene};
    const auto say = [&](std::uint32_t mtu, std::uint16_t source_port = 50'000) {
        const Packet outer =
            Packet::udp({our_lan6, be16{source_port}}, {far_real6.address, be16{6'080}})
                .payload(std::string(1'440, 'x'));
        rig.receive(Packet::icmp6(*parse_ip_address("2001:db8:fe::1"), our_lan6, 2)
                        .macs(mac_of(far_real6.address), lan_mac)
                        .rest(mtu)
                        .quoting(outer, 8)
                        .bytes());
        rig.settle();
        return rig.reports();
    };
    const std::vector<WorkerReport> reports = say(1'280);
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].kind, ReportKind::path_mtu);
    EXPECT_EQ(reports[0].neighbour, far_real6.address);
    EXPECT_EQ(reports[0].mtu, 1'280);
    EXPECT_TRUE(say(1'279).empty());
    EXPECT_TRUE(say(1'500).empty());
    EXPECT_TRUE(say(65'536 + 1'300).empty());
    EXPECT_TRUE(say(1'300, 49'151).empty()) << "no port of ours";
    EXPECT_EQ(say(1'300, 49'152).size(), 1U);
    EXPECT_EQ(rig.dropped(DropReason::tunnel_error), 6U);
}

TEST_F(WorkerTunnel, LetsNobodyMakeItSendErrorsWithoutEnd) {
    const Frame frame =
        Packet::tcp(client, vip).payload(std::string(1'441, 'x')).dont_fragment().bytes();
    std::size_t sent = 0;
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 50; ++i) {
            rig_->receive(frame);
        }
        rig_->settle();
        sent += rig_->sent(0).size();
    }
    // A hundred at once, and one more each millisecond that a slow machine takes for this.
    EXPECT_GE(sent, 100U);
    EXPECT_EQ(rig_->counters().icmp_errors_sent.read(), sent);
    EXPECT_EQ(rig_->counters().icmp_errors_policed.read(), 1'000 - sent);
    EXPECT_EQ(rig_->dropped(DropReason::mtu_exceeded), 1'000U);
}

TEST_F(WorkerTunnel, AnswersTheFirstFragmentAloneWhenNobodyIsThereToServe) {
    scene_.service("dns", {vip.address, be16{53}}, L4Protocol::udp);
    rig_->publish();
    rig_->receive(Packet::udp(client, {vip.address, be16{53}})
                      .payload(std::string(16, 'x'))
                      .fragment(0, true)
                      .bytes());
    rig_->receive(Packet::ipv4(client.address, vip.address, 17).fragment(3, false).bytes());
    rig_->settle();
    EXPECT_EQ(rig_->dropped(DropReason::no_real), 2U);
    EXPECT_TRUE(rig_->sent(1).empty());
}

// A fragment whose first one never comes: half a second of real time.
TEST_F(WorkerTunnel, GivesUpOnAFragmentThatNobodyLeads) {
    rig_->receive(Packet::ipv4(client.address, vip.address, 17).fragment(3, false).bytes());
    rig_->settle();
    EXPECT_EQ(rig_->counters().held_back.read(), 1U);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (rig_->dropped(DropReason::fragment_unmatched) == 0 &&
           std::chrono::steady_clock::now() < deadline) {
        rig_->turn();
    }
    EXPECT_EQ(rig_->dropped(DropReason::fragment_unmatched), 1U);
    EXPECT_EQ(rig_->counters().released.read(), 1U);
}

}  // namespace
}  // namespace fulcrum::test
