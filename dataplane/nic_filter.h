// What a network card lets through. By itself it keeps frames to other MAC addresses from us, which
// is welcome, and may keep back two kinds more: those to groups, of which the kernel behind the
// twin is a member without the card's knowing (IPv6 finds its neighbours by them, and routing
// daemons theirs), and those of VLANs, if it wants to be told of each. Main thread, at start.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/model/service.h"

struct rte_eth_dev_info;

namespace fulcrum {

// The receive offloads with which a device is configured so that it can be told of this port's
// VLANs: none if there are none, or if it lets all of them through anyway.
std::uint64_t vlan_offloads(const Config& config, std::size_t port, const rte_eth_dev_info& about);

// Tells a started device to let through frames to all groups, and those of the port's VLANs. 0, or
// DPDK's negative error.
int let_through(std::uint16_t id, const Config& config, std::size_t port);

}  // namespace fulcrum
