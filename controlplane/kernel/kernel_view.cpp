// The kernel's tables as maps under the kernel's keys, so that their listing is in a fixed order
// and two equal states give equal tables.
#include "controlplane/kernel/kernel_view.h"

#include <linux/if.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>

namespace fulcrum {

namespace {

constexpr std::uint16_t usable_states =
    NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;

// Groups and broadcast have entries too, which name no neighbour.
bool is_station(const MacAddress& mac) { return (mac.bytes[0] & 1) == 0 && mac != MacAddress{}; }

}  // namespace

bool KernelView::Neighbour::is_usable() const {
    return (state & usable_states) != 0 && is_station(mac);
}

bool KernelView::apply(const KernelEvent& event) {
    return std::visit(
        [this](const auto& known) {
            if constexpr (std::is_same_v<std::decay_t<decltype(known)>, std::monostate>) {
                return false;
            } else {
                return take(known);
            }
        },
        event);
}

bool KernelView::take(const LinkEvent& event) {
    const auto known = links_.find(event.interface);
    const bool was_up = known != links_.end() && (known->second.flags & IFF_UP) != 0;
    const bool was_twin = port_of(event.interface) != port_none;
    const bool is_up = !event.is_gone && (event.flags & IFF_UP) != 0;
    routes_are_doubtful_ |= was_up != is_up;
    if (event.is_gone) {
        links_.erase(event.interface);
        forget_interface(event.interface);
        return true;
    }
    const LinkEvent before = known == links_.end() ? LinkEvent{} : known->second;
    links_[event.interface] = event;
    const bool is_twin = port_of(event.interface) != port_none;
    return was_twin != is_twin || (is_twin && (before.mac != event.mac || before.mtu != event.mtu ||
                                               before.name != event.name));
}

bool KernelView::take(const AddressEvent& event) {
    const AddressKey key{event.interface, event.address.address, event.address.length};
    if (event.is_gone) {
        routes_are_doubtful_ = true;
        return addresses_.erase(key) != 0;
    }
    return addresses_.insert(key).second;
}

bool KernelView::take(const RouteEvent& event) {
    if (event.table != RT_TABLE_MAIN && event.table != RT_TABLE_DEFAULT) {
        return false;
    }
    // fe80::/64 leads to every link: whoever sends there names the link himself.
    if (!event.prefix.address.is_v4() && event.prefix.address.v6().is_link_local()) {
        return false;
    }
    const RouteKey key{event.table, event.prefix.address, event.prefix.length, event.metric};
    const Hop hop{event.interface, event.gateway, event.source, event.is_refusal};
    auto& hops = routes_[key];
    const std::vector<Hop> before = hops;
    if (event.is_gone) {
        std::erase(hops, hop);
        routes_are_doubtful_ |= hops.size() == before.size();
    } else if (event.is_replacement) {
        routes_are_doubtful_ |= hops.size() > 1;
        hops = {hop};
    } else if (std::find(hops.begin(), hops.end(), hop) == hops.end()) {
        routes_are_doubtful_ |= !hops.empty();
        hops.push_back(hop);
    }
    const bool is_changed = hops != before;
    if (hops.empty()) {
        routes_.erase(key);
    }
    return is_changed;
}

bool KernelView::take(const NeighbourEvent& event) {
    const NeighbourKey key{event.interface, event.address};
    const auto known = neighbours_.find(key);
    const Neighbour before = known == neighbours_.end() ? Neighbour{} : known->second;
    Neighbour after;
    if (event.is_gone) {
        neighbours_.erase(key);
    } else {
        after = {event.mac, event.state};
        neighbours_[key] = after;
    }
    if (port_of(event.interface) == port_none) {
        return false;
    }
    return before.is_usable() != after.is_usable() ||
           (after.is_usable() && before.mac != after.mac);
}

bool KernelView::take(const NextHopEvent&) {
    routes_are_doubtful_ = true;
    return false;
}

void KernelView::forget_interface(int interface) {
    std::erase_if(addresses_, [&](const AddressKey& key) { return std::get<0>(key) == interface; });
    std::erase_if(neighbours_, [&](const auto& entry) { return entry.first.first == interface; });
}

bool KernelView::adopt(KernelTable table, KernelView& fresh) {
    const KernelTables before = tables();
    switch (table) {
        case KernelTable::links:
            links_.swap(fresh.links_);
            break;
        case KernelTable::addresses:
            addresses_.swap(fresh.addresses_);
            break;
        case KernelTable::routes:
            routes_.swap(fresh.routes_);
            break;
        case KernelTable::neighbours:
            neighbours_.swap(fresh.neighbours_);
            break;
    }
    return tables() != before;
}

KernelTables KernelView::tables() const {
    KernelTables tables;
    tables.ports.resize(twins_.size());
    std::map<int, std::uint8_t> ports;
    for (const auto& [interface, link] : links_) {
        if (const std::uint8_t port = port_of(interface); port != port_none) {
            ports[interface] = port;
            tables.ports[port] = {link.mac,
                                  static_cast<std::uint16_t>(std::min(link.mtu, 65'535U))};
        }
    }
    for (const auto& [key, hops] : routes_) {
        const Hop& hop = hops.front();
        const auto port = ports.find(hop.interface);
        if (hop.is_refusal || port != ports.end()) {
            tables.routes.push_back({.prefix = {std::get<1>(key), std::get<2>(key)},
                                     .gateway = hop.gateway,
                                     .port = hop.is_refusal ? port_none : port->second,
                                     .metric = std::get<3>(key),
                                     .source = hop.source});
        }
    }
    for (const auto& [key, neighbour] : neighbours_) {
        const auto port = ports.find(key.first);
        if (port != ports.end() && neighbour.is_usable()) {
            tables.neighbours.push_back({key.second, port->second, neighbour.mac});
        }
    }
    for (const AddressKey& key : addresses_) {
        tables.addresses.push_back(std::get<1>(key));
        if (const auto port = ports.find(std::get<0>(key)); port != ports.end()) {
            tables.port_addresses.push_back({{std::get<1>(key), std::get<2>(key)}, port->second});
        }
    }
    std::sort(tables.addresses.begin(), tables.addresses.end());
    tables.addresses.erase(std::unique(tables.addresses.begin(), tables.addresses.end()),
                           tables.addresses.end());
    return tables;
}

KernelView::Standing KernelView::neighbour(std::uint8_t port, const IpAddress& address) const {
    const auto known = neighbours_.find({interface_of(port), address});
    if (known == neighbours_.end()) {
        return Standing::unknown;
    }
    if (!known->second.is_usable()) {
        return Standing::unusable;
    }
    if ((known->second.state & (NUD_PERMANENT | NUD_NOARP)) != 0) {
        return Standing::permanent;
    }
    return (known->second.state & NUD_STALE) != 0 ? Standing::stale : Standing::usable;
}

int KernelView::interface_of(std::uint8_t port) const {
    for (const auto& [interface, link] : links_) {
        if (port < twins_.size() && link.name == twins_[port]) {
            return interface;
        }
    }
    return 0;
}

std::uint8_t KernelView::port_of(int interface) const {
    const auto link = links_.find(interface);
    if (link == links_.end()) {
        return port_none;
    }
    const auto twin = std::find(twins_.begin(), twins_.end(), link->second.name);
    return twin == twins_.end() ? port_none : static_cast<std::uint8_t>(twin - twins_.begin());
}

}  // namespace fulcrum
