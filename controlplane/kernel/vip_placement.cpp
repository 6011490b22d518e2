// VIPs to twins.
#include "controlplane/kernel/vip_placement.h"

#include <algorithm>
#include <optional>

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

std::vector<std::vector<IpAddress>> place_vips(std::span<const VirtualService> services,
                                               std::span<const NicPort> ports) {
    std::vector<std::vector<IpAddress>> placed(ports.size());
    for (const VirtualService& service : services) {
        for (const ListenPoint& point : listen_points(service)) {
            if (const auto home = home_of(point.vip, ports, service); home) {
                placed[*home].push_back(point.vip);
            }
        }
    }
    for (std::size_t port = 0; port < ports.size(); ++port) {
        const std::vector<IpAddress>& local = ports[port].local_addresses;
        placed[port].insert(placed[port].end(), local.begin(), local.end());
    }
    for (auto& vips : placed) {
        std::sort(vips.begin(), vips.end());
        vips.erase(std::unique(vips.begin(), vips.end()), vips.end());
    }
    return placed;
}

}  // namespace fulcrum
