// Text.
#include "config/model/client_prefix.h"

#include <array>
#include <bit>

namespace fulcrum {

IpAddress address_of(const ClientPrefix& client) {
    const auto word = [](std::uint64_t value) { return __builtin_bswap64(value); };
    return Ipv6Address{std::bit_cast<std::array<std::uint8_t, 16>>(
        std::array<std::uint64_t, 2>{word(client.high), word(client.low)})};
}

std::string to_string(const ClientPrefix& client) {
    const unsigned length = client.is_v4() ? client.length - 96U : client.length;
    return to_string(IpPrefix{address_of(client), static_cast<std::uint8_t>(length)});
}

}  // namespace fulcrum
