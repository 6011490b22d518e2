// Whose addresses are whose.
#include "config/model/role_group.h"

#include <algorithm>

#include "config/model/service.h"

namespace fulcrum {

std::string_view to_string(FenceStyle style) {
    switch (style) {
        case FenceStyle::unsaid:
        case FenceStyle::none:
            return "none";
        case FenceStyle::fence_agent:
            return "fence-agent";
        case FenceStyle::external:
            return "external";
    }
    return "unknown";
}

GroupsOfAddresses::GroupsOfAddresses(const Config& config) : count_{config.groups.size()} {
    is_only_one_for_all_ = count_ == 1 && config.groups.front().vips.empty();
    for (std::size_t group = 0; group < count_; ++group) {
        for (const IpPrefix& vips : config.groups[group].vips) {
            if (vips.is_single()) {
                singles_.emplace(vips.address, group);
            } else {
                blocks_.push_back({vips, group});
            }
        }
    }
}

std::size_t GroupsOfAddresses::group_of_vip(const IpAddress& vip) const {
    if (is_only_one_for_all_) {
        return 0;
    }
    if (const auto single = singles_.find(vip); single != singles_.end()) {
        return single->second;
    }
    const auto block = std::find_if(blocks_.begin(), blocks_.end(), [&](const Block& each) {
        return each.addresses.contains(vip);
    });
    return block == blocks_.end() ? none : block->group;
}

std::size_t port_of_network(const Config& config, const IpAddress& address) {
    const auto port = std::ranges::find_if(config.ports, [&](const NicPort& each) {
        return std::ranges::any_of(
            each.addresses, [&](const IpPrefix& network) { return network.contains(address); });
    });
    return port == config.ports.end() ? GroupsOfAddresses::none
                                      : static_cast<std::size_t>(port - config.ports.begin());
}

}  // namespace fulcrum
