// Groups, and VLANs one by one.
#include "dataplane/nic_filter.h"

#include <rte_ethdev.h>

#include <algorithm>
#include <cerrno>

namespace fulcrum {
namespace {

constexpr std::uint16_t priority_alone = 0;  // a tag that names no VLAN: the port's own frames

bool is_vlan_of(const NicPort& port, const NicPort& parent) {
    return port.kind == DeviceKind::vlan && port.parent == parent.name;
}

}  // namespace

std::uint64_t vlan_offloads(const Config& config, std::size_t port, const rte_eth_dev_info& about) {
    const bool has_vlans = std::ranges::any_of(
        config.ports, [&](const NicPort& other) { return is_vlan_of(other, config.ports[port]); });
    return has_vlans ? about.rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_FILTER : 0;
}

int let_through(std::uint16_t id, const Config& config, std::size_t port) {
    const DeviceKind kind = config.ports[port].kind;
    if (kind == DeviceKind::af_packet || kind == DeviceKind::af_xdp) {
        return 0;  // the kernel's interface, whose flags are set where it is taken
    }
    const int error = rte_eth_allmulticast_enable(id);
    if (error != 0 && error != -ENOTSUP) {  // who cannot be told does not filter
        return error;
    }
    if ((rte_eth_dev_get_vlan_offload(id) & RTE_ETH_VLAN_FILTER_OFFLOAD) == 0) {
        return 0;
    }
    rte_eth_dev_vlan_filter(id, priority_alone, 1);
    for (const NicPort& other : config.ports) {
        if (!is_vlan_of(other, config.ports[port])) {
            continue;
        }
        if (const int refused = rte_eth_dev_vlan_filter(id, other.vlan, 1); refused != 0) {
            return refused;
        }
    }
    return 0;
}

}  // namespace fulcrum
