// Local addresses first, then the reals that are reached from them.
#include "config/full_nat_rules.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "config/model/checks_of.h"
#include "config/model/limits.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

using Holders = std::map<IpAddress, std::string>;  // who has an address already, in words

void note_reals(const VirtualService& service, Holders& holders) {
    const auto note = [&](const RealServer& real) {
        holders.emplace(real.endpoint.address,
                        "the address of a real of the service " + in_quotes(service.name));
    };
    std::ranges::for_each(service.reals, note);
    if (service.fallback) {
        note(*service.fallback);
    }
}

Holders holders_in(const Config& config) {
    Holders holders;
    for (const NicPort& port : config.ports) {
        for (const IpPrefix& prefix : port.addresses) {
            holders.emplace(prefix.address, "an address of the port " + in_quotes(port.name));
        }
    }
    for (const VirtualService& service : config.services) {
        for (const ListenPoint& point : listen_points(service)) {
            holders.emplace(point.vip, "a VIP of the service " + in_quotes(service.name));
        }
        note_reals(service, holders);
    }
    return holders;
}

void check_local_addresses(const Config& config, Findings& findings) {
    Holders holders = holders_in(config);
    std::size_t count = 0;
    for (const NicPort& port : config.ports) {
        for (const IpAddress& address : port.local_addresses) {
            const auto [holder, is_new] = holders.emplace(
                address, "a local address of the port " + in_quotes(port.name) + " already");
            if (!is_new) {
                findings.refuse(port.place, "port " + in_quotes(port.name) + ": local_addresses: " +
                                                to_string(address) + " is " + holder->second +
                                                ": full NAT needs it for itself");
            }
            ++count;
        }
    }
    if (count > limits::local_addresses_max) {
        findings.refuse({config.source_file, 0}, "ports: they have " + std::to_string(count) +
                                                     " local_addresses together, more than " +
                                                     std::to_string(limits::local_addresses_max));
    }
}

bool has_local_address(const NicPort& port, IpFamily family) {
    return std::ranges::any_of(
        port.local_addresses, [&](const IpAddress& address) { return address.family() == family; });
}

bool is_on_link(const NicPort& port, const IpAddress& address) {
    return std::ranges::any_of(port.addresses,
                               [&](const IpPrefix& prefix) { return prefix.contains(address); });
}

void check_real(const Config& config, const VirtualService& service, const RealServer& real,
                Findings& findings) {
    const auto refuse = [&](const std::string& sentence) {
        findings.refuse(real.place, "service " + in_quotes(service.name) + ": real " +
                                        in_quotes(real.name) + ": forward = \"fullnat\" " +
                                        sentence);
    };
    const IpFamily family = real.endpoint.address.family();
    const std::string version = family == IpFamily::v4 ? "IPv4" : "IPv6";
    if (service.one_packet) {
        refuse("has to remember who asked, which one_packet does not");
    }
    const bool any = std::ranges::any_of(
        config.ports, [&](const NicPort& port) { return has_local_address(port, family); });
    const auto link = std::ranges::find_if(
        config.ports, [&](const NicPort& port) { return is_on_link(port, real.endpoint.address); });
    if (!any) {
        refuse("needs local_addresses of " + version + " on the port that leads to the real");
    } else if (link != config.ports.end() && !has_local_address(*link, family)) {
        refuse("needs local_addresses of " + version + " on the port " + in_quotes(link->name) +
               ", in whose network the real is");
    }
}

// Where a real sees the client's own address there is nothing to tell it, and only a connection has
// a beginning at which to tell.
void check_client_address(const VirtualService& service, const RealServer& real,
                          Findings& findings) {
    const std::string subject = "service " + in_quotes(service.name) + ": real " +
                                in_quotes(real.name) +
                                ": client_address = " + in_quotes(to_string(real.client_address));
    if (real.forward != ForwardingMode::full_nat) {
        findings.refuse(real.place, subject + " is for forward = \"fullnat\": with forward = " +
                                        in_quotes(to_string(real.forward)) +
                                        " the real sees the client's own address");
    }
    const bool is_for_datagrams = real.client_address == ClientAddressBy::proxy;
    for (const Listener& listener : listeners_of(service)) {
        const bool is_for_it = listener.protocol == L4Protocol::tcp ||
                               (listener.protocol == L4Protocol::udp && is_for_datagrams);
        if (!is_for_it) {
            findings.refuse(real.place,
                            subject + " is for TCP " + (is_for_datagrams ? "and UDP " : "") +
                                "alone, and the service listens on " + to_string(listener));
            break;
        }
    }
    bool is_asked_bare = false;
    if (!service.fallback || &real != &*service.fallback) {
        visit_checks(service, real, [&is_asked_bare](const Check& check) {
            is_asked_bare |= check.type == CheckType::http && check.port == 0;
        });
    }
    if (real.client_address == ClientAddressBy::proxy && is_asked_bare) {
        findings.warn(real.place, subject +
                                      ": its check sends no such header, for which the real may "
                                      "refuse it: name another port in check.port");
    }
}

// Where the VIP is in a NAT real's own network, so may clients be: the real answers them past us.
void warn_of_hairpin(const Config& config, const VirtualService& service, Findings& findings) {
    for (const NicPort& port : config.ports) {
        const auto is_beside_vip = [&](const RealServer& real) {
            return real.forward == ForwardingMode::nat &&
                   std::ranges::any_of(port.addresses, [&](const IpPrefix& network) {
                       return network.contains(real.endpoint.address) &&
                              network.contains(service.vip);
                   });
        };
        if (!has_local_address(port, service.vip.family()) &&
            std::ranges::any_of(service.reals, is_beside_vip)) {
            findings.warn(
                service.place,
                "service " + in_quotes(service.name) +
                    ": its VIP is in the network of its reals, which answer clients there "
                    "themselves: give the port " +
                    in_quotes(port.name) + " local_addresses");
        }
    }
}

}  // namespace

void check_full_nat(const Config& config, Findings& findings) {
    check_local_addresses(config, findings);
    const auto check = [&](const VirtualService& service, const RealServer& real) {
        if (real.forward == ForwardingMode::full_nat && !real.endpoint.address.is_unspecified()) {
            check_real(config, service, real, findings);
        }
        if (real.client_address != ClientAddressBy::none) {
            check_client_address(service, real, findings);
        }
    };
    for (const VirtualService& service : config.services) {
        warn_of_hairpin(config, service, findings);
        for (const RealServer& real : service.reals) {
            check(service, real);
        }
        if (service.fallback) {
            check(service, *service.fallback);
        }
    }
}

}  // namespace fulcrum
