// Entries are sorted once; each listing is a pair of title lines and two row printers.
#include "controlplane/ipvsadm/table_text.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <optional>
#include <tuple>

#include "controlplane/ipvsadm/names.h"

namespace fulcrum {
namespace {

// One line of services: something that a service listens on, or its mark.
struct Entry {
    ServiceAt at;
    Json port;  // a number, or a range
    std::string vip;
    const Json* service = nullptr;
    std::size_t age = 0;  // its place in the director's table
};

[[gnu::format(printf, 1, 2)]] std::string printed(const char* format, ...) {
    std::array<char, 512> text{};
    std::va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text.data(), text.size(), format, arguments);
    va_end(arguments);
    return text.data();
}

L4Protocol protocol_named(const std::string& name) {
    return name == "udp" ? L4Protocol::udp : name == "sctp" ? L4Protocol::sctp : L4Protocol::tcp;
}

std::vector<Entry> entries_of(const Json& table) {
    std::vector<Entry> entries;
    for (const Json& service : table.at("services")) {
        const std::size_t age = entries.size();
        for (const Json& listener : service.at("listeners")) {
            Entry entry{.port = listener.at("port"),
                        .vip = listener.at("vip"),
                        .service = &service,
                        .age = age};
            entry.at.protocol = protocol_named(listener.at("protocol"));
            const std::string network = entry.vip.substr(0, entry.vip.find('/'));
            entry.at.vip = parse_ip_address(network).value_or(IpAddress{});
            entry.at.port =
                entry.port.is_number()
                    ? entry.port.get<std::uint16_t>()
                    : static_cast<std::uint16_t>(std::stoul(entry.port.get<std::string>()));
            entries.push_back(std::move(entry));
        }
        for (const bool is_ipv6 : {false, true}) {
            const auto mark = service.value(is_ipv6 ? "mark6" : "mark", 0U);
            if (mark != 0) {
                entries.push_back({.at = {.mark = mark, .is_ipv6_mark = is_ipv6},
                                   .service = &service,
                                   .age = age});
            }
        }
    }
    return entries;
}

// As the kernel's table of 256 rows would have them, the newest of a row first.
std::size_t row_of(const Entry& entry) {
    constexpr std::size_t seed = 0x80;
    if (entry.at.mark != 0) {
        return 256 + ((entry.at.mark ^ seed) & 0xFF);
    }
    std::size_t fold = 0;
    const IpAddress& vip = entry.at.vip;
    for (std::size_t i = vip.is_v4() ? 12 : 0; i < 16; ++i) {
        fold ^= i % 4 == 3 ? vip.v6().octets[i] : 0U;
    }
    const std::size_t port = entry.at.port;
    return (static_cast<std::size_t>(entry.at.protocol) ^ fold ^ (port >> 8) ^ port ^ seed) & 0xFF;
}

void sort_entries(std::vector<Entry>& entries, bool is_sorted) {
    if (is_sorted) {
        std::ranges::stable_sort(entries, {}, [](const Entry& entry) {
            return std::tuple{entry.at.mark, entry.at.is_ipv6(), entry.at.protocol, entry.at.vip,
                              entry.at.port};
        });
    } else {
        std::ranges::reverse(entries);
        std::ranges::stable_sort(entries, {}, row_of);
    }
}

std::vector<const Json*> reals_of(const Json& service, bool is_sorted) {
    std::vector<const Json*> reals;
    for (const Json& real : service.at("reals")) {
        reals.push_back(&real);
    }
    if (is_sorted) {
        std::ranges::stable_sort(reals, {}, [](const Json* real) {
            return std::tuple{
                parse_ip_address(real->at("address").get<std::string>()).value_or(IpAddress{}),
                real->at("port").get<unsigned>()};
        });
    } else {
        std::ranges::reverse(reals);
    }
    return reals;
}

// --- services --------------------------------------------------------------------------------

std::string shown(const Entry& entry, bool is_numeric) {
    const std::string port = entry.port.is_number()
                                 ? name_of_port(entry.at.port, entry.at.protocol, is_numeric)
                                 : entry.port.get<std::string>();
    const bool is_block = entry.vip.find('/') != std::string::npos;
    return (is_block ? entry.vip : name_of_host(entry.at.vip, is_numeric)) + ":" + port;
}

std::string title_of(const Entry& entry, bool is_numeric) {
    if (entry.at.mark != 0) {
        return printed("FWM  %u%s", entry.at.mark, entry.at.is_ipv6_mark ? " IPv6" : "");
    }
    std::string protocol{to_string(entry.at.protocol)};
    std::ranges::transform(protocol, protocol.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return printed("%-4s ", protocol.c_str()) + shown(entry, is_numeric);
}

std::string flags_of(const Json& service) {
    const std::string scheduler = service.at("scheduler");
    const bool has_names = scheduler == "sh" || scheduler == "mh";
    std::string flags;
    if (service.at("falls_back").get<bool>()) {
        flags += has_names ? "," + scheduler + "-fallback" : ",flag-1";
    }
    if (service.at("uses_port").get<bool>()) {
        flags += has_names ? "," + scheduler + "-port" : ",flag-2";
    }
    return flags.empty() ? flags : flags.substr(1);
}

// Of clients that count as one; empty for single ones.
std::string mask_of(const Entry& entry) {
    const bool is_ipv6 = entry.at.is_ipv6();
    const auto length = entry.service->at(is_ipv6 ? "prefix6" : "prefix").get<unsigned>();
    if (length == (is_ipv6 ? 128U : 32U)) {
        return {};
    }
    return is_ipv6 ? std::to_string(length)
                   : to_string(Ipv4Address::from_host(~std::uint32_t{0} << (32 - length)));
}

std::string policy_of(const Entry& entry) {
    const Json& service = *entry.service;
    std::string text = " " + service.at("scheduler").get<std::string>();
    if (const std::string flags = flags_of(service); !flags.empty()) {
        text += " (" + flags + ")";
    }
    if (const auto seconds = service.at("affinity_s").get<unsigned>(); seconds != 0) {
        const std::string mask = mask_of(entry);
        text += printed(" persistent %u", seconds) + (mask.empty() ? "" : " mask " + mask);
    }
    return text + (service.at("one_packet").get<bool>() ? " ops" : "");
}

// --- reals -----------------------------------------------------------------------------------

std::string place_of(const Json& real, L4Protocol protocol, bool is_numeric) {
    constexpr std::size_t width = 28;
    const IpAddress address =
        parse_ip_address(real.at("address").get<std::string>()).value_or(IpAddress{});
    std::string text = name_of_host(address, is_numeric) + ":" +
                       name_of_port(real.at("port").get<std::uint16_t>(), protocol, is_numeric);
    if (address.is_v4() && text.size() > width) {
        text.resize(width);
    }
    return printed("  -> %-28s", text.c_str());
}

std::string method_of(const Json& real) {
    const std::string forward = real.at("forward");
    return real.at("is_local").get<bool>() ? "Local"
           : forward == "nat"              ? "Masq"
           : forward == "direct"           ? "Route"
           : forward == "fullnat"          ? "FullNat"
                                           : "Tunnel";
}

std::string tunnel_of(const Json& real) {
    const std::string forward = real.at("forward");
    const char* const checksum = real.at("tunnel_checksum").get<bool>() ? "+c" : "-c";
    if (forward == "gue") {
        return printed("gue:%u:%s", real.at("tunnel_port").get<unsigned>(), checksum);
    }
    return forward == "gre" ? std::string{"gre:"} + checksum : forward == "ipip" ? forward : "n/a";
}

constexpr std::array counter_names{"sessions_opened", "in_packets", "out_packets", "in_bytes",
                                   "out_bytes"};

// A column of eight, with thousands and more shortened to a letter unless all is asked for.
std::string large(std::uint64_t number, bool is_exact) {
    const std::string text = std::to_string(number);
    if (is_exact) {
        return std::string(text.size() <= 8 ? 9 - text.size() : 1, ' ') + text;
    }
    const auto column = [](std::uint64_t value, char unit) {
        return printed("%8llu%c", static_cast<unsigned long long>(value), unit);
    };
    if (number < 100'000'000) {
        return printed("%9llu", static_cast<unsigned long long>(number));
    }
    return number < 1'000'000'000         ? column(number / 1'000, 'K')
           : number < 100'000'000'000     ? column(number / 1'000'000, 'M')
           : number < 100'000'000'000'000 ? column(number / 1'000'000'000, 'G')
                                          : column(number / 1'000'000'000'000, 'T');
}

std::string counters_of(const Json& counters, bool is_exact) {
    std::string text;
    for (const char* name : counter_names) {
        text += large(counters.at(name).get<std::uint64_t>(), is_exact);
    }
    return text;
}

// --- the listings ----------------------------------------------------------------------------

// Which of them is asked for; the first of these counts.
enum class Form : std::uint8_t { plain, stats, rate, thresholds, clients, tunnels };

Form form_of(const Invocation& invocation) {
    return invocation.has(Option::stats)             ? Form::stats
           : invocation.has(Option::rate)            ? Form::rate
           : invocation.has(Option::thresholds)      ? Form::thresholds
           : invocation.has(Option::persistent_conn) ? Form::clients
           : invocation.has(Option::tun_info)        ? Form::tunnels
                                                     : Form::plain;
}

std::string titles_of(Form form) {
    constexpr const char* wide = "%-33s %8s %8s %8s %8s %8s\n";
    constexpr const char* reals = "  -> RemoteAddress:Port";
    const char* const services = "Prot LocalAddress:Port";
    switch (form) {
        case Form::stats:
            return printed(wide, services, "Conns", "InPkts", "OutPkts", "InBytes", "OutBytes") +
                   reals + "\n";
        case Form::rate:
            return printed(wide, services, "CPS", "InPPS", "OutPPS", "InBPS", "OutBPS") + reals +
                   "\n";
        case Form::thresholds:
            return printed("%-33s %-10s %-10s %-10s %-10s\n", services, "Uthreshold", "Lthreshold",
                           "ActiveConn", "InActConn") +
                   reals + "\n";
        case Form::clients:
            return printed("%-33s %-9s %-11s %-10s %-10s\n", services, "Weight", "PersistConn",
                           "ActiveConn", "InActConn") +
                   reals + "\n";
        case Form::tunnels:
            return std::string{services} + " Scheduler Flags\n" + reals +
                   "           Forward TunnelInfo    Weight ActiveConn InActConn\n";
        case Form::plain:
            break;
    }
    return std::string{services} + " Scheduler Flags\n" + reals +
           "           Forward Weight ActiveConn InActConn\n";
}

class Rows {
  public:
    Rows(const Invocation& invocation, const Json& clients)
        : form_{form_of(invocation)},
          is_numeric_{invocation.has(Option::numeric)},
          is_exact_{invocation.has(Option::exact)},
          is_sorted_{!invocation.has(Option::nosort)},
          clients_{clients} {}

    std::string rows_of(const Entry& entry) const {
        std::string text = service_row(entry) + "\n";
        for (const Json* real : reals_of(*entry.service, is_sorted_)) {
            text += real_row(entry, *real) + "\n";
        }
        return text;
    }

  private:
    std::string service_row(const Entry& entry) const {
        const std::string title = title_of(entry, is_numeric_);
        if (form_ == Form::stats || form_ == Form::rate) {
            return printed("%-33s", title.c_str()) +
                   counters_of(entry.service->at(form_ == Form::stats ? "totals" : "rates"),
                               is_exact_);
        }
        return title + policy_of(entry);
    }
    std::string real_row(const Entry& entry, const Json& real) const {
        const std::string place = place_of(real, entry.at.protocol, is_numeric_);
        const auto active = real.at("sessions_active").get<unsigned>();
        const unsigned inactive = std::max(real.at("sessions").get<unsigned>(), active) - active;
        const std::string sessions = printed(" %-10u %-10u", active, inactive);
        // A fallback is no real among others: it gets what these cannot take.
        const unsigned weight =
            real.at("is_fallback").get<bool>() ? 0 : real.at("weight").get<unsigned>();
        switch (form_) {
            case Form::stats:
                return place + counters_of(real.at("totals"), is_exact_);
            case Form::rate:
                return place + rates_of(real.at("rates"));
            case Form::thresholds:
                return place +
                       printed(" %-10u %-10u", real.at("upper").get<unsigned>(),
                               real.at("lower").get<unsigned>()) +
                       sessions;
            case Form::clients: {
                const std::string key = entry.service->at("name").get<std::string>() + "/" +
                                        real.at("name").get<std::string>();
                return place + printed(" %-9u %-11u", weight, clients_.value(key, 0U)) + sessions;
            }
            case Form::tunnels:
                return place +
                       printed(" %-7s %-13s %-6u", method_of(real).c_str(), tunnel_of(real).c_str(),
                               weight) +
                       sessions;
            case Form::plain:
                break;
        }
        return place + printed(" %-7s %-6u", method_of(real).c_str(), weight) + sessions;
    }
    // Of reals only octets are shortened.
    std::string rates_of(const Json& rates) const {
        std::string text;
        for (std::size_t i = 0; i < counter_names.size(); ++i) {
            const auto rate = rates.at(counter_names[i]).get<std::uint64_t>();
            text += i < 3 ? printed(" %8llu", static_cast<unsigned long long>(rate))
                          : large(rate, is_exact_);
        }
        return text;
    }

    Form form_;
    bool is_numeric_;
    bool is_exact_;
    bool is_sorted_;
    const Json& clients_;
};

// --- what can be restored ----------------------------------------------------------------------

std::string option_of(const Entry& entry, bool is_numeric) {
    if (entry.at.mark != 0) {
        return printed("-f %u%s", entry.at.mark, entry.at.is_ipv6_mark ? " -6" : "");
    }
    const char* const option = entry.at.protocol == L4Protocol::tcp   ? "-t "
                               : entry.at.protocol == L4Protocol::udp ? "-u "
                                                                      : "--sctp-service ";
    return option + shown(entry, is_numeric);
}

std::string saved_service(const Entry& entry, const std::string& option) {
    const Json& service = *entry.service;
    std::string line = "-A " + option + " -s " + service.at("scheduler").get<std::string>();
    if (const auto seconds = service.at("affinity_s").get<unsigned>(); seconds != 0) {
        const std::string mask = mask_of(entry);
        line += printed(" -p %u", seconds) + (mask.empty() ? "" : " -M " + mask);
    }
    line += service.at("one_packet").get<bool>() ? " -o" : "";
    const std::string flags = flags_of(service);
    return line + (flags.empty() ? "" : " -b " + flags);
}

std::string saved_method(const Json& real) {
    const std::string forward = real.at("forward");
    return forward == "nat"       ? "-m"
           : forward == "direct"  ? "-g"
           : forward == "fullnat" ? "--fullnat"
                                  : "-i";
}

std::string saved_tunnel(const Json& real) {
    const std::string forward = real.at("forward");
    const char* const checksum =
        real.at("tunnel_checksum").get<bool>() ? " --tun-csum" : " --tun-nocsum";
    if (forward == "gue") {
        return printed(" --tun-type gue --tun-port %u%s", real.at("tunnel_port").get<unsigned>(),
                       checksum);
    }
    return forward == "gre"    ? std::string{" --tun-type gre"} + checksum
           : forward == "ipip" ? " --tun-type ipip"
                               : "";
}

std::string saved_real(const Entry& entry, const std::string& option, const Json& real,
                       const Invocation& invocation) {
    std::string place =
        place_of(real, entry.at.protocol, invocation.has(Option::numeric)).substr(5);
    place.resize(place.find_last_not_of(' ') + 1);
    std::string line = "-a " + option + " -r " + place + " " + saved_method(real) +
                       printed(" -w %u", real.at("weight_configured").get<unsigned>()) +
                       saved_tunnel(real);
    const auto upper = real.at("upper").get<unsigned>();
    if (upper != 0 && invocation.has(Option::extended)) {
        line += printed(" -x %u -y %u", upper, real.at("lower").get<unsigned>());
    }
    return line;
}

bool is_sayable(const Entry& entry) {
    const Json& service = *entry.service;
    const std::size_t count = service.at("listeners").size() + (service.at("mark") != 0 ? 1U : 0U) +
                              (service.at("mark6") != 0 ? 1U : 0U);
    return count == 1 && (entry.at.mark != 0 ||
                          (entry.port.is_number() && entry.vip.find('/') == std::string::npos));
}

}  // namespace

std::optional<std::string> list_text(const Json& table, const Json& clients,
                                     const Invocation& invocation) {
    std::vector<Entry> entries = entries_of(table);
    const bool is_of_one = invocation.has(Option::service_address);
    if (is_of_one) {
        std::erase_if(entries,
                      [&](const Entry& entry) { return !(entry.at == invocation.service); });
        if (entries.empty()) {
            return std::nullopt;
        }
    }
    sort_entries(entries, !invocation.has(Option::nosort));
    std::string text = is_of_one ? "" : "IP Virtual Server version 1.2.1 (size=4096)\n";
    text += titles_of(form_of(invocation));
    const Rows listing{invocation, clients};
    for (const Entry& entry : entries) {
        text += listing.rows_of(entry);
    }
    return text;
}

std::string save_text(const Json& table, const Invocation& invocation,
                      std::vector<std::string>& unsaid) {
    std::vector<Entry> entries = entries_of(table);
    sort_entries(entries, /*is_sorted=*/true);
    std::string text;
    bool any_thresholds = false;
    for (const Entry& entry : entries) {
        const std::string name = entry.service->at("name");
        if (!is_sayable(entry)) {
            unsaid.push_back("service \"" + name +
                             "\" is left out: ipvsadm has no words for what it listens on");
            continue;
        }
        if (entry.service->at("has_more").get<bool>()) {
            unsaid.push_back("service \"" + name +
                             "\" has more than ipvsadm has words for, as checks or names");
        }
        const std::string option = option_of(entry, invocation.has(Option::numeric));
        text += saved_service(entry, option) + "\n";
        for (const Json* real : reals_of(*entry.service, /*is_sorted=*/true)) {
            if (!real->at("is_fallback").get<bool>()) {
                any_thresholds |= real->at("upper") != 0;
                text += saved_real(entry, option, *real, invocation) + "\n";
            }
        }
    }
    if (any_thresholds && !invocation.has(Option::extended)) {
        unsaid.emplace_back("thresholds are left out; --extended has them, too");
    }
    std::ranges::sort(unsaid);
    unsaid.erase(std::unique(unsaid.begin(), unsaid.end()), unsaid.end());
    return text;
}

std::optional<std::string> name_of_service(const Json& table, const ServiceAt& at) {
    const std::vector<Entry> entries = entries_of(table);
    const auto found = std::ranges::find(entries, at, &Entry::at);
    return found == entries.end() ? std::nullopt
                                  : std::optional{found->service->at("name").get<std::string>()};
}

std::string timeouts_text(const Json& table) {
    const Json& timeouts = table.at("timeouts_s");
    return printed("Timeout (tcp tcpfin udp): %u %u %u\n", timeouts[0].get<unsigned>(),
                   timeouts[1].get<unsigned>(), timeouts[2].get<unsigned>());
}

}  // namespace fulcrum
