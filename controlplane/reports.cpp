// Listings to JSON, member by member.
#include "controlplane/reports.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <unordered_map>
#include <utility>

#include "config/model/schedule.h"

namespace fulcrum {
namespace {

std::int64_t seconds(Duration length) {
    return std::chrono::duration_cast<std::chrono::seconds>(length).count();
}

// Under direct routing replies do not pass: nothing is known of them, and null is not zero.
void add_traffic(Json& json, const TallyTotals& totals, bool has_replies) {
    json["sessions"] = totals.sessions_live;
    json["sessions_active"] = totals.sessions_active;
    json["sessions_opened"] = totals.sessions_opened;
    json["in_packets"] = totals.in_packets;
    json["in_bytes"] = totals.in_bytes;
    json["out_packets"] = has_replies ? Json(totals.out_packets) : Json(nullptr);
    json["out_bytes"] = has_replies ? Json(totals.out_bytes) : Json(nullptr);
}

// How far a drain has come. All its sessions are older than it is. When the last will end is
// guessed from how many have ended so far, as if they ended at random.
Json report_drain(const Drain& drain, std::uint64_t sessions_live, Instant now) {
    const double length_s = std::chrono::duration<double>(now - drain.since).count();
    Json json;
    json["since_s"] = seconds(now - drain.since);
    json["sessions_at_start"] = drain.sessions_at_start;
    json["oldest_age_s_min"] = sessions_live > 0 ? Json(seconds(now - drain.since)) : Json(nullptr);
    Json end_s = nullptr;
    if (sessions_live == 0) {
        end_s = 0;
    } else if (sessions_live < drain.sessions_at_start) {
        const auto left = static_cast<double>(sessions_live);
        const double decay = std::log(static_cast<double>(drain.sessions_at_start) / left);
        end_s = static_cast<std::int64_t>(length_s * std::log(left + 1) / decay);
    }
    if (drain.deadline) {
        const std::int64_t rest_s = std::max<std::int64_t>(0, seconds(*drain.deadline - now));
        json["deadline_in_s"] = rest_s;
        json["then"] = to_string(drain.then);
        const bool ends_them = drain.then != SessionPolicy::keep;
        if (ends_them && (end_s.is_null() || end_s.get<std::int64_t>() > rest_s)) {
            end_s = rest_s;
        }
    }
    json["estimated_end_in_s"] = std::move(end_s);
    return json;
}

Json report_real(const ListedService& service, const ListedReal& real, const Boards& boards,
                 Instant now) {
    Json json;
    json["service"] = service.name;
    json["name"] = real.name;
    json["address"] = to_string(real.endpoint.address);
    const std::uint16_t port = real.endpoint.port.host();
    json["port"] = port != 0 ? Json(port) : Json("any");  // the one that the client used
    json["forward"] = to_string(real.forward);
    json["client_address"] = to_string(real.client_address);
    json["path_mtu"] = real.path_mtu == 0 ? Json(nullptr) : Json(real.path_mtu);
    json["weight"] = real.weight;
    json["weight_configured"] = real.weight_configured;
    json["connections_upper"] =
        real.connections.upper > 0 ? Json(real.connections.upper) : Json(nullptr);
    json["connections_lower"] =
        real.connections.upper > 0 ? Json(relieved_below(real.connections)) : Json(nullptr);
    json["state"] = to_string(real.state);
    add_traffic(json, real.shown(boards), !is_one_way(real.forward));
    json["check"] = real.check_sentence();
    if (real.checks != nullptr) {
        json["checks_hastened"] = real.checks->hastened.read();
    }
    json["since_s"] = seconds(now - real.since);
    if (real.admitted < 1) {
        json["admitted"] = real.admitted;  // while it starts slowly
    }
    if (real.drain) {
        json["drain"] = report_drain(*real.drain, real.shown(boards).sessions_live, now);
    }
    return json;
}

Json report_flags(SchedulerFlags flags) {
    Json json = Json::array();
    if (flags.fallback) {
        json.push_back("fallback");
    }
    if (flags.port) {
        json.push_back("port");
    }
    return json;
}

Json report_affinity_policy(const Affinity& affinity) {
    Json json;
    json["timeout_s"] = affinity.timeout_s;
    json["prefix"] = affinity.prefix;
    json["prefix6"] = affinity.prefix6;
    json["on_drain"] = to_string(affinity.on_drain);
    return json;
}

// Names by what a session holds: the listener's index and the real's.
class Names {
  public:
    explicit Names(const Listing& listing) {
        for (const ListedService& service : listing.services) {
            for (const std::uint16_t listener : service.listener_indexes) {
                services_[listener] = &service;
            }
            for (const ListedReal& real : service.reals) {
                reals_[{&service, real.index}] = &real;
            }
        }
    }
    // Null: the session is older than the listing, or newer.
    const ListedService* service_of(const SessionRecord& session) const {
        const auto found = services_.find(session.listener);
        return found == services_.end() ? nullptr : found->second;
    }
    const ListedReal* real_of(const SessionRecord& session) const {
        const auto found = reals_.find({service_of(session), session.real});
        return found == reals_.end() ? nullptr : found->second;
    }

  private:
    std::unordered_map<std::uint16_t, const ListedService*> services_;
    std::map<std::pair<const ListedService*, std::uint16_t>, const ListedReal*> reals_;
};

Json report_listener(const Listener& listener) {
    Json json;
    json["vip"] =
        listener.vip.is_single() ? to_string(listener.vip.address) : to_string(listener.vip);
    json["port"] =
        listener.ports.is_single() ? Json(listener.ports.first) : Json(to_string(listener.ports));
    json["protocol"] = to_string(listener.protocol);
    return json;
}

Json report_limits(const RateLimits& limits) {
    const auto rate = [](std::uint32_t per_s) { return per_s == 0 ? Json(nullptr) : Json(per_s); };
    Json json;
    json["client_sessions_per_s"] = rate(limits.client_sessions_per_s);
    json["client_packets_per_s"] = rate(limits.client_packets_per_s);
    json["sessions_per_s"] = rate(limits.sessions_per_s);
    json["packets_per_s"] = rate(limits.packets_per_s);
    json["prefix"] = limits.prefix;
    json["prefix6"] = limits.prefix6;
    return json;
}

// Those that there have been.
Json report_drops(const DropTotals& drops) {
    Json rows = Json::array();
    for (std::size_t reason = 0; reason < drops.size(); ++reason) {
        if (drops[reason] > 0) {
            const DropReasonText& text = text_of(static_cast<DropReason>(reason));
            rows.push_back(
                {{"reason", text.name}, {"packets", drops[reason]}, {"sentence", text.sentence}});
        }
    }
    return rows;
}

}  // namespace

Json report_services(const Listing& listing, const Boards& boards) {
    Json services = Json::array();
    for (const ListedService& service : listing.services) {
        Json json;
        json["name"] = service.name;
        if (service.listeners.empty()) {  // a mark without rules: it listens nowhere
            json["vip"] = json["port"] = json["protocol"] = nullptr;
        } else {
            json.update(report_listener(service.listeners.front()));
        }
        if (service.listeners.size() > 1) {
            json["listeners"] = Json::array();
            for (const Listener& listener : service.listeners) {
                json["listeners"].push_back(report_listener(listener));
            }
        }
        json["scheduler"] = to_string(service.scheduler);
        json["scheduler_flags"] = report_flags(service.scheduler_flags);
        json["affinity"] = service.affinity ? report_affinity_policy(*service.affinity) : nullptr;
        json["allow"] = service.allow_count;
        json["deny"] = service.deny_count;
        json["limits"] = service.limits.has_any() ? report_limits(service.limits) : nullptr;
        std::size_t real_count = 0;
        for (const ListedReal& real : service.reals) {
            real_count += real.is_fallback || real.state == RealState::removed ? 0U : 1U;
        }
        json["syn_cookies"] = {{"when", to_string(service.syn_cookies)},
                               {"sent", service.cookies_sent(boards)}};
        json["reals"] = real_count;
        json["reals_usable"] = service.usable_count;
        json["quorum"] = service.quorum;
        json["hysteresis"] = service.hysteresis;
        json["has_quorum"] = service.has_quorum;
        json["enabled"] = service.is_enabled;
        add_traffic(json, service.shown(boards), sees_replies(service));
        json["drops"] = report_drops(service.shown_drops(boards));
        services.push_back(std::move(json));
    }
    Json report;
    report["services"] = std::move(services);
    return report;
}

Json report_reals(const Listing& listing, const Boards& boards, const std::string& service,
                  Instant now) {
    Json reals = Json::array();
    for (const ListedService& listed : listing.services) {
        if (!service.empty() && listed.name != service) {
            continue;
        }
        for (const ListedReal& real : listed.reals) {
            if (!listed.is_quiescent && real.state == RealState::down) {
                continue;
            }
            reals.push_back(report_real(listed, real, boards, now));
        }
    }
    Json report;
    report["reals"] = std::move(reals);
    return report;
}

Json local_end_of(const SessionRecord& session) {
    return session.local.port.host() == 0 ? Json(nullptr) : Json(to_string(session.local));
}

Json report_sessions(const Listing& listing, const SessionsFound& found) {
    const Names names{listing};
    Json sessions = Json::array();
    for (const SessionRecord& session : found.sessions) {
        const ListedReal* const real = names.real_of(session);
        Json json;
        json["client"] = to_string(session.client);
        json["vip"] = to_string(session.vip);
        json["local"] = local_end_of(session);
        json["service"] = real != nullptr ? Json(names.service_of(session)->name) : Json(nullptr);
        json["real"] = real != nullptr ? Json(real->name) : Json(nullptr);
        json["protocol"] = to_string(session.protocol);
        json["state"] = to_string(session.state, session.protocol);
        json["idle_s"] = session.idle_s;
        json["timeout_s"] = session.timeout_s;
        json["worker"] = session.worker;
        sessions.push_back(std::move(json));
    }
    Json report;
    report["sessions"] = std::move(sessions);
    report["truncated"] = found.is_truncated;
    return report;
}

Json report_clients(const Listing& listing, const std::vector<ClientReport>& clients,
                    bool is_truncated) {
    std::unordered_map<std::uint32_t, const ListedService*> services;
    for (const ListedService& service : listing.services) {
        services[service.id] = &service;
    }
    Json rows = Json::array();
    for (const ClientReport& client : clients) {
        Json json;
        json["client"] = to_string(client.client);
        json["service"] = nullptr;
        json["real"] = nullptr;
        if (const auto found = services.find(client.service); found != services.end()) {
            const std::vector<ListedReal>& reals = found->second->reals;
            const auto real = std::ranges::find(reals, client.real, &ListedReal::index);
            json["service"] = found->second->name;
            json["real"] = real == reals.end() ? Json(nullptr) : Json(real->name);
        }
        json["sessions"] = client.sessions;
        json["remaining_s"] = client.remaining_s;
        json["confirmed"] = client.is_confirmed;
        json["worker"] = client.worker;
        rows.push_back(std::move(json));
    }
    Json report;
    report["clients"] = std::move(rows);
    report["truncated"] = is_truncated;
    return report;
}

void add_notes(const Listing& listing, std::vector<std::string>& sentences) {
    for (const ListedService& service : listing.services) {
        if (!service.is_enabled) {
            sentences.push_back("service \"" + service.name + "\" is disabled");
        }
        for (const ListedReal& real : service.reals) {
            if (real.path_mtu != 0) {
                sentences.push_back("real \"" + service.name + "/" + real.name +
                                    "\": a router on its way has said, within ten minutes, that " +
                                    std::to_string(real.path_mtu) +
                                    " octets are all that passes there");
            }
        }
    }
}

}  // namespace fulcrum
