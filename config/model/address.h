// Addresses and what is made of them: the values that name a party on the network. Plain, trivially
// copyable, ordered; text forms are in address.cpp. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/model/byte_order.h"

namespace fulcrum {

struct Ipv4Address {
    be32 value{};

    static constexpr Ipv4Address from_host(std::uint32_t host) { return {be32{host}}; }
    static constexpr Ipv4Address of(std::uint8_t a, std::uint8_t b, std::uint8_t c,
                                    std::uint8_t d) {
        return from_host((std::uint32_t{a} << 24) | (std::uint32_t{b} << 16) |
                         (std::uint32_t{c} << 8) | d);
    }
    constexpr std::uint32_t host() const { return value.host(); }
    constexpr bool is_unspecified() const { return value.wire() == 0; }
    constexpr bool is_multicast() const { return (host() >> 28) == 0xE; }
    constexpr bool is_loopback() const { return (host() >> 24) == 127; }
    constexpr bool is_broadcast() const { return value.wire() == 0xFFFFFFFFU; }

    friend constexpr bool operator==(Ipv4Address, Ipv4Address) = default;
    friend constexpr auto operator<=>(Ipv4Address a, Ipv4Address b) { return a.value <=> b.value; }
};

// `address` may have host bits ("192.168.10.2/24" is an interface's address and its network).
struct Ipv4Prefix {
    Ipv4Address address;
    std::uint8_t length = 32;  // 0 to 32

    constexpr std::uint32_t mask() const {
        return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
    }
    constexpr Ipv4Address network() const {
        return Ipv4Address::from_host(address.host() & mask());
    }
    constexpr bool contains(Ipv4Address other) const {
        return ((address.host() ^ other.host()) & mask()) == 0;
    }
    friend constexpr bool operator==(const Ipv4Prefix&, const Ipv4Prefix&) = default;
};

struct MacAddress {
    std::array<std::uint8_t, 6> bytes{};

    friend bool operator==(const MacAddress&, const MacAddress&) = default;
};

// The numbers are those of the IP header's protocol field.
enum class L4Protocol : std::uint8_t { icmp = 1, tcp = 6, udp = 17 };

// An L4 port at an address. Which protocol is said by whoever holds it.
struct Endpoint {
    Ipv4Address address;
    be16 port{};

    friend constexpr bool operator==(Endpoint, Endpoint) = default;
    friend constexpr auto operator<=>(Endpoint a, Endpoint b) {
        if (auto order = a.address <=> b.address; order != 0) {
            return order;
        }
        return a.port <=> b.port;
    }
};

std::string to_string(Ipv4Address address);       // "192.0.2.1"
std::string to_string(Ipv4Prefix prefix);         // "192.0.2.1/24"
std::string to_string(const MacAddress& mac);     // "02:00:00:00:00:01"
std::string to_string(Endpoint endpoint);         // "192.0.2.1:80"
std::string_view to_string(L4Protocol protocol);  // "tcp"

// Nothing when the text is not exactly such a value (no spaces, no leading zeros' octal meaning).
std::optional<Ipv4Address> parse_ipv4_address(std::string_view text);
std::optional<Ipv4Prefix> parse_ipv4_prefix(std::string_view text);
std::optional<MacAddress> parse_mac_address(std::string_view text);

}  // namespace fulcrum

template <>
struct std::hash<fulcrum::Ipv4Address> {
    std::size_t operator()(fulcrum::Ipv4Address address) const noexcept {
        return std::hash<std::uint32_t>{}(address.value.wire());
    }
};
