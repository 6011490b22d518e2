// The two forms in which a real is told whose connection it is, octet by octet: the header of the
// PROXY protocol, version 2, which stands before the client's stream or in each of his datagrams,
// and the TCP option TOA, which stands in segments' headers. Pure; worker side.
//
//   PROXY    0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A, 0x21 (version 2, PROXY), 0x11 or 0x21 (TCP over
//            IPv4 or IPv6; UDP: 0x12 or 0x22), length of the rest (12 or 36), client, VIP, client's
//            port, VIP's port
//   TOA      254, length (8 or 20), client's port, client
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/model/address.h"
#include "config/model/client_address.h"

namespace fulcrum {

constexpr std::uint8_t proxy_header_length(bool is_v4) { return is_v4 ? 28 : 52; }
inline constexpr std::size_t proxy_header_length_max = proxy_header_length(false);
constexpr std::uint8_t toa_option_length(bool is_v4) { return is_v4 ? 8 : 20; }

// By so much every request is longer at the real.
constexpr std::uint8_t datagram_growth(ClientAddressBy way, L4Protocol protocol, bool is_v4) {
    return way == ClientAddressBy::proxy && protocol == L4Protocol::udp ? proxy_header_length(is_v4)
                                                                        : std::uint8_t{0};
}

// Both ends are of one IP version. As many octets as proxy_header_length says; of TCP or UDP.
void write_proxy_header(std::uint8_t* to, L4Protocol protocol, const Endpoint& client,
                        const Endpoint& vip);

// As many octets as toa_option_length says.
void write_toa_option(std::uint8_t* to, const Endpoint& client);

}  // namespace fulcrum
