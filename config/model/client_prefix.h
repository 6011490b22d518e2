// A client, or the network of clients that count as one: an address cut to its leading bits. Both
// families in one form, an IPv4 address as its IPv4-mapped IPv6 address. Pure; any thread.
#pragma once

#include <cstdint>

#include <string>

#include "config/model/address.h"

namespace fulcrum {

struct ClientPrefix {
    std::uint64_t high = 0;   // the address as a number of 128 bits
    std::uint64_t low = 0;    // bits beyond the length are zero
    std::uint8_t length = 0;  // of 128: an IPv4 prefix of n bits has 96 + n

    bool is_v4() const { return high == 0 && (low >> 32) == 0xFFFF; }

    friend constexpr bool operator==(const ClientPrefix&, const ClientPrefix&) = default;
};

// One client alone.
constexpr ClientPrefix client_prefix_of(Ipv4Address client) {
    return {0, (std::uint64_t{0xFFFF} << 32) | client.host(), 128};
}

constexpr ClientPrefix client_prefix_of(const IpAddress& client) {
    return {__builtin_bswap64(client.v6().word(0)), __builtin_bswap64(client.v6().word(1)), 128};
}

IpAddress address_of(const ClientPrefix& client);  // the first of its addresses

// "198.51.100.0/24"
std::string to_string(const ClientPrefix& client);

// `length` of 128, at least 1.
constexpr ClientPrefix cut(const ClientPrefix& client, std::uint8_t length) {
    constexpr auto mask = [](unsigned bits) {  // bits: 1 to 64
        return ~std::uint64_t{0} << (64 - bits);
    };
    return length > 64 ? ClientPrefix{client.high, client.low & mask(length - 64U), length}
                       : ClientPrefix{client.high & mask(length), 0, length};
}

}  // namespace fulcrum
