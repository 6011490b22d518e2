// The words of the file for the enumerations of service.h, and what follows from absent keys.
#include "config/model/service.h"

#include <algorithm>

namespace fulcrum {
std::vector<Listener> listeners_of(const VirtualService& service) {
    std::vector<Listener> listeners;
    if (service.port.host() != 0) {
        listeners.push_back({.vip = IpPrefix::only(service.vip),
                             .ports = PortRange::only(service.port.host()),
                             .protocol = service.protocol,
                             .place = service.place});
    }
    listeners.insert(listeners.end(), service.listen.begin(), service.listen.end());
    listeners.insert(listeners.end(), service.marked.begin(), service.marked.end());
    return listeners;
}

be16 only_port_of(const VirtualService& service) {
    const std::vector<Listener> listeners = listeners_of(service);
    const bool is_one = !listeners.empty() && listeners.front().ports.is_single() &&
                        std::ranges::all_of(listeners, [&](const Listener& listener) {
                            return listener.ports == listeners.front().ports;
                        });
    return be16{is_one ? listeners.front().ports.first : std::uint16_t{0}};
}

std::vector<ListenPoint> listen_points(const VirtualService& service) {
    std::vector<ListenPoint> points;
    for (const Listener& listener : listeners_of(service)) {
        for (const IpAddress& address : addresses_in(listener.vip)) {
            points.push_back({address, listener.ports, listener.protocol});
        }
    }
    return points;
}

std::string_view to_string(SessionPolicy policy) {
    switch (policy) {
        case SessionPolicy::keep:
            return "keep";
        case SessionPolicy::reset:
            return "reset";
        case SessionPolicy::move:
            return "move";
    }
    return "unknown";
}

std::uint64_t sessions6_of(const Config& config) {
    const bool has_ipv6_vip = std::any_of(
        config.services.begin(), config.services.end(), [](const VirtualService& service) {
            const std::vector<Listener> listeners = listeners_of(service);
            return std::any_of(listeners.begin(), listeners.end(), [](const Listener& listener) {
                return !listener.vip.address.is_v4();
            });
        });
    return config.director.sessions6.value_or(has_ipv6_vip ? config.director.sessions : 0);
}

bool speaks_ipv6(const Config& config) {
    const auto has_ipv6_address = [](const NicPort& port) {
        return std::any_of(port.addresses.begin(), port.addresses.end(),
                           [](const IpPrefix& prefix) { return !prefix.address.is_v4(); });
    };
    const auto has_ipv6_path = [](const RoleGroup& group) {
        return std::any_of(group.paths.begin(), group.paths.end(),
                           [](const AdvertPath& path) { return path.is_ipv6; });
    };
    return sessions6_of(config) > 0 ||
           std::any_of(config.ports.begin(), config.ports.end(), has_ipv6_address) ||
           std::any_of(config.groups.begin(), config.groups.end(), has_ipv6_path);
}

std::vector<std::size_t> devices_of(const std::vector<NicPort>& ports) {
    std::vector<std::size_t> devices;
    std::size_t count = 0;
    for (const NicPort& port : ports) {
        devices.push_back(port.kind == DeviceKind::vlan ? 0 : count++);
    }
    for (std::size_t i = 0; i < ports.size(); ++i) {
        const auto parent = std::ranges::find(ports, ports[i].parent, &NicPort::name);
        if (ports[i].kind == DeviceKind::vlan && parent != ports.end()) {
            devices[i] = devices[static_cast<std::size_t>(parent - ports.begin())];
        }
    }
    return devices;
}

std::string device_in_words(const NicPort& port) {
    return port.kind == DeviceKind::vlan
               ? "vlan " + std::to_string(port.vlan) + " of " + port.parent
               : port.device;
}

std::string_view to_string(ForwardingMode mode) {
    switch (mode) {
        case ForwardingMode::nat:
            return "nat";
        case ForwardingMode::direct:
            return "direct";
        case ForwardingMode::ipip:
            return "ipip";
        case ForwardingMode::gue:
            return "gue";
        case ForwardingMode::gre:
            return "gre";
        case ForwardingMode::full_nat:
            return "fullnat";
        case ForwardingMode::local:
            return "local";
    }
    return "unknown";
}

std::string_view to_string(NoReal no_real) {
    switch (no_real) {
        case NoReal::reset:
            return "reset";
        case NoReal::silent:
            return "silent";
        case NoReal::unreachable:
            return "unreachable";
    }
    return "unknown";
}

std::string_view to_string(SynCookies syn_cookies) {
    switch (syn_cookies) {
        case SynCookies::automatic:
            return "auto";
        case SynCookies::never:
            return "never";
        case SynCookies::always:
            return "always";
    }
    return "unknown";
}

}  // namespace fulcrum
