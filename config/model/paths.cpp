// Compiling the kernel's tables. Prefixes nest or are apart, never half over each other, so a walk
// over them in order of their beginnings, with the open ones on a stack, tells for every stretch of
// addresses which prefix is the longest there. IPv4 takes the same walk, as IPv6 maps it.
#include "config/model/paths.h"

#include <algorithm>
#include <tuple>

namespace fulcrum {
namespace {

constexpr NextHop no_route{};

std::uint64_t neighbour_key(Ipv4Address address, std::uint8_t port) {
    return EndpointMap::key_of(address, be16{port}, endpoint_kind::neighbour);
}

// By beginning, the shorter prefix first, the least metric first; one route a prefix, and of equal
// ones the one that the kernel lists first. Those of one family.
std::vector<KernelRoute> one_route_a_prefix(std::vector<KernelRoute> routes, IpFamily family) {
    std::erase_if(routes, [family](const KernelRoute& route) {
        return route.prefix.address.family() != family;
    });
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

// The prefix's last address.
IpAddress last_of(const IpPrefix& prefix) {
    Ipv6Address last = prefix.network().v6();
    const unsigned length = prefix.address.is_v4() ? 96U + prefix.length : prefix.length;
    for (unsigned bit = length; bit < 128; ++bit) {
        last.octets[bit / 8] = static_cast<std::uint8_t>(last.octets[bit / 8] | (0x80 >> bit % 8));
    }
    return last;
}

// The address after it; only of one that is not the last of all.
IpAddress next_to(const IpAddress& address) {
    Ipv6Address next = address.v6();
    for (std::size_t octet = next.octets.size(); octet-- > 0;) {
        next.octets[octet] = static_cast<std::uint8_t>(next.octets[octet] + 1);
        if (next.octets[octet] != 0) {
            break;
        }
    }
    return next;
}

constexpr std::size_t route_none = ~std::size_t{0};

// From `start` up to the next stretch, routes[route] is the longest prefix.
struct Stretch {
    IpAddress start;
    std::size_t route;
};

// `all` is the prefix of all addresses of the routes' family.
std::vector<Stretch> stretches_of(const std::vector<KernelRoute>& routes, const IpPrefix& all) {
    std::vector<Stretch> stretches{{all.network(), route_none}};
    std::vector<std::size_t> open;  // each inside the one before it
    const auto begin_stretch = [&](const IpAddress& start) {
        const std::size_t route = open.empty() ? route_none : open.back();
        if (stretches.back().start == start) {
            stretches.back().route = route;
        } else {
            stretches.push_back({start, route});
        }
    };
    const auto close_last = [&] {
        const IpAddress last = last_of(routes[open.back()].prefix);
        open.pop_back();
        if (last != last_of(all)) {
            begin_stretch(next_to(last));
        }
    };
    for (std::size_t route = 0; route < routes.size(); ++route) {
        const IpAddress start = routes[route].prefix.network();
        while (!open.empty() && last_of(routes[open.back()].prefix) < start) {
            close_last();
        }
        open.push_back(route);
        begin_stretch(start);
    }
    while (!open.empty()) {
        close_last();
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
    lay_neighbours(tables);
    lay_own_addresses(tables);
    lay_routes(tables);
}

void Paths::lay_neighbours(const KernelTables& tables) {
    std::vector<EndpointMap::Pair> of_v4;
    std::vector<Ipv6Map::Pair> of_v6;
    for (const KernelNeighbour& neighbour : tables.neighbours) {
        if (neighbour.port >= ports_.size()) {
            continue;
        }
        const auto index = static_cast<std::uint32_t>(hops_.size());
        if (neighbour.address.is_v4()) {
            of_v4.push_back({neighbour_key(neighbour.address.v4(), neighbour.port), index});
        } else {
            of_v6.push_back({neighbour.address.v6(), neighbour.port, index});
        }
        NextHop hop = hops_[1U + neighbour.port];
        hop.destination = neighbour.mac;
        hop.is_resolved = true;
        hops_.push_back(hop);
    }
    neighbours_ = EndpointMap{of_v4};
    neighbours6_ = Ipv6Map{of_v6};
}

void Paths::lay_own_addresses(const KernelTables& tables) {
    std::vector<EndpointMap::Pair> of_v4;
    std::vector<Ipv6Map::Pair> of_v6;
    for (const IpAddress& address : tables.addresses) {
        if (address.is_v4()) {
            of_v4.push_back({EndpointMap::key_of(address.v4(), be16{}, endpoint_kind::address), 0});
        } else {
            of_v6.push_back({address.v6(), 0, 0});
        }
    }
    // Like the kernel, which hears what is sent to all of a link (RFC 3021: not where there is
    // nobody else).
    for (const KernelAddress& own : tables.port_addresses) {
        if (own.prefix.address.is_v4() && own.prefix.length < 31) {
            const std::uint32_t to_all =
                own.prefix.address.v4().host() | (0xFFFF'FFFFU >> own.prefix.length);
            of_v4.push_back({EndpointMap::key_of(Ipv4Address::from_host(to_all), be16{},
                                                 endpoint_kind::address),
                             0});
        }
    }
    ours_ = EndpointMap{of_v4};
    ours6_ = Ipv6Map{of_v6};
}

void Paths::lay_routes(const KernelTables& tables) {
    const IpPrefix all_v4{Ipv4Address{}, 0};
    const IpPrefix all_v6{Ipv6Address{}, 0};
    const auto made = [this](const std::vector<KernelRoute>& routes, const Stretch& stretch) {
        return stretch.route == route_none ? Route{} : compiled(routes[stretch.route]);
    };
    const std::vector<KernelRoute> of_v4 = one_route_a_prefix(tables.routes, IpFamily::v4);
    for (const Stretch& stretch : stretches_of(of_v4, all_v4)) {
        starts_.push_back(stretch.start.v4().host());
        routes_.push_back(made(of_v4, stretch));
    }
    const std::vector<KernelRoute> of_v6 = one_route_a_prefix(tables.routes, IpFamily::v6);
    for (const Stretch& stretch : stretches_of(of_v6, all_v6)) {
        starts6_.push_back(stretch.start.v6());
        routes6_.push_back(made(of_v6, stretch));
    }
}

Paths::Route Paths::compiled(const KernelRoute& route) const {
    if (route.port >= ports_.size()) {
        return {};  // leaves by an interface that is no twin of ours
    }
    const bool is_on_link = route.gateway.is_unspecified();
    return {.hop = is_on_link ? 1U + route.port : neighbour_hop(route.gateway, route.port),
            .is_on_link = is_on_link,
            .port = route.port,
            .gateway = route.gateway,
            .source = route.source};
}

std::uint32_t Paths::neighbour_hop(const IpAddress& address, std::uint8_t port) const {
    const std::uint32_t hop = address.is_v4() ? neighbours_.find(neighbour_key(address.v4(), port))
                                              : neighbours6_.find(address.v6(), port);
    static_assert(EndpointMap::absent == Ipv6Map::absent);
    return hop == EndpointMap::absent ? 1U + port : hop;
}

const Paths::Route& Paths::route_to(Ipv4Address address) const {
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), address.host());
    return routes_[static_cast<std::size_t>(after - starts_.begin()) - 1];
}

const Paths::Route& Paths::route_to(const Ipv6Address& address) const {
    const auto after = std::upper_bound(starts6_.begin(), starts6_.end(), address);
    return routes6_[static_cast<std::size_t>(after - starts6_.begin()) - 1];
}

const NextHop& Paths::hop_to(Ipv4Address address) const {
    if (starts_.empty()) {
        return no_route;
    }
    const Route& route = route_to(address);
    if (!route.is_on_link) {
        return hops_[route.hop];
    }
    const std::uint32_t hop = neighbours_.find(neighbour_key(address, route.port));
    return hops_[hop == EndpointMap::absent ? route.hop : hop];
}

const NextHop& Paths::hop_to(const Ipv6Address& address) const {
    if (starts6_.empty()) {
        return no_route;
    }
    const Route& route = route_to(address);
    if (!route.is_on_link) {
        return hops_[route.hop];
    }
    const std::uint32_t hop = neighbours6_.find(address, route.port);
    return hops_[hop == Ipv6Map::absent ? route.hop : hop];
}

IpAddress Paths::source_to(const IpAddress& address) const {
    if (starts_.empty()) {
        return {};
    }
    const Route& route = address.is_v4() ? route_to(address.v4()) : route_to(address.v6());
    if (route.port == port_none || !route.source.is_unspecified()) {
        return route.source;
    }
    const IpAddress next = route.is_on_link ? address : route.gateway;
    IpAddress found;
    std::uint8_t found_length = 129;
    for (const KernelAddress& own : port_addresses_) {
        const bool is_of_link = own.prefix.address.is_link_local() && !address.is_link_local();
        if (own.port != route.port || own.prefix.address.family() != address.family() ||
            is_of_link) {
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

Paths::Answer Paths::to(const IpAddress& address) const {
    if (starts_.empty()) {
        return {&no_route, address};
    }
    const Route& route = address.is_v4() ? route_to(address.v4()) : route_to(address.v6());
    const bool has_gateway = route.port != port_none && !route.is_on_link;
    return {address.is_v4() ? &hop_to(address.v4()) : &hop_to(address.v6()),
            has_gateway ? route.gateway : address};
}

}  // namespace fulcrum
