// What the kernel says over rtnetlink, turned from messages into plain values: interfaces, and of
// IPv4 and IPv6 the addresses, unicast routes and neighbours. The only room that trusts the length
// of an attribute. What is of another family or kind is nothing. Pure.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "config/model/address.h"

namespace fulcrum {

struct LinkEvent {
    bool is_gone = false;
    int interface = 0;  // the kernel's index
    std::string name;
    MacAddress mac;
    std::uint32_t mtu = 0;
    std::uint32_t flags = 0;  // IFF_*

    friend bool operator==(const LinkEvent&, const LinkEvent&) = default;
};

struct AddressEvent {
    bool is_gone = false;
    int interface = 0;
    IpPrefix address{};
    std::uint8_t mark = 0;  // who put it there (IFA_PROTO); kernels before 5.18 do not say

    friend bool operator==(const AddressEvent&, const AddressEvent&) = default;
};

struct RouteEvent {
    bool is_gone = false;
    bool is_replacement = false;  // of the route with the same prefix and metric
    std::uint32_t table = 0;
    IpPrefix prefix{};
    std::uint32_t metric = 0;
    bool is_refusal = false;  // blackhole, unreachable or prohibit: leads nowhere on purpose
    int interface = 0;        // of several hops the first that is not dead; 0: none
    IpAddress gateway{};      // unspecified: on the link
    IpAddress source{};       // preferred for packets of our own; unspecified: none

    friend bool operator==(const RouteEvent&, const RouteEvent&) = default;
};

struct NeighbourEvent {
    bool is_gone = false;
    int interface = 0;
    IpAddress address{};
    MacAddress mac;
    std::uint16_t state = 0;  // NUD_*

    friend bool operator==(const NeighbourEvent&, const NeighbourEvent&) = default;
};

// A next hop object was changed or removed. Of the routes over it the kernel says nothing.
struct NextHopEvent {
    friend bool operator==(const NextHopEvent&, const NextHopEvent&) = default;
};

using KernelEvent =
    std::variant<std::monostate, LinkEvent, AddressEvent, RouteEvent, NeighbourEvent, NextHopEvent>;

KernelEvent parse_kernel_event(const nlmsghdr* message);

}  // namespace fulcrum
