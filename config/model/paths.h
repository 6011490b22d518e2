// Where a packet goes once its destination is known: the kernel's routes and neighbours, compiled
// for workers. Routes become disjoint ranges in ascending order, so that the longest prefix is
// found by one binary search over a few hot words; a director has a handful of routes, and a full
// table costs twenty steps. Both IP families, each in ranges of its own. A part of the snapshot,
// replaced alone whenever the kernel's tables change.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config/model/address.h"
#include "config/model/endpoint_map.h"
#include "config/model/ipv6_map.h"

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
    IpPrefix prefix;
    IpAddress gateway;              // unspecified: the destination is on the link itself
    std::uint8_t port = port_none;  // the NIC port whose twin the route leaves by
    std::uint32_t metric = 0;       // the least wins among equal prefixes
    IpAddress source;               // of ours that the route prefers; unspecified: it names none

    friend bool operator==(const KernelRoute&, const KernelRoute&) = default;
};

// An address of a twin, with the network around it.
struct KernelAddress {
    IpPrefix prefix;
    std::uint8_t port = port_none;

    friend bool operator==(const KernelAddress&, const KernelAddress&) = default;
};

struct KernelNeighbour {
    IpAddress address;
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
    std::vector<IpAddress> addresses;           // held by the twins (and by lo): ours
    std::vector<KernelAddress> port_addresses;  // those of the twins

    friend bool operator==(const KernelTables&, const KernelTables&) = default;
};

class Paths {
  public:
    Paths() = default;
    explicit Paths(const KernelTables& tables);

    // How a packet to `address` leaves.
    const NextHop& hop_to(Ipv4Address address) const;
    const NextHop& hop_to(const Ipv6Address& address) const;

    // The same, with the neighbour that the kernel is to be asked for while it is unresolved.
    struct Answer {
        const NextHop* hop;   // never null
        IpAddress neighbour;  // the gateway, or the destination itself
    };
    Answer to(const IpAddress& address) const;

    // The address of ours under which packets of our own go to `address`, as the kernel chooses it:
    // the route's, else one of its port in the next hop's network, else any of the port's that is
    // good beyond its link. Unspecified: there is none.
    IpAddress source_to(const IpAddress& address) const;

    bool is_ours(Ipv4Address address) const {
        return ours_.find(EndpointMap::key_of(address, be16{}, endpoint_kind::address)) !=
               EndpointMap::absent;
    }
    bool is_ours(const Ipv6Address& address) const {
        return ours6_.find(address) != Ipv6Map::absent;
    }
    const PortLink& port(std::size_t index) const { return ports_[index]; }
    std::size_t port_count() const { return ports_.size(); }

  private:
    struct Route {
        std::uint32_t hop = 0;    // on the link: the port's unresolved hop; else the gateway's
        bool is_on_link = false;  // the neighbour is the destination itself
        std::uint8_t port = port_none;
        IpAddress gateway;
        IpAddress source;  // unspecified: the kernel's choice has to be found
    };

    void lay_neighbours(const KernelTables& tables);
    void lay_own_addresses(const KernelTables& tables);
    void lay_routes(const KernelTables& tables);
    Route compiled(const KernelRoute& route) const;
    std::uint32_t neighbour_hop(const IpAddress& address, std::uint8_t port) const;
    const Route& route_to(Ipv4Address address) const;
    const Route& route_to(const Ipv6Address& address) const;

    // routes_[i] covers starts_[i] up to the next start; the first is the first address of all.
    std::vector<std::uint32_t> starts_;  // host order, ascending
    std::vector<Route> routes_;
    std::vector<Ipv6Address> starts6_;
    std::vector<Route> routes6_;
    std::vector<NextHop> hops_;  // [0]: no route; [1 + port]: unresolved on that port
    EndpointMap neighbours_;     // (address, port as L4 port, 254) -> hops_
    Ipv6Map neighbours6_;        // (address, port) -> hops_
    EndpointMap ours_;
    Ipv6Map ours6_;
    std::vector<PortLink> ports_;
    std::vector<KernelAddress> port_addresses_;
};

}  // namespace fulcrum
