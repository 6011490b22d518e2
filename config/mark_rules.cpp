// Rules of one mark are told apart by IP version, as services are.
#include "config/mark_rules.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "config/wording.h"

namespace fulcrum {
namespace {

std::uint32_t mark_of(const VirtualService& service, IpFamily family) {
    return family == IpFamily::v4 ? service.mark : service.mark6;
}

// One port beats a range of them everywhere, so only ranges can be in two minds.
bool is_undecided(const Listener& marked, const Listener& other) {
    const bool are_ranges = !marked.ports.is_single() && !other.ports.is_single() &&
                            !marked.ports.is_any() && !other.ports.is_any();
    const bool is_covered =
        marked.ports.first <= other.ports.first && other.ports.last <= marked.ports.last;
    const bool share_addresses =
        marked.vip.contains(other.vip.address) || other.vip.contains(marked.vip.address);
    return are_ranges && !is_covered && marked.protocol == other.protocol && share_addresses &&
           marked.ports.meets(other.ports);
}

void check_against(const Config& config, const VirtualService& service, const Listener& marked,
                   Findings& findings) {
    for (const VirtualService& other : config.services) {
        for (const Listener& listener : listeners_of(other)) {
            if (other.marked.empty() && is_undecided(marked, listener)) {
                findings.refuse(
                    marked.place,
                    "mark " + std::to_string(mark_of(service, marked.vip.address.family())) +
                        ": port: " + to_string(marked.ports) + " meets " +
                        to_string(listener.ports) + " of the service " + in_quotes(other.name) +
                        at_place(other.place) + ", of which it has to have all or nothing");
            }
        }
    }
}

// 0 goes on to mean the port that the client used.
void settle_ports(VirtualService& service) {
    const be16 only_port = only_port_of(service);
    const auto settle = [only_port](RealServer& real) {
        real.endpoint.port = real.endpoint.port.host() == 0 ? only_port : real.endpoint.port;
    };
    std::ranges::for_each(service.reals, settle);
    if (service.fallback) {
        settle(*service.fallback);
    }
}

}  // namespace

void gather_marked(Config& config) {
    for (VirtualService& service : config.services) {
        service.marked.clear();
        for (const MarkRule& rule : config.marks) {
            if (rule.mark == mark_of(service, rule.listener.vip.address.family())) {
                service.marked.push_back(rule.listener);
            }
        }
        settle_ports(service);
    }
}

MarkedPoints::MarkedPoints(const Config& config) {
    for (const VirtualService& service : config.services) {
        for (const Listener& marked : service.marked) {
            for (const IpAddress& vip : addresses_in(marked.vip)) {
                holders_[{vip, marked.protocol}].push_back({&service, marked.ports});
            }
        }
    }
}

bool MarkedPoints::have(const VirtualService& service, const ListenPoint& point) const {
    const bool is_marked_too = std::ranges::any_of(service.marked, [&](const Listener& marked) {
        return marked.vip.contains(point.vip) && marked.ports == point.ports &&
               marked.protocol == point.protocol;
    });
    const auto found = holders_.find({point.vip, point.protocol});
    return !is_marked_too && found != holders_.end() &&
           std::ranges::any_of(found->second, [&](const Holder& holder) {
               return holder.service != &service && holder.ports.first <= point.ports.first &&
                      point.ports.last <= holder.ports.last;
           });
}

void check_marks(const Config& config, Findings& findings) {
    std::map<std::pair<std::uint32_t, IpFamily>, const VirtualService*> holders;
    for (const VirtualService& service : config.services) {
        for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
            const std::uint32_t mark = mark_of(service, family);
            if (mark == 0) {
                continue;
            }
            const auto [holder, is_first] = holders.try_emplace({mark, family}, &service);
            if (!is_first) {
                findings.refuse(service.place, "service " + in_quotes(service.name) + ": " +
                                                   (family == IpFamily::v4 ? "mark: " : "mark6: ") +
                                                   std::to_string(mark) +
                                                   " is already that of the service " +
                                                   in_quotes(holder->second->name) +
                                                   at_place(holder->second->place));
            }
        }
        for (const Listener& marked : service.marked) {
            check_against(config, service, marked, findings);
        }
    }
}

}  // namespace fulcrum
