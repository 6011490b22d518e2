// Each address once, in the order of the configuration.
#include "controlplane/snapshot_names.h"

#include <map>

#include "controlplane/own_addresses.h"

namespace fulcrum {

std::vector<IpAddress> peers_of(const Config& config) {
    std::vector<IpAddress> peers;
    if (config.pair) {
        for (const PairLink& link : config.pair->links) {
            peers.push_back(link.peer.address);
        }
    }
    for (const RoleGroup& group : config.groups) {
        for (const AdvertPath& path : group.paths) {
            if (!path.peer.is_unspecified()) {
                peers.push_back(path.peer);
            }
        }
    }
    return peers;
}

void lay_names(const CompileInput& input, Snapshot& snapshot) {
    std::vector<Ipv6Map::Pair> pairs;
    std::map<Ipv6Address, std::uint32_t> known;
    const auto name = [&](const IpAddress& address) {
        const auto place = static_cast<std::uint32_t>(snapshot.named.size());
        if (!address.is_v4() && known.emplace(address.v6(), place).second) {
            pairs.push_back({address.v6(), 0, place});
            snapshot.named.push_back(address.v6());
        }
    };
    for (const ListenerPlan& listener : input.listeners) {
        name(listener.point.vip);
    }
    for (const ServicePlan& service : input.services) {
        for (const RealPlan& real : service.reals) {
            name(real.endpoint.address);
            if (const auto own = own_address(*input.kernel, real)) {
                name(own->prefix.address);
            }
        }
    }
    for (const LocalAddressPlan& local : input.local_addresses) {
        name(local.address);
    }
    for (const IpAddress& peer : peers_of(*input.config)) {
        name(peer);
    }
    snapshot.names = Ipv6Map{pairs};
}

AddressName name_of(const Snapshot& snapshot, const IpAddress& address) {
    return address.is_v4() ? address.v4() : snapshot.name_of(address.v6());
}

}  // namespace fulcrum
