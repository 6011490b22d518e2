// Text forms of addresses. Strict on the way in: what a person may have mistyped is refused, never
// guessed at.
#include "config/model/address.h"

#include <charconv>
#include <cstdio>

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

}  // namespace

std::string to_string(Ipv4Address address) {
    const std::uint32_t host = address.host();
    return std::to_string(host >> 24) + "." + std::to_string((host >> 16) & 255) + "." +
           std::to_string((host >> 8) & 255) + "." + std::to_string(host & 255);
}

std::string to_string(Ipv4Prefix prefix) {
    return to_string(prefix.address) + "/" + std::to_string(prefix.length);
}

std::string to_string(const MacAddress& mac) {
    std::array<char, 18> text{};
    std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", mac.bytes[0],
                  mac.bytes[1], mac.bytes[2], mac.bytes[3], mac.bytes[4], mac.bytes[5]);
    return text.data();
}

std::string to_string(Endpoint endpoint) {
    return to_string(endpoint.address) + ":" + std::to_string(endpoint.port.host());
}

std::string_view to_string(L4Protocol protocol) {
    switch (protocol) {
        case L4Protocol::icmp:
            return "icmp";
        case L4Protocol::tcp:
            return "tcp";
        case L4Protocol::udp:
            return "udp";
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

std::optional<Ipv4Prefix> parse_ipv4_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto address = parse_ipv4_address(text.substr(0, slash));
    text.remove_prefix(slash + 1);
    const auto length = eat_number(text, 2);
    if (!address || !length || *length > 32 || !text.empty()) {
        return std::nullopt;
    }
    return Ipv4Prefix{*address, static_cast<std::uint8_t>(*length)};
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
