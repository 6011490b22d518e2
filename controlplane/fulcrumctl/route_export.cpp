// From words to a plan, from a plan to two languages.
#include "controlplane/fulcrumctl/route_export.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "config/wording.h"

namespace fulcrum {
namespace {

constexpr const char* bfd_interval_ms = "100";
constexpr const char* bfd_multiplier = "3";

std::optional<std::uint32_t> as_number(std::string_view text) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_whole = error == std::errc{} && end == text.data() + text.size();
    return is_whole && number != 0 ? std::optional{number} : std::nullopt;
}

Result<RoutePlan::Neighbour> neighbour_of(const Config& config, const std::string& text) {
    const std::size_t equals = text.find('=');
    const auto address = parse_ip_address(text.substr(0, equals));
    const auto as = equals == std::string::npos
                        ? std::nullopt
                        : as_number(std::string_view{text}.substr(equals + 1));
    if (!address || !as) {
        return Error{"--neighbour: " + in_quotes(text) +
                     " is not ADDRESS=AS, as in \"192.0.2.1=65000\""};
    }
    for (const NicPort& port : config.ports) {
        for (const IpPrefix& own : port.addresses) {
            if (own.contains(*address)) {
                return RoutePlan::Neighbour{*address, *as, own.address, port.name};
            }
        }
    }
    return Error{"--neighbour: " + to_string(*address) +
                 " is in the network of no port: a router that is told has to be on a port's link"};
}

std::string first_ipv4(const Config& config) {
    for (const NicPort& port : config.ports) {
        for (const IpPrefix& own : port.addresses) {
            if (own.address.is_v4()) {
                return to_string(own.address);
            }
        }
    }
    return {};
}

bool is_of_a_port(const Config& config, const IpAddress& address) {
    return std::ranges::any_of(config.ports, [&](const NicPort& port) {
        return std::ranges::find(port.addresses, address, &IpPrefix::address) !=
               port.addresses.end();
    });
}

void add(const Config& config, const IpPrefix& block, RoutePlan& plan) {
    if (block.is_single() && is_of_a_port(config, block.address)) {
        plan.left_out.push_back(block.address);
        return;
    }
    std::vector<IpPrefix>& blocks = block.address.is_v4() ? plan.blocks4 : plan.blocks6;
    if (std::ranges::find(blocks, block) == blocks.end()) {
        blocks.push_back(block);
    }
}

void add_blocks(const Config& config, RoutePlan& plan) {
    for (const VirtualService& service : config.services) {
        for (const Listener& listener : listeners_of(service)) {
            add(config, listener.vip, plan);
        }
    }
    for (const NicPort& port : config.ports) {
        for (const IpAddress& local : port.local_addresses) {
            if (port_of_network(config, local) == GroupsOfAddresses::none) {
                add(config, IpPrefix::only(local), plan);
            }
        }
    }
}

bool has_neighbour(const RoutePlan& plan, bool is_v4) {
    return std::ranges::any_of(plan.neighbours, [is_v4](const RoutePlan::Neighbour& neighbour) {
        return neighbour.address.is_v4() == is_v4;
    });
}

// Routes go to neighbours of their own version, which know the next hop.
bool announces(const RoutePlan& plan, bool is_v4) {
    return !(is_v4 ? plan.blocks4 : plan.blocks6).empty() && has_neighbour(plan, is_v4);
}

std::string joined(const std::vector<std::string>& parts, const std::string& between) {
    std::string text;
    for (const std::string& part : parts) {
        text += (text.empty() ? "" : between) + part;
    }
    return text;
}

std::string head(const RoutePlan& plan, const std::string& mark, const std::string& what) {
    std::string text = mark + " " + what + " beside a director: it announces the VIPs that the " +
                       "director's twins hold.\n" + mark +
                       " fulcrumctl standby takes them off the twins, and so the routes back.\n";
    for (const IpAddress& address : plan.left_out) {
        text += mark + " Not announced: " + to_string(address) +
                ", which is a port's own address and stays there.\n";
    }
    for (const bool is_v4 : {true, false}) {
        if (!(is_v4 ? plan.blocks4 : plan.blocks6).empty() && !has_neighbour(plan, is_v4)) {
            text += mark + " Not announced: what is of " + (is_v4 ? "IPv4" : "IPv6") +
                    ", as no neighbour is.\n";
        }
    }
    return text + "\n";
}

// --- BIRD --------------------------------------------------------------------------------------

std::string bird_filter(const std::string& name, const std::vector<IpPrefix>& blocks,
                        const std::string& length) {
    std::vector<std::string> nets;
    for (const IpPrefix& block : blocks) {
        nets.push_back(to_string(block) +
                       (block.is_single() ? "" : "{" + length + "," + length + "}"));
    }
    return "filter " + name + " {\n    if net ~ [ " + joined(nets, ",\n                 ") +
           " ] then accept;\n    reject;\n}\n\n";
}

std::string bird_channel(const std::string& version) {
    return "    " + version + " { import none; export filter vips_of_" + version +
           "; next hop self; };\n";
}

}  // namespace

Result<RoutePlan> plan_routes(const Config& config, const RouteWords& words) {
    if (words.as == 0) {
        return Error{
            "--as is missing: the number of the autonomous system that the director is "
            "in, as in --as 65001"};
    }
    if (words.neighbours.empty()) {
        return Error{
            "--neighbour is missing: the router that is told, and its autonomous system, "
            "as in --neighbour 192.0.2.1=65000"};
    }
    RoutePlan plan{.as = words.as, .router_id = words.router_id};
    const auto said = parse_ip_address(words.router_id);
    if (!words.router_id.empty() && !(said && said->is_v4())) {
        return Error{"--router-id: " + in_quotes(words.router_id) +
                     " is not an IPv4 address, as in \"192.0.2.2\""};
    }
    if (plan.router_id.empty()) {
        plan.router_id = first_ipv4(config);
    }
    if (plan.router_id.empty()) {
        return Error{"--router-id is missing: no port has an IPv4 address that could be it"};
    }
    for (const std::string& text : words.neighbours) {
        Result<RoutePlan::Neighbour> neighbour = neighbour_of(config, text);
        if (!neighbour) {
            return neighbour.error();
        }
        plan.neighbours.push_back(std::move(*neighbour));
    }
    for (const NicPort& port : config.ports) {
        plan.ports.push_back(port.name);
    }
    add_blocks(config, plan);
    if (plan.blocks4.empty() && plan.blocks6.empty()) {
        return Error{"there is no VIP to announce"};
    }
    for (const RoutePlan::Neighbour& neighbour : plan.neighbours) {
        if ((neighbour.address.is_v4() ? plan.blocks4 : plan.blocks6).empty()) {
            return Error{"--neighbour: there is nothing to tell " + to_string(neighbour.address) +
                         " of, as no VIP is of its IP version"};
        }
    }
    return plan;
}

std::string bird_text(const RoutePlan& plan) {
    const bool has_v4 = announces(plan, true);
    const bool has_v6 = announces(plan, false);
    std::vector<std::string> twins;
    for (const std::string& port : plan.ports) {
        twins.push_back(in_quotes(port));
    }
    std::string text = head(plan, "#", "BIRD 2") + "router id " + plan.router_id + ";\n" +
                       "log syslog all;\n\n" + "protocol device { scan time 1; }\n\n" +
                       "protocol direct twins {\n" + (has_v4 ? "    ipv4;\n" : "") +
                       (has_v6 ? "    ipv6;\n" : "") + "    interface " + joined(twins, ", ") +
                       ";\n    check link yes;\n}\n\n" + "protocol bfd {\n    interface " +
                       joined(twins, ", ") + " { interval " + bfd_interval_ms + " ms; multiplier " +
                       bfd_multiplier + "; };\n}\n\n";
    text += has_v4 ? bird_filter("vips_of_ipv4", plan.blocks4, "32") : "";
    text += has_v6 ? bird_filter("vips_of_ipv6", plan.blocks6, "128") : "";
    for (std::size_t i = 0; i < plan.neighbours.size(); ++i) {
        const RoutePlan::Neighbour& neighbour = plan.neighbours[i];
        text += "protocol bgp router" + std::to_string(i + 1) + " {\n    local " +
                to_string(neighbour.local) + " as " + std::to_string(plan.as) + ";\n    neighbor " +
                to_string(neighbour.address) + " as " + std::to_string(neighbour.as) +
                ";\n    direct;\n    bfd on;\n" +
                "    graceful restart off;\n    connect retry time 5;\n" +
                "    error wait time 1, 5;\n" +
                bird_channel(neighbour.address.is_v4() ? "ipv4" : "ipv6") + "}\n\n";
    }
    text.pop_back();
    return text;
}

// --- FRR ---------------------------------------------------------------------------------------

namespace {

std::string frr_lists(const RoutePlan& plan) {
    std::string text;
    for (const bool is_v4 : {true, false}) {
        if (!announces(plan, is_v4)) {
            continue;
        }
        const std::string ip = is_v4 ? "ip" : "ipv6";
        const std::string name = is_v4 ? "vips-of-ipv4" : "vips-of-ipv6";
        const std::string length = is_v4 ? "32" : "128";
        const std::vector<IpPrefix>& blocks = is_v4 ? plan.blocks4 : plan.blocks6;
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            text += ip + " prefix-list " + name + " seq " + std::to_string(5 * (i + 1)) +
                    " permit " + to_string(blocks[i]) +
                    (blocks[i].is_single() ? "" : " ge " + length) + "\n";
        }
        text += "route-map " + name + " permit 10\n match " + ip + " address prefix-list " + name +
                "\nexit\n";
    }
    return text + "route-map nothing deny 10\nexit\n!\n";
}

std::string frr_family(const RoutePlan& plan, bool is_v4) {
    if (!announces(plan, is_v4)) {
        return {};
    }
    const std::string name = is_v4 ? "vips-of-ipv4" : "vips-of-ipv6";
    std::string text = std::string{" address-family "} + (is_v4 ? "ipv4" : "ipv6") +
                       " unicast\n  redistribute connected route-map " + name + "\n";
    for (const RoutePlan::Neighbour& neighbour : plan.neighbours) {
        if (neighbour.address.is_v4() != is_v4) {
            continue;
        }
        const std::string line = "  neighbor " + to_string(neighbour.address) + " ";
        text += line + "activate\n" + line + "next-hop-self\n" + line + "route-map " + name +
                " out\n" + line + "route-map nothing in\n";
    }
    return text + " exit-address-family\n";
}

}  // namespace

std::string frr_text(const RoutePlan& plan) {
    std::string text = head(plan, "!", "FRR (zebra, bgpd, bfdd)") + "frr defaults datacenter\n!\n" +
                       "bfd\n profile director\n  detect-multiplier " + bfd_multiplier +
                       "\n  receive-interval " + bfd_interval_ms + "\n  transmit-interval " +
                       bfd_interval_ms + "\n exit\nexit\n!\n" + frr_lists(plan) + "router bgp " +
                       std::to_string(plan.as) + "\n bgp router-id " + plan.router_id +
                       "\n no bgp default ipv4-unicast\n";
    for (const RoutePlan::Neighbour& neighbour : plan.neighbours) {
        const std::string line = " neighbor " + to_string(neighbour.address) + " ";
        text += line + "remote-as " + std::to_string(neighbour.as) + "\n" + line +
                "update-source " + to_string(neighbour.local) + "\n" + line +
                "bfd profile director\n";
    }
    return text + " !\n" + frr_family(plan, true) + frr_family(plan, false) + "exit\n";
}

}  // namespace fulcrum
