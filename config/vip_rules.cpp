// Against the services' VIPs, the ports' addresses, and each other.
#include "config/vip_rules.h"

#include <map>
#include <set>
#include <string>

#include "config/wording.h"

namespace fulcrum {
namespace {

// The director's own connections, its checks too, begin at its ports' addresses.
void check_own_address(const Config& config, const VipPolicy& policy, const std::string& label,
                       Findings& findings) {
    for (const NicPort& port : config.ports) {
        for (const IpPrefix& own : port.addresses) {
            if (policy.other != OtherTraffic::punt && policy.addresses.contains(own.address)) {
                findings.refuse(policy.place,
                                label + "other: " + in_quotes(to_string(policy.other)) +
                                    " would take answers to the director's own packets from it, as "
                                    "the port " +
                                    in_quotes(port.name) + " has the address " +
                                    to_string(own.address) + ": only \"punt\" can stand there");
            }
        }
    }
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

}  // namespace

void check_vips(const Config& config, Findings& findings) {
    const std::set<IpAddress> vips = vips_of(config);
    std::map<IpAddress, const VipPolicy*> seen;
    for (const VipPolicy& policy : config.vips) {
        const std::string label = "vips: " + addresses_of(policy) + ": ";
        bool has_vip = false;
        const VipPolicy* other = nullptr;
        for (const IpAddress& address : addresses_in(policy.addresses)) {
            has_vip = has_vip || vips.contains(address);
            const auto [before, is_new] = seen.emplace(address, &policy);
            other = is_new || other != nullptr ? other : before->second;
        }
        if (other != nullptr) {
            findings.refuse(policy.place, label +
                                              "an address of it has a policy already, that of " +
                                              addresses_of(*other) + at_place(other->place));
        }
        if (!has_vip) {
            findings.warn(policy.place,
                          label + "no service has a VIP there, so it holds for nobody");
        }
        check_own_address(config, policy, label, findings);
    }
}

}  // namespace fulcrum
