// The director and its ports first, then each service against what they hold and against the
// services before it. A clash names the place of the other party.
#include "config/validate.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "config/check_rules.h"
#include "config/full_nat_rules.h"
#include "config/listener_clashes.h"
#include "config/mark_rules.h"
#include "config/model/limits.h"
#include "config/model/maglev.h"
#include "config/one_packet_rules.h"
#include "config/pair_rules.h"
#include "config/port_rules.h"
#include "config/role_rules.h"
#include "config/telling_rules.h"
#include "config/vip_rules.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

void check_workers(const Config& config, Findings& findings) {
    std::unordered_set<unsigned> cpus;
    for (const unsigned cpu : config.director.workers) {
        if (!cpus.insert(cpu).second) {
            findings.refuse(config.director.place,
                            "director: workers: CPU " + std::to_string(cpu) +
                                " stands there twice, and two workers would halve each other");
        }
    }
}

class ServiceRules {
  public:
    ServiceRules(const Config& config, Findings& findings);
    void check();

  private:
    // The reals of one service so far, with its fallback.
    struct Siblings {
        std::unordered_map<std::string_view, const RealServer*> by_name;
        std::map<Endpoint, const RealServer*> by_endpoint;
    };

    void check_name(const VirtualService& service);
    void check_bind(const VirtualService& service);
    void check_listeners(const VirtualService& service);
    void check_listener(const VirtualService& service, const Listener& listener);
    void check_ring(const VirtualService& service);
    void check_scheduler(const VirtualService& service);
    void warn_of_idle_keys(const VirtualService& service);
    void check_reals(const VirtualService& service);
    void check_real(const VirtualService& service, const RealServer& real, Siblings& siblings);
    void warn_of_idle_tunnel_keys(const VirtualService& service, const RealServer& real);
    std::string objection_to_real(const VirtualService& service, const RealServer& real) const;
    std::string objection_of_networks(const IpAddress& address) const;
    std::string label_of(const VirtualService& service) const {
        return "service " + in_quotes(service.name) + ": ";
    }
    void refuse(const VirtualService& service, const std::string& sentence) {
        findings_.refuse(service.place, label_of(service) + sentence);
    }
    void warn(const VirtualService& service, const std::string& sentence) {
        findings_.warn(service.place, label_of(service) + sentence);
    }

    const Config& config_;
    Findings& findings_;
    std::unordered_map<IpAddress, const VirtualService*> vips_;
    std::unordered_map<IpAddress, const NicPort*> own_addresses_;
    std::vector<IpPrefix> networks_;  // of the ports
    std::unordered_map<std::string_view, const VirtualService*> by_name_;
    ListenerClashes clashes_;
    ListenerClashes clashes_of_marks_;  // which come first, whatever else there is
};

ServiceRules::ServiceRules(const Config& config, Findings& findings)
    : config_{config}, findings_{findings} {
    for (const NicPort& port : config.ports) {
        for (const IpPrefix& prefix : port.addresses) {
            own_addresses_.emplace(prefix.address, &port);
            networks_.push_back(prefix);
        }
    }
    for (const VirtualService& service : config.services) {
        for (const ListenPoint& point : listen_points(service)) {
            vips_.emplace(point.vip, &service);
        }
    }
}

void ServiceRules::check() {
    std::size_t real_count = 0;
    std::size_t point_count = 0;
    for (const VirtualService& service : config_.services) {
        check_name(service);
        check_bind(service);
        check_listeners(service);
        check_ring(service);
        check_scheduler(service);
        check_checks(service, findings_);
        warn_of_idle_keys(service);
        check_reals(service);
        real_count += service.reals.size() + (service.fallback ? 1 : 0);
        point_count += listen_points(service).size();
    }
    if (point_count > limits::listeners_max) {
        findings_.refuse({config_.source_file, 0},
                         "services: they listen on " + std::to_string(point_count) +
                             " pairs of address and ports together, more than " +
                             std::to_string(limits::listeners_max));
    }
    if (real_count > limits::tallies_max) {
        findings_.refuse({config_.source_file, 0}, "services: they have " +
                                                       std::to_string(real_count) +
                                                       " reals and fallbacks together, more than " +
                                                       std::to_string(limits::tallies_max));
    }
}

void ServiceRules::check_name(const VirtualService& service) {
    if (!service.name.empty()) {
        const auto [other, is_new] = by_name_.emplace(service.name, &service);
        if (!is_new) {
            refuse(service,
                   "the name is already that of a service" + at_place(other->second->place));
        }
    }
}

void ServiceRules::check_bind(const VirtualService& service) {
    for (const std::string& name : service.bind) {
        if (std::ranges::find(config_.ports, name, &NicPort::name) == config_.ports.end()) {
            refuse(service, "bind: there is no port " + in_quotes(name));
        }
    }
}

void ServiceRules::check_listeners(const VirtualService& service) {
    for (const Listener& listener : listeners_of(service)) {
        if (listener.vip.address.is_unspecified()) {
            if (!service.listen.empty()) {
                findings_.refuse(
                    listener.place,
                    label_of(service) + "listen: neither the element nor the service says a vip");
            }
        } else if (listener.ports.first != 0) {
            check_listener(service, listener);
        }
    }
}

void ServiceRules::check_listener(const VirtualService& service, const Listener& listener) {
    const auto refuse_listener = [&](const std::string& sentence) {
        findings_.refuse(listener.place, label_of(service) + sentence);
    };
    const bool is_marked = std::ranges::find(service.marked, listener) != service.marked.end();
    if (const auto met = (is_marked ? clashes_of_marks_ : clashes_).add(service, listener)) {
        const ListenPoint& point = met->point;
        const bool is_same = point.ports == listener.ports;
        const std::string vip = to_string(point.vip);
        refuse_listener((point.vip.is_v4() ? vip : "[" + vip + "]") + ":" +
                        to_string(listener.ports) + " by " +
                        std::string{to_string(point.protocol)} +
                        (is_same ? " is already "
                                 : " meets " + to_string(point.ports) + ", which is already ") +
                        "the service " + in_quotes(met->service->name) + at_place(met->place));
    }
    for (const IpAddress& vip : addresses_in(listener.vip)) {
        if (const std::string objection = objection_of_networks(vip); !objection.empty()) {
            return refuse_listener("vip: " + to_string(vip) + " " + objection);
        }
    }
}

void ServiceRules::check_ring(const VirtualService& service) {
    constexpr std::size_t slots_per_real_good = 100;
    std::uint32_t prime = service.ring_size;
    while (!is_prime(prime)) {
        ++prime;
    }
    if (prime != service.ring_size) {
        refuse(service, "ring_size: " + std::to_string(service.ring_size) +
                            " is not a prime: the next one is " + std::to_string(prime));
    }
    const auto weighted = static_cast<std::size_t>(
        std::count_if(service.reals.begin(), service.reals.end(),
                      [](const RealServer& real) { return real.weight > 0; }));
    if (weighted > service.ring_size) {
        refuse(service, "ring_size: " + std::to_string(service.ring_size) +
                            " slots are fewer than " + std::to_string(weighted) +
                            " reals with weight");
    } else if (weighted * slots_per_real_good > service.ring_size) {
        warn(service, "ring_size: " + std::to_string(service.ring_size) + " slots for " +
                          std::to_string(weighted) +
                          " reals share unevenly: 100 a real is a good least");
    }
    if (weighted == 0) {
        warn(service, service.reals.empty()
                          ? "it has no reals"
                          : "all its reals have weight 0: they get no new sessions");
    }
}

void ServiceRules::check_scheduler(const VirtualService& service) {
    const bool takes_flags =
        service.scheduler == Scheduler::sh || service.scheduler == Scheduler::mh;
    if (!takes_flags && service.scheduler_flags != SchedulerFlags{}) {
        warn(service,
             "scheduler_flags: they have an effect with \"sh\" and \"mh\" alone, not with " +
                 in_quotes(to_string(service.scheduler)));
    }
}

void ServiceRules::warn_of_idle_keys(const VirtualService& service) {
    if (service.protocol != L4Protocol::tcp && service.mss_max != 0) {
        warn(service,
             "mss_max has no effect with protocol = " + in_quotes(to_string(service.protocol)));
    }
    if (service.protocol != L4Protocol::tcp && service.syn_cookies == SynCookies::always) {
        warn(service,
             "syn_cookies has no effect with protocol = " + in_quotes(to_string(service.protocol)));
    }
}

void ServiceRules::check_reals(const VirtualService& service) {
    Siblings siblings;
    for (const RealServer& real : service.reals) {
        check_real(service, real, siblings);
    }
    if (service.fallback) {
        check_real(service, *service.fallback, siblings);
    }
}

void ServiceRules::check_real(const VirtualService& service, const RealServer& real,
                              Siblings& siblings) {
    const auto refuse_real = [&](const std::string& sentence) {
        const bool is_fallback = service.fallback && &real == &*service.fallback;
        findings_.refuse(real.place,
                         label_of(service) +
                             (is_fallback ? "fallback: " : "real " + in_quotes(real.name) + ": ") +
                             sentence);
    };
    if (!real.name.empty()) {
        const auto [other, is_new] = siblings.by_name.emplace(real.name, &real);
        if (!is_new) {
            refuse_real("the name " + in_quotes(real.name) + " is already that of a real" +
                        at_place(other->second->place));
        }
    }
    if (service.syn_cookies == SynCookies::always && is_one_way(real.forward)) {
        refuse_real("forward: " + in_quotes(to_string(real.forward)) +
                    ": it answers its clients itself, and syn_cookies = \"always\" asks the "
                    "director to");
    }
    const Endpoint endpoint = real.endpoint;
    const be16 only_port = only_port_of(service);
    if (is_one_way(real.forward) && endpoint.port != only_port && endpoint.port.host() != 0) {
        refuse_real("port: " + std::to_string(endpoint.port.host()) +
                    (only_port.host() == 0
                         ? " is of no use to a service with several"
                         : " is not the service's " + std::to_string(only_port.host())) +
                    ", and forward = " + in_quotes(to_string(real.forward)) + " rewrites no port");
    }
    if (real.connections.lower > real.connections.upper) {
        refuse_real("connections: lower: " + std::to_string(real.connections.lower) +
                    " is greater than upper, " + std::to_string(real.connections.upper));
    }
    warn_of_idle_tunnel_keys(service, real);
    if (endpoint.address.is_unspecified()) {
        return;
    }
    for (const Listener& listener : listeners_of(service)) {
        const IpAddress& vip = listener.vip.address;
        if (endpoint.address.family() != vip.family() && !vip.is_unspecified() &&
            !is_tunnel(real.forward)) {
            refuse_real("address: " + to_string(endpoint.address) + " and the VIP " +
                        to_string(vip) + " are not of one IP version, which forward = " +
                        in_quotes(to_string(real.forward)) + " cannot bridge");
            break;
        }
    }
    const auto [other, is_new] = siblings.by_endpoint.emplace(endpoint, &real);
    if (!is_new) {
        const RealServer& first = *other->second;
        refuse_real(to_string(endpoint) + " is already " +
                    (first.name.empty() ? "a real" : "the real " + in_quotes(first.name)) +
                    at_place(first.place));
    }
    if (const std::string objection = objection_to_real(service, real); !objection.empty()) {
        refuse_real("address: " + to_string(endpoint.address) + " " + objection);
    }
}

void ServiceRules::warn_of_idle_tunnel_keys(const VirtualService& service, const RealServer& real) {
    const TunnelOptions preset;
    const bool has_port = real.forward == ForwardingMode::gue;
    const bool can_have_checksum = has_port || real.forward == ForwardingMode::gre;
    const auto warn_if = [&](bool is_set, const char* key) {
        if (is_set) {
            findings_.warn(real.place, label_of(service) + "real " + in_quotes(real.name) + ": " +
                                           key + " has no effect with forward = " +
                                           in_quotes(to_string(real.forward)));
        }
    };
    warn_if(!has_port && real.tunnel.port != preset.port, "tunnel_port");
    warn_if(!can_have_checksum && real.tunnel.has_checksum, "tunnel_checksum");
}

std::string ServiceRules::objection_to_real(const VirtualService& service,
                                            const RealServer& real) const {
    const IpAddress& address = real.endpoint.address;
    if (const auto vip = vips_.find(address); vip != vips_.end()) {
        return "is the VIP of the service " + in_quotes(vip->second->name) +
               at_place(vip->second->place) + ": packets would come back to the director";
    }
    const bool is_ours = own_addresses_.contains(address) || address.is_loopback();
    if (is_ours && (real.forward != ForwardingMode::nat || service.one_packet)) {
        return "is the director itself, which serves by forward = \"nat\" and with sessions alone";
    }
    return objection_of_networks(address);
}

std::string ServiceRules::objection_of_networks(const IpAddress& address) const {
    for (const IpPrefix& network : networks_) {
        std::string objection = objection_in_network(network, address);
        if (!objection.empty()) {
            return objection;
        }
    }
    return {};
}

}  // namespace

void validate(const Config& config, Findings& findings) {
    check_workers(config, findings);
    check_ports(config, findings);
    check_vips(config, findings);
    ServiceRules{config, findings}.check();
    check_marks(config, findings);
    check_one_packet_services(config, findings);
    check_full_nat(config, findings);
    check_telling(config, findings);
    check_role_groups(config, findings);
    check_pair(config, findings);
}

}  // namespace fulcrum
