// Services and reals are matched by name, because names are what the ring, the operator and the
// metrics know them by. Each kind of value has its words here once.
#include "controlplane/config_diff.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

#include "config/value_type.h"
#include "controlplane/roles/role_diff.h"

namespace fulcrum {
namespace {

template <typename T>
std::unordered_map<std::string_view, const T*> by_name(const std::vector<T>& things) {
    std::unordered_map<std::string_view, const T*> map;
    map.reserve(things.size());
    for (const T& thing : things) {
        map.emplace(thing.name, &thing);
    }
    return map;
}

std::string in_seconds(std::uint32_t seconds) { return std::to_string(seconds) + " s"; }
std::string in_words(bool yes, std::string_view if_so, std::string_view if_not) {
    return std::string{yes ? if_so : if_not};
}
// "203.0.113.80:80/tcp, 203.0.113.80:443/tcp"
std::string endpoint_of(const VirtualService& service) {
    std::string text;
    for (const Listener& listener : listeners_of(service)) {
        text.append(text.empty() ? "" : ", ").append(to_string(listener));
    }
    return text;
}
std::string bind_of(const VirtualService& service) {
    std::string text;
    for (const std::string& port : service.bind) {
        text.append(text.empty() ? "" : ", ").append(port);
    }
    return text.empty() ? "any port" : text;
}
std::string endpoint_of(const RealServer& real) {
    return real.endpoint.port.host() != 0
               ? to_string(real.endpoint)
               : to_string(real.endpoint.address) + " on the client's port";
}
std::string description_of(const RealServer& real) {
    return endpoint_of(real) + ", weight " + std::to_string(real.weight) + ", " +
           std::string{to_string(real.forward)} +
           (real.client_address == ClientAddressBy::none
                ? ""
                : ", client_address " + std::string{to_string(real.client_address)});
}

std::string limits_of(const RealServer& real) {
    const ConnectionLimits limits = real.connections;
    return limits.upper == 0
               ? "unlimited"
               : "upper " + std::to_string(limits.upper) + " lower " + std::to_string(limits.lower);
}
std::string flags_of(const VirtualService& service) {
    const SchedulerFlags flags = service.scheduler_flags;
    const std::string words =
        std::string{flags.fallback ? " fallback" : ""} + (flags.port ? " port" : "");
    return words.empty() ? "none" : words.substr(1);
}
std::string prefixes_of(const VirtualService& service) {
    const auto& rules = service.access.rules;
    return rules == nullptr ? "no prefixes"
                            : std::to_string(rules->allow.size()) + " and " +
                                  std::to_string(rules->deny.size()) + " prefixes";
}

std::string limits_of(const RateLimits& limits) {
    std::string text;
    for (const auto& [name, per_s] :
         {std::pair{"client_sessions_per_s", limits.client_sessions_per_s},
          {"client_packets_per_s", limits.client_packets_per_s},
          {"sessions_per_s", limits.sessions_per_s},
          {"packets_per_s", limits.packets_per_s}}) {
        if (per_s != 0) {
            text.append(name).append(" ").append(std::to_string(per_s)).append(", ");
        }
    }
    return text.empty() ? "none"
                        : text + "prefix " + std::to_string(limits.prefix) + ", prefix6 " +
                              std::to_string(limits.prefix6);
}

std::string affinity_of(const VirtualService& service) {
    return service.affinity ? "of " + in_seconds(service.affinity->timeout_s) + ", prefix " +
                                  std::to_string(service.affinity->prefix) + ", prefix6 " +
                                  std::to_string(service.affinity->prefix6) + ", on_drain " +
                                  std::string{to_string(service.affinity->on_drain)}
                            : "none";
}

std::string marks_of(const VirtualService& service) {
    std::string text = service.mark == 0 ? "" : std::to_string(service.mark);
    if (service.mark6 != 0) {
        text.append(text.empty() ? "" : ", ")
            .append(std::to_string(service.mark6))
            .append(" of IPv6");
    }
    return text.empty() ? "none" : text;
}

std::string length_of(std::chrono::milliseconds length) {
    return length.count() == 0 ? "never" : describe_duration(length.count());
}

// Sentences about one thing, which is named at the head of each.
class Account {
  public:
    Account(std::string subject, std::vector<std::string>& sentences)
        : subject_{std::move(subject)}, sentences_{sentences} {}

    void say(const std::string& words) { sentences_.push_back(subject_ + ": " + words); }
    void say_change(std::string_view what, const std::string& before, const std::string& after) {
        if (before != after) {
            say(std::string{what} + " " + before + " becomes " + after);
        }
    }

  private:
    std::string subject_;
    std::vector<std::string>& sentences_;
};

void compare_real(const std::string& subject, const RealServer& before, const RealServer& after,
                  std::vector<std::string>& changes) {
    Account account{subject, changes};
    account.say_change("address", endpoint_of(before), endpoint_of(after));
    account.say_change("weight", std::to_string(before.weight), std::to_string(after.weight));
    account.say_change("forward", std::string{to_string(before.forward)},
                       std::string{to_string(after.forward)});
    account.say_change("client_address", std::string{to_string(before.client_address)},
                       std::string{to_string(after.client_address)});
    account.say_change("connections", limits_of(before), limits_of(after));
    account.say_change("tunnel_port", std::to_string(before.tunnel.port.host()),
                       std::to_string(after.tunnel.port.host()));
    account.say_change("tunnel_checksum", in_words(before.tunnel.has_checksum, "true", "false"),
                       in_words(after.tunnel.has_checksum, "true", "false"));
}

void compare_fallback(const VirtualService& before, const VirtualService& after,
                      std::vector<std::string>& changes) {
    const std::string subject = "service \"" + after.name + "\": fallback";
    if (before.fallback && after.fallback) {
        Account{subject, changes}.say_change("name", before.fallback->name, after.fallback->name);
        compare_real(subject, *before.fallback, *after.fallback, changes);
    } else if (after.fallback) {
        changes.push_back(subject + " added (" + description_of(*after.fallback) + ")");
    } else if (before.fallback) {
        changes.push_back(subject + " removed");
    }
}

void compare_reals(const VirtualService& before, const VirtualService& after,
                   std::vector<std::string>& changes) {
    const auto subject_of = [&](const RealServer& real) {
        return "service \"" + after.name + "\": real \"" + real.name + "\"";
    };
    const auto reals_before = by_name(before.reals);
    for (const RealServer& real : after.reals) {
        const auto found = reals_before.find(real.name);
        if (found == reals_before.end()) {
            changes.push_back(subject_of(real) + " added (" + description_of(real) + ")");
        } else {
            compare_real(subject_of(real), *found->second, real, changes);
            if (found->second->checks != real.checks) {
                changes.push_back(
                    subject_of(real) + ": " +
                    (real.checks.empty() ? "its own checks removed" : "its own checks changed"));
            }
        }
    }
    const auto reals_after = by_name(after.reals);
    for (const RealServer& real : before.reals) {
        if (!reals_after.contains(real.name)) {
            changes.push_back(subject_of(real) + " removed; its sessions live on");
        }
    }
}

void compare_timeouts(const SessionTimeouts& before, const SessionTimeouts& after,
                      Account& account) {
    const auto say = [&](std::string_view what, std::uint32_t SessionTimeouts::*timeout) {
        account.say_change("timeouts." + std::string{what}, in_seconds(before.*timeout),
                           in_seconds(after.*timeout));
    };
    say("tcp_handshake", &SessionTimeouts::tcp_handshake_s);
    say("tcp_established", &SessionTimeouts::tcp_established_s);
    say("tcp_half_closed", &SessionTimeouts::tcp_half_closed_s);
    say("tcp_closed", &SessionTimeouts::tcp_closed_s);
    say("udp_one_way", &SessionTimeouts::udp_one_way_s);
    say("udp", &SessionTimeouts::udp_s);
    say("sctp_handshake", &SessionTimeouts::sctp_handshake_s);
    say("sctp_established", &SessionTimeouts::sctp_established_s);
    say("sctp_shutdown", &SessionTimeouts::sctp_shutdown_s);
    say("sctp_closed", &SessionTimeouts::sctp_closed_s);
}

std::string lines_of(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        text += (text.empty() ? "\"" : ", \"") + line + "\"";
    }
    return "[" + text + "]";
}

std::string initial_word(InitialHealth initial) {
    return initial == InitialHealth::inherit ? "inherit"
           : initial == InitialHealth::up    ? "up"
                                             : "down";
}

void compare_checks(const Check& before, const Check& after, Account& account) {
    const auto say_text = [&](std::string_view what, std::string Check::*text) {
        account.say_change(what, "\"" + before.*text + "\"", "\"" + after.*text + "\"");
    };
    const auto say_duration = [&](std::string_view what, std::chrono::milliseconds Check::*span) {
        account.say_change(what, std::to_string((before.*span).count()) + " ms",
                           std::to_string((after.*span).count()) + " ms");
    };
    account.say_change("check.type", std::string{to_string(before.type)},
                       std::string{to_string(after.type)});
    say_text("check.path", &Check::path);
    say_text("check.host", &Check::host);
    say_text("check.method", &Check::method);
    account.say_change("check.headers", lines_of(before.headers), lines_of(after.headers));
    account.say_change("check.http2", in_words(before.http2, "true", "false"),
                       in_words(after.http2, "true", "false"));
    say_text("check.send", &Check::send);
    say_text("check.expect", &Check::expect);
    say_text("check.match", &Check::match);
    account.say_change("check.status", to_string(before.status), to_string(after.status));
    account.say_change("check.starttls", in_words(before.starttls, "true", "false"),
                       in_words(after.starttls, "true", "false"));
    account.say_change("check.verify", in_words(before.verify, "true", "false"),
                       in_words(after.verify, "true", "false"));
    say_text("check.ca_file", &Check::ca_file);
    say_text("check.login", &Check::login);
    if (before.password != after.password) {
        account.say("check.password changed");
    }
    say_text("check.database", &Check::database);
    if (before.secret != after.secret) {
        account.say("check.secret changed");
    }
    say_text("check.query", &Check::query);
    account.say_change("check.record", before.record, after.record);
    account.say_change("check.command", lines_of(before.command), lines_of(after.command));
    account.say_change("check.exit_weight", in_words(before.exit_weight, "true", "false"),
                       in_words(after.exit_weight, "true", "false"));
    account.say_change("check.port", std::to_string(before.port), std::to_string(after.port));
    say_duration("check.interval", &Check::interval);
    say_duration("check.timeout", &Check::timeout);
    account.say_change("check.rise", std::to_string(before.rise), std::to_string(after.rise));
    account.say_change("check.initial", initial_word(before.initial), initial_word(after.initial));
    account.say_change("check.fall", std::to_string(before.fall), std::to_string(after.fall));
    account.say_change("check.passive", in_words(before.passive, "true", "false"),
                       in_words(after.passive, "true", "false"));
}

std::string mail_to_of(const VirtualService& service) {
    std::string text;
    for (const std::string& address : service.mail_to) {
        text.append(text.empty() ? "" : ", ").append(address);
    }
    return text.empty() ? "mail.to" : text;
}

void compare_services(const VirtualService& before, const VirtualService& after,
                      std::vector<std::string>& changes) {
    Account account{"service \"" + after.name + "\"", changes};
    account.say_change("enabled", in_words(before.enabled, "true", "false"),
                       in_words(after.enabled, "true", "false"));
    account.say_change("VIP", endpoint_of(before), endpoint_of(after));
    account.say_change("mail_to", mail_to_of(before), mail_to_of(after));
    account.say_change("mark", marks_of(before), marks_of(after));
    account.say_change("bind", bind_of(before), bind_of(after));
    account.say_change("scheduler", std::string{to_string(before.scheduler)},
                       std::string{to_string(after.scheduler)});
    account.say_change("scheduler_flags", flags_of(before), flags_of(after));
    account.say_change("affinity", affinity_of(before), affinity_of(after));
    account.say_change("ring_size", std::to_string(before.ring_size),
                       std::to_string(after.ring_size));
    account.say_change("on_failure", std::string{to_string(before.on_failure)},
                       std::string{to_string(after.on_failure)});
    account.say_change("on_removal", std::string{to_string(before.on_removal)},
                       std::string{to_string(after.on_removal)});
    account.say_change("no_real", std::string{to_string(before.no_real)},
                       std::string{to_string(after.no_real)});
    account.say_change("quorum", std::to_string(before.quorum), std::to_string(after.quorum));
    account.say_change("hysteresis", std::to_string(before.hysteresis),
                       std::to_string(after.hysteresis));
    account.say_change("slow_start", in_seconds(before.slow_start_s),
                       in_seconds(after.slow_start_s));
    account.say_change("quiescent", in_words(before.quiescent, "true", "false"),
                       in_words(after.quiescent, "true", "false"));
    account.say_change("one_packet", in_words(before.one_packet, "true", "false"),
                       in_words(after.one_packet, "true", "false"));
    account.say_change("mss_max", std::to_string(before.mss_max), std::to_string(after.mss_max));
    account.say_change("syn_cookies", std::string{to_string(before.syn_cookies)},
                       std::string{to_string(after.syn_cookies)});
    if (before.access != after.access) {
        changes.push_back("service \"" + after.name + "\": allow and deny: " + prefixes_of(before) +
                          ", now " + prefixes_of(after));
    }
    account.say_change("limits", limits_of(before.limits), limits_of(after.limits));
    compare_timeouts(before.timeouts, after.timeouts, account);
    compare_checks(before.check, after.check, account);
    if (before.further_checks != after.further_checks) {
        account.say("checks changed: besides the first " +
                    std::to_string(before.further_checks.size()) + ", now " +
                    std::to_string(after.further_checks.size()));
    }
    compare_reals(before, after, changes);
    compare_fallback(before, after, changes);
}

void compare_all_services(const Config& before, const Config& after,
                          std::vector<std::string>& changes) {
    const auto services_before = by_name(before.services);
    for (const VirtualService& service : after.services) {
        const auto found = services_before.find(service.name);
        if (found == services_before.end()) {
            changes.push_back("service \"" + service.name + "\" added (" + endpoint_of(service) +
                              ", " + std::to_string(service.reals.size()) + " reals)");
        } else if (*found->second != service) {
            compare_services(*found->second, service, changes);
        }
    }
    const auto services_after = by_name(after.services);
    for (const VirtualService& service : before.services) {
        if (!services_after.contains(service.name)) {
            changes.push_back("service \"" + service.name + "\" removed (" + endpoint_of(service) +
                              "); its sessions end");
        }
    }
}

void compare_vips(const Config& before, const Config& after, std::vector<std::string>& changes) {
    using Policies = std::map<std::string, OtherTraffic>;
    const auto policies_of = [](const Config& config) {
        Policies policies;
        for (const VipPolicy& policy : config.vips) {
            policies.emplace(addresses_of(policy), policy.other);
        }
        return policies;
    };
    const auto other_at = [](const Policies& policies, const std::string& addresses) {
        const auto found = policies.find(addresses);
        const OtherTraffic other = found == policies.end() ? OtherTraffic::punt : found->second;
        return std::string{to_string(other)};
    };
    const Policies was = policies_of(before);
    const Policies is = policies_of(after);
    Policies all = was;
    all.insert(is.begin(), is.end());
    for (const auto& [addresses, other] : all) {
        Account{"vip " + addresses, changes}.say_change("other", other_at(was, addresses),
                                                        other_at(is, addresses));
    }
}

bool are_alike_but_for_local_addresses(std::vector<NicPort> before,
                                       const std::vector<NicPort>& after) {
    for (std::size_t i = 0; i < before.size() && i < after.size(); ++i) {
        before[i].local_addresses = after[i].local_addresses;
    }
    return before == after;
}

std::string local_addresses_of(const NicPort& port) {
    std::string text;
    for (const IpAddress& address : port.local_addresses) {
        text.append(text.empty() ? "" : ", ").append(to_string(address));
    }
    return text.empty() ? "none" : text;
}

// Of configurations whose ports are the same.
void compare_ports(const Config& before, const Config& after, std::vector<std::string>& changes) {
    for (std::size_t i = 0; i < before.ports.size() && i < after.ports.size(); ++i) {
        Account{"port \"" + after.ports[i].name + "\"", changes}.say_change(
            "local_addresses", local_addresses_of(before.ports[i]),
            local_addresses_of(after.ports[i]));
    }
}

void compare_telling(const Config& before, const Config& after, std::vector<std::string>& changes) {
    const auto say = [&](const std::string& name, const auto& was, const auto& is) {
        if (was != is) {
            changes.push_back(name + (!was ? " added" : !is ? " removed" : " changed"));
        }
    };
    say("mail", before.mail, after.mail);
    say("hook", before.hook, after.hook);
}

std::vector<std::string> keys_for_a_start(const Config& before, const Config& after) {
    std::vector<std::string> keys;
    const auto note = [&keys](std::string_view key, bool is_equal) {
        if (!is_equal) {
            keys.push_back(std::string{key} + " differs from the running one: restart fulcrumd " +
                           "to change it, or set it back");
        }
    };
    const Director& was = before.director;
    const Director& is = after.director;
    note("director.workers", was.workers == is.workers);
    note("director.sessions", was.sessions == is.sessions);
    if (sessions6_of(before) == 0 && !is.sessions6 && !was.sessions6 && sessions6_of(after) > 0) {
        keys.emplace_back(
            "the first service with an IPv6 VIP needs tables for its sessions, which are made at "
            "the start alone: write the service and director.sessions6 = " +
            std::to_string(sessions6_of(after)) +
            " into the file, and restart fulcrumd; with that key IPv6 services come and go "
            "without a restart");
    } else {
        note("director.sessions6 (by default as many as sessions, once a service has an IPv6 VIP)",
             sessions6_of(before) == sessions6_of(after));
    }
    note("director.affinity_clients", was.affinity_clients == is.affinity_clients);
    note("director.seed", was.seed == is.seed);
    note("director.idle", was.idle == is.idle);
    note("director.memory", was.memory == is.memory);
    note("director.session_file", was.session_file == is.session_file);
    note("ports", are_alike_but_for_local_addresses(before.ports, after.ports));
    note("metrics", before.metrics == after.metrics);
    note("control", before.control == after.control);
    note("log", before.log == after.log);
    note("groups (their names, ids, versions and paths)", have_equal_elections(before, after));
    note("pair", before.pair == after.pair);
    return keys;
}

}  // namespace

ConfigDiff compare(const Config& before, const Config& after) {
    ConfigDiff diff;
    diff.restart_needed = keys_for_a_start(before, after);
    Account{"director", diff.changes}.say_change("name", before.director.name, after.director.name);
    Account{"director", diff.changes}.say_change("maintenance", before.director.maintenance,
                                                 after.director.maintenance);
    Account reload{"reload", diff.changes};
    reload.say_change("watch", length_of(before.reload.watch), length_of(after.reload.watch));
    reload.say_change("rollback_within", length_of(before.reload.rollback_within),
                      length_of(after.reload.rollback_within));
    compare_telling(before, after, diff.changes);
    compare_vips(before, after, diff.changes);
    compare_ports(before, after, diff.changes);
    compare_groups(before, after, diff.changes);
    Account general{"all services", diff.changes};
    compare_timeouts(before.timeouts, after.timeouts, general);
    compare_all_services(before, after, diff.changes);
    return diff;
}

KnownDiff know_diff(std::shared_ptr<const Config> before, const Config& after) {
    KnownDiff known{.before = std::move(before), .is_none = false, .diff = {}};
    known.is_none = *known.before == after;
    if (!known.is_none) {
        known.diff = compare(*known.before, after);
    }
    return known;
}

}  // namespace fulcrum
