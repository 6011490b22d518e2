// Field after field.
#include "dataplane/client_address.h"

#include <array>
#include <cstring>

namespace fulcrum {
namespace {

constexpr std::array<std::uint8_t, 12> signature{0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D,
                                                 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};
constexpr std::uint8_t version_and_command = 0x21;
constexpr std::uint8_t over_ipv4 = 0x10;
constexpr std::uint8_t over_ipv6 = 0x20;
constexpr std::uint8_t of_tcp = 0x01;
constexpr std::uint8_t of_udp = 0x02;
constexpr std::uint8_t toa_kind = 254;

// The place behind what was written.
template <typename T>
std::uint8_t* put(std::uint8_t* to, const T& value) {
    std::memcpy(to, &value, sizeof(value));
    return to + sizeof(value);
}

std::uint8_t* put(std::uint8_t* to, const IpAddress& address) {
    return address.is_v4() ? put(to, address.v4()) : put(to, address.v6());
}

}  // namespace

void write_proxy_header(std::uint8_t* to, L4Protocol protocol, const Endpoint& client,
                        const Endpoint& vip) {
    const bool is_v4 = client.address.is_v4();
    to = put(to, signature);
    to = put(to, version_and_command);
    to = put(to, static_cast<std::uint8_t>((is_v4 ? over_ipv4 : over_ipv6) |
                                           (protocol == L4Protocol::udp ? of_udp : of_tcp)));
    constexpr std::size_t fixed_length = signature.size() + 4;
    to = put(to, be16{static_cast<std::uint16_t>(proxy_header_length(is_v4) - fixed_length)});
    to = put(to, client.address);
    to = put(to, vip.address);
    to = put(to, client.port);
    put(to, vip.port);
}

void write_toa_option(std::uint8_t* to, const Endpoint& client) {
    to = put(to, toa_kind);
    to = put(to, toa_option_length(client.address.is_v4()));
    to = put(to, client.port);
    put(to, client.address);
}

}  // namespace fulcrum
