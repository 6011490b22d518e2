// The octets of the outer headers.
#include "config/model/tunnel.h"

#include <cstring>

namespace fulcrum {
namespace {

constexpr std::uint8_t ipv4_size = 20;
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

}  // namespace

std::uint8_t tunnel_overhead(ForwardingMode mode, const TunnelOptions& options) {
    switch (mode) {
        case ForwardingMode::ipip:
            return ipv4_size;
        case ForwardingMode::gue:
            return ipv4_size + udp_size + gue_size;
        case ForwardingMode::gre:
            return options.has_checksum ? ipv4_size + gre_size + gre_checksum_size
                                        : ipv4_size + gre_size;
        default:
            return 0;
    }
}

Tunnel prepare_tunnel(ForwardingMode mode, const TunnelOptions& options, const NextHop& hop,
                      Ipv4Address source, Ipv4Address real) {
    Tunnel tunnel;
    static_cast<NextHop&>(tunnel) = hop;
    tunnel.mode = mode;
    tunnel.has_checksum = options.has_checksum && mode != ForwardingMode::ipip;
    tunnel.header_length = tunnel_overhead(mode, options);
    tunnel.l4_offset = ipv4_size;
    tunnel.mtu = hop.mtu > tunnel.header_length
                     ? static_cast<std::uint16_t>(hop.mtu - tunnel.header_length)
                     : std::uint16_t{0};
    put(tunnel, 0, std::uint8_t{0x45});
    put(tunnel, 9, protocol_of(mode));
    put(tunnel, 12, source);
    put(tunnel, 16, real);
    if (mode == ForwardingMode::gue) {
        tunnel.port_of_end = options.port;
        put(tunnel, ipv4_size + 2, options.port);
        // Variant 0, no control message, no optional fields; what is within, by its IP protocol.
        put(tunnel, ipv4_size + udp_size + 1, protocol_ipip);
    } else if (mode == ForwardingMode::gre) {
        put(tunnel, ipv4_size, be16{tunnel.has_checksum ? std::uint16_t{0x8000} : std::uint16_t{}});
        put(tunnel, ipv4_size + 2, be16{0x0800});
    }
    tunnel.ip_checksum_sum = folded_sum(tunnel.header.data(), ipv4_size);
    return tunnel;
}

}  // namespace fulcrum
