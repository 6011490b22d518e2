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

Config config_of(std::vector<VirtualService> services, std::vector<NicPort> ports) {
    Config config;
    config.services = std::move(services);
    config.ports = std::move(ports);
    return config;
}

Placed placed_by(const Config& config) {
    Placed addresses;
    for (const auto& of_port : place_vips(config)) {
        addresses.emplace_back();
        for (const PlacedAddress& each : of_port) {
            EXPECT_EQ(each.group, GroupsOfAddresses::none);
            addresses.back().push_back(each.address);
        }
    }
    return addresses;
}
Placed placed_by(std::vector<VirtualService> services, std::vector<NicPort> ports) {
    return placed_by(config_of(std::move(services), std::move(ports)));
}

TEST(VipPlacement, PutsAVipOnThePortWhoseNetworkHoldsIt) {
    const std::vector services{service_on(Ipv4Address::of(203, 0, 113, 80)),
                               service_on(Ipv4Address::of(10, 1, 200, 80))};
    EXPECT_EQ(placed_by(services, wan_and_lan),
              (Placed{{Ipv4Address::of(203, 0, 113, 80)}, {Ipv4Address::of(10, 1, 200, 80)}}));
}

TEST(VipPlacement, PutsARoutedVipOnTheFirstPort) {
    const std::vector services{service_on(Ipv4Address::of(198, 51, 100, 1))};
    EXPECT_EQ(placed_by(services, wan_and_lan), (Placed{{Ipv4Address::of(198, 51, 100, 1)}, {}}));
}

TEST(VipPlacement, NamesAVipOfSeveralServicesOnce) {
    const std::vector services{service_on(Ipv4Address::of(203, 0, 113, 81)),
                               service_on(Ipv4Address::of(203, 0, 113, 80)),
                               service_on(Ipv4Address::of(203, 0, 113, 81))};
    EXPECT_EQ(placed_by(services, wan_and_lan),
              (Placed{{Ipv4Address::of(203, 0, 113, 80), Ipv4Address::of(203, 0, 113, 81)}, {}}));
}

TEST(VipPlacement, LeavesOutAVipThatIsAPortsOwnAddress) {
    const std::vector services{service_on(Ipv4Address::of(10, 0, 0, 2))};
    EXPECT_EQ(placed_by(services, wan_and_lan), (Placed{{}, {}}));
}

TEST(VipPlacement, PutsABoundServicesVipOnOneOfItsPorts) {
    std::vector<NicPort> ports = wan_and_lan;
    ports[0].name = "wan";
    ports[1].name = "lan";
    VirtualService bound = service_on(Ipv4Address::of(203, 0, 113, 80));
    bound.bind = {"lan"};
    EXPECT_EQ(placed_by(std::vector{bound}, ports),
              (Placed{{}, {Ipv4Address::of(203, 0, 113, 80)}}));
    bound.bind = {"lan", "wan"};
    EXPECT_EQ(placed_by(std::vector{bound}, ports),
              (Placed{{Ipv4Address::of(203, 0, 113, 80)}, {}}));
}

TEST(VipPlacement, HasNothingToSayWithoutPorts) {
    EXPECT_EQ(placed_by(std::vector{service_on(Ipv4Address::of(10, 0, 0, 9))}, {}), Placed{});
}

TEST(VipPlacement, NamesTheGroupOfAllThatFloats) {
    Config config = config_of(
        {service_on(Ipv4Address::of(203, 0, 113, 80)), service_on(Ipv4Address::of(203, 0, 113, 81)),
         service_on(Ipv4Address::of(203, 0, 113, 97))},
        wan_and_lan);
    config.groups.push_back(
        {.name = "a", .vips = {IpPrefix::only(Ipv4Address::of(203, 0, 113, 80))}});
    config.groups.push_back({.name = "b",
                             .vips = {{Ipv4Address::of(203, 0, 113, 96), 28}},
                             .addresses = {{Ipv4Address::of(10, 1, 0, 1), 16}}});
    using Groups = std::vector<std::vector<PlacedAddress>>;
    EXPECT_EQ(place_vips(config),
              (Groups{{{Ipv4Address::of(203, 0, 113, 80), 0},
                       {Ipv4Address::of(203, 0, 113, 81), GroupsOfAddresses::none},
                       {Ipv4Address::of(203, 0, 113, 97), 1}},
                      {{Ipv4Address::of(10, 1, 0, 1), 1}}}));
}

TEST(VipPlacement, LetsAllVipsAndLocalAddressesFloatWithTheOnlyGroup) {
    Config config = config_of({service_on(Ipv4Address::of(203, 0, 113, 80))}, wan_and_lan);
    config.ports[1].local_addresses = {Ipv4Address::of(10, 0, 0, 100)};
    config.groups.push_back({.name = "all"});
    using Groups = std::vector<std::vector<PlacedAddress>>;
    EXPECT_EQ(place_vips(config), (Groups{{{Ipv4Address::of(203, 0, 113, 80), 0}},
                                          {{Ipv4Address::of(10, 0, 0, 100), 0}}}));
}

}  // namespace
}  // namespace fulcrum
