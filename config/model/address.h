// Addresses and what is made of them: the values that name a party on the network. Plain, trivially
// copyable, ordered; text forms are in address.cpp. What the operator, the kernel and a peer speak
// of is an IpAddress, of either family; where every packet passes, each family has its own type.
// Pure; any thread.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

struct Ipv6Address {
    std::array<std::uint8_t, 16> octets{};  // as on the wire

    // Eight octets reread in this machine's order: for comparing, hashing and summing only.
    constexpr std::uint64_t word(std::size_t index) const {
        return std::bit_cast<std::array<std::uint64_t, 2>>(octets)[index];
    }
    constexpr bool is_unspecified() const { return (word(0) | word(1)) == 0; }
    constexpr bool is_multicast() const { return octets[0] == 0xFF; }
    constexpr bool is_loopback() const { return word(0) == 0 && word(1) == __builtin_bswap64(1); }
    constexpr bool is_link_local() const { return octets[0] == 0xFE && (octets[1] & 0xC0) == 0x80; }
    constexpr bool is_v4_mapped() const {
        return word(0) == 0 && (__builtin_bswap64(word(1)) >> 32) == 0xFFFF;
    }

    // Through the words: a defaulted comparison of the array makes g++ 12 call memcmp.
    friend constexpr bool operator==(const Ipv6Address& a, const Ipv6Address& b) {
        return a.word(0) == b.word(0) && a.word(1) == b.word(1);
    }
    friend constexpr auto operator<=>(const Ipv6Address& a, const Ipv6Address& b) {
        const auto order = __builtin_bswap64(a.word(0)) <=> __builtin_bswap64(b.word(0));
        return order != 0 ? order : __builtin_bswap64(a.word(1)) <=> __builtin_bswap64(b.word(1));
    }
};
static_assert(sizeof(Ipv6Address) == 16 && alignof(Ipv6Address) == 1);

enum class IpFamily : std::uint8_t { v4, v6 };

// An address of either family: an IPv4 one is kept as IPv6 maps it (::ffff:192.0.2.1), which no
// packet carries. By default the unspecified address of IPv4.
class IpAddress {
  public:
    constexpr IpAddress() : IpAddress{Ipv4Address{}} {}
    // Without a loss, hence without a word.
    constexpr IpAddress(Ipv4Address v4) {  // NOLINT(google-explicit-constructor)
        address_.octets[10] = address_.octets[11] = 0xFF;
        for (std::size_t i = 0; i < 4; ++i) {
            address_.octets[12 + i] = static_cast<std::uint8_t>(v4.host() >> (24 - 8 * i));
        }
    }
    constexpr IpAddress(const Ipv6Address& v6)  // NOLINT(google-explicit-constructor)
        : address_{v6} {}

    constexpr bool is_v4() const { return address_.is_v4_mapped(); }
    constexpr IpFamily family() const { return is_v4() ? IpFamily::v4 : IpFamily::v6; }
    // What it is as IPv4; only of one that is.
    constexpr Ipv4Address v4() const {
        return Ipv4Address::of(address_.octets[12], address_.octets[13], address_.octets[14],
                               address_.octets[15]);
    }
    constexpr const Ipv6Address& v6() const { return address_; }

    constexpr bool is_unspecified() const {
        return is_v4() ? v4().is_unspecified() : address_.is_unspecified();
    }
    constexpr bool is_multicast() const {
        return is_v4() ? v4().is_multicast() : address_.is_multicast();
    }
    constexpr bool is_loopback() const {
        return is_v4() ? v4().is_loopback() : address_.is_loopback();
    }
    // Of IPv6: good on one link alone.
    constexpr bool is_link_local() const { return address_.is_link_local(); }

    friend constexpr bool operator==(const IpAddress&, const IpAddress&) = default;
    friend constexpr auto operator<=>(const IpAddress& a, const IpAddress& b) {
        return a.address_ <=> b.address_;
    }

  private:
    Ipv6Address address_;
};

// `address` may have host bits ("192.168.10.2/24" is an interface's address and its network).
struct IpPrefix {
    IpAddress address;
    std::uint8_t length = 32;  // 0 to 32, or to 128: of the address's own family

    static constexpr IpPrefix only(const IpAddress& address) {
        return {address, static_cast<std::uint8_t>(address.is_v4() ? 32 : 128)};
    }
    constexpr unsigned length_max() const { return address.is_v4() ? 32 : 128; }
    constexpr bool is_single() const { return length == length_max(); }
    IpAddress network() const;
    bool contains(const IpAddress& other) const;  // false for the other family's
    friend constexpr bool operator==(const IpPrefix&, const IpPrefix&) = default;
};

// Of a block of at most 2^16, ascending.
std::vector<IpAddress> addresses_in(const IpPrefix& block);

struct MacAddress {
    std::array<std::uint8_t, 6> bytes{};

    friend bool operator==(const MacAddress&, const MacAddress&) = default;
};

// The numbers are those of the IP header's protocol field.
enum class L4Protocol : std::uint8_t { icmp = 1, tcp = 6, udp = 17, sctp = 132 };

// An L4 port at an address. Which protocol is said by whoever holds it.
struct Endpoint {
    IpAddress address;
    be16 port{};

    friend constexpr bool operator==(const Endpoint&, const Endpoint&) = default;
    friend constexpr auto operator<=>(const Endpoint& a, const Endpoint& b) {
        if (auto order = a.address <=> b.address; order != 0) {
            return order;
        }
        return a.port <=> b.port;
    }
};

// An address as workers know it in 32 bits. One of IPv4 names itself. One of IPv6 that the snapshot
// knows (of a VIP, a real, or ours) is named by its place there; the others have no name.
using AddressName = Ipv4Address;
inline constexpr AddressName name_none = Ipv4Address::from_host(0xFFFF'FFFF);

struct NamedEndpoint {
    AddressName address;
    be16 port{};

    friend constexpr bool operator==(NamedEndpoint, NamedEndpoint) = default;
};

std::string to_string(Ipv4Address address);         // "192.0.2.1"
std::string to_string(const Ipv6Address& address);  // "2001:db8::1", as RFC 5952 has it
std::string to_string(const IpAddress& address);
std::string to_string(const IpPrefix& prefix);    // "192.0.2.1/24"
std::string to_string(const MacAddress& mac);     // "02:00:00:00:00:01"
std::string to_string(const Endpoint& endpoint);  // "192.0.2.1:80", "[2001:db8::1]:80"
std::string_view to_string(L4Protocol protocol);  // "tcp"

// Nothing when the text is not exactly such a value (no spaces, no leading zeros' octal meaning).
std::optional<Ipv4Address> parse_ipv4_address(std::string_view text);
std::optional<Ipv6Address> parse_ipv6_address(std::string_view text);  // no zone ("%eth0")
std::optional<IpAddress> parse_ip_address(std::string_view text);
std::optional<IpPrefix> parse_ip_prefix(std::string_view text);
std::optional<Endpoint> parse_endpoint(std::string_view text);  // the port is not zero
std::optional<MacAddress> parse_mac_address(std::string_view text);

}  // namespace fulcrum

template <>
struct std::hash<fulcrum::IpAddress> {
    std::size_t operator()(const fulcrum::IpAddress& address) const noexcept {
        return std::hash<std::uint64_t>{}(address.v6().word(0) * 0x9E3779B97F4A7C15ULL ^
                                          address.v6().word(1));
    }
};
