// Which ports' devices are asked to be told of VLANs. That a card then lets their frames through,
// and those to groups, is seen in the guest only: here no device filters.
#include "dataplane/nic_filter.h"

#include <gtest/gtest.h>
#include <rte_ethdev.h>

#include "tests/support/small_config.h"

namespace fulcrum {
namespace {

constexpr std::size_t wan = 0;
constexpr std::size_t lan = 1;

Config with_a_vlan_of_lan() {
    Config made = test::config({});
    made.ports = {{.name = "wan"},
                  {.name = "lan"},
                  {.name = "lan.20", .kind = DeviceKind::vlan, .parent = "lan", .vlan = 20}};
    return made;
}

rte_eth_dev_info device(std::uint64_t offloads) {
    rte_eth_dev_info about{};
    about.rx_offload_capa = offloads;
    return about;
}

TEST(NicFilter, IsAskedForWhereAPortHasVlansAndItsDeviceMayHoldThemBack) {
    constexpr std::uint64_t filter = RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
    const rte_eth_dev_info filtering = device(filter | RTE_ETH_RX_OFFLOAD_VLAN_STRIP);
    EXPECT_EQ(vlan_offloads(with_a_vlan_of_lan(), lan, filtering), filter);
}

TEST(NicFilter, IsNotAskedForElsewhere) {
    const Config config = with_a_vlan_of_lan();
    EXPECT_EQ(vlan_offloads(config, wan, device(RTE_ETH_RX_OFFLOAD_VLAN_FILTER)), 0U);
    EXPECT_EQ(vlan_offloads(config, lan, device(RTE_ETH_RX_OFFLOAD_VLAN_STRIP)), 0U);
}

}  // namespace
}  // namespace fulcrum
