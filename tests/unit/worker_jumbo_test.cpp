// Frames of up to nine thousand octets, in as many segments as it takes: what is changed in them
// lies in the first, what is summed in all.
#include <gtest/gtest.h>

#include <optional>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

constexpr std::size_t segment = 1'920;  // what an ordinary buffer holds
constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint gre_vip{Ipv4Address::of(10, 1, 0, 81), be16{80}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Endpoint gre_real{Ipv4Address::of(10, 2, 0, 12), be16{80}};
constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};
const Endpoint vip6{*parse_ip_address("2001:db8:1::80"), be16{80}};
const Endpoint real6{*parse_ip_address("2001:db8:2::11"), be16{8'080}};
const Endpoint client6{*parse_ip_address("2001:db8:ff::7"), be16{40'000}};

std::string octets(std::size_t count) {
    std::string text(count, '\0');
    for (std::size_t i = 0; i < count; ++i) {
        text[i] = static_cast<char>(i * 7);
    }
    return text;
}

class WorkerJumbo : public testing::Test {
  protected:
    WorkerJumbo() {
        scene_.kernel().ports[0].mtu = 9'000;
        scene_.kernel().ports[1].mtu = 9'000;
        scene_.service("web", vip).real("a", real);
        scene_.service("web6", vip6).real("a", real6);
        scene_.service("gre", gre_vip).real("a", gre_real, ForwardingMode::gre);
        scene_.last_service().reals[0].tunnel.has_checksum = true;
        rig_.emplace(scene_);
    }
    std::vector<Frame> leaving(const Packet& packet, std::size_t port = 1) {
        rig_->receive(packet.bytes(), 0, segment);
        rig_->settle();
        return rig_->sent(port);
    }

    Scene scene_;
    std::optional<WorkerRig> rig_;
};

TEST_F(WorkerJumbo, CrossNatBothWaysWithSoundChecksums) {
    const std::string payload = octets(8'960);  // 9,000 octets of IPv4
    const std::vector<Frame> there = leaving(Packet::tcp(client, vip).payload(payload));
    ASSERT_EQ(there.size(), 1U);
    EXPECT_TRUE(same_frame(Packet::tcp(client, real)
                               .payload(payload)
                               .macs(lan_mac, mac_of(real.address))
                               .ttl(63)
                               .bytes(),
                           there[0]));
    const std::vector<Frame> back =
        leaving(Packet::tcp(real, client).payload(payload).macs(mac_of(real.address), lan_mac), 0);
    ASSERT_EQ(back.size(), 1U);
    EXPECT_TRUE(same_frame(
        Packet::tcp(vip, client).payload(payload).macs(wan_mac, router_mac).ttl(63).bytes(),
        back[0]));
}

TEST_F(WorkerJumbo, CrossNatOfIpv6) {
    const std::string payload = octets(8'939);  // 8,999 octets of IPv6
    const std::vector<Frame> there = leaving(Packet::tcp(client6, vip6).payload(payload));
    ASSERT_EQ(there.size(), 1U);
    EXPECT_TRUE(same_frame(Packet::tcp(client6, real6)
                               .payload(payload)
                               .macs(lan_mac, mac_of(real6.address))
                               .ttl(63)
                               .bytes(),
                           there[0]));
}

// RFC 2784: the sum over the GRE header and all that follows, wherever it lies.
TEST_F(WorkerJumbo, AreSummedInEverySegmentForATunnel) {
    for (const std::size_t length : {8'900U, 8'901U, 8'000U}) {
        const std::vector<Frame> frames =
            leaving(Packet::tcp(client, gre_vip).payload(octets(length)).dont_fragment());
        ASSERT_EQ(frames.size(), 1U);
        const std::size_t gre_at = ip_at + 20;
        ASSERT_EQ(frames[0].size(), gre_at + 8 + 40 + length);
        EXPECT_EQ(naive_sum(frames[0], gre_at, frames[0].size()), 0xFFFF);
    }
}

TEST_F(WorkerJumbo, AreToldOfWhenTheNextLinkCarriesLess) {
    scene_.kernel().ports[1].mtu = 1'500;
    rig_->publish();
    const std::vector<Frame> told =
        leaving(Packet::tcp(client, vip).payload(octets(8'960)).dont_fragment(), 0);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].size(), 14U + 576);
    EXPECT_EQ(told[0][l4_at + 6] * 256 + told[0][l4_at + 7], 1'500);
    EXPECT_TRUE(has_sound_checksums(told[0]));
    const std::vector<Frame> told6 = leaving(Packet::tcp(client6, vip6).payload(octets(8'939)), 0);
    ASSERT_EQ(told6.size(), 1U);
    EXPECT_EQ(told6[0].size(), 14U + 1'280);
    const std::size_t icmp_at = ip_at + 40;
    EXPECT_EQ(told6[0][icmp_at], 2);  // packet too big
    EXPECT_EQ(told6[0][icmp_at + 6] * 256 + told6[0][icmp_at + 7], 1'500);
}

TEST_F(WorkerJumbo, AreCutWhereTheirSenderAllowsIt) {
    scene_.kernel().ports[1].mtu = 1'500;
    rig_->publish();
    const std::vector<Frame> pieces = leaving(Packet::tcp(client, vip).payload(octets(8'960)));
    ASSERT_EQ(pieces.size(), 7U);  // 8,980 octets in steps of 1,480
    std::string together;
    for (const Frame& piece : pieces) {
        EXPECT_LE(piece.size(), 14U + 1'500);
        together.append(piece.begin() + l4_at, piece.end());
    }
    EXPECT_EQ(together.substr(20), octets(8'960));
}

TEST_F(WorkerJumbo, AreDroppedWhenTheirHeadersLieInTwoSegments) {
    rig_->receive(Packet::tcp(client, vip).payload(octets(100)).bytes(), 0, 40);
    rig_->settle();
    EXPECT_EQ(rig_->dropped(DropReason::headers_scattered), 1U);
    rig_->receive(Packet::tcp(client6, vip6).payload(octets(100)).bytes(), 0, 60);
    rig_->settle();
    EXPECT_EQ(rig_->dropped(DropReason::headers_scattered), 2U);
}

}  // namespace
}  // namespace fulcrum::test
