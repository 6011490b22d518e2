// A command is read into options first, by one table of them; then it adds a service, or a real to
// the service that it names.
#include "config/import/ipvsadm.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "config/wording.h"

namespace fulcrum {
namespace {

enum class Takes : std::uint8_t { nothing, a_value, maybe_a_value, three_values };

struct OptionRow {
    char letter;  // what the rest of this room calls it; 0 for none on the command line
    std::string_view name;
    Takes takes;
    bool has_letter = true;
};

// Those without a short form have a capital or a digit that ipvsadm does not use.
constexpr std::array option_rows{
    OptionRow{'A', "add-service", Takes::nothing},
    OptionRow{'E', "edit-service", Takes::nothing},
    OptionRow{'D', "delete-service", Takes::nothing},
    OptionRow{'C', "clear", Takes::nothing},
    OptionRow{'R', "restore", Takes::nothing},
    OptionRow{'S', "save", Takes::nothing},
    OptionRow{'a', "add-server", Takes::nothing},
    OptionRow{'e', "edit-server", Takes::nothing},
    OptionRow{'d', "delete-server", Takes::nothing},
    OptionRow{'L', "list", Takes::nothing},
    OptionRow{'l', "list", Takes::nothing},
    OptionRow{'Z', "zero", Takes::nothing},
    OptionRow{'1', "set", Takes::three_values, false},
    OptionRow{'2', "start-daemon", Takes::a_value, false},
    OptionRow{'3', "stop-daemon", Takes::a_value, false},
    OptionRow{'t', "tcp-service", Takes::a_value},
    OptionRow{'u', "udp-service", Takes::a_value},
    OptionRow{'4', "sctp-service", Takes::a_value, false},
    OptionRow{'f', "fwmark-service", Takes::a_value},
    OptionRow{'6', "ipv6", Takes::nothing},
    OptionRow{'s', "scheduler", Takes::a_value},
    OptionRow{'p', "persistent", Takes::maybe_a_value},
    OptionRow{'M', "netmask", Takes::a_value},
    OptionRow{'P', "pe", Takes::a_value, false},
    OptionRow{'b', "sched-flags", Takes::a_value},
    OptionRow{'o', "ops", Takes::nothing},
    OptionRow{'r', "real-server", Takes::a_value},
    OptionRow{'g', "gatewaying", Takes::nothing},
    OptionRow{'i', "ipip", Takes::nothing},
    OptionRow{'m', "masquerading", Takes::nothing},
    OptionRow{'w', "weight", Takes::a_value},
    OptionRow{'x', "u-threshold", Takes::a_value},
    OptionRow{'y', "l-threshold", Takes::a_value},
    OptionRow{'T', "tun-type", Takes::a_value, false},
    OptionRow{'O', "tun-port", Takes::a_value, false},
    OptionRow{'N', "tun-nocsum", Takes::nothing, false},
    OptionRow{'K', "tun-csum", Takes::nothing, false},
    OptionRow{'X', "tun-remcsum", Takes::nothing, false},
    OptionRow{'n', "numeric", Takes::nothing},
    OptionRow{'I', "mcast-interface", Takes::a_value, false},
    OptionRow{'J', "syncid", Takes::a_value, false},
    OptionRow{'U', "sync-maxlen", Takes::a_value, false},
    OptionRow{'G', "mcast-group", Takes::a_value, false},
    OptionRow{'Q', "mcast-port", Takes::a_value, false},
    OptionRow{'V', "mcast-ttl", Takes::a_value, false},
};

using Options = std::map<char, std::string>;  // by letter; several values with blanks between

// The words of one command, one after the other.
class CommandReader {
  public:
    explicit CommandReader(std::vector<std::string> words) : words_{std::move(words)} {}

    // The sentence of what cannot be read; empty: all could.
    std::string read(Options& options) {
        while (at_ < words_.size()) {
            const std::string word = words_[at_++];
            std::string problem;
            if (word.starts_with("--")) {
                problem = read_long(word.substr(2), options);
            } else if (word.size() > 1 && word.front() == '-') {
                problem = read_short(word.substr(1), options);
            } else {
                problem = in_quotes(word) + " is not an option";
            }
            if (!problem.empty()) {
                return problem;
            }
        }
        return {};
    }

  private:
    bool has_value() const { return at_ < words_.size() && !words_[at_].starts_with('-'); }

    std::string take_value(const OptionRow& row, Options& options) {
        std::string& value = options[row.letter];
        const int wanted = row.takes == Takes::three_values ? 3
                           : row.takes == Takes::a_value    ? 1
                                                            : 0;
        for (int i = 0; i < wanted; ++i) {
            if (at_ == words_.size()) {
                return std::string{"--"}.append(row.name).append(" wants a value");
            }
            value += (i == 0 ? "" : " ") + words_[at_++];
        }
        if (row.takes == Takes::maybe_a_value && has_value()) {
            value = words_[at_++];
        }
        return {};
    }
    std::string read_long(const std::string& word, Options& options) {
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        const auto row = std::ranges::find(option_rows, name, &OptionRow::name);
        if (row == option_rows.end()) {
            return in_quotes(std::string{"--"}.append(name)) + " is not an option of ipvsadm";
        }
        if (equals != std::string::npos && row->takes != Takes::nothing) {
            options[row->letter] = word.substr(equals + 1);
            return {};
        }
        return take_value(*row, options);
    }
    // "-m", "-w1", "-mw1"
    std::string read_short(std::string_view letters, Options& options) {
        while (!letters.empty()) {
            const auto row = std::ranges::find_if(option_rows, [&](const OptionRow& each) {
                return each.letter == letters.front() && (each.has_letter || each.letter == '6');
            });
            if (row == option_rows.end()) {
                return in_quotes(std::string{"-"}.append(letters)) + " is not an option of ipvsadm";
            }
            letters.remove_prefix(1);
            if (row->takes != Takes::nothing && !letters.empty()) {
                options[row->letter] = letters;
                return {};
            }
            if (std::string problem = take_value(*row, options); !problem.empty()) {
                return problem;
            }
        }
        return {};
    }

    std::vector<std::string> words_;
    std::size_t at_ = 0;
};

class IpvsadmImport {
  public:
    explicit IpvsadmImport(const ImportSource& source) : draft_{source} {}

    Imported run() {
        for (OldLine& line : lines_in(draft_.source().path, draft_.source().text)) {
            line.text = trimmed(line.text);
            if (!line.text.empty() && line.text.front() != '#') {
                read_command(line);
            }
        }
        draft_.set_timeouts(timeouts_);
        return draft_.take();
    }

  private:
    void read_command(const OldLine& line);
    void set_timeouts(const OldLine& line, const std::string& three);
    void add_service(const OldLine& line, const Options& options);
    void add_real(const OldLine& line, const Options& options);
    bool set_way(const OldLine& line, const Options& options, RealServer& real);
    std::optional<Endpoint> endpoint_of(const OldLine& line, const std::string& text,
                                        IpFamily family, std::string_view key);
    void set_service(const OldLine& line, const Options& options);
    static std::string selector_of(const Options& options);

    Draft draft_;
    SessionTimeouts timeouts_;
    std::map<std::string, std::optional<std::size_t>> services_;  // by selector; none: lost
};

std::string IpvsadmImport::selector_of(const Options& options) {
    for (const char kind : {'t', 'u', '4', 'f'}) {
        if (const auto found = options.find(kind); found != options.end()) {
            return std::string{kind} + found->second;
        }
    }
    return {};
}

void IpvsadmImport::read_command(const OldLine& line) {
    std::vector<std::string> words = words_in(line.text);
    const bool has_program =
        !words.empty() && (words.front() == "ipvsadm" || words.front().ends_with("/ipvsadm"));
    words.erase(words.begin(), words.begin() + (has_program ? 1 : 0));
    Options options;
    if (const std::string problem = CommandReader{words}.read(options); !problem.empty()) {
        return draft_.lost(line, problem);
    }
    if (options.contains('A') || options.contains('E')) {
        add_service(line, options);
    } else if (options.contains('a') || options.contains('e')) {
        add_real(line, options);
    } else if (options.contains('1')) {
        set_timeouts(line, options.at('1'));
    } else if (options.contains('2') || options.contains('3')) {
        draft_.lost(line, "sessions are not sent to a second director");
    } else if (options.contains('C') && draft_.config().services.empty()) {
        draft_.needless(line, "the file begins with nothing");
    } else if (options.contains('D') || options.contains('d') || options.contains('C')) {
        draft_.lost(line, "a file says what there is, and takes nothing away",
                    "remove what it names from the file");
    } else if (options.contains('L') || options.contains('l') || options.contains('S') ||
               options.contains('Z') || options.contains('R')) {
        draft_.needless(line, "it changes no table");
    } else {
        draft_.lost(line, "it has no command that is known here");
    }
}

void IpvsadmImport::set_timeouts(const OldLine& line, const std::string& three) {
    const std::vector<std::string> values = words_in(three);
    constexpr std::array keys{"timeouts.tcp_established", "timeouts.tcp_half_closed",
                              "timeouts.udp"};
    constexpr std::array members{&SessionTimeouts::tcp_established_s,
                                 &SessionTimeouts::tcp_half_closed_s, &SessionTimeouts::udp_s};
    for (std::size_t i = 0; i < keys.size() && i < values.size(); ++i) {
        if (values[i] == "0") {
            continue;  // as it is
        }
        if (const auto seconds = draft_.seconds_of(line, keys[i], values[i])) {
            timeouts_.*members[i] = *seconds;
        }
    }
}

std::optional<Endpoint> IpvsadmImport::endpoint_of(const OldLine& line, const std::string& text,
                                                   IpFamily family, std::string_view key) {
    // "[2001:db8::1]:80", "192.0.2.1:80", "web:http"; without a port: 0
    const std::size_t bracket = text.rfind(']');
    const std::size_t colon = text.rfind(':');
    const bool has_port =
        colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
    const auto address =
        draft_.address_of(line, text.substr(0, has_port ? colon : text.size()),
                          bracket != std::string::npos ? IpFamily::v6 : family, key);
    const auto port = has_port ? draft_.port_of(line, text.substr(colon + 1))
                               : std::optional<std::uint16_t>{std::uint16_t{0}};
    return address && port ? std::optional{Endpoint{*address, be16{*port}}} : std::nullopt;
}

void IpvsadmImport::add_service(const OldLine& line, const Options& options) {
    const std::string selector = selector_of(options);
    if (selector.empty()) {
        return draft_.lost(line, "it names no service");
    }
    const std::string value = selector.substr(1);
    const auto known = services_.find(selector);
    if (known != services_.end() && known->second && options.contains('E')) {
        draft_.select(*known->second);
        return set_service(line, options);
    }
    if (known != services_.end()) {
        return draft_.lost(line, "the service stands there already");
    }
    services_[selector] = std::nullopt;
    if (selector.front() == 'f') {
        const IpFamily family = options.contains('6') ? IpFamily::v6 : IpFamily::v4;
        if (!draft_.begin_marked_service(line, "", value, family)) {
            return;
        }
    } else {
        const auto vip = endpoint_of(line, value, IpFamily::v4, "services[].vip");
        if (!vip) {
            return;
        }
        const L4Protocol protocol = selector.front() == 't'   ? L4Protocol::tcp
                                    : selector.front() == 'u' ? L4Protocol::udp
                                                              : L4Protocol::sctp;
        draft_.begin_service(line, name_of(*vip, protocol));
        draft_.listen({.vip = IpPrefix::only(vip->address),
                       .ports = PortRange::only(vip->port.host()),
                       .protocol = protocol,
                       .place = line.place});
    }
    services_[selector] = draft_.current();
    draft_.service().check.type = CheckType::none;  // ipvsadm knows none
    set_service(line, options);
}

// What an edit does not say is at its default again.
void IpvsadmImport::set_service(const OldLine& line, const Options& options) {
    VirtualService& service = draft_.service();
    service.affinity.reset();
    service.scheduler_flags = {};
    draft_.set_scheduler(line, options.contains('s') ? options.at('s') : "wlc");
    if (const auto flags = options.find('b'); flags != options.end()) {
        draft_.set_scheduler_flags(line, flags->second);
    }
    if (const auto timeout = options.find('p'); timeout != options.end()) {
        draft_.set_affinity(line, timeout->second.empty() ? "360" : timeout->second);
    }
    if (const auto mask = options.find('M'); mask != options.end()) {
        draft_.set_affinity_mask(line, mask->second);
    }
    service.one_packet = false;
    if (options.contains('o')) {
        draft_.set_one_packet(line);
    }
    if (options.contains('P')) {
        draft_.lost(line, "there are no persistence engines",
                    "affinity binds clients by their address");
    }
}

// False: the line is lost.
bool IpvsadmImport::set_way(const OldLine& line, const Options& options, RealServer& real) {
    const auto type = options.find('T');
    const std::string tunnel = type == options.end() ? "ipip" : type->second;
    if (options.contains('m')) {
        real.forward = ForwardingMode::nat;
    } else if (!options.contains('i')) {
        real.forward = ForwardingMode::direct;
    } else if (tunnel == "ipip" || tunnel == "gue" || tunnel == "gre") {
        real.forward = tunnel == "ipip"  ? ForwardingMode::ipip
                       : tunnel == "gue" ? ForwardingMode::gue
                                         : ForwardingMode::gre;
    } else {
        draft_.lost(line, in_quotes(tunnel) + " is not a tunnel that is known here");
        return false;
    }
    if (const auto port = options.find('O');
        port != options.end() && real.forward == ForwardingMode::gue) {
        if (const auto number =
                draft_.whole_of(line, "services[].reals[].tunnel_port", port->second)) {
            real.tunnel.port = be16{static_cast<std::uint16_t>(*number)};
        }
    }
    real.tunnel.has_checksum = options.contains('K') && (real.forward == ForwardingMode::gue ||
                                                         real.forward == ForwardingMode::gre);
    if (options.contains('X')) {
        draft_.lost(line, "there is no remote checksum offload in tunnels",
                    "tunnel_checksum = true has the whole checksum");
    }
    return true;
}

void IpvsadmImport::add_real(const OldLine& line, const Options& options) {
    const std::string selector = selector_of(options);
    const auto known = services_.find(selector);
    if (known == services_.end()) {
        return draft_.lost(line, "no line before it adds the service that it names");
    }
    if (!known->second) {
        return draft_.lost(line, "its service is not said");
    }
    draft_.select(*known->second);
    const auto endpoint_text = options.find('r');
    if (endpoint_text == options.end()) {
        return draft_.lost(line, "it names no real server");
    }
    const auto endpoint =
        endpoint_of(line, endpoint_text->second, draft_.family(), "services[].reals[].address");
    RealServer real;
    if (!endpoint || !set_way(line, options, real)) {
        return;
    }
    real.endpoint = *endpoint;
    const auto whole = [&](char letter, std::string_view key, std::uint32_t& into) {
        const auto option = options.find(letter);
        if (option == options.end() || (letter != 'w' && option->second == "0")) {
            return true;
        }
        const auto number = draft_.whole_of(line, key, option->second);
        into = number.value_or(into);
        return number.has_value();
    };
    if (whole('w', "services[].reals[].weight", real.weight) &&
        whole('x', "services[].reals[].connections.upper", real.connections.upper) &&
        whole('y', "services[].reals[].connections.lower", real.connections.lower)) {
        std::vector<RealServer>& reals = draft_.service().reals;
        if (options.contains('e')) {
            std::erase_if(reals,
                          [&](const RealServer& each) { return each.endpoint == real.endpoint; });
        }
        draft_.add_real(line, std::move(real));
    }
}

}  // namespace

Imported import_ipvsadm(const ImportSource& source) { return IpvsadmImport{source}.run(); }

}  // namespace fulcrum
