// Which group an address belongs to.
#include "config/model/role_group.h"

#include <gtest/gtest.h>

#include "config/model/service.h"

namespace fulcrum {
namespace {

constexpr std::size_t none = GroupsOfAddresses::none;

Ipv4Address vip(std::uint8_t octet) { return Ipv4Address::of(203, 0, 113, octet); }

TEST(GroupsOfAddresses, KnowNoGroupWhereThereIsNone) {
    const Config config;
    EXPECT_EQ(GroupsOfAddresses{config}.group_of_vip(vip(80)), none);
    EXPECT_EQ(GroupsOfAddresses{config}.group_of_local_address(), none);
}

TEST(GroupsOfAddresses, GiveTheOnlyGroupAllVipsUnlessItNamesSome) {
    Config config;
    config.groups.push_back({.name = "all"});
    EXPECT_EQ(GroupsOfAddresses{config}.group_of_vip(vip(80)), 0U);
    EXPECT_EQ(GroupsOfAddresses{config}.group_of_local_address(), 0U);
    config.groups[0].vips = {IpPrefix::only(vip(81))};
    EXPECT_EQ(GroupsOfAddresses{config}.group_of_vip(vip(80)), none);
    EXPECT_EQ(GroupsOfAddresses{config}.group_of_vip(vip(81)), 0U);
}

TEST(GroupsOfAddresses, TellGroupsApartByAddressAndByBlock) {
    const IpAddress six = parse_ip_address("2001:db8::80").value();
    Config config;
    config.groups.push_back({.name = "a", .vips = {{vip(96), 28}}});
    config.groups.push_back({.name = "b", .vips = {IpPrefix::only(six), {vip(112), 28}}});
    const GroupsOfAddresses groups{config};
    EXPECT_EQ(groups.group_of_vip(vip(95)), none);
    EXPECT_EQ(groups.group_of_vip(vip(111)), 0U);
    EXPECT_EQ(groups.group_of_vip(vip(112)), 1U);
    EXPECT_EQ(groups.group_of_vip(six), 1U);
    EXPECT_EQ(groups.group_of_local_address(), none);
}

TEST(PortOfNetwork, IsThePortWhoseNetworkHoldsTheAddress) {
    Config config;
    config.ports.push_back({.name = "wan", .addresses = {{vip(2), 24}}});
    config.ports.push_back({.name = "lan", .addresses = {{Ipv4Address::of(10, 0, 0, 2), 8}}});
    EXPECT_EQ(port_of_network(config, vip(1)), 0U);
    EXPECT_EQ(port_of_network(config, Ipv4Address::of(10, 9, 9, 9)), 1U);
    EXPECT_EQ(port_of_network(config, Ipv4Address::of(192, 0, 2, 1)), none);
}

}  // namespace
}  // namespace fulcrum
