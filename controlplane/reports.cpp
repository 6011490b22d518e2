// Listings to JSON, member by member.
#include "controlplane/reports.h"

#include <chrono>
#include <string_view>
#include <unordered_map>

namespace fulcrum {
namespace {

std::int64_t seconds(Duration length) {
    return std::chrono::duration_cast<std::chrono::seconds>(length).count();
}

// Under direct routing replies do not pass: nothing is known of them, and null is not zero.
void add_traffic(Json& json, const TallyTotals& totals, bool has_replies) {
    json["sessions"] = totals.sessions_live;
    json["sessions_opened"] = totals.sessions_opened;
    json["in_packets"] = totals.in_packets;
    json["in_bytes"] = totals.in_bytes;
    json["out_packets"] = has_replies ? Json(totals.out_packets) : Json(nullptr);
    json["out_bytes"] = has_replies ? Json(totals.out_bytes) : Json(nullptr);
}

Json report_real(const ListedService& service, const ListedReal& real, const Boards& boards,
                 Instant now) {
    Json json;
    json["service"] = service.name;
    json["name"] = real.name;
    json["address"] = to_string(real.endpoint.address);
    json["port"] = real.endpoint.port.host();
    json["forward"] = to_string(real.forward);
    json["weight"] = real.weight;
    json["weight_configured"] = real.weight_configured;
    json["state"] = to_string(real.state);
    add_traffic(json, real.totals(boards), real.forward == ForwardingMode::nat);
    json["check"] = real.check_sentence();
    json["since_s"] = seconds(now - real.since);
    return json;
}

// Names by what a session holds: the listener's index and the real's.
struct Names {
    std::string_view service;
    std::string_view real;
};
std::unordered_map<std::uint32_t, Names> names_of(const Listing& listing) {
    std::unordered_map<std::uint32_t, Names> names;
    for (const ListedService& service : listing.services) {
        for (const ListedReal& real : service.reals) {
            const std::uint32_t key = std::uint32_t{service.listener} << 16 | real.index;
            names[key] = {service.name, real.name};
        }
    }
    return names;
}

}  // namespace

Json report_services(const Listing& listing, const Boards& boards) {
    Json services = Json::array();
    for (const ListedService& service : listing.services) {
        Json json;
        json["name"] = service.name;
        json["vip"] = to_string(service.vip.address);
        json["port"] = service.vip.port.host();
        json["protocol"] = to_string(service.protocol);
        json["scheduler"] = to_string(service.scheduler);
        std::size_t real_count = 0;
        for (const ListedReal& real : service.reals) {
            real_count += real.is_fallback || real.state == RealState::removed ? 0U : 1U;
        }
        json["reals"] = real_count;
        json["reals_usable"] = service.usable_count;
        add_traffic(json, service.totals(boards), sees_replies(service));
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
            reals.push_back(report_real(listed, real, boards, now));
        }
    }
    Json report;
    report["reals"] = std::move(reals);
    return report;
}

Json report_sessions(const Listing& listing, const SessionsFound& found) {
    const auto names = names_of(listing);
    Json sessions = Json::array();
    for (const SessionRecord& session : found.sessions) {
        const auto named = names.find(std::uint32_t{session.listener} << 16 | session.real);
        const bool is_known = named != names.end();
        Json json;
        json["client"] = to_string(session.client);
        json["vip"] = to_string(session.vip);
        json["service"] = is_known ? Json(named->second.service) : Json(nullptr);
        json["real"] = is_known ? Json(named->second.real) : Json(nullptr);
        json["protocol"] = to_string(session.protocol);
        json["state"] = to_string(session.state);
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

}  // namespace fulcrum
