// VIPs to twins.
#include "controlplane/kernel/vip_placement.h"

#include <algorithm>
#include <optional>
#include <span>

namespace fulcrum {

namespace {

bool is_address_of(const IpAddress& vip, const NicPort& port) {
    return std::ranges::find(port.addresses, vip, &IpPrefix::address) != port.addresses.end();
}

bool is_in_network_of(const IpAddress& vip, const NicPort& port) {
    return std::ranges::any_of(port.addresses,
                               [&](const IpPrefix& address) { return address.contains(vip); });
}

// Nothing: it is a port's own address, or there are no ports.
std::optional<std::size_t> home_of(const IpAddress& vip, std::span<const NicPort> ports,
                                   const VirtualService& service) {
    const auto is_own = [&](const NicPort& port) { return is_address_of(vip, port); };
    if (std::ranges::any_of(ports, is_own)) {
        return std::nullopt;
    }
    const auto may_be_home = [&](const NicPort& port) {
        return service.bind.empty() ||
               std::ranges::find(service.bind, port.name) != service.bind.end();
    };
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < ports.size(); ++i) {
        if (may_be_home(ports[i]) && is_in_network_of(vip, ports[i])) {
            return i;
        }
        first = !first && may_be_home(ports[i]) ? i : first;
    }
    return first;
}

}  // namespace

std::vector<std::vector<PlacedAddress>> place_vips(const Config& config) {
    const std::vector<NicPort>& ports = config.ports;
    const GroupsOfAddresses groups{config};
    std::vector<std::vector<PlacedAddress>> placed(ports.size());
    for (const VirtualService& service : config.services) {
        for (const ListenPoint& point : listen_points(service)) {
            if (const auto home = home_of(point.vip, ports, service); home) {
                placed[*home].push_back({point.vip, groups.group_of_vip(point.vip)});
            }
        }
    }
    for (std::size_t port = 0; port < ports.size(); ++port) {
        for (const IpAddress& local : ports[port].local_addresses) {
            placed[port].push_back({local, groups.group_of_local_address()});
        }
    }
    for (std::size_t group = 0; group < config.groups.size(); ++group) {
        for (const IpPrefix& floating : config.groups[group].addresses) {
            placed.at(port_of_network(config, floating.address))
                .push_back({floating.address, group});
        }
    }
    for (auto& addresses : placed) {
        std::ranges::sort(addresses, {}, &PlacedAddress::address);
        const auto is_same = [](const PlacedAddress& a, const PlacedAddress& b) {
            return a.address == b.address;
        };
        addresses.erase(std::unique(addresses.begin(), addresses.end(), is_same), addresses.end());
    }
    return placed;
}

}  // namespace fulcrum
