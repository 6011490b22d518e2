// Numbers that ipvsadm has defaults for are always said: what is left out would stay as it was.
#include "controlplane/ipvsadm/operations.h"

#include <algorithm>
#include <array>
#include <vector>

#include "config/model/service.h"

namespace fulcrum {
namespace {

std::string forward_of(const Invocation& asked) {
    switch (asked.forwarding) {
        case Forwarding::route:
            // Who is here needs no route.
            return asked.real.address.is_loopback() ? "nat" : "direct";
        case Forwarding::masquerade:
            return "nat";
        case Forwarding::full_nat:
            return "fullnat";
        case Forwarding::tunnel:
            break;
    }
    return asked.tunnel == TunnelType::ipip  ? "ipip"
           : asked.tunnel == TunnelType::gue ? "gue"
                                             : "gre";
}

// Without address translation the real listens on the service's port, whatever was said.
std::uint16_t real_port_of(const Invocation& asked) {
    const bool rewrites_ports =
        asked.forwarding == Forwarding::masquerade || asked.forwarding == Forwarding::full_nat;
    const bool is_made = asked.verb == Verb::add_server || asked.verb == Verb::edit_server;
    if (!is_made || rewrites_ports) {
        return asked.real.port.host();
    }
    return asked.service.mark != 0 ? std::uint16_t{0} : asked.service.port;
}

Json affinity_of(const Invocation& asked) {
    if (asked.persistent_s == 0) {
        return nullptr;
    }
    const bool is_ipv6 = asked.service.is_ipv6();
    const unsigned single = is_ipv6 ? 128 : 32;
    return {{"timeout", std::to_string(asked.persistent_s) + "s"},
            {is_ipv6 ? "prefix6" : "prefix",
             asked.netmask_length ? unsigned{*asked.netmask_length} : single}};
}

Json service_keys(const Invocation& asked) {
    Json keys;
    keys["scheduler"] = asked.scheduler;
    keys["scheduler_flags"] = Json::array();
    if (asked.falls_back) {
        keys["scheduler_flags"].push_back("fallback");
    }
    if (asked.uses_port) {
        keys["scheduler_flags"].push_back("port");
    }
    keys["one_packet"] = asked.has(Option::ops);
    if (asked.persistent_s != 0 || asked.verb == Verb::edit_service) {
        keys["affinity"] = affinity_of(asked);
    }
    return keys;
}

Json server_keys(const Invocation& asked) {
    Json keys;
    keys["weight"] = asked.weight;
    keys["forward"] = forward_of(asked);
    const bool is_gue = keys["forward"] == "gue";
    keys["tunnel_port"] = is_gue ? asked.tunnel_port : TunnelOptions{}.port.host();
    keys["tunnel_checksum"] = asked.has(Option::tun_csum);
    if (asked.upper != 0) {
        keys["connections"]["upper"] = asked.upper;
        if (asked.lower != 0) {
            keys["connections"]["lower"] = asked.lower;
        }
    } else if (asked.verb == Verb::edit_server) {
        keys["connections"] = nullptr;
    }
    return keys;
}

}  // namespace

Json selector_of(const ServiceAt& service) {
    if (service.mark != 0) {
        return {{service.is_ipv6_mark ? "mark6" : "mark", service.mark}};
    }
    Json selector{{"protocol", to_string(service.protocol)}, {"vip", to_string(service.vip)}};
    selector["port"] = service.port == 0 ? Json("any") : Json(service.port);
    return selector;
}

Json operation_of(const Invocation& asked) {
    Json operation;
    const Json service = selector_of(asked.service);
    const std::uint16_t port = real_port_of(asked);
    const Json real{{"address", to_string(asked.real.address)}, {"port", port}};
    switch (asked.verb) {
        case Verb::add_service:
            operation = {{"operation", "add-service"}, {"set", service}};
            operation["set"].update(service_keys(asked));
            operation["set"]["check"] = {{"type", "none"}};
            return operation;
        case Verb::edit_service:
            return {{"operation", "change-service"},
                    {"service", service},
                    {"set", service_keys(asked)}};
        case Verb::delete_service:
            return {{"operation", "remove-service"}, {"service", service}};
        case Verb::flush:
            return {{"operation", "remove-services"}};
        case Verb::add_server:
            operation = {{"operation", "add-real"}, {"service", service}};
            operation["set"] = {{"address", real["address"]}};
            if (port != 0) {
                operation["set"]["port"] = port;
            }
            operation["set"].update(server_keys(asked));
            return operation;
        case Verb::edit_server:
            return {{"operation", "change-real"},
                    {"service", service},
                    {"real", real},
                    {"set", server_keys(asked)}};
        case Verb::delete_server:
            return {{"operation", "remove-real"}, {"service", service}, {"real", real}};
        case Verb::set_timeouts: {
            operation = {{"operation", "change-timeouts"}, {"set", Json::object()}};
            constexpr std::array keys{"tcp_established", "tcp_half_closed", "udp"};
            for (std::size_t i = 0; i < keys.size(); ++i) {
                if (asked.timeouts_s[i] != 0) {
                    operation["set"][keys[i]] = std::to_string(asked.timeouts_s[i]) + "s";
                }
            }
            return operation;
        }
        default:
            return operation;
    }
}

std::string objection_to(const Invocation& asked) {
    constexpr std::array schedulers{"maglev", "rr", "wrr",  "lc",    "wlc", "sed", "nq",  "dh",
                                    "sh",     "mh", "lblc", "lblcr", "fo",  "ovf", "twos"};
    const bool is_known = std::ranges::find(schedulers, asked.scheduler) != schedulers.end();
    if (!is_known || asked.has(Option::pe)) {
        return "Scheduler or persistence engine not found";
    }
    if (asked.has_third_flag) {
        return "flag-3 means nothing to the schedulers here";
    }
    if (asked.lower > asked.upper) {
        return "Numerical result out of range";
    }
    return asked.has(Option::tun_remcsum)
               ? "there is no remote checksum offload here: use --tun-csum or --tun-nocsum"
               : "";
}

Complaint complaint_of(Verb verb, const Json& error) {
    const std::string code = error.value("code", std::string{});
    const bool is_of_server =
        verb == Verb::add_server || verb == Verb::edit_server || verb == Verb::delete_server;
    if (code == "service_exists") {
        return {"Service already exists", 255};
    }
    if (code == "unknown_service") {
        return {is_of_server ? "Service not defined" : "No such service", 255};
    }
    if (code == "real_exists") {
        return {"Destination already exists", 255};
    }
    if (code == "unknown_real") {
        return {"No such destination", 255};
    }
    std::string text = error.value("sentence", std::string{"the director refuses"});
    for (const std::string& problem : error.value("problems", std::vector<std::string>{})) {
        text += "\n" + problem;
    }
    return {text, 255};
}

}  // namespace fulcrum
