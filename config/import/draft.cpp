// Services first, their reals next, and what holds a service together last.
#include "config/import/draft.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

#include "config/model/placing.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

constexpr std::size_t listen_most = 1'024;  // of services[].listen

std::optional<Scheduler> scheduler_named(std::string_view name) {
    for (std::size_t i = 0; i < scheduler_count; ++i) {
        if (to_string(static_cast<Scheduler>(i)) == name && i != 0) {
            return static_cast<Scheduler>(i);
        }
    }
    return std::nullopt;
}

// Letters, digits, ".", "_", "-", of which the first is a letter or digit.
std::string as_name(std::string_view text) {
    std::string name;
    for (const char c : text.substr(0, limits::name_length_max)) {
        const bool is_plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (is_plain || (!name.empty() && (c == '.' || c == '_' || c == '-'))) {
            name += c;
        } else if (!name.empty()) {
            name += '-';
        }
    }
    return name.empty() ? "unnamed" : name;
}

// `name`, with a number behind it if somebody has it already.
template <typename IsTaken>
std::string unique(const std::string& name, const IsTaken& is_taken) {
    std::string candidate = name;
    for (int i = 2; is_taken(candidate); ++i) {
        const std::string tail = std::string{"-"}.append(std::to_string(i));
        candidate = name.substr(0, limits::name_length_max - tail.size()) + tail;
    }
    return candidate;
}

}  // namespace

std::string_view to_string(Remark::Kind kind) {
    switch (kind) {
        case Remark::Kind::lost:
            return "lost";
        case Remark::Kind::changed:
            return "changed";
        case Remark::Kind::needless:
            return "needless";
    }
    return "unknown";
}

void Draft::lost(const OldLine& line, std::string why, std::string remedy) {
    remarks_.push_back({Remark::Kind::lost, line, std::move(why), std::move(remedy)});
}
void Draft::changed(const OldLine& line, std::string why, std::string remedy) {
    remarks_.push_back({Remark::Kind::changed, line, std::move(why), std::move(remedy)});
}
void Draft::needless(const OldLine& line, std::string why) {
    remarks_.push_back({Remark::Kind::needless, line, std::move(why), ""});
}

// --- services ----------------------------------------------------------------------------------

VirtualService& Draft::begin_service(const OldLine& line, const std::string& name) {
    const auto is_taken = [this](const std::string& candidate) {
        return std::ranges::find(config_.services, candidate, &VirtualService::name) !=
               config_.services.end();
    };
    const std::string free_name = unique(as_name(name), is_taken);
    VirtualService& service = config_.services.emplace_back();
    service.name = free_name;
    service.place = line.place;
    service_lines_.push_back(line);
    current_ = config_.services.size() - 1;
    return service;
}

void Draft::drop_service() {
    config_.services.pop_back();
    service_lines_.pop_back();
}

void Draft::listen(Listener listener) {
    VirtualService& added = service();
    if (listener.ports.first == 0) {
        listener.ports = PortRange::any();
    }
    const bool is_first = added.port.host() == 0 && added.listen.empty();
    if (is_first && listener.vip.is_single() && listener.ports.is_single()) {
        added.vip = listener.vip.address;
        added.port = be16{listener.ports.first};
        added.protocol = listener.protocol;
    } else if (added.listen.size() < listen_most) {
        added.listen.push_back(std::move(listener));
    } else {
        lost({listener.place, service_line().text},
             "a service listens on " + std::to_string(listen_most) + " further places at most");
    }
}

bool Draft::begin_marked_service(const OldLine& line, const std::string& name,
                                 const std::string& mark, IpFamily family) {
    if (!whole_of(line, "services[].mark", mark)) {
        return false;
    }
    begin_service(line, name.empty() ? std::string{"mark-"}.append(mark) : name);
    add_mark(line, mark, family);
    return true;
}

void Draft::add_mark(const OldLine& line, const std::string& mark, IpFamily family) {
    const auto number = whole_of(line, "services[].mark", mark);
    VirtualService& of = service();
    std::uint32_t& kept = family == IpFamily::v4 ? of.mark : of.mark6;
    if (!number) {
        return;
    }
    if (kept != 0) {
        return lost(line, "a service has one mark of each IP version");
    }
    kept = *number;
    const auto known = source_.marks.find(*number);
    bool has_rule = false;
    for (const Listener& listener :
         known == source_.marks.end() ? std::vector<Listener>{} : known->second) {
        const MarkRule rule{*number, listener};
        if (listener.vip.address.family() != family) {
            continue;
        }
        has_rule = true;
        of.marked.push_back(listener);
        if (std::ranges::find(config_.marks, rule) == config_.marks.end()) {
            config_.marks.push_back(rule);
        }
    }
    if (!has_rule) {
        lost(line, "what packets have the mark is said outside of this file, so the service waits",
             "say it in `marks`, or with --mark " + mark + "=ADDRESS:PORT[/PROTOCOL][,...]");
    }
}

IpFamily Draft::family() const {
    const VirtualService& of = config_.services[current_];
    const std::vector<Listener> listeners = listeners_of(of);
    return of.mark6 != 0 || (!listeners.empty() && !listeners.front().vip.address.is_v4())
               ? IpFamily::v6
               : IpFamily::v4;
}

void Draft::set_scheduler(const OldLine& line, const std::string& name) {
    if (const auto scheduler = scheduler_named(name)) {
        service().scheduler = *scheduler;
    } else {
        lost(line, in_quotes(name) + " is not a scheduler that is known here",
             "the service has the scheduler " + in_quotes(to_string(service().scheduler)) + " now");
    }
}

void Draft::set_scheduler_flags(const OldLine& line, const std::string& names) {
    const Scheduler scheduler = service().scheduler;
    if (scheduler != Scheduler::sh && scheduler != Scheduler::mh) {
        return needless(line,
                        "the scheduler " + in_quotes(to_string(scheduler)) + " takes no flags");
    }
    std::string_view rest = names;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(','), rest.size());
        const std::string_view flag = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (flag == "sh-fallback" || flag == "mh-fallback" || flag == "flag-1") {
            service().scheduler_flags.fallback = true;
        } else if (flag == "sh-port" || flag == "mh-port" || flag == "flag-2") {
            service().scheduler_flags.port = true;
        } else {
            lost(line, in_quotes(flag) + " is not a flag of a scheduler that is known here");
        }
    }
}

void Draft::set_one_packet(const OldLine& line) {
    const bool is_udp = std::ranges::all_of(listeners_of(service()), [](const Listener& listener) {
        return listener.protocol == L4Protocol::udp;
    });
    service().one_packet = is_udp;
    if (!is_udp) {
        lost(line, "one packet at a time is for services of UDP alone");
    }
}

void Draft::set_affinity(const OldLine& line, const std::string& seconds) {
    if (const auto timeout = seconds_of(line, "services[].affinity.timeout", seconds)) {
        Affinity& affinity =
            service().affinity ? *service().affinity : service().affinity.emplace();
        affinity.timeout_s = *timeout;
    }
}

void Draft::set_affinity_mask(const OldLine& line, const std::string& mask) {
    const auto dotted = parse_ipv4_address(mask);
    const auto length = number_in(mask);
    const bool is_v4 = dotted.has_value();
    if (!is_v4 && !length) {
        return lost(line, in_quotes(mask) + " is neither a netmask nor the length of a prefix");
    }
    const std::string_view key =
        is_v4 ? "services[].affinity.prefix" : "services[].affinity.prefix6";
    const bool is_fit = is_v4 ? fits(line, key, mask) : fits(line, key, *length);
    if (!is_fit) {
        return;
    }
    Affinity& affinity = service().affinity ? *service().affinity : service().affinity.emplace();
    (is_v4 ? affinity.prefix : affinity.prefix6) =
        static_cast<std::uint8_t>(is_v4 ? std::countl_one(dotted->host()) : *length);
}

// --- reals -------------------------------------------------------------------------------------

// Its forwarding, port and name, from what the service is.
bool Draft::complete_real(const OldLine& line, RealServer& real) {
    VirtualService& of = service();
    const be16 only_port = only_port_of(of);
    if (real.endpoint.address.is_loopback() && real.forward != ForwardingMode::nat) {
        real.forward = ForwardingMode::nat;  // IPVS serves its own host the same way in every mode
    }
    if (real.endpoint.address.is_loopback()) {
        changed(
            line,
            "the program on the director is asked at the first port's address: it has to listen "
            "there, or on all addresses");
    }
    if (is_one_way(real.forward)) {
        if (real.endpoint.port.host() != 0 && real.endpoint.port != only_port) {
            changed(line, "the port is the one that clients use: " +
                              std::string{to_string(real.forward)} + " rewrites none");
        }
        real.endpoint.port = only_port;
    } else if (real.endpoint.port.host() == 0) {
        real.endpoint.port = only_port;
    }
    const std::vector<Listener> listeners = listeners_of(of);
    const bool is_other_family =
        !is_tunnel(real.forward) && std::ranges::any_of(listeners, [&](const Listener& listener) {
            return listener.vip.address.family() != real.endpoint.address.family();
        });
    if (is_other_family) {
        lost(line, "the real and the VIP are not of one IP version, which only tunnels can bridge");
        return false;
    }
    const auto is_same = [&](const RealServer& other) { return other.endpoint == real.endpoint; };
    if (std::ranges::any_of(of.reals, is_same) || (of.fallback && is_same(*of.fallback))) {
        lost(line, to_string(real.endpoint) + " is a real of this service already");
        return false;
    }
    if (real.connections.lower > real.connections.upper) {
        lost(line, "the lower threshold is above the upper one");
        real.connections = {};
    }
    const bool has_twin = std::ranges::any_of(of.reals, [&](const RealServer& other) {
        return other.endpoint.address == real.endpoint.address;
    });
    const std::string wanted = as_name(
        !real.name.empty() ? real.name
                           : name_of(real.endpoint.address,
                                     has_twin ? real.endpoint.port.host() : std::uint16_t{0}));
    real.name = unique(wanted, [&](const std::string& candidate) {
        return std::ranges::find(of.reals, candidate, &RealServer::name) != of.reals.end() ||
               (of.fallback && of.fallback->name == candidate);
    });
    real.place = line.place;
    return true;
}

void Draft::add_real(const OldLine& line, RealServer real) {
    if (service().reals.size() + 1 >= limits::reals_per_service_max) {
        return lost(line, "the service has as many reals as it can have");
    }
    if (complete_real(line, real)) {
        service().reals.push_back(std::move(real));
    }
}

void Draft::set_fallback(const OldLine& line, RealServer real) {
    real.name = "fallback";
    service().fallback.reset();
    if (complete_real(line, real)) {
        service().fallback = std::move(real);
    }
}

// Where a check has no port to ask, and how long it may take. `real`: whose own it is; null: it is
// the service's.
void Draft::settle(Check& check, const OldLine& line, const RealServer* real) {
    const VirtualService& settled = service();
    const CheckCarrier carrier = facts_of(check.type).carrier;
    const L4Protocol protocol = carrier == CheckCarrier::udp ? L4Protocol::udp : L4Protocol::tcp;
    const bool wants_port = carrier == CheckCarrier::tcp || carrier == CheckCarrier::udp;
    const std::vector<Listener> listeners = listeners_of(settled);
    const bool has_protocol = std::ranges::any_of(
        listeners, [&](const Listener& listener) { return listener.protocol == protocol; });
    const bool keeps_port = std::ranges::any_of(settled.reals, [real](const RealServer& each) {
        return each.endpoint.port.host() == 0 && (real == nullptr || real == &each);
    });
    if (wants_port && check.port == 0 && !listeners.empty() &&
        (!has_protocol || (keeps_port && only_port_of(settled).host() == 0))) {
        lost(line,
             "its reals are not checked: no port of theirs is known to answer a check by " +
                 std::string{to_string(protocol)},
             "name one with check.port, and a check.type");
        check = {.type = CheckType::none};
    }
    if (!is_asked(check.type)) {
        check = {.type = check.type};
    } else if (check.timeout > check.interval) {
        changed(line, "a check may take " + describe_duration(check.timeout.count()) +
                          ", so one begins that often; before, the next one began " +
                          describe_duration(check.interval.count()) + " after its end");
        check.interval = check.timeout;
    }
}

// What asks nothing is no check among others.
void Draft::settle_checks() {
    VirtualService& settled = service();
    std::vector<Check> checks = settled.further_checks;
    checks.insert(checks.begin(), settled.check);
    const auto keep_asked = [](std::vector<Check>& several) {
        const Check first = several.front();
        std::erase_if(several, [](const Check& each) { return !is_asked(each.type); });
        if (several.empty()) {
            several.push_back(first);
        }
    };
    for (Check& check : checks) {
        settle(check, service_line(), nullptr);
    }
    keep_asked(checks);
    settled.check = checks.front();
    settled.further_checks.assign(checks.begin() + 1, checks.end());
    for (RealServer& real : settled.reals) {
        for (Check& check : real.checks) {
            settle(check, {real.place, "real " + real.name}, &real);
        }
        if (!real.checks.empty()) {
            keep_asked(real.checks);
        }
    }
}

void Draft::set_timeouts(const SessionTimeouts& timeouts) {
    config_.timeouts = timeouts;
    for (VirtualService& each : config_.services) {
        each.timeouts = timeouts;
    }
}

Imported Draft::take() {
    for (current_ = 0; current_ < config_.services.size(); ++current_) {
        settle_checks();
    }
    config_.source_file = source_.path;
    // As the lines stand, the file's own before those of the files that it includes.
    std::ranges::stable_sort(remarks_, {}, [this](const Remark& remark) {
        const SourcePlace& place = remark.line.place;
        return std::tuple{place.file != source_.path, place.file, place.line};
    });
    return {std::move(config_), std::move(remarks_)};
}

}  // namespace fulcrum
