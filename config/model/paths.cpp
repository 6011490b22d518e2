// Compiling the kernel's tables. Prefixes nest or are apart, never half over each other, so a walk
// over them in order of their beginnings, with the open ones on a stack, tells for every stretch of
// addresses which prefix is the longest there.
#include "config/model/paths.h"

#include <algorithm>
#include <tuple>

namespace fulcrum {
namespace {

constexpr NextHop no_route{};
constexpr std::uint8_t neighbour_kind = 254;  // no L4 protocol of ours
constexpr std::uint8_t address_kind = 255;

std::uint64_t neighbour_key(Ipv4Address address, std::uint8_t port) {
    return EndpointMap::key_of(address, be16{port}, neighbour_kind);
}

// By beginning, the shorter prefix first, the least metric first; one route a prefix, and of equal
// ones the one that the kernel lists first.
std::vector<KernelRoute> one_route_a_prefix(std::vector<KernelRoute> routes) {
    const auto prefix_of = [](const KernelRoute& route) {
        return std::pair{route.prefix.network(), route.prefix.length};
    };
    std::stable_sort(routes.begin(), routes.end(), [&](const KernelRoute& a, const KernelRoute& b) {
        return std::tuple{prefix_of(a), a.metric} < std::tuple{prefix_of(b), b.metric};
    });
    const auto last = std::unique(
        routes.begin(), routes.end(),
        [&](const KernelRoute& a, const KernelRoute& b) { return prefix_of(a) == prefix_of(b); });
    routes.erase(last, routes.end());
    return routes;
}

// The address after the prefix's last: 2^32 at the end of all, hence 64 bits.
std::uint64_t end_of(const Ipv4Prefix& prefix) {
    return std::uint64_t{prefix.network().host()} + (std::uint64_t{1} << (32 - prefix.length));
}

constexpr std::size_t route_none = ~std::size_t{0};

// From `start` up to the next stretch, routes[route] is the longest prefix.
struct Stretch {
    std::uint64_t start;
    std::size_t route;
};

std::vector<Stretch> stretches_of(const std::vector<KernelRoute>& routes) {
    std::vector<Stretch> stretches{{0, route_none}};
    std::vector<std::size_t> open;  // each inside the one before it
    const auto begin_stretch = [&](std::uint64_t start) {
        const std::size_t route = open.empty() ? route_none : open.back();
        if (stretches.back().start == start) {
            stretches.back().route = route;
        } else {
            stretches.push_back({start, route});
        }
    };
    const auto close_until = [&](std::uint64_t address) {
        while (!open.empty() && end_of(routes[open.back()].prefix) <= address) {
            const std::uint64_t end = end_of(routes[open.back()].prefix);
            open.pop_back();
            begin_stretch(end);
        }
    };
    for (std::size_t route = 0; route < routes.size(); ++route) {
        const std::uint64_t start = routes[route].prefix.network().host();
        close_until(start);
        open.push_back(route);
        begin_stretch(start);
    }
    constexpr std::uint64_t address_end = std::uint64_t{1} << 32;
    close_until(address_end);
    if (stretches.back().start == address_end) {
        stretches.pop_back();
    }
    return stretches;
}

}  // namespace

Paths::Paths(const KernelTables& tables)
    : ports_{tables.ports}, port_addresses_{tables.port_addresses} {
    hops_.push_back(no_route);
    for (std::size_t port = 0; port < ports_.size(); ++port) {
        hops_.push_back({.source = ports_[port].mac,
                         .port = static_cast<std::uint8_t>(port),
                         .mtu = ports_[port].mtu});
    }
    std::vector<EndpointMap::Pair> neighbours;
    for (const KernelNeighbour& neighbour : tables.neighbours) {
        if (neighbour.port < ports_.size()) {
            NextHop hop = hops_[1U + neighbour.port];
            hop.destination = neighbour.mac;
            hop.is_resolved = true;
            neighbours.push_back({neighbour_key(neighbour.address, neighbour.port),
                                  static_cast<std::uint32_t>(hops_.size())});
            hops_.push_back(hop);
        }
    }
    neighbours_ = EndpointMap{neighbours};

    std::vector<EndpointMap::Pair> ours;
    for (const Ipv4Address address : tables.addresses) {
        ours.push_back({EndpointMap::key_of(address, be16{}, address_kind), 0});
    }
    ours_ = EndpointMap{ours};

    const std::vector<KernelRoute> routes = one_route_a_prefix(tables.routes);
    for (const Stretch& stretch : stretches_of(routes)) {
        starts_.push_back(static_cast<std::uint32_t>(stretch.start));
        routes_.push_back(stretch.route == route_none ? Route{} : compiled(routes[stretch.route]));
    }
}

Paths::Route Paths::compiled(const KernelRoute& route) const {
    if (route.port >= ports_.size()) {
        return {};  // leaves by an interface that is no twin of ours
    }
    Route made{.gateway = route.gateway,
               .source = route.source,
               .hop = 1U + route.port,
               .port = route.port};
    if (!route.gateway.is_unspecified()) {
        const std::uint32_t hop = neighbours_.find(neighbour_key(route.gateway, route.port));
        made.hop = hop == EndpointMap::absent ? made.hop : hop;
    }
    return made;
}

// Null: there are no routes at all.
const Paths::Route* Paths::route_to(Ipv4Address address) const {
    if (starts_.empty()) {
        return nullptr;
    }
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), address.host());
    return &routes_[static_cast<std::size_t>(after - starts_.begin()) - 1];
}

Ipv4Address Paths::source_to(Ipv4Address address) const {
    const Route* const route = route_to(address);
    if (route == nullptr || route->port == port_none || !route->source.is_unspecified()) {
        return route == nullptr ? Ipv4Address{} : route->source;
    }
    const Ipv4Address next = route->gateway.is_unspecified() ? address : route->gateway;
    Ipv4Address found{};
    std::uint8_t found_length = 33;
    for (const KernelAddress& own : port_addresses_) {
        if (own.port != route->port) {
            continue;
        }
        if (own.prefix.contains(next)) {
            return own.prefix.address;
        }
        // Without a network in common, rather not an address that stands for itself alone: a VIP.
        if (own.prefix.length < found_length) {
            found = own.prefix.address;
            found_length = own.prefix.length;
        }
    }
    return found;
}

Paths::Answer Paths::to(Ipv4Address address) const {
    const Route* const found = route_to(address);
    if (found == nullptr) {
        return {&no_route, address};
    }
    const Route& route = *found;
    if (route.port == port_none || !route.gateway.is_unspecified()) {
        return {&hops_[route.hop], route.port == port_none ? address : route.gateway};
    }
    const std::uint32_t hop = neighbours_.find(neighbour_key(address, route.port));
    return {&hops_[hop == EndpointMap::absent ? route.hop : hop], address};
}

}  // namespace fulcrum
