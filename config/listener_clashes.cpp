// A block is claimed address by address.
#include "config/listener_clashes.h"

namespace fulcrum {
namespace {

const ListenerClashes::Claim* found(const std::map<std::uint16_t, ListenerClashes::Claim>& claims,
                                    std::uint16_t port) {
    const auto at = claims.find(port);
    return at == claims.end() ? nullptr : &at->second;
}

}  // namespace

const ListenerClashes::Claim* ListenerClashes::met_by(const Address& address, PortRange ports) {
    if (ports.is_any()) {
        return address.any ? &*address.any : nullptr;
    }
    if (ports.is_single()) {
        return found(address.ports, ports.first);
    }
    // Of ranges that lie apart, the last that begins before our end is the only one to ask.
    const auto after = address.ranges.upper_bound(ports.last);
    if (after == address.ranges.begin()) {
        return nullptr;
    }
    const Claim& before = std::prev(after)->second;
    return before.point.ports.meets(ports) ? &before : nullptr;
}

std::optional<ListenerClashes::Claim> ListenerClashes::add(const VirtualService& service,
                                                           const Listener& listener) {
    std::optional<Claim> clash;
    for (const IpAddress& vip : addresses_in(listener.vip)) {
        Address& address = addresses_[{vip, listener.protocol}];
        const Claim claim{&service, listener.place, {vip, listener.ports, listener.protocol}};
        if (const Claim* met = met_by(address, listener.ports); met != nullptr) {
            clash = clash ? clash : *met;
        } else if (listener.ports.is_any()) {
            address.any = claim;
        } else {
            auto& claims = listener.ports.is_single() ? address.ports : address.ranges;
            claims.emplace(listener.ports.first, claim);
        }
    }
    return clash;
}

}  // namespace fulcrum
