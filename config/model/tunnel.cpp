// The octets of the outer headers.
#include "config/model/tunnel.h"

#include <cstring>

namespace fulcrum {
namespace {

constexpr std::uint8_t ipv4_size = 20;
constexpr std::uint8_t ipv6_size = 40;
constexpr std::uint8_t udp_size = 8;
constexpr std::uint8_t gue_size = 4;
constexpr std::uint8_t gre_size = 4;
constexpr std::uint8_t gre_checksum_size = 4;  // with the reserved word that comes along

constexpr std::uint8_t protocol_ipip = 4;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint8_t protocol_gre = 47;

std::uint8_t protocol_of(ForwardingMode mode) {
    switch (mode) {
        case ForwardingMode::gue:
            return protocol_udp;
        case ForwardingMode::gre:
            return protocol_gre;
        default:
            return protocol_ipip;
    }
}

template <typename T>
void put(Tunnel& tunnel, std::size_t at, const T& value) {
    std::memcpy(tunnel.header.data() + at, &value, sizeof(value));
}

std::uint16_t folded_sum(const std::uint8_t* octets, std::size_t length) {
    std::uint32_t sum = 0;
    for (std::size_t at = 0; at < length; at += 2) {
        std::uint16_t word = 0;
        std::memcpy(&word, octets + at, sizeof(word));
        sum += word;
    }
    sum = (sum & 0xFFFF) + (sum >> 16);
    return static_cast<std::uint16_t>((sum & 0xFFFF) + (sum >> 16));
}

// Between the outer IP header and the packet within.
std::uint8_t length_between(ForwardingMode mode, const TunnelOptions& options) {
    switch (mode) {
        case ForwardingMode::gue:
            return udp_size + gue_size;
        case ForwardingMode::gre:
            return options.has_checksum ? gre_size + gre_checksum_size : gre_size;
        default:
            return 0;
    }
}

void lay_ipv4(Tunnel& tunnel, const TunnelEnds& ends) {
    put(tunnel, 0, std::uint8_t{0x45});
    put(tunnel, 12, ends.source.v4());
    put(tunnel, 16, ends.real.v4());
    tunnel.ip_checksum_sum = folded_sum(tunnel.header.data(), ipv4_size);
    put(tunnel, 9, protocol_of(tunnel.mode));
}

void lay_ipv6(Tunnel& tunnel, const TunnelEnds& ends) {
    put(tunnel, 0, std::uint8_t{0x60});
    put(tunnel, 6, protocol_of(tunnel.mode));
    put(tunnel, 8, ends.source.v6());
    put(tunnel, 24, ends.real.v6());
}

}  // namespace

Tunnel prepare_tunnel(ForwardingMode mode, const TunnelOptions& options, const NextHop& hop,
                      const TunnelEnds& ends) {
    Tunnel tunnel;
    static_cast<NextHop&>(tunnel) = hop;
    tunnel.mode = mode;
    tunnel.is_ipv6 = !ends.real.is_v4();
    tunnel.has_checksum = options.has_checksum && mode != ForwardingMode::ipip;
    tunnel.l4_offset = tunnel.is_ipv6 ? ipv6_size : ipv4_size;
    tunnel.header_length =
        static_cast<std::uint8_t>(tunnel.l4_offset + length_between(mode, options));
    tunnel.mtu = hop.mtu > tunnel.header_length
                     ? static_cast<std::uint16_t>(hop.mtu - tunnel.header_length)
                     : std::uint16_t{0};
    tunnel.is_ipv6 ? lay_ipv6(tunnel, ends) : lay_ipv4(tunnel, ends);
    const std::size_t l4 = tunnel.l4_offset;
    if (mode == ForwardingMode::gue) {
        tunnel.port_of_end = options.port;
        put(tunnel, l4 + 2, options.port);
        // Variant 0, no control message, no optional fields; what is within, by its IP protocol.
        put(tunnel, l4 + udp_size + 1, protocol_ipip);
    } else if (mode == ForwardingMode::gre) {
        put(tunnel, l4, be16{tunnel.has_checksum ? std::uint16_t{0x8000} : std::uint16_t{}});
        put(tunnel, l4 + 2, be16{0x0800});
    }
    return tunnel;
}

}  // namespace fulcrum
