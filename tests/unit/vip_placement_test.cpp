// Where VIPs live.
#include "controlplane/kernel/vip_placement.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

VirtualService service_on(Ipv4Address vip) {
    VirtualService service;
    service.vip = vip;
    service.port = be16{80};
    return service;
}

NicPort port_with(std::vector<IpPrefix> addresses) {
    NicPort port;
    port.addresses = std::move(addresses);
    return port;
}

const std::vector<NicPort> wan_and_lan{
    port_with({{Ipv4Address::of(203, 0, 113, 2), 24}}),
    port_with({{Ipv4Address::of(10, 0, 0, 2), 24}, {Ipv4Address::of(10, 1, 0, 2), 16}})};

using Placed = std::vector<std::vector<IpAddress>>;

TEST(VipPlacement, PutsAVipOnThePortWhoseNetworkHoldsIt) {
    const std::vector services{service_on(Ipv4Address::of(203, 0, 113, 80)),
                               service_on(Ipv4Address::of(10, 1, 200, 80))};
    EXPECT_EQ(place_vips(services, wan_and_lan),
              (Placed{{Ipv4Address::of(203, 0, 113, 80)}, {Ipv4Address::of(10, 1, 200, 80)}}));
}

TEST(VipPlacement, PutsARoutedVipOnTheFirstPort) {
    const std::vector services{service_on(Ipv4Address::of(198, 51, 100, 1))};
    EXPECT_EQ(place_vips(services, wan_and_lan), (Placed{{Ipv4Address::of(198, 51, 100, 1)}, {}}));
}

TEST(VipPlacement, NamesAVipOfSeveralServicesOnce) {
    const std::vector services{service_on(Ipv4Address::of(203, 0, 113, 81)),
                               service_on(Ipv4Address::of(203, 0, 113, 80)),
                               service_on(Ipv4Address::of(203, 0, 113, 81))};
    EXPECT_EQ(place_vips(services, wan_and_lan),
              (Placed{{Ipv4Address::of(203, 0, 113, 80), Ipv4Address::of(203, 0, 113, 81)}, {}}));
}

TEST(VipPlacement, LeavesOutAVipThatIsAPortsOwnAddress) {
    const std::vector services{service_on(Ipv4Address::of(10, 0, 0, 2))};
    EXPECT_EQ(place_vips(services, wan_and_lan), (Placed{{}, {}}));
}

TEST(VipPlacement, PutsABoundServicesVipOnOneOfItsPorts) {
    std::vector<NicPort> ports = wan_and_lan;
    ports[0].name = "wan";
    ports[1].name = "lan";
    VirtualService bound = service_on(Ipv4Address::of(203, 0, 113, 80));
    bound.bind = {"lan"};
    EXPECT_EQ(place_vips(std::vector{bound}, ports),
              (Placed{{}, {Ipv4Address::of(203, 0, 113, 80)}}));
    bound.bind = {"lan", "wan"};
    EXPECT_EQ(place_vips(std::vector{bound}, ports),
              (Placed{{Ipv4Address::of(203, 0, 113, 80)}, {}}));
}

TEST(VipPlacement, HasNothingToSayWithoutPorts) {
    EXPECT_EQ(place_vips(std::vector{service_on(Ipv4Address::of(10, 0, 0, 9))}, {}), Placed{});
}

}  // namespace
}  // namespace fulcrum
