// A network interface as the kernel holds it: finding it, setting it, and its addresses.
// Control thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/model/address.h"
#include "config/model/result.h"
#include "controlplane/kernel/kernel_events.h"
#include "controlplane/kernel/netlink.h"

namespace fulcrum {

Result<LinkEvent> read_interface(NetlinkSocket& socket, const std::string& name);

// What is not named stays as it is.
struct InterfaceChange {
    std::optional<MacAddress> mac;
    std::optional<std::uint32_t> mtu;
    std::uint32_t flags_mask = 0;  // which of IFF_* to set to those of `flags`
    std::uint32_t flags = 0;
    bool is_ipv6_manual = false;  // true: from now on it makes itself no IPv6 address
};
Status change_interface(NetlinkSocket& socket, const LinkEvent& interface,
                        const InterfaceChange& change);

Result<std::vector<AddressEvent>> read_addresses(NetlinkSocket& socket, int interface);

// One address to add or to remove. The mark (IFA_PROTO) says who put it there.
struct AddressWish {
    int interface = 0;
    IpPrefix address{};
    std::uint8_t mark = 0;
    // A VIP: no route to its network, and never chosen as the source of our own traffic.
    bool is_vip = false;
};
void add_address(NetlinkRequests& requests, const AddressWish& wish);
void put_address(NetlinkRequests& requests, std::uint16_t attribute, const IpAddress& address);
void remove_address(NetlinkRequests& requests, int interface, const IpPrefix& address);

}  // namespace fulcrum
