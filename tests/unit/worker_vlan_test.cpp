// VLANs through a whole worker: what comes with a tag is a frame of the VLAN's port, what leaves by
// that port has one, and nobody in between meets a tag. Clients come by VLAN 20 of port 0, the real
// is in VLAN 30 of port 1.
#include <gtest/gtest.h>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

constexpr std::uint16_t client_vlan = 20;
constexpr std::uint16_t real_vlan = 30;
constexpr std::size_t client_port = 2;  // indexes: 0 and 1 are the devices' own
constexpr std::size_t real_port = 3;
constexpr MacAddress client_mac{{0x02, 0, 0, 0, 0x20, 0x07}};

Frame tagged(Frame frame, std::uint16_t control) {
    const Frame tag{0x81, 0x00, static_cast<std::uint8_t>(control >> 8),
                    static_cast<std::uint8_t>(control & 255)};
    frame.insert(frame.begin() + 12, tag.begin(), tag.end());
    return frame;
}

struct Places {
    Endpoint client;
    Endpoint vip;
    Endpoint real;
    IpPrefix client_network;
    IpPrefix real_network;
};

Ipv6Address v6(const char* text) { return *parse_ipv6_address(text); }

const Places places4{{Ipv4Address::of(172, 16, 20, 7), be16{40'000}},
                     {Ipv4Address::of(172, 16, 20, 80), be16{80}},
                     {Ipv4Address::of(172, 16, 30, 11), be16{8'080}},
                     {Ipv4Address::of(172, 16, 20, 0), 24},
                     {Ipv4Address::of(172, 16, 30, 0), 24}};
const Places places6{{v6("2001:db8:20::7"), be16{40'000}},
                     {v6("2001:db8:20::80"), be16{80}},
                     {v6("2001:db8:30::11"), be16{8'080}},
                     {v6("2001:db8:20::"), 64},
                     {v6("2001:db8:30::"), 64}};

class VlanTest : public testing::TestWithParam<bool> {
  protected:
    VlanTest() {
        scene_.vlan(0, client_vlan, places_.client_network);
        scene_.vlan(1, real_vlan, places_.real_network);
        scene_.service("web", places_.vip).real("a", places_.real);
        scene_.kernel().neighbours = {
            {places_.client.address, client_port, client_mac},
            {places_.real.address, real_port, mac_of(places_.real.address)}};
    }

    Packet request() const {
        return Packet::tcp(places_.client, places_.vip).macs(client_mac, wan_mac).flags(0x02);
    }
    Packet at_real() const {
        return Packet::tcp(places_.client, places_.real)
            .macs(lan_mac, mac_of(places_.real.address))
            .flags(0x02)
            .ttl(63);
    }
    static void expect_one(const std::vector<Frame>& frames, const Frame& expected) {
        ASSERT_EQ(frames.size(), 1U);
        EXPECT_TRUE(same_frame(expected, frames[0]));
    }

    const Places& places_ = GetParam() ? places6 : places4;
    Scene scene_;
};

TEST_P(VlanTest, GoFromTagToTagAndBack) {
    WorkerRig rig{scene_};
    rig.receive_on(0, tagged(request().bytes(), client_vlan));
    rig.settle();
    expect_one(rig.sent(1), tagged(at_real().bytes(), real_vlan));
    const Packet answer = Packet::tcp(places_.real, places_.client)
                              .macs(mac_of(places_.real.address), lan_mac)
                              .flags(0x12);
    // Priority and drop eligibility are nobody's business here.
    rig.receive_on(1, tagged(answer.bytes(), 0xF000 | real_vlan));
    rig.settle();
    expect_one(rig.sent(0), tagged(Packet::tcp(places_.vip, places_.client)
                                       .macs(wan_mac, client_mac)
                                       .flags(0x12)
                                       .ttl(63)
                                       .bytes(),
                                   client_vlan));
    EXPECT_EQ(rig.vlan_counters(client_port).received_packets.read(), 1U);
    EXPECT_EQ(rig.vlan_counters(client_port).transmitted_packets.read(), 1U);
    EXPECT_EQ(rig.vlan_counters(real_port).transmitted_bytes.read(), request().bytes().size());
}

TEST_P(VlanTest, AreRefusedWhereTheyAreNobodys) {
    WorkerRig rig{scene_};
    for (const std::uint16_t vlan : {std::uint16_t{21}, real_vlan, std::uint16_t{4'095}}) {
        rig.receive_on(0, tagged(request().bytes(), vlan));
    }
    rig.receive_on(0, tagged(tagged(request().bytes(), client_vlan), client_vlan));
    rig.receive_on(0, cut(tagged(request().bytes(), client_vlan), 17));
    rig.settle();
    EXPECT_EQ(rig.dropped(DropReason::vlan), 5U);
    EXPECT_TRUE(rig.sent(1).empty());
}

TEST_P(VlanTest, APriorityAloneIsNoTag) {
    WorkerRig rig{scene_};
    rig.receive_on(0, tagged(request().bytes(), 0xE000));
    rig.settle();
    expect_one(rig.sent(1), tagged(at_real().bytes(), real_vlan));
    EXPECT_EQ(rig.vlan_counters(client_port).received_packets.read(), 0U);
}

TEST_P(VlanTest, FramesInOneBurstKeepToThemselves) {
    WorkerRig rig{scene_};
    rig.receive_on(0, request().bytes());
    rig.receive_on(0, tagged(request().payload("tagged").bytes(), client_vlan));
    rig.receive_on(0, request().payload("third").bytes());
    rig.settle();
    EXPECT_EQ(rig.sent(1).size(), 3U);
    EXPECT_EQ(rig.vlan_counters(client_port).received_packets.read(), 1U);
    EXPECT_EQ(rig.vlan_counters(real_port).transmitted_packets.read(), 3U);
}

TEST_P(VlanTest, WhatIsTheKernelsGoesToTheVlansTwinAndComesFromIt) {
    WorkerRig rig{scene_};
    const Frame arp = with_word(request().bytes(), ethertype_at, 0x0806);
    rig.receive_on(0, tagged(arp, client_vlan));
    rig.settle();
    const auto punted = rig.punted();
    ASSERT_EQ(punted.size(), 1U);
    EXPECT_EQ(punted[0].port_id, vlan_port_id(client_port));
    EXPECT_TRUE(same_frame(arp, punted[0].frame));
    rig.receive_from_kernel(arp, client_port);
    rig.settle();
    expect_one(rig.sent(0), tagged(arp, client_vlan));
}

TEST_P(VlanTest, StrangersAreHandedOverWithoutTheirTag) {
    WorkerRig rig{scene_, {.worker_count = 2}};
    const unsigned stranger = 1 - rig.steering().owner_of(places_.client.address);
    rig.receive_on(0, tagged(request().bytes(), client_vlan), stranger);
    rig.settle();
    expect_one(rig.sent(1), tagged(at_real().bytes(), real_vlan));
    EXPECT_EQ(rig.counters(stranger).handed_over.read(), 1U);
}

TEST_P(VlanTest, PacketsWaitForANeighbourAndLeaveWithTheirTag) {
    const KernelNeighbour real = scene_.kernel().neighbours.back();
    scene_.kernel().neighbours.pop_back();
    WorkerRig rig{scene_};
    rig.receive_on(0, tagged(request().bytes(), client_vlan));
    rig.settle();
    EXPECT_EQ(rig.counters().held_back.read(), 1U);
    scene_.kernel().neighbours.push_back(real);
    rig.publish();
    rig.settle();
    expect_one(rig.sent(1), tagged(at_real().bytes(), real_vlan));
}

// --- services that are bound to a port -------------------------------------------------------

TEST_P(VlanTest, ABoundServiceIsThereByItsPortAlone) {
    scene_.last_service().bind = {"wan.20"};
    scene_.config().vips = {
        {.addresses = IpPrefix::only(places_.vip.address), .other = OtherTraffic::drop}};
    WorkerRig rig{scene_};
    rig.receive_on(0, tagged(request().bytes(), client_vlan));
    rig.settle();
    expect_one(rig.sent(1), tagged(at_real().bytes(), real_vlan));
    rig.receive_on(0, request().bytes());
    rig.receive_on(1, tagged(request().macs(client_mac, lan_mac).bytes(), real_vlan));
    rig.settle();
    EXPECT_TRUE(rig.sent(1).empty());
    EXPECT_EQ(rig.dropped(DropReason::no_service_drop), 2U);
}

TEST_P(VlanTest, OfABoundServiceErrorsAreHeardByAnyPort) {
    scene_.last_service().bind = {"wan.20"};
    WorkerRig rig{scene_};
    rig.receive_on(0, tagged(request().bytes(), client_vlan));
    rig.settle();
    rig.sent(1);
    const Packet lost = Packet::tcp(places_.vip, places_.client);
    const Packet error =
        GetParam() ? Packet::icmp6(v6("2001:db8:1::99"), places_.vip.address, 1, 4)
                   : Packet::icmp(Ipv4Address::of(10, 1, 0, 99), places_.vip.address, 3, 1);
    rig.receive_on(0, Packet{error}.quoting(lost, 8).bytes());
    rig.settle();
    EXPECT_EQ(rig.sent(1).size(), 1U);
}

TEST_P(VlanTest, ARangeIsBoundAsAPortIs) {
    VirtualService& service = scene_.last_service();
    service.port = be16{};
    service.listen = {{.vip = IpPrefix::only(places_.vip.address), .ports = {80, 89}}};
    service.bind = {"wan.20", "lan"};
    WorkerRig rig{scene_};
    rig.receive_on(0, tagged(request().bytes(), client_vlan));
    rig.settle();
    EXPECT_EQ(rig.sent(1).size(), 1U);
    rig.receive_on(0, request().bytes());
    rig.settle();
    EXPECT_TRUE(rig.sent(1).empty());
    EXPECT_EQ(rig.punted().size(), 1U);  // the kernel's, for want of a policy
}

INSTANTIATE_TEST_SUITE_P(Over, VlanTest, testing::Values(false, true),
                         [](const testing::TestParamInfo<bool>& is_ipv6) {
                             return is_ipv6.param ? "Ipv6" : "Ipv4";
                         });

}  // namespace
}  // namespace fulcrum::test
