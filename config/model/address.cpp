// Text forms of addresses. Strict on the way in: what a person may have mistyped is refused, never
// guessed at.
#include "config/model/address.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <vector>

namespace fulcrum {
namespace {

// A decimal number of at most `digits_max` digits at the head of `text`, which it eats.
std::optional<std::uint32_t> eat_number(std::string_view& text, std::size_t digits_max) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const auto length = static_cast<std::size_t>(end - text.data());
    if (error != std::errc{} || length > digits_max || (length > 1 && text.front() == '0')) {
        return std::nullopt;
    }
    text.remove_prefix(length);
    return value;
}

// The first `length` bits of 128.
Ipv6Address masked(Ipv6Address address, unsigned length) {
    for (unsigned octet = 0; octet < 16; ++octet) {
        const unsigned kept = std::min(8U, length - std::min(length, octet * 8));
        address.octets[octet] =
            static_cast<std::uint8_t>(address.octets[octet] & (0xFF00U >> kept));
    }
    return address;
}

// Of an address's own family, counted from the beginning of what IPv6 makes of it.
unsigned whole_length(const IpPrefix& prefix) {
    return prefix.address.is_v4() ? 96U + prefix.length : prefix.length;
}

using Groups = std::array<std::uint16_t, 8>;

Groups groups_of(const Ipv6Address& address) {
    Groups groups{};
    for (std::size_t i = 0; i < groups.size(); ++i) {
        groups[i] =
            static_cast<std::uint16_t>((address.octets[2 * i] << 8) | address.octets[2 * i + 1]);
    }
    return groups;
}

// The groups [begin, end) that "::" stands for: of the runs of two zeros and more the longest, of
// equal ones the first (RFC 5952, 4.2).
struct Run {
    std::size_t begin = 0;
    std::size_t end = 0;
};

Run longest_zeros(const Groups& groups) {
    Run longest;
    for (std::size_t begin = 0; begin < groups.size(); ++begin) {
        std::size_t end = begin;
        while (end < groups.size() && groups[end] == 0) {
            ++end;
        }
        if (end - begin >= 2 && end - begin > longest.end - longest.begin) {
            longest = {begin, end};
        }
    }
    return longest;
}

std::string hexadecimal(std::uint16_t group) {
    std::array<char, 4> text{};
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), group, 16);
    return {text.data(), end};
}

// One to four hexadecimal digits at the head of `text`, which it eats.
std::optional<std::uint16_t> eat_group(std::string_view& text) {
    std::uint16_t value = 0;
    const std::size_t length_max = std::min<std::size_t>(text.size(), 4);
    const auto [end, error] = std::from_chars(text.data(), text.data() + length_max, value, 16);
    if (error != std::errc{}) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

// Groups separated by colons, up to the end of `text` or a "::" there; the last two may be written
// as an IPv4 address. False: they are no such thing.
bool eat_groups(std::string_view& text, std::vector<std::uint16_t>& groups) {
    while (!text.empty() && !text.starts_with("::")) {
        if (const auto v4 = parse_ipv4_address(text)) {
            groups.push_back(static_cast<std::uint16_t>(v4->host() >> 16));
            groups.push_back(static_cast<std::uint16_t>(v4->host()));
            text = {};
            return true;
        }
        const auto group = eat_group(text);
        if (!group) {
            return false;
        }
        groups.push_back(*group);
        if (text.starts_with(':') && !text.starts_with("::")) {
            text.remove_prefix(1);
            if (text.empty()) {
                return false;  // a colon at the end
            }
        } else if (!text.empty() && !text.starts_with("::")) {
            return false;
        }
    }
    return true;
}

}  // namespace

IpAddress IpPrefix::network() const { return masked(address.v6(), whole_length(*this)); }

std::vector<IpAddress> addresses_in(const IpPrefix& block) {
    std::vector<IpAddress> addresses;
    const unsigned host_bits = std::min(16U, block.length_max() - block.length);
    for (std::uint32_t host = 0; host < (std::uint32_t{1} << host_bits); ++host) {
        Ipv6Address address = block.network().v6();
        address.octets[14] = static_cast<std::uint8_t>(address.octets[14] | (host >> 8));
        address.octets[15] = static_cast<std::uint8_t>(address.octets[15] | (host & 0xFF));
        addresses.emplace_back(address);
    }
    return addresses;
}

bool IpPrefix::contains(const IpAddress& other) const {
    return address.is_v4() == other.is_v4() &&
           masked(other.v6(), whole_length(*this)) == masked(address.v6(), whole_length(*this));
}

std::string to_string(Ipv4Address address) {
    const std::uint32_t host = address.host();
    return std::to_string(host >> 24) + "." + std::to_string((host >> 16) & 255) + "." +
           std::to_string((host >> 8) & 255) + "." + std::to_string(host & 255);
}

std::string to_string(const Ipv6Address& address) {
    if (address.is_v4_mapped()) {
        return "::ffff:" + to_string(IpAddress{address}.v4());
    }
    const Groups groups = groups_of(address);
    const Run zeros = longest_zeros(groups);
    std::string text;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (i >= zeros.begin && i < zeros.end) {
            text += i == zeros.begin ? "::" : "";
            continue;
        }
        text += i > 0 && i != zeros.end ? ":" : "";
        text += hexadecimal(groups[i]);
    }
    return text;
}

std::string to_string(const IpAddress& address) {
    return address.is_v4() ? to_string(address.v4()) : to_string(address.v6());
}

std::string to_string(const IpPrefix& prefix) {
    return to_string(prefix.address) + "/" + std::to_string(prefix.length);
}

std::string to_string(const MacAddress& mac) {
    std::array<char, 18> text{};
    std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", mac.bytes[0],
                  mac.bytes[1], mac.bytes[2], mac.bytes[3], mac.bytes[4], mac.bytes[5]);
    return text.data();
}

std::string to_string(const Endpoint& endpoint) {
    const std::string address = to_string(endpoint.address);
    const std::string port = std::to_string(endpoint.port.host());
    return endpoint.address.is_v4() ? address + ":" + port : "[" + address + "]:" + port;
}

std::string_view to_string(L4Protocol protocol) {
    switch (protocol) {
        case L4Protocol::icmp:
            return "icmp";
        case L4Protocol::tcp:
            return "tcp";
        case L4Protocol::udp:
            return "udp";
        case L4Protocol::sctp:
            return "sctp";
    }
    return "unknown";
}

std::optional<Ipv4Address> parse_ipv4_address(std::string_view text) {
    std::uint32_t host = 0;
    for (int octet = 0; octet < 4; ++octet) {
        if (octet > 0) {
            if (text.empty() || text.front() != '.') {
                return std::nullopt;
            }
            text.remove_prefix(1);
        }
        const auto number = eat_number(text, 3);
        if (!number || *number > 255) {
            return std::nullopt;
        }
        host = (host << 8) | *number;
    }
    return text.empty() ? std::optional{Ipv4Address::from_host(host)} : std::nullopt;
}

std::optional<Ipv6Address> parse_ipv6_address(std::string_view text) {
    constexpr std::size_t group_count = 8;
    std::vector<std::uint16_t> head;
    std::vector<std::uint16_t> tail;
    if (!eat_groups(text, head)) {
        return std::nullopt;
    }
    const bool has_gap = text.starts_with("::");
    text.remove_prefix(has_gap ? 2 : 0);
    if (text.starts_with(':') || !eat_groups(text, tail) || !text.empty()) {
        return std::nullopt;
    }
    const std::size_t count = head.size() + tail.size();
    if (has_gap ? count >= group_count : count != group_count) {
        return std::nullopt;
    }
    head.resize(group_count - tail.size());
    head.insert(head.end(), tail.begin(), tail.end());
    Ipv6Address address;
    for (std::size_t i = 0; i < group_count; ++i) {
        address.octets[2 * i] = static_cast<std::uint8_t>(head[i] >> 8);
        address.octets[2 * i + 1] = static_cast<std::uint8_t>(head[i]);
    }
    return address;
}

std::optional<IpAddress> parse_ip_address(std::string_view text) {
    if (text.find(':') != std::string_view::npos) {
        return parse_ipv6_address(text);
    }
    return parse_ipv4_address(text);
}

std::optional<IpPrefix> parse_ip_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto address = parse_ip_address(text.substr(0, slash));
    text.remove_prefix(slash + 1);
    const auto length = eat_number(text, 3);
    if (!address || !length || !text.empty()) {
        return std::nullopt;
    }
    const IpPrefix prefix{*address, static_cast<std::uint8_t>(std::min(*length, 255U))};
    return prefix.length <= prefix.length_max() ? std::optional{prefix} : std::nullopt;
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view address = text.substr(0, colon);
    std::string_view port = text.substr(colon + 1);
    const bool is_v6 = address.starts_with('[') && address.ends_with(']');
    if (is_v6) {
        address = address.substr(1, address.size() - 2);
    }
    const auto parsed = is_v6 ? std::optional<IpAddress>{parse_ipv6_address(address)}
                              : std::optional<IpAddress>{parse_ipv4_address(address)};
    const auto number = eat_number(port, 5);
    if (!parsed || !number || !port.empty() || *number < 1 || *number > 65'535) {
        return std::nullopt;
    }
    return Endpoint{*parsed, be16{static_cast<std::uint16_t>(*number)}};
}

std::optional<MacAddress> parse_mac_address(std::string_view text) {
    MacAddress mac;
    if (text.size() != 17) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < 6; ++i) {
        const char* at = text.data() + i * 3;
        const auto [end, error] = std::from_chars(at, at + 2, mac.bytes[i], 16);
        if (error != std::errc{} || end != at + 2 || (i < 5 && *end != ':')) {
            return std::nullopt;
        }
    }
    return mac;
}

}  // namespace fulcrum
