// The words of the file for the enumerations of service.h.
#include "config/model/service.h"

#include <algorithm>

namespace fulcrum {

std::vector<Listener> listeners_of(const VirtualService& service) {
    std::vector<Listener> listeners;
    if (service.port.host() != 0) {
        listeners.push_back({.vip = {service.vip, 32},
                             .ports = PortRange::only(service.port.host()),
                             .protocol = service.protocol,
                             .place = service.place});
    }
    listeners.insert(listeners.end(), service.listen.begin(), service.listen.end());
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
        const std::uint32_t first = listener.vip.network().host();
        const std::uint32_t last = first | ~listener.vip.mask();
        for (std::uint64_t address = first; address <= last; ++address) {
            points.push_back({Ipv4Address::from_host(static_cast<std::uint32_t>(address)),
                              listener.ports, listener.protocol});
        }
    }
    return points;
}

std::string to_string(const ListenPoint& point) {
    return to_string(point.vip)
        .append(":")
        .append(to_string(point.ports))
        .append("/")
        .append(to_string(point.protocol));
}

std::string to_string(const Listener& listener) {
    const std::string vip =
        listener.vip.length == 32 ? to_string(listener.vip.address) : to_string(listener.vip);
    return std::string{vip}
        .append(":")
        .append(to_string(listener.ports))
        .append("/")
        .append(to_string(listener.protocol));
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
    }
    return "unknown";
}

std::string_view to_string(CheckType type) {
    switch (type) {
        case CheckType::none:
            return "none";
        case CheckType::connect:
            return "connect";
        case CheckType::http:
            return "http";
    }
    return "unknown";
}

}  // namespace fulcrum
