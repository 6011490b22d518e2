// What virtual servers refer to first; then each of them into a service. What nothing was made of
// shows in the end.
#include "config/import/keepalived.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "config/import/keepalived_checks.h"
#include "config/import/keepalived_file.h"
#include "config/import/keepalived_rest.h"
#include "config/model/checks_of.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

ForwardingMode nat_or(const std::string& kind) {
    return kind == "DR"    ? ForwardingMode::direct
           : kind == "TUN" ? ForwardingMode::ipip
                           : ForwardingMode::nat;
}

class KeepalivedImport {
  public:
    explicit KeepalivedImport(const ImportSource& source)
        : draft_{source}, root_{keepalived_tree_of(source, draft_)} {}

    Imported run();

  private:
    struct Way {
        ForwardingMode forward = ForwardingMode::nat;
        TunnelOptions tunnel;
    };

    void add_service(KeepalivedNode& server);
    bool listen(KeepalivedNode& server);
    void listen_as_entry(const KeepalivedNode& entry, L4Protocol protocol);
    void listen_on_range(const OldLine& line, const std::string& range, const Listener& like);
    void set_placing(KeepalivedNode& server);
    void set_scheduler(KeepalivedNode& said);
    void set_affinity(KeepalivedNode& server);
    Way way_of(KeepalivedNode* said, const Way& preset);
    void add_real(KeepalivedNode& real, const Way& way);
    void set_limits(KeepalivedNode& node, RealServer& real);
    void set_sorry_server(KeepalivedNode& server, const Way& way);
    void set_removal(KeepalivedNode& server, const std::vector<KeepalivedNode*>& reals);
    void set_quorum(KeepalivedNode& server);
    void set_globals(KeepalivedNode& globals);

    Draft draft_;
    KeepalivedNode root_;
    std::map<std::string, KeepalivedNode*> groups_;
    SessionTimeouts timeouts_;
};

Imported KeepalivedImport::run() {
    for (KeepalivedNode& each : root_.inner) {
        if (each.key() == "virtual_server_group") {
            groups_[each.value()] = &each;
        } else if (each.key() == "global_defs") {
            set_globals(each);
        }
    }
    for (KeepalivedNode& each : root_.inner) {
        if (each.key() == "virtual_server") {
            add_service(each);
        }
    }
    for (KeepalivedNode& each : root_.inner) {
        const std::string_view key = each.key();
        if (key == "virtual_server" || key == "global_defs") {
            continue;
        }
        if (!each.is_used) {
            tell_of_block(draft_, each);
        }
    }
    draft_.set_timeouts(timeouts_);
    return draft_.take();
}

// --- a virtual server --------------------------------------------------------------------------

void KeepalivedImport::add_service(KeepalivedNode& server) {
    if (!listen(server)) {
        for (const KeepalivedNode& each : server.inner) {
            lose(draft_, each, "its virtual server is not said");
        }
        return;
    }
    set_placing(server);
    const Way way = way_of(server.find_either("lb_kind", "lvs_method"), {});
    std::vector<KeepalivedNode*> reals;
    for (KeepalivedNode& each : server.inner) {
        if (each.key() == "real_server") {
            each.is_used = true;
            add_real(each, way);
            reals.push_back(&each);
        }
    }
    set_sorry_server(server, way);
    set_removal(server, reals);
    set_check(draft_, server, reals);
    set_quorum(server);
    for (const KeepalivedNode* real : reals) {
        tell_of_rest(draft_, *real);
    }
    tell_of_rest(draft_, server);
}

bool KeepalivedImport::listen(KeepalivedNode& server) {
    L4Protocol protocol = L4Protocol::tcp;
    if (const KeepalivedNode* said = server.find("protocol")) {
        const std::string word = said->value();
        protocol = word == "UDP"    ? L4Protocol::udp
                   : word == "SCTP" ? L4Protocol::sctp
                                    : L4Protocol::tcp;
        if (protocol == L4Protocol::tcp && word != "TCP") {
            draft_.lost(said->line, in_quotes(word) + " is not a protocol");
        }
    }
    const std::string first = server.value();
    const std::string second = server.value(2);
    if (first == "group") {
        const auto group = groups_.find(second);
        if (group == groups_.end()) {
            draft_.lost(server.line, "there is no virtual_server_group " + in_quotes(second));
            return false;
        }
        group->second->is_used = true;
        draft_.begin_service(server.line, second);
        for (const KeepalivedNode& entry : group->second->inner) {
            listen_as_entry(entry, protocol);
        }
        if (listeners_of(draft_.service()).empty()) {
            draft_.lost(server.line, "nothing of its group can be said");
            draft_.drop_service();
            return false;
        }
        return true;
    }
    if (first == "fwmark") {
        return draft_.begin_marked_service(
            server.line, "", second, server.value(3) == "inet6" ? IpFamily::v6 : IpFamily::v4);
    }
    const auto vip = draft_.vip_of(server.line, first, IpFamily::v4);
    const auto port = second.empty() ? std::optional<std::uint16_t>{std::uint16_t{0}}
                                     : draft_.port_of(server.line, second);
    if (!vip || !port) {
        return false;
    }
    draft_.begin_service(server.line, name_of(Endpoint{*vip, be16{*port}}, protocol));
    draft_.listen({.vip = IpPrefix::only(*vip),
                   .ports = PortRange::only(*port),
                   .protocol = protocol,
                   .place = server.line.place});
    return true;
}

// A line of a group: an address, a range or a network with a port, or a mark.
void KeepalivedImport::listen_as_entry(const KeepalivedNode& entry, L4Protocol protocol) {
    const std::string first{entry.key()};
    if (first == "fwmark") {
        const bool is_v6 = entry.value(2) == "inet6";
        return draft_.add_mark(entry.line, entry.value(), is_v6 ? IpFamily::v6 : IpFamily::v4);
    }
    const auto port = entry.value().empty() ? std::optional<std::uint16_t>{std::uint16_t{0}}
                                            : draft_.port_of(entry.line, entry.value());
    if (!port) {
        return;
    }
    Listener listener{
        .ports = PortRange::only(*port), .protocol = protocol, .place = entry.line.place};
    if (first.find('/') != std::string::npos) {
        if (draft_.fits(entry.line, "services[].vip", first)) {
            listener.vip = *parse_ip_prefix(first);
            draft_.listen(listener);
        }
    } else if (first.find('-') != std::string::npos) {
        listen_on_range(entry.line, first, listener);
    } else if (const auto vip = draft_.vip_of(entry.line, first, IpFamily::v4)) {
        listener.vip = IpPrefix::only(*vip);
        draft_.listen(listener);
    }
}

// "192.0.2.1-10", "2001:db8::1-10" (hexadecimal): the last part goes up to that.
void KeepalivedImport::listen_on_range(const OldLine& line, const std::string& range,
                                       const Listener& like) {
    const std::size_t dash = range.find('-');
    const std::string first_text = range.substr(0, dash);
    const std::string last_text = range.substr(dash + 1);
    const bool is_v6 = first_text.find(':') != std::string::npos;
    const std::size_t cut = first_text.rfind(is_v6 ? ':' : '.');
    const bool is_whole = last_text.find(is_v6 ? ':' : '.') != std::string::npos;
    const auto first = parse_ip_address(first_text);
    const auto last = parse_ip_address(is_whole || cut == std::string::npos
                                           ? last_text
                                           : first_text.substr(0, cut + 1) + last_text);
    constexpr std::size_t count_most = 256;
    std::vector<IpAddress> addresses;
    if (first && last && first->family() == last->family()) {
        IpPrefix block = IpPrefix::only(*first);
        while (!block.contains(*last) && block.length > block.length_max() - 16) {
            --block.length;
        }
        std::ranges::copy_if(
            addresses_in(block), std::back_inserter(addresses),
            [&](const IpAddress& each) { return !(each < *first) && !(*last < each); });
    }
    if (addresses.empty() || addresses.size() > count_most || addresses.back() != *last) {
        return draft_.lost(line, "it is not a range of at most 256 addresses", "list them");
    }
    for (const IpAddress& address : addresses) {
        if (!draft_.fits(line, "services[].vip", to_string(address))) {
            return;
        }
        Listener listener = like;
        listener.vip = IpPrefix::only(address);
        draft_.listen(listener);
    }
}

// --- placing -----------------------------------------------------------------------------------

void KeepalivedImport::set_scheduler(KeepalivedNode& said) {
    draft_.set_scheduler(said.line, said.value());
    for (std::size_t i = 2; i < said.words.size(); ++i) {
        draft_.set_scheduler_flags(said.line, said.words[i]);
    }
}

void KeepalivedImport::set_placing(KeepalivedNode& server) {
    VirtualService& service = draft_.service();
    service.scheduler = Scheduler::wlc;
    if (KeepalivedNode* said = server.find_either("lb_algo", "lvs_sched")) {
        set_scheduler(*said);
    }
    for (KeepalivedNode& each : server.inner) {
        const std::string_view key = each.key();
        if (key.starts_with("flag-") || key.starts_with("sh-") || key.starts_with("mh-")) {
            each.is_used = true;
            draft_.set_scheduler_flags(each.line, std::string{key});
        }
    }
    if (const KeepalivedNode* said = server.find("ops")) {
        draft_.set_one_packet(said->line);
    }
    set_affinity(server);
}

void KeepalivedImport::set_affinity(KeepalivedNode& server) {
    if (KeepalivedNode* said = server.find("persistence_timeout"); said && said->value() != "0") {
        draft_.set_affinity(said->line, said->value().empty() ? "360" : said->value());
    }
    if (KeepalivedNode* said = server.find("persistence_granularity")) {
        draft_.set_affinity_mask(said->line, said->value());
    }
}

// "NAT", "DR", "TUN type gue port 6080 csum"
KeepalivedImport::Way KeepalivedImport::way_of(KeepalivedNode* said, const Way& preset) {
    if (said == nullptr) {
        return preset;
    }
    const std::string kind = said->value();
    if (kind != "NAT" && kind != "DR" && kind != "TUN") {
        draft_.lost(said->line, in_quotes(kind) + " is not a way that is known here");
        return preset;
    }
    Way way{.forward = nat_or(kind), .tunnel = {}};
    for (std::size_t i = 2; i < said->words.size(); ++i) {
        const std::string& word = said->words[i];
        if (word == "type") {
            const std::string type = said->value(++i);
            way.forward = type == "gue"   ? ForwardingMode::gue
                          : type == "gre" ? ForwardingMode::gre
                                          : ForwardingMode::ipip;
        } else if (word == "port") {
            if (const auto port = draft_.whole_of(said->line, "services[].reals[].tunnel_port",
                                                  said->value(++i))) {
                way.tunnel.port = be16{static_cast<std::uint16_t>(*port)};
            }
        } else if (word == "csum") {
            way.tunnel.has_checksum = true;
        } else if (word != "nocsum") {
            draft_.lost(said->line, in_quotes(word) + " has no counterpart in tunnels");
        }
    }
    return way;
}

// --- reals -------------------------------------------------------------------------------------

void KeepalivedImport::set_limits(KeepalivedNode& node, RealServer& real) {
    if (KeepalivedNode* said = node.find("weight")) {
        real.weight = draft_.whole_of(said->line, "services[].reals[].weight", said->value())
                          .value_or(real.weight);
    }
    const auto limit = [&](const char* key, std::uint32_t& into) {
        if (KeepalivedNode* said = node.find(key); said != nullptr && said->value() != "0") {
            into =
                draft_.whole_of(said->line, "services[].reals[].connections.upper", said->value())
                    .value_or(0);
        }
    };
    limit("uthreshold", real.connections.upper);
    limit("lthreshold", real.connections.lower);
    if (real.connections.lower > real.connections.upper) {
        draft_.lost(node.find("lthreshold")->line, "it is above the upper threshold");
        real.connections.lower = 0;
    }
}

void KeepalivedImport::add_real(KeepalivedNode& node, const Way& of_server) {
    const auto address = draft_.address_of(node.line, node.value(), draft_.family());
    const auto port = node.value(2).empty() ? std::optional<std::uint16_t>{std::uint16_t{0}}
                                            : draft_.port_of(node.line, node.value(2));
    const Way way = way_of(node.find("lvs_method"), of_server);
    RealServer real{.forward = way.forward, .tunnel = way.tunnel};
    set_limits(node, real);
    if (address && port) {
        real.endpoint = {*address, be16{*port}};
        draft_.add_real(node.line, real);
    }
}

void KeepalivedImport::set_sorry_server(KeepalivedNode& server, const Way& of_server) {
    KeepalivedNode* const said = server.find("sorry_server");
    const Way way = way_of(server.find("sorry_server_lvs_method"), of_server);
    if (said == nullptr) {
        return;
    }
    const auto address = draft_.address_of(said->line, said->value(), draft_.family());
    const auto port = said->value(2).empty() ? std::optional<std::uint16_t>{std::uint16_t{0}}
                                             : draft_.port_of(said->line, said->value(2));
    if (address && port) {
        RealServer real{.forward = way.forward, .tunnel = way.tunnel};
        real.endpoint = {*address, be16{*port}};
        draft_.set_fallback(said->line, real);
    }
}

// Sessions of a server that is taken out of the table meet silence; ours hear of their end.
void KeepalivedImport::set_removal(KeepalivedNode& server,
                                   const std::vector<KeepalivedNode*>& reals) {
    bool keeps = server.find("inhibit_on_failure") != nullptr;
    const bool keeps_all = keeps;
    std::vector<KeepalivedNode*> said;
    for (KeepalivedNode* real : reals) {
        if (KeepalivedNode* each = real->find("inhibit_on_failure")) {
            said.push_back(each);
        }
    }
    keeps = keeps || !said.empty();
    draft_.service().on_failure = keeps ? SessionPolicy::keep : SessionPolicy::reset;
    draft_.service().quiescent = keeps;
    if (!keeps_all && !said.empty() && said.size() < reals.size()) {
        draft_.changed(said.front()->line, "it holds for all real servers of the service");
    }
}

// What all reals together do not weigh is never reached, and no file of ours.
void KeepalivedImport::set_quorum(KeepalivedNode& server) {
    VirtualService& service = draft_.service();
    KeepalivedNode* const quorum = server.find("quorum");
    KeepalivedNode* const hysteresis = server.find("hysteresis");
    if (quorum != nullptr) {
        service.quorum =
            draft_.whole_of(quorum->line, "services[].quorum", quorum->value()).value_or(1);
    }
    if (hysteresis != nullptr) {
        service.hysteresis =
            draft_.whole_of(hysteresis->line, "services[].hysteresis", hysteresis->value())
                .value_or(0);
    }
    std::uint64_t sum = 0;
    bool has_advice = false;
    for (const RealServer& real : service.reals) {
        sum += real.weight;
        visit_checks(service, real, [&](const Check& check) { has_advice |= check.exit_weight; });
    }
    const std::uint64_t wanted = std::uint64_t{service.quorum} + service.hysteresis;
    if (wanted > 1 && wanted > sum && !has_advice) {
        draft_.lost((quorum != nullptr ? quorum : hysteresis)->line,
                    "its reals weigh " + std::to_string(sum) + " together, so that " +
                        std::to_string(wanted) + " is never reached");
        service.quorum = 1;
        service.hysteresis = 0;
    }
}

// --- what holds for the machine ----------------------------------------------------------------

void KeepalivedImport::set_globals(KeepalivedNode& globals) {
    if (KeepalivedNode* said = globals.find("router_id")) {
        if (draft_.fits(said->line, "director.name", said->value())) {
            draft_.config().director.name = said->value();
        }
    }
    if (KeepalivedNode* said = globals.find("lvs_timeouts")) {
        for (std::size_t i = 1; i + 1 < said->words.size(); i += 2) {
            const std::string& word = said->words[i];
            const bool is_fin = word == "tcpfin";
            const char* const key = word == "tcp" ? "timeouts.tcp_established"
                                    : is_fin      ? "timeouts.tcp_half_closed"
                                                  : "timeouts.udp";
            const auto seconds = draft_.seconds_of(said->line, key, said->words[i + 1]);
            if (seconds) {
                (word == "tcp" ? timeouts_.tcp_established_s
                 : is_fin      ? timeouts_.tcp_half_closed_s
                               : timeouts_.udp_s) = *seconds;
            }
        }
    }
    set_mail(draft_, globals);
    tell_of_globals(draft_, globals);
}

}  // namespace

Imported import_keepalived(const ImportSource& source) { return KeepalivedImport{source}.run(); }

}  // namespace fulcrum
