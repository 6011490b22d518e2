// VIPs to twins.
#include "controlplane/kernel/vip_placement.h"

#include <algorithm>
#include <optional>

namespace fulcrum {

namespace {

// Nothing: it is a port's own address.
std::optional<std::size_t> home_of(Ipv4Address vip, std::span<const NicPort> ports) {
    std::optional<std::size_t> home;
    for (std::size_t port = 0; port < ports.size(); ++port) {
        for (const Ipv4Prefix& address : ports[port].addresses) {
            if (address.address == vip) {
                return std::nullopt;
            }
            if (!home && address.contains(vip)) {
                home = port;
            }
        }
    }
    return home.value_or(0);
}

}  // namespace

std::vector<std::vector<Ipv4Address>> place_vips(std::span<const VirtualService> services,
                                                 std::span<const NicPort> ports) {
    std::vector<std::vector<Ipv4Address>> placed(ports.size());
    for (const VirtualService& service : services) {
        if (const auto home = home_of(service.vip, ports); home && *home < ports.size()) {
            placed[*home].push_back(service.vip);
        }
    }
    for (auto& vips : placed) {
        std::sort(vips.begin(), vips.end());
        vips.erase(std::unique(vips.begin(), vips.end()), vips.end());
    }
    return placed;
}

}  // namespace fulcrum
