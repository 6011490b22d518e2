// Each group by itself, against the ports and services, and against the groups before it.
#include "config/role_rules.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "config/wording.h"

namespace fulcrum {
namespace {

using std::chrono::milliseconds;

const NicPort* port_named(const Config& config, const std::string& name) {
    const auto port = std::ranges::find(config.ports, name, &NicPort::name);
    return port == config.ports.end() ? nullptr : &*port;
}

const NicPort* port_that_has(const Config& config, const IpAddress& address) {
    const auto port = std::ranges::find_if(config.ports, [&](const NicPort& each) {
        return std::ranges::find(each.addresses, address, &IpPrefix::address) !=
               each.addresses.end();
    });
    return port == config.ports.end() ? nullptr : &*port;
}

std::set<IpAddress> vips_of(const Config& config) {
    std::set<IpAddress> vips;
    for (const VirtualService& service : config.services) {
        for (const ListenPoint& point : listen_points(service)) {
            vips.insert(point.vip);
        }
    }
    return vips;
}

class RoleRules {
  public:
    RoleRules(const Config& config, Findings& findings)
        : config_{config}, findings_{findings}, vips_{vips_of(config)} {}

    void check() {
        for (const RoleGroup& group : config_.groups) {
            check_names(group);
            check_company(group);
            check_timing(group);
            check_vips(group);
            check_addresses(group);
            for (const AdvertPath& path : group.paths) {
                check_path(group, path);
            }
            for (const TrackedThing& thing : group.track) {
                check_thing(group, thing);
            }
            check_witness(group);
            if (!group.paths.empty()) {
                check_fence(group);
            }
        }
        check_local_addresses();
    }

  private:
    static std::string label_of(const RoleGroup& group) {
        return "group " + in_quotes(group.name) + ": ";
    }
    void refuse(const RoleGroup& group, const std::string& sentence) {
        findings_.refuse(group.place, label_of(group) + sentence);
    }
    void warn(const RoleGroup& group, const std::string& sentence) {
        findings_.warn(group.place, label_of(group) + sentence);
    }

    void check_names(const RoleGroup& group);
    void check_company(const RoleGroup& group);
    void check_timing(const RoleGroup& group);
    void check_vips(const RoleGroup& group);
    void check_addresses(const RoleGroup& group);
    void check_path(const RoleGroup& group, const AdvertPath& path);
    void check_path_source(const RoleGroup& group, const AdvertPath& path, const NicPort& port);
    void check_thing(const RoleGroup& group, const TrackedThing& thing);
    void check_witness(const RoleGroup& group);
    void check_fence(const RoleGroup& group);
    void check_local_addresses();
    // Each floats with one group.
    void claim(const RoleGroup& group, const char* key, const IpAddress& address);

    const Config& config_;
    Findings& findings_;
    std::set<IpAddress> vips_;  // of services
    std::map<std::string_view, const RoleGroup*> by_name_;
    std::map<unsigned, const RoleGroup*> by_id_;
    std::map<IpAddress, const RoleGroup*> holders_;
};

void RoleRules::check_names(const RoleGroup& group) {
    const auto [named, is_new_name] = by_name_.emplace(group.name, &group);
    if (!is_new_name && !group.name.empty()) {
        refuse(group, "the name is already that of a group" + at_place(named->second->place));
    }
    const auto [numbered, is_new_id] = by_id_.emplace(group.id, &group);
    if (!is_new_id && group.id != 0) {
        refuse(group, "id: " + std::to_string(group.id) + " is already that of the group " +
                          in_quotes(numbered->second->name) + at_place(numbered->second->place));
    }
}

// Without paths this director holds the group whatever others do.
void RoleRules::check_company(const RoleGroup& group) {
    if (!group.paths.empty()) {
        return;
    }
    if (config_.pair) {
        refuse(group,
               "the key paths is missing: the other director of the pair would hold the "
               "group, too, as neither hears of it");
    }
    if (!group.witness.is_unspecified() || group.fence.style > FenceStyle::none) {
        refuse(group,
               "witness and fence are about another director, and without paths there is "
               "none");
    }
}

// How far apart adverts are is said in whole seconds by version 2 (RFC 3768, 5.3.7), in 12 bits of
// hundredths by version 3 (RFC 9568, 5.2.7).
void RoleRules::check_timing(const RoleGroup& group) {
    constexpr milliseconds centisecond{10};
    const std::string advert = "advert: " + std::to_string(group.advert.count()) + " ms ";
    if (group.version == 2 && group.advert % milliseconds{1'000} != milliseconds{0}) {
        refuse(group, advert + "cannot be said in version 2, which counts whole seconds");
    } else if (group.version == 3 && (group.advert % centisecond != milliseconds{0} ||
                                      group.advert > 4'095 * centisecond)) {
        refuse(group, advert +
                          "cannot be said in version 3, which counts hundredths of a second, up to "
                          "40950 ms");
    }
    if (group.preempt_delay.count() != 0 && !group.preempt) {
        warn(group, "preempt_delay has no effect without preempt = true");
    }
}

void RoleRules::claim(const RoleGroup& group, const char* key, const IpAddress& address) {
    const std::string subject = std::string{key} + ": " + to_string(address) + " ";
    if (const NicPort* const port = port_that_has(config_, address); port != nullptr) {
        return refuse(group, subject + "is an address of the port " + in_quotes(port->name) +
                                 ", which stays with this director");
    }
    const auto [holder, is_new] = holders_.emplace(address, &group);
    if (!is_new) {
        refuse(group, subject + (holder->second == &group ? std::string{"stands there twice"}
                                                          : "is already held by the group " +
                                                                in_quotes(holder->second->name)));
    }
}

void RoleRules::check_vips(const RoleGroup& group) {
    if (group.vips.empty() && config_.groups.size() > 1 && group.addresses.empty()) {
        refuse(group, "vips: there are several groups: say which addresses this one holds");
    }
    for (const IpPrefix& block : group.vips) {
        bool has_vip = false;
        for (const IpAddress& address : addresses_in(block)) {
            claim(group, "vips", address);
            has_vip = has_vip || vips_.contains(address);
        }
        if (!has_vip) {
            warn(group, "vips: no service has a VIP at " +
                            (block.is_single() ? to_string(block.address) : to_string(block)));
        }
    }
    if (!group.vips.empty() || config_.groups.size() != 1) {
        return;
    }
    for (const IpAddress& vip : vips_) {
        if (const NicPort* const port = port_that_has(config_, vip); port != nullptr) {
            warn(group, "the VIP " + to_string(vip) + " is an address of the port " +
                            in_quotes(port->name) + " and stays with this director: nobody takes " +
                            "it over");
        }
    }
}

void RoleRules::check_addresses(const RoleGroup& group) {
    for (const IpPrefix& floating : group.addresses) {
        claim(group, "addresses", floating.address);
        const bool has_port = std::ranges::any_of(config_.ports, [&](const NicPort& port) {
            return std::ranges::any_of(port.addresses, [&](const IpPrefix& own) {
                return own.contains(floating.address) && own.length == floating.length;
            });
        });
        if (!has_port) {
            refuse(group, "addresses: " + to_string(floating) +
                              " is in the network of no port: give a port an address of its own " +
                              "there, which stays with this director");
        }
        if (vips_.contains(floating.address)) {
            refuse(group, "addresses: " + to_string(floating.address) +
                              " is a VIP: that belongs into vips");
        }
    }
}

void RoleRules::check_path(const RoleGroup& group, const AdvertPath& path) {
    const std::string label = label_of(group) + "path over " + in_quotes(path.port) + ": ";
    const auto refuse_path = [&](const std::string& sentence) {
        findings_.refuse(path.place, label + sentence);
    };
    const NicPort* const port = port_named(config_, path.port);
    if (port == nullptr) {
        return refuse_path("there is no such port");
    }
    if (path.is_ipv6 && group.version == 2) {
        return refuse_path("version 2 is for IPv4 alone");
    }
    for (const auto& [key, address] : {std::pair{"peer", path.peer}, {"source", path.source}}) {
        if (!address.is_unspecified() && address.is_v4() == path.is_ipv6) {
            return refuse_path(std::string{key} + ": " + to_string(address) + " does not go with " +
                               (path.is_ipv6 ? "ipv6 = true" : "ipv6 = false"));
        }
    }
    const auto is_same = [&](const AdvertPath& other) {
        return other.port == path.port && other.is_ipv6 == path.is_ipv6 && other.peer == path.peer;
    };
    if (std::ranges::find_if(group.paths, is_same).operator->() != &path) {
        refuse_path("stands there twice");
    }
    check_path_source(group, path, *port);
}

void RoleRules::check_path_source(const RoleGroup& group, const AdvertPath& path,
                                  const NicPort& port) {
    const auto refuse_path = [&](const std::string& sentence) {
        findings_.refuse(path.place,
                         label_of(group) + "path over " + in_quotes(path.port) + ": " + sentence);
    };
    const bool is_own =
        std::ranges::find(port.addresses, path.source, &IpPrefix::address) != port.addresses.end();
    if (!path.source.is_unspecified() && !is_own) {
        return refuse_path("source: " + to_string(path.source) + " is no address of the port");
    }
    const bool has_family = std::ranges::any_of(
        port.addresses, [&](const IpPrefix& own) { return own.address.is_v4() != path.is_ipv6; });
    const bool has_link_local = path.is_ipv6 && path.peer.is_unspecified();
    if (!has_family && !has_link_local) {
        refuse_path(std::string{"the port has no address of "} + (path.is_ipv6 ? "IPv6" : "IPv4") +
                    ", from which adverts could go out");
    }
    if (port_that_has(config_, path.peer) != nullptr) {
        refuse_path("peer: " + to_string(path.peer) + " is this director's own address");
    }
}

void RoleRules::check_thing(const RoleGroup& group, const TrackedThing& thing) {
    const auto refuse_thing = [&](const std::string& sentence) {
        findings_.refuse(thing.place, label_of(group) + "track: " + sentence);
    };
    const int said = (thing.port.empty() ? 0 : 1) + (thing.route.is_unspecified() ? 0 : 1) +
                     (thing.command.empty() ? 0 : 1);
    if (said != 1) {
        refuse_thing("an element has one of port, route and command, and this has " +
                     std::to_string(said) + " of them");
    } else if (!thing.port.empty() && port_named(config_, thing.port) == nullptr) {
        refuse_thing("there is no port " + in_quotes(thing.port));
    } else if (!thing.command.empty() && thing.command.front().front() != '/') {
        refuse_thing("command: " + in_quotes(thing.command.front()) +
                     " has no \"/\" at its beginning, and no shell looks for it");
    }
}

void RoleRules::check_witness(const RoleGroup& group) {
    if (group.witness.is_unspecified()) {
        return;
    }
    const std::string subject = "witness: " + to_string(group.witness) + " ";
    if (port_that_has(config_, group.witness) != nullptr || vips_.contains(group.witness)) {
        refuse(group, subject + "is this director itself, and would bear witness to anything");
    } else if (port_of_network(config_, group.witness) == GroupsOfAddresses::none) {
        refuse(group, subject + "is no neighbour: it is in the network of no port");
    }
}

void RoleRules::check_fence(const RoleGroup& group) {
    const Fence& fence = group.fence;
    if (fence.style == FenceStyle::unsaid) {
        return refuse(group,
                      "the key fence is missing: without a fence two directors that do not hear "
                      "each other may both be active: say so with fence = { style = \"none\"; }");
    }
    if (fence.style == FenceStyle::none) {
        if (!fence.command.empty() || !fence.node.empty()) {
            refuse(group, "fence: style = \"none\" calls nobody, and command and node say whom");
        }
        return;
    }
    if (fence.command.empty() || fence.node.empty()) {
        refuse(group, std::string{"fence: the key "} +
                          (fence.command.empty() ? "command" : "node") + " is missing");
    }
    for (const std::string& option : fence.options) {
        const std::size_t equals = option.find('=');
        if (equals == std::string::npos || equals == 0) {
            refuse(group,
                   "fence: options: " + in_quotes(option) + " is not of the form \"name=value\"");
        }
    }
}

// A session in full NAT may lease an address of any of its port's, so they cannot be in two places.
void RoleRules::check_local_addresses() {
    if (config_.groups.size() < 2) {
        return;
    }
    for (const NicPort& port : config_.ports) {
        if (!port.local_addresses.empty()) {
            findings_.refuse(port.place,
                             "port " + in_quotes(port.name) +
                                 ": local_addresses: they float with the group of the VIPs, and "
                                 "there are " +
                                 std::to_string(config_.groups.size()) +
                                 ": full NAT goes with one group alone");
        }
    }
}

}  // namespace

void check_role_groups(const Config& config, Findings& findings) {
    RoleRules{config, findings}.check();
}

}  // namespace fulcrum
