// The IPv6 addresses that an operator has given a device. Turning IPv6 off on the device, which
// keeps the kernel's chatter off the wire, deletes them; so they are read before and put back
// after. Addresses that the kernel makes by itself it makes again. Control thread.
#pragma once

#include <vector>

#include "config/model/result.h"
#include "controlplane/kernel/found_state.h"
#include "controlplane/kernel/netlink.h"

namespace fulcrum {

// The permanent ones of more than link scope.
Result<std::vector<FoundIpv6Address>> read_ipv6_addresses(NetlinkSocket& socket, int interface);

// One that is there already is fine.
Status add_ipv6_addresses(NetlinkSocket& socket, int interface,
                          const std::vector<FoundIpv6Address>& addresses);

}  // namespace fulcrum
