// Where a packet goes once its destination is known: the kernel's routes and neighbours, compiled
// for workers. Routes become disjoint ranges in ascending order, so that the longest prefix is
// found by one binary search over a few hot words; a director has a handful of routes, and a full
// table costs twenty steps. A part of the snapshot, replaced alone whenever the kernel's tables
// change.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config/model/address.h"
#include "config/model/endpoint_map.h"

namespace fulcrum {

inline constexpr std::uint8_t port_none = 255;

// How a frame leaves: by which NIC port, with which MAC addresses.
struct NextHop {
    MacAddress destination;
    MacAddress source;
    std::uint8_t port = port_none;  // port_none: no route
    bool is_resolved = false;       // false: `destination` is not known yet
    std::uint16_t mtu = 0;          // octets of the IP packet that the port carries

    friend bool operator==(const NextHop&, const NextHop&) = default;
};
static_assert(sizeof(NextHop) == 16);

// The kernel's tables as the mirror reports them.
struct KernelRoute {
    Ipv4Prefix prefix;
    Ipv4Address gateway;            // unspecified: the destination is on the link itself
    std::uint8_t port = port_none;  // the NIC port whose twin the route leaves by
    std::uint32_t metric = 0;       // the least wins among equal prefixes
    Ipv4Address source{};           // of ours that the route prefers; unspecified: it names none

    friend bool operator==(const KernelRoute&, const KernelRoute&) = default;
};

// An address of a twin, with the network around it.
struct KernelAddress {
    Ipv4Prefix prefix;
    std::uint8_t port = port_none;

    friend bool operator==(const KernelAddress&, const KernelAddress&) = default;
};

struct KernelNeighbour {
    Ipv4Address address;
    std::uint8_t port = port_none;
    MacAddress mac;

    friend bool operator==(const KernelNeighbour&, const KernelNeighbour&) = default;
};

struct PortLink {
    MacAddress mac;
    std::uint16_t mtu = 1'500;

    friend bool operator==(const PortLink&, const PortLink&) = default;
};

// All of it, as one value.
struct KernelTables {
    std::vector<PortLink> ports;  // by port index
    std::vector<KernelRoute> routes;
    std::vector<KernelNeighbour> neighbours;
    std::vector<Ipv4Address> addresses;         // held by the twins (and by lo): ours
    std::vector<KernelAddress> port_addresses;  // those of the twins

    friend bool operator==(const KernelTables&, const KernelTables&) = default;
};

class Paths {
  public:
    Paths() = default;
    explicit Paths(const KernelTables& tables);

    // What a worker must know to send to `address`. Unresolved: `port` and `resolve` say which
    // neighbour the kernel is to be asked for.
    struct Answer {
        const NextHop* hop;     // never null
        Ipv4Address neighbour;  // the gateway, or the destination itself
    };
    Answer to(Ipv4Address address) const;

    // The address of ours under which packets of our own go to `address`, as the kernel chooses it:
    // the route's, else one of its port in the next hop's network, else any of the port's.
    // Unspecified: there is none.
    Ipv4Address source_to(Ipv4Address address) const;

    bool is_ours(Ipv4Address address) const {
        return ours_.find(EndpointMap::key_of(address, be16{}, 255)) != EndpointMap::absent;
    }
    const PortLink& port(std::size_t index) const { return ports_[index]; }
    std::size_t port_count() const { return ports_.size(); }

  private:
    struct Route {
        Ipv4Address gateway;    // unspecified: on the link
        Ipv4Address source{};   // unspecified: the kernel's choice has to be found
        std::uint32_t hop = 0;  // on the link: the port's unresolved hop; else the gateway's
        std::uint8_t port = port_none;
    };

    Route compiled(const KernelRoute& route) const;
    const Route* route_to(Ipv4Address address) const;

    std::vector<std::uint32_t> starts_;  // host order, ascending, starts_[0] == 0
    std::vector<Route> routes_;          // routes_[i] covers starts_[i] up to the next start
    std::vector<NextHop> hops_;          // [0]: no route; [1 + port]: unresolved on that port
    EndpointMap neighbours_;             // (address, port as L4 port, 254) -> hops_
    EndpointMap ours_;
    std::vector<PortLink> ports_;
    std::vector<KernelAddress> port_addresses_;
};

}  // namespace fulcrum
