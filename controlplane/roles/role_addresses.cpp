// From the configuration alone.
#include "controlplane/roles/role_addresses.h"

#include <algorithm>

#include "controlplane/kernel/twin_interface.h"
#include "controlplane/kernel/vip_placement.h"
#include "controlplane/roles/vrrp_packet.h"

namespace fulcrum {

IpAddress source_of(const AdvertPath& path, const NicPort& port, const MacAddress& mac) {
    if (!path.source.is_unspecified()) {
        return path.source;
    }
    if (path.is_ipv6 && path.peer.is_unspecified()) {  // RFC 9568, 5.1.2.1
        return link_local_of(mac).address;
    }
    const auto own = std::ranges::find_if(
        port.addresses, [&](const IpPrefix& each) { return each.address.is_v4() != path.is_ipv6; });
    return own->address;  // the rules have seen to it
}

std::vector<std::vector<Announcer::Place>> places_of(const Config& config) {
    std::vector<std::vector<Announcer::Place>> places(config.groups.size());
    const auto placed = place_vips(config);
    for (std::size_t port = 0; port < placed.size(); ++port) {
        for (const PlacedAddress& each : placed[port]) {
            const bool is_of_link = std::ranges::any_of(
                config.ports[port].addresses,
                [&](const IpPrefix& network) { return network.contains(each.address); });
            if (each.group != GroupsOfAddresses::none && is_of_link) {
                places[each.group].push_back({each.address, port});
            }
        }
    }
    return places;
}

std::vector<IpAddress> named_in_adverts(const Config& config, std::size_t group, IpFamily family) {
    std::vector<IpAddress> named;
    const auto add = [&](const IpAddress& address) {
        if (address.family() == family) {
            named.push_back(address);
        }
    };
    const GroupsOfAddresses groups{config};
    for (const VirtualService& service : config.services) {
        for (const ListenPoint& point : listen_points(service)) {
            if (groups.group_of_vip(point.vip) == group) {
                add(point.vip);
            }
        }
    }
    for (const IpPrefix& floating : config.groups[group].addresses) {
        add(floating.address);
    }
    std::ranges::sort(named);
    named.erase(std::unique(named.begin(), named.end()), named.end());
    named.resize(std::min(named.size(), Advert::addresses_max));
    return named;
}

std::string in_words(const std::vector<Announcer::Place>& places) {
    constexpr std::size_t addresses_most = 16;
    std::string words;
    for (std::size_t i = 0; i < std::min(places.size(), addresses_most); ++i) {
        words.append(i == 0 ? "" : ", ").append(to_string(places[i].address));
    }
    return words + (places.size() > addresses_most ? ", ..." : "");
}

}  // namespace fulcrum
