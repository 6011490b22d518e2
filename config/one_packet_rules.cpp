// Who answers from where, of all services that speak UDP.
#include "config/one_packet_rules.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/wording.h"

namespace fulcrum {
namespace {

struct Answering {
    const VirtualService* service;
    std::uint16_t port;  // 0: any of its listeners'
};
using ByAddress = std::unordered_map<IpAddress, std::vector<Answering>>;

bool speaks_udp(const VirtualService& service) {
    return std::ranges::any_of(listeners_of(service), [](const Listener& listener) {
        return listener.protocol == L4Protocol::udp;
    });
}

ByAddress answering_by_address(const Config& config) {
    ByAddress by_address;
    for (const VirtualService& service : config.services) {
        if (!speaks_udp(service)) {
            continue;
        }
        for (const RealServer& real : service.reals) {
            if (real.forward == ForwardingMode::nat) {
                by_address[real.endpoint.address].push_back({&service, real.endpoint.port.host()});
            }
        }
    }
    return by_address;
}

// The other service that `real` answers for, if any.
const VirtualService* other_served(const VirtualService& service, const RealServer& real,
                                   const ByAddress& by_address) {
    const std::uint16_t port = real.endpoint.port.host();
    for (const Answering& other : by_address.at(real.endpoint.address)) {
        const bool may_meet = port == 0 || other.port == 0 || port == other.port;
        if (other.service != &service && may_meet) {
            return other.service;
        }
    }
    return nullptr;
}

void check(const VirtualService& service, const ByAddress& by_address, Findings& findings) {
    const auto refuse = [&](const SourcePlace& place, const std::string& sentence) {
        findings.refuse(place, "service " + in_quotes(service.name) + ": one_packet: " + sentence);
    };
    const std::vector<Listener> listeners = listeners_of(service);
    if (std::ranges::any_of(listeners, [](const Listener& listener) {
            return listener.protocol != L4Protocol::udp;
        })) {
        return refuse(service.place, "is for services that speak UDP alone");
    }
    for (const RealServer& real : service.reals) {
        if (real.forward != ForwardingMode::nat || real.endpoint.address.is_unspecified()) {
            continue;
        }
        const std::string label = "real " + in_quotes(real.name);
        const bool port_follows =
            real.endpoint.port.host() == 0 || only_port_of(service).host() != 0;
        if (listen_points(service).size() != 1 || !port_follows) {
            return refuse(real.place, label +
                                          " answers by NAT, so the service has one VIP and one " +
                                          "port, or the real keeps the port of a range");
        }
        if (const VirtualService* other = other_served(service, real, by_address)) {
            return refuse(real.place,
                          label + " answers by NAT, so it answers for no other service, " +
                              "as for " + in_quotes(other->name) + at_place(other->place));
        }
    }
}

}  // namespace

void check_one_packet_services(const Config& config, Findings& findings) {
    const bool any = std::ranges::any_of(config.services, &VirtualService::one_packet);
    const ByAddress by_address = any ? answering_by_address(config) : ByAddress{};
    for (const VirtualService& service : config.services) {
        if (service.one_packet) {
            check(service, by_address, findings);
        }
    }
}

}  // namespace fulcrum
