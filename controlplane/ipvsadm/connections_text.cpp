// Templates first: each is a row with port 0, which the client's connections point to.
#include "controlplane/ipvsadm/connections_text.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "controlplane/ipvsadm/names.h"

namespace fulcrum {
namespace {

struct Row {
    std::string protocol;
    std::int64_t expires_s = 0;
    std::string state;
    std::string source;
    std::string virtual_end;
    std::string destination;
};

std::string printed(const Row& row) {
    std::array<char, 32> expires{};
    std::snprintf(expires.data(), expires.size(), "%02lld:%02lld",
                  static_cast<long long>(row.expires_s / 60),
                  static_cast<long long>(row.expires_s % 60));
    std::array<char, 512> text{};
    std::snprintf(text.data(), text.size(), "%-3s %-6s %-11s %-18s %-18s %s\n",
                  row.protocol.c_str(), expires.data(), row.state.c_str(), row.source.c_str(),
                  row.virtual_end.c_str(), row.destination.c_str());
    return text.data();
}

std::string upper_of(std::string word) {
    std::ranges::transform(word, word.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return word;
}

// A FIN of the client's is CLOSE_WAIT there, one of the real's FIN_WAIT.
std::string state_of(const std::string& protocol, const std::string& state) {
    static const std::map<std::string, std::string> of_tcp{
        {"syn_seen", "SYN_RECV"},       {"syn_answered", "SYN_RECV"},
        {"picked_up", "NONE"},          {"direct_opening", "SYN_RECV"},
        {"established", "ESTABLISHED"}, {"client_closed", "CLOSE_WAIT"},
        {"real_closed", "FIN_WAIT"},    {"closed", "TIME_WAIT"},
        {"reset_by_client", "CLOSE"},   {"reset_by_real", "CLOSE"}};
    static const std::map<std::string, std::string> of_sctp{{"init_seen", "INIT1"},
                                                            {"init_answered", "INIT"},
                                                            {"established", "ESTABLISHED"},
                                                            {"client_closed", "SHUTDOWN_SENT"},
                                                            {"real_closed", "SHUTDOWN_RECEIVED"},
                                                            {"closed", "CLOSED"}};
    if (protocol == "udp") {
        return "UDP";
    }
    const auto& states = protocol == "sctp" ? of_sctp : of_tcp;
    const auto found = states.find(state);
    return found == states.end() ? "NONE" : found->second;
}

std::string end_of(const IpAddress& address, std::uint16_t port, L4Protocol protocol,
                   bool is_numeric) {
    return name_of_host(address, is_numeric) + ":" + name_of_port(port, protocol, is_numeric);
}

L4Protocol protocol_named(const std::string& name) {
    return name == "udp" ? L4Protocol::udp : name == "sctp" ? L4Protocol::sctp : L4Protocol::tcp;
}

// "192.0.2.1:80", "[2001:db8::1]:80"; the port may be 0.
Endpoint endpoint_of(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    std::string host = text.substr(0, colon);
    if (host.starts_with('[')) {
        host = host.substr(1, host.size() - 2);
    }
    return {parse_ip_address(host).value_or(IpAddress{}),
            be16{static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1)))}};
}

class Reals {
  public:
    explicit Reals(const Json& table) {
        for (const Json& service : table.at("services")) {
            const std::string name = service.at("name");
            services_[name] = &service;
            for (const Json& real : service.at("reals")) {
                reals_[name + "/" + real.at("name").get<std::string>()] = &real;
            }
        }
    }
    const Json* service(const Json& row) const { return found(services_, word(row, "service")); }
    const Json* real(const Json& row) const {
        return found(reals_, word(row, "service") + "/" + word(row, "real"));
    }

  private:
    using Map = std::map<std::string, const Json*>;
    static std::string word(const Json& row, const char* name) {
        return row.at(name).is_string() ? row.at(name).get<std::string>() : std::string{};
    }
    static const Json* found(const Map& map, const std::string& key) {
        const auto at = map.find(key);
        return at == map.end() ? nullptr : at->second;
    }

    Map services_;
    Map reals_;
};

// A real without a port of its own has the one that the client used.
std::string destination_of(const Json* real, std::uint16_t virtual_port, L4Protocol protocol,
                           bool is_numeric) {
    if (real == nullptr) {
        return "gone";
    }
    const auto port = real->at("port").get<std::uint16_t>();
    const auto address = parse_ip_address(real->at("address").get<std::string>());
    return end_of(address.value_or(IpAddress{}), port != 0 ? port : virtual_port, protocol,
                  is_numeric);
}

Row row_of_session(const Json& session, const Reals& reals, bool is_numeric) {
    const std::string name = session.at("protocol");
    const L4Protocol protocol = protocol_named(name);
    const Endpoint client = endpoint_of(session.at("client"));
    const Endpoint vip = endpoint_of(session.at("vip"));
    const std::int64_t rest_s =
        session.at("timeout_s").get<std::int64_t>() - session.at("idle_s").get<std::int64_t>();
    return {upper_of(name),
            std::max<std::int64_t>(rest_s, 0),
            state_of(name, session.at("state")),
            end_of(client.address, client.port.host(), protocol, is_numeric),
            end_of(vip.address, vip.port.host(), protocol, is_numeric),
            destination_of(reals.real(session), vip.port.host(), protocol, is_numeric)};
}

// A mark's template has protocol IP and the mark for an address.
Row row_of_client(const Json& client, const Reals& reals, bool is_numeric) {
    const std::string prefix = client.at("client");
    const auto address = parse_ip_address(prefix.substr(0, prefix.find('/'))).value_or(IpAddress{});
    Row row{"IP",
            client.at("remaining_s").get<std::int64_t>(),
            client.at("confirmed").get<bool>() ? "ASSURED" : "NONE",
            end_of(address, 0, L4Protocol::tcp, is_numeric),
            "0.0.0.0:0",
            {}};
    const Json* const service = reals.service(client);
    L4Protocol protocol = L4Protocol::tcp;
    std::uint16_t port = 0;
    if (service != nullptr && !service->at("listeners").empty()) {
        const Json& listener = service->at("listeners").front();
        protocol = protocol_named(listener.at("protocol"));
        row.protocol = upper_of(listener.at("protocol"));
        port = listener.at("port").is_number() ? listener.at("port").get<std::uint16_t>() : 0;
        const std::string vip = listener.at("vip");
        row.virtual_end = end_of(parse_ip_address(vip.substr(0, vip.find('/'))).value_or(address),
                                 port, protocol, is_numeric);
    } else if (service != nullptr) {
        const unsigned mark = service->value("mark", 0U) + service->value("mark6", 0U);
        row.virtual_end = to_string(Ipv4Address::from_host(mark)) + ":0";
    }
    row.destination = destination_of(reals.real(client), port, protocol, is_numeric);
    return row;
}

}  // namespace

std::string connections_text(const Json& table, const Json& sessions, const Json& clients,
                             const Invocation& invocation) {
    const Reals reals{table};
    const bool is_numeric = invocation.has(Option::numeric);
    const bool has_engines = invocation.has(Option::persistent_conn);
    std::string text = "IPVS connection entries\n";
    std::array<char, 256> titles{};
    std::snprintf(titles.data(), titles.size(),
                  has_engines ? "pro expire %-11s %-18s %-18s %-18s %-16s %s\n"
                              : "pro expire %-11s %-18s %-18s %s\n",
                  "state", "source", "virtual", "destination", "pe name", "pe_data");
    text += titles.data();
    for (const Json& client : clients.at("clients")) {
        text += printed(row_of_client(client, reals, is_numeric));
    }
    for (const Json& session : sessions.at("sessions")) {
        text += printed(row_of_session(session, reals, is_numeric));
    }
    return text;
}

}  // namespace fulcrum
