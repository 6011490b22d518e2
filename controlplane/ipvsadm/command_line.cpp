// Word by word, each refused as soon as it is heard, then what they have to be together.
#include "controlplane/ipvsadm/command_line.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>
#include <memory>

#include "config/model/limits.h"
#include "controlplane/ipvsadm/words.h"

namespace fulcrum {
namespace {

constexpr std::uint32_t persistent_s_default = 360;
constexpr std::uint32_t threshold_max = std::numeric_limits<std::int32_t>::max();

Complaint wrong(std::string text) { return {std::move(text), 2}; }

template <typename T>
std::optional<T> number_in(const std::string& text, std::uint64_t least, std::uint64_t most) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [parsed_to, error] = std::from_chars(text.data(), end, number);
    const bool is_number = error == std::errc{} && parsed_to == end && !text.empty();
    return is_number && least <= number && number <= most ? std::optional<T>{static_cast<T>(number)}
                                                          : std::nullopt;
}

// --- addresses -------------------------------------------------------------------------------

// As inet_aton has it, or by the system's tables of names.
std::optional<IpAddress> ipv4_of(const std::string& host) {
    in_addr address{};
    if (inet_aton(host.c_str(), &address) != 0) {
        return Ipv4Address::from_host(ntohl(address.s_addr));
    }
    addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (host.empty() || getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) {
        return std::nullopt;
    }
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner{found, freeaddrinfo};
    sockaddr_in resolved{};
    std::copy_n(reinterpret_cast<const char*>(found->ai_addr), sizeof resolved,
                reinterpret_cast<char*>(&resolved));
    return Ipv4Address::from_host(ntohl(resolved.sin_addr.s_addr));
}

std::optional<std::uint16_t> port_of(const std::string& text, L4Protocol protocol) {
    if (const auto number = number_in<std::uint16_t>(text, 0, 65'535)) {
        return number;
    }
    const servent* const service =
        getservbyname(text.c_str(), protocol == L4Protocol::udp ? "udp" : "tcp");
    return service == nullptr ? std::nullopt
                              : std::optional{ntohs(static_cast<std::uint16_t>(service->s_port))};
}

struct HostAndPort {
    IpAddress host;
    std::optional<std::uint16_t> port;
};

// "host", "host:port", "[IPv6 address]:port", "IPv6 address".
std::optional<HostAndPort> host_and_port(const std::string& text, L4Protocol protocol) {
    if (const auto ipv6 = parse_ipv6_address(text)) {
        return HostAndPort{*ipv6, std::nullopt};
    }
    const bool is_bracketed = text.starts_with('[');
    const std::size_t colon = is_bracketed ? text.find("]:") : text.find(':');
    if (is_bracketed && colon == std::string::npos) {
        return std::nullopt;
    }
    const std::size_t skipped = is_bracketed ? 1 : 0;
    const std::string name = text.substr(skipped, colon - skipped);
    const auto ipv6 = is_bracketed ? parse_ipv6_address(name) : std::nullopt;
    const std::optional<IpAddress> host = !is_bracketed ? ipv4_of(name)
                                          : ipv6        ? std::optional<IpAddress>{*ipv6}
                                                        : std::nullopt;
    if (!host) {
        return std::nullopt;
    }
    if (colon == std::string::npos) {
        return HostAndPort{*host, std::nullopt};
    }
    const auto port = port_of(text.substr(colon + skipped + 1), protocol);
    return port ? std::optional<HostAndPort>{{*host, port}} : std::nullopt;
}

// Of a netmask: ones, then zeros.
std::optional<std::uint8_t> length_of_mask(const std::string& text) {
    in_addr mask{};
    if (inet_aton(text.c_str(), &mask) == 0) {
        return std::nullopt;
    }
    const std::uint32_t bits = ntohl(mask.s_addr);
    const int ones = std::countl_one(bits);
    return ones > 0 && ones == std::popcount(bits) ? std::optional{static_cast<std::uint8_t>(ones)}
                                                   : std::nullopt;
}

// --- the reader ------------------------------------------------------------------------------

class Reader {
  public:
    Reader(Speech speech, std::string program)
        : speech_{std::move(speech)}, program_{std::move(program)} {}

    std::variant<Invocation, Complaint> run();

  private:
    using Objection = std::optional<Complaint>;

    Objection take_verb();
    Objection take(const Spoken& spoken);
    Objection take_option(const Spoken& spoken);
    Objection take_limits(const Spoken& spoken);
    Objection take_tunnel(const Spoken& spoken);
    Objection check_daemon_option(const Spoken& spoken) const;
    Objection note(Option option);
    Objection take_address(const Spoken& spoken);
    Objection take_netmask(const std::string& text);
    Objection take_real(const std::string& text);
    Objection take_method(Meaning meaning);
    Objection take_flags();
    Objection take_timeouts();
    Objection check_whole();

    Speech speech_;
    std::string program_;
    Invocation told_;
    std::string flags_;
    bool has_real_port_ = false;
};

std::variant<Invocation, Complaint> Reader::run() {
    Objection objection = take_verb();
    if (objection) {
        return *objection;
    }
    if (told_.verb == Verb::help || told_.verb == Verb::version) {
        return told_;
    }
    for (std::size_t i = 1; i < speech_.words.size(); ++i) {
        const Spoken& spoken = speech_.words[i];
        if (spoken.word == nullptr) {
            return Complaint{spoken.as_written + ": " + std::string{spoken.fault}, 255};
        }
        objection = take(spoken);
        if (objection) {
            return *objection;
        }
    }
    objection = check_whole();
    return objection ? std::variant<Invocation, Complaint>{*objection} : told_;
}

// The first option says what is to be done.
std::optional<Complaint> Reader::take_verb() {
    const Spoken* const first = speech_.words.empty() ? nullptr : &speech_.words.front();
    if (first == nullptr || first->word == nullptr || first->word->meaning != Meaning::verb) {
        return Complaint{
            "Try `" + program_ + " -h' or '" + program_ + " --help' for more information.", 255};
    }
    told_.verb = first->word->verb;
    const bool is_daemons = told_.verb == Verb::start_daemon || told_.verb == Verb::stop_daemon;
    if (is_daemons && first->text != "master" && first->text != "backup") {
        return wrong(told_.verb == Verb::start_daemon ? "illegal start-daemon parameter specified"
                                                      : "illegal start_daemon specified");
    }
    return std::nullopt;
}

std::optional<Complaint> Reader::take(const Spoken& spoken) {
    switch (spoken.word->meaning) {
        case Meaning::verb:
            return wrong("invalid option `" + spoken.as_written + "'");
        case Meaning::tcp:
        case Meaning::udp:
        case Meaning::sctp:
        case Meaning::mark:
            return take_address(spoken);
        case Meaning::ipv6:
            if (told_.service.mark == 0) {
                return wrong("-6 used before -f\n");
            }
            told_.service.is_ipv6_mark = true;
            return std::nullopt;
        case Meaning::masquerade:
        case Meaning::route:
        case Meaning::tunnel:
        case Meaning::full_nat:
            return take_method(spoken.word->meaning);
        case Meaning::nothing:
            return std::nullopt;
        case Meaning::option:
            break;
    }
    if (Objection twice = note(spoken.word->option)) {
        return twice;
    }
    return take_option(spoken);
}

std::optional<Complaint> Reader::note(Option option) {
    const auto at = static_cast<std::size_t>(option);
    if (told_.given[at]) {
        return wrong("multiple '" + std::string{name_of(option)} + "' options specified");
    }
    told_.given[at] = true;
    return std::nullopt;
}

std::optional<Complaint> Reader::take_option(const Spoken& spoken) {
    switch (spoken.word->option) {
        case Option::scheduler:
            told_.scheduler = spoken.text;
            return std::nullopt;
        case Option::persistent: {
            const auto seconds = number_in<std::uint32_t>(spoken.text, 1, limits::timeout_max_s);
            if (spoken.has_text && !seconds) {
                return wrong("invalid timeout value `" + spoken.text + "' specified");
            }
            told_.persistent_s = seconds.value_or(persistent_s_default);
            return std::nullopt;
        }
        case Option::netmask:
            return take_netmask(spoken.text);
        case Option::sched_flags:
            flags_ = spoken.text;
            return std::nullopt;
        case Option::real_server:
            return take_real(spoken.text);
        case Option::weight:
        case Option::u_threshold:
        case Option::l_threshold:
            return take_limits(spoken);
        case Option::tun_type:
        case Option::tun_port:
            return take_tunnel(spoken);
        default:
            return check_daemon_option(spoken);
    }
}

std::optional<Complaint> Reader::take_limits(const Spoken& spoken) {
    const auto number = number_in<std::uint32_t>(spoken.text, 0, threshold_max);
    const bool is_weight = spoken.word->option == Option::weight;
    const bool is_upper = spoken.word->option == Option::u_threshold;
    if (!number) {
        return wrong(is_weight  ? "illegal weight specified"
                     : is_upper ? "illegal u_threshold specified"
                                : "illegal l_threshold specified");
    }
    (is_weight ? told_.weight : is_upper ? told_.upper : told_.lower) = *number;
    return std::nullopt;
}

std::optional<Complaint> Reader::take_tunnel(const Spoken& spoken) {
    if (spoken.word->option == Option::tun_port) {
        const auto port = number_in<std::uint16_t>(spoken.text, 1, 65'535);
        told_.tunnel_port = port.value_or(0);
        return port ? Objection{} : wrong("illegal tunnel port specified");
    }
    constexpr std::array<std::string_view, 3> names{"ipip", "gue", "gre"};
    const auto name = std::ranges::find(names, spoken.text);
    if (name == names.end()) {
        return wrong("illegal tunnel type specified");
    }
    told_.tunnel = static_cast<TunnelType>(name - names.begin());
    return std::nullopt;
}

// There is no such daemon here, but what is wrong is wrong.
std::optional<Complaint> Reader::check_daemon_option(const Spoken& spoken) const {
    const std::string& text = spoken.text;
    switch (spoken.word->option) {
        case Option::syncid:
            return number_in<unsigned>(text, 0, 255) ? Objection{}
                                                     : wrong("illegal syncid specified");
        case Option::sync_maxlen:
            return number_in<unsigned>(text, 1, 65'507) ? Objection{}
                                                        : wrong("illegal sync-maxlen specified");
        case Option::mcast_port:
            return number_in<unsigned>(text, 1, 65'535) ? Objection{}
                                                        : wrong("illegal mcast-port specified");
        case Option::mcast_ttl:
            return number_in<unsigned>(text, 1, 255) ? Objection{}
                                                     : wrong("illegal mcast-ttl specified");
        case Option::mcast_group: {
            const bool is_ipv6 = text.find(':') != std::string::npos;
            const auto group = parse_ip_address(text);
            return group && group->is_multicast()
                       ? Objection{}
                       : wrong(std::string{"invalid "} + (is_ipv6 ? "IPv6" : "IPv4") +
                               " mcast-group `" + text + "'");
        }
        default:
            return std::nullopt;
    }
}

std::optional<Complaint> Reader::take_address(const Spoken& spoken) {
    if (Objection twice = note(Option::service_address)) {
        return twice;
    }
    if (spoken.word->meaning == Meaning::mark) {
        const auto mark =
            number_in<std::uint32_t>(spoken.text, 1, std::numeric_limits<std::uint32_t>::max());
        told_.service.mark = mark.value_or(0);
        return mark ? Objection{} : wrong("invalid fwmark value `" + spoken.text + "' specified");
    }
    told_.service.protocol = spoken.word->meaning == Meaning::tcp   ? L4Protocol::tcp
                             : spoken.word->meaning == Meaning::udp ? L4Protocol::udp
                                                                    : L4Protocol::sctp;
    const auto read = host_and_port(spoken.text, told_.service.protocol);
    if (!read) {
        return wrong("illegal virtual server address[:port] specified");
    }
    told_.service.vip = read->host;
    told_.service.port = read->port.value_or(0);
    return std::nullopt;
}

std::optional<Complaint> Reader::take_netmask(const std::string& text) {
    told_.netmask_length =
        told_.service.is_ipv6() ? number_in<std::uint8_t>(text, 1, 128) : length_of_mask(text);
    return told_.netmask_length ? Objection{}
                                : wrong(told_.service.is_ipv6()
                                            ? "illegal ipv6 netmask specified"
                                            : "illegal virtual server persistent mask specified");
}

std::optional<Complaint> Reader::take_real(const std::string& text) {
    const auto read = host_and_port(text, told_.service.protocol);
    if (!read) {
        return wrong("illegal real server address[:port] specified");
    }
    told_.real = {read->host, be16{read->port.value_or(0)}};
    has_real_port_ = read->port.has_value();
    return std::nullopt;
}

std::optional<Complaint> Reader::take_method(Meaning meaning) {
    told_.forwarding = meaning == Meaning::masquerade ? Forwarding::masquerade
                       : meaning == Meaning::tunnel   ? Forwarding::tunnel
                       : meaning == Meaning::full_nat ? Forwarding::full_nat
                                                      : Forwarding::route;
    return note(Option::forwarding_method);
}

// --- what they are together --------------------------------------------------------------------

std::optional<Complaint> Reader::take_flags() {
    for (std::size_t at = 0; at < flags_.size();) {
        const std::size_t comma = std::min(flags_.find(',', at), flags_.size());
        const std::string flag = flags_.substr(at, comma - at);
        at = comma + 1;
        const bool is_of_one = flag.starts_with("sh-") || flag.starts_with("mh-");
        const std::string kind = is_of_one ? flag.substr(3) : flag;
        if (kind != "fallback" && kind != "port" && kind != "flag-1" && kind != "flag-2" &&
            kind != "flag-3" && !flag.empty()) {
            return wrong("invalid scheduler flag `" + flag + "'");
        }
        if (is_of_one && flag.substr(0, 2) != told_.scheduler) {
            return wrong("incompatible scheduler flag `" + flag + "'");
        }
        told_.falls_back |= kind == "fallback" || kind == "flag-1";
        told_.uses_port |= kind == "port" || kind == "flag-2";
        told_.has_third_flag |= kind == "flag-3";
    }
    return std::nullopt;
}

std::optional<Complaint> Reader::take_timeouts() {
    constexpr std::size_t count = 3;
    if (speech_.loose.size() < count) {
        return wrong("--set option requires 3 timeout values");
    }
    for (std::size_t i = 0; i < count; ++i) {
        const std::string& text = speech_.loose[i];
        const auto seconds = number_in<std::uint32_t>(text, 0, limits::timeout_max_s);
        if (!seconds) {
            return wrong("invalid timeout value `" + text + "' specified");
        }
        told_.timeouts_s[i] = *seconds;
    }
    speech_.loose.erase(speech_.loose.begin(), speech_.loose.begin() + count);
    return std::nullopt;
}

std::optional<Complaint> Reader::check_whole() {
    const ServiceAt& service = told_.service;
    if (told_.verb == Verb::set_timeouts) {
        if (Objection objection = take_timeouts()) {
            return objection;
        }
    }
    if (!speech_.loose.empty()) {
        return wrong("unexpected argument " + speech_.loose.front());
    }
    if (Objection objection = take_flags()) {
        return objection;
    }
    if (const std::string text = misfit(told_); !text.empty()) {
        return wrong(text);
    }
    const bool makes_service = told_.verb == Verb::add_service || told_.verb == Verb::edit_service;
    if (makes_service) {
        if (service.mark == 0 && service.port == 0 && told_.persistent_s == 0) {
            return wrong("Zero port specified for non-persistent service");
        }
        if (told_.has(Option::ops) && service.mark == 0 && service.protocol != L4Protocol::udp) {
            return wrong("One-Packet Scheduling is only for UDP virtual services");
        }
    }
    const bool makes_server = told_.verb == Verb::add_server || told_.verb == Verb::edit_server;
    if (makes_server) {
        const bool is_tunnel = told_.forwarding == Forwarding::tunnel;
        if (!is_tunnel && told_.real.address.is_v4() == service.is_ipv6()) {
            return wrong("Different address family is allowed only for tunneling servers");
        }
        const bool has_tunnel_options =
            told_.has(Option::tun_type) || told_.has(Option::tun_port) ||
            told_.has(Option::tun_nocsum) || told_.has(Option::tun_csum) ||
            told_.has(Option::tun_remcsum);
        if (!is_tunnel && has_tunnel_options) {
            return wrong("Tunnel options conflict with forward method");
        }
        if (const std::string text = tunnel_misfit(told_); is_tunnel && !text.empty()) {
            return wrong(text);
        }
    }
    if (told_.has(Option::real_server) && !has_real_port_) {
        told_.real.port = be16{service.port};
    }
    const bool is_not_of_services =
        told_.has(Option::connection) || told_.has(Option::timeout) || told_.has(Option::daemon);
    const bool is_of_services = told_.has(Option::stats) || told_.has(Option::rate) ||
                                told_.has(Option::thresholds) || told_.has(Option::tun_info);
    if (told_.verb == Verb::list && is_not_of_services && is_of_services) {
        return wrong("options conflicts in the list command");
    }
    return std::nullopt;
}

}  // namespace

std::variant<Invocation, Complaint> read_command_line(const std::vector<std::string>& words,
                                                      const std::string& program) {
    return words.empty() ? Invocation{} : Reader{listen(words), program}.run();
}

}  // namespace fulcrum
