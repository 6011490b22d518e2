// What a service listens on: as the operator says it, as the workers know it, and as a mark's rules
// say it for whoever has the mark. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "config/model/address.h"
#include "config/model/port_ranges.h"
#include "config/model/source_place.h"

namespace fulcrum {

// One VIP, or each address of a prefix, with one L4 port or a range of them.
struct Listener {
    IpPrefix vip;
    PortRange ports;
    L4Protocol protocol = L4Protocol::tcp;
    SourcePlace place;

    friend bool operator==(const Listener&, const Listener&) = default;
};

// What one address serves: a listener as the workers know it.
struct ListenPoint {
    IpAddress vip;
    PortRange ports;
    L4Protocol protocol = L4Protocol::tcp;

    friend auto operator<=>(const ListenPoint&, const ListenPoint&) = default;
};

// One of the rules that make up a mark, as a firewall's rules would set it on packets.
struct MarkRule {
    std::uint32_t mark = 0;
    Listener listener;

    friend bool operator==(const MarkRule&, const MarkRule&) = default;
};

std::string to_string(const ListenPoint& point);  // "192.0.2.1:80/tcp", "192.0.2.1:any/udp"
std::string to_string(const Listener& listener);  // "192.0.2.0/28:8000-8099/tcp"

}  // namespace fulcrum
