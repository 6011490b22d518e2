// Services in the configuration's order, reals in theirs, removed ones left out.
#include "controlplane/table_report.h"

#include <algorithm>
#include <cmath>

#include "controlplane/edit_words.h"

namespace fulcrum {
namespace {

Json report_totals(const TallyTotals& totals) {
    return {{"sessions_opened", totals.sessions_opened},
            {"in_packets", totals.in_packets},
            {"out_packets", totals.out_packets},
            {"in_bytes", totals.in_bytes},
            {"out_bytes", totals.out_bytes}};
}

Json report_rate(const Rate& rate) {
    const auto whole = [](double each) { return static_cast<std::uint64_t>(std::llround(each)); };
    return {{"sessions_opened", whole(rate.sessions)},
            {"in_packets", whole(rate.in_packets)},
            {"out_packets", whole(rate.out_packets)},
            {"in_bytes", whole(rate.in_bytes)},
            {"out_bytes", whole(rate.out_bytes)}};
}

bool is_of_director(const IpAddress& address, const Config& config) {
    return address.is_loopback() || std::ranges::any_of(config.ports, [&](const NicPort& port) {
               return std::ranges::any_of(
                   port.addresses, [&](const IpPrefix& own) { return own.address == address; });
           });
}

Json report_real(const ListedReal& listed, const RealServer& asked, const TableSources& sources) {
    Json json;
    json["name"] = listed.name;
    json["address"] = to_string(asked.endpoint.address);
    json["port"] = asked.endpoint.port.host();
    json["forward"] = to_string(asked.forward);
    json["is_local"] = is_of_director(asked.endpoint.address, sources.config);
    json["is_fallback"] = listed.is_fallback;
    json["weight"] = listed.weight;
    json["weight_configured"] = asked.weight;
    json["tunnel_port"] = asked.tunnel.port.host();
    json["tunnel_checksum"] = asked.tunnel.has_checksum;
    json["upper"] = asked.connections.upper;
    json["lower"] = asked.connections.lower;
    const TallyTotals totals = listed.shown(sources.boards);
    json["sessions"] = totals.sessions_live;
    json["sessions_active"] = totals.sessions_active;
    json["totals"] = report_totals(totals);
    json["rates"] = report_rate(sources.rates.of(listed));
    return json;
}

Json report_listeners(const VirtualService& service) {
    Json rows = Json::array();
    std::vector<Listener> listeners = listeners_of(service);
    listeners.resize(listeners.size() - service.marked.size());
    for (const Listener& listener : listeners) {
        rows.push_back({{"vip", listener.vip.is_single() ? to_string(listener.vip.address)
                                                         : to_string(listener.vip)},
                        {"protocol", to_string(listener.protocol)},
                        {"port", listener.ports.is_any()      ? Json(0)
                                 : listener.ports.is_single() ? Json(listener.ports.first)
                                                              : Json(to_string(listener.ports))}});
    }
    return rows;
}

// Whether it differs from one that has nothing but what ipvsadm can say.
bool has_more(const VirtualService& asked, const Config& config) {
    VirtualService plain{.vip = asked.vip,
                         .port = asked.port,
                         .protocol = asked.protocol,
                         .listen = asked.listen,
                         .mark = asked.mark,
                         .mark6 = asked.mark6,
                         .marked = asked.marked,
                         .scheduler = asked.scheduler,
                         .scheduler_flags = asked.scheduler_flags,
                         .one_packet = asked.one_packet,
                         .timeouts = config.timeouts};
    plain.name = name_for_service(plain);
    plain.check.type = CheckType::none;
    if (asked.affinity) {
        plain.affinity = Affinity{.timeout_s = asked.affinity->timeout_s,
                                  .prefix = asked.affinity->prefix,
                                  .prefix6 = asked.affinity->prefix6};
    }
    for (const RealServer& real : asked.reals) {
        plain.reals.push_back(real);
        plain.reals.back().name = name_for_real(real.endpoint);
    }
    return asked != plain;
}

Json report_service(const ListedService& listed, const VirtualService& asked,
                    const TableSources& sources) {
    Json json;
    json["name"] = asked.name;
    json["listeners"] = report_listeners(asked);
    json["mark"] = asked.mark;
    json["mark6"] = asked.mark6;
    json["scheduler"] = to_string(asked.scheduler);
    json["falls_back"] = asked.scheduler_flags.fallback;
    json["uses_port"] = asked.scheduler_flags.port;
    json["affinity_s"] = asked.affinity ? asked.affinity->timeout_s : 0;
    json["prefix"] = asked.affinity ? asked.affinity->prefix : 32;
    json["prefix6"] = asked.affinity ? asked.affinity->prefix6 : 128;
    json["one_packet"] = asked.one_packet;
    json["has_more"] = has_more(asked, sources.config);
    json["totals"] = report_totals(listed.shown(sources.boards));
    json["rates"] = report_rate(sources.rates.of(listed));
    json["reals"] = Json::array();
    for (std::size_t i = 0; i < listed.reals.size(); ++i) {
        const ListedReal& real = listed.reals[i];
        if (i < asked.reals.size()) {
            json["reals"].push_back(report_real(real, asked.reals[i], sources));
        } else if (real.is_fallback && asked.fallback) {
            json["reals"].push_back(report_real(real, *asked.fallback, sources));
        }
    }
    return json;
}

}  // namespace

Json report_table(const TableSources& sources) {
    const SessionTimeouts& timeouts = sources.config.timeouts;
    Json report;
    report["timeouts_s"] = {timeouts.tcp_established_s, timeouts.tcp_half_closed_s, timeouts.udp_s};
    report["services"] = Json::array();
    const auto& services = sources.config.services;
    for (std::size_t i = 0; i < services.size() && i < sources.listing.services.size(); ++i) {
        report["services"].push_back(
            report_service(sources.listing.services[i], services[i], sources));
    }
    return report;
}

}  // namespace fulcrum
