// A line a fact, a word before its value; the last line says that the text is whole.
#include "controlplane/kernel/found_state.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace fulcrum {

namespace {

constexpr std::string_view first_line = "fulcrum found state 1";
constexpr std::string_view last_line = "end\n";

const char* yes_or_no(bool value) { return value ? "yes" : "no"; }

template <typename Number>
bool read_number(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

bool read_choice(std::string_view text, std::string_view yes, std::string_view no, bool& choice) {
    choice = text == yes;
    return choice || text == no;
}

// "feature rx-gro on" without its first word.
bool read_feature(std::string_view text, DeviceFeatures& features) {
    const std::size_t space = text.find(' ');
    return space != std::string_view::npos &&
           read_choice(text.substr(space + 1), "on", "off",
                       features[std::string{text.substr(0, space)}]);
}

// "2001:db8::5/64 128"
bool read_ipv6(std::string_view text, std::vector<FoundIpv6Address>& addresses) {
    const std::size_t slash = text.find('/');
    const std::size_t space = text.find(' ');
    if (slash == std::string_view::npos || space == std::string_view::npos || space < slash) {
        return false;
    }
    FoundIpv6Address& found = addresses.emplace_back();
    return inet_pton(AF_INET6, std::string{text.substr(0, slash)}.c_str(), found.address.data()) ==
               1 &&
           read_number(text.substr(slash + 1, space - slash - 1), found.length) &&
           found.length <= 128 && read_number(text.substr(space + 1), found.flags);
}

bool read_fact(std::string_view word, std::string_view value, FoundState& state) {
    if (word == "boot") {
        state.identity.boot = value;
        return !value.empty();
    }
    if (word == "namespace") {
        return read_number(value, state.identity.network_namespace);
    }
    if (word == "index") {
        return read_number(value, state.identity.interface);
    }
    if (word == "up") {
        return read_choice(value, "yes", "no", state.is_up);
    }
    if (word == "promiscuous") {
        return read_choice(value, "yes", "no", state.is_promiscuous);
    }
    if (word == "allmulti") {
        return read_choice(value, "yes", "no", state.is_allmulti);
    }
    if (word == "mtu") {
        return read_number(value, state.mtu);
    }
    if (word == "disable_ipv6") {
        state.disable_ipv6 = value;
        return true;
    }
    if (word == "feature") {
        return read_feature(value, state.features);
    }
    return word == "ipv6" && read_ipv6(value, state.ipv6_addresses);
}

}  // namespace

std::string encode(const FoundState& state) {
    std::ostringstream text;
    text << first_line << "\nboot " << state.identity.boot << "\nnamespace "
         << state.identity.network_namespace << "\nindex " << state.identity.interface << "\nup "
         << yes_or_no(state.is_up) << "\npromiscuous " << yes_or_no(state.is_promiscuous)
         << "\nallmulti " << yes_or_no(state.is_allmulti) << "\nmtu " << state.mtu << '\n';
    if (state.disable_ipv6) {
        text << "disable_ipv6 " << *state.disable_ipv6 << '\n';
    }
    for (const auto& [name, is_on] : state.features) {
        text << "feature " << name << (is_on ? " on\n" : " off\n");
    }
    for (const FoundIpv6Address& found : state.ipv6_addresses) {
        std::array<char, INET6_ADDRSTRLEN> address{};
        inet_ntop(AF_INET6, found.address.data(), address.data(), address.size());
        text << "ipv6 " << address.data() << '/' << unsigned{found.length} << ' ' << found.flags
             << '\n';
    }
    text << last_line;
    return text.str();
}

std::optional<FoundState> decode_found_state(std::string_view text) {
    const std::string_view head = text.substr(0, first_line.size() + 1);
    if (!head.starts_with(first_line) || !head.ends_with('\n')) {
        return std::nullopt;
    }
    text.remove_prefix(head.size());
    FoundState state;
    while (text != last_line) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) {
            return std::nullopt;
        }
        const std::string_view line = text.substr(0, end);
        const std::size_t space = std::min(line.find(' '), line.size());
        const std::string_view value = line.substr(std::min(space + 1, line.size()));
        if (!read_fact(line.substr(0, space), value, state)) {
            return std::nullopt;
        }
        text.remove_prefix(end + 1);
    }
    return state;
}

}  // namespace fulcrum
