// IPv6 to a ParsedPacket: as strict as parse.h is with IPv4, and out of its way. Extension headers
// are passed over, a bounded number of them: hop-by-hop options where they may stand, destination
// options, routing headers that have nothing left to route, one fragment header. Anything else of
// that kind, or more of it, is refused by name. Of fragments the first alone is looked into. The
// 128-bit addresses stay where they lie in the frame; `packet.source` and `destination` get names
// later. Pure; worker side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/parse.h"

namespace fulcrum::limits {

// Extension headers, of a packet and of one that an error quotes.
inline constexpr unsigned ipv6_extensions_max = 4;
inline constexpr std::size_t ipv6_extensions_size_max = 128;
// From the frame's first octet they and the IPv6 header reach as far as an octet counts.
static_assert(sizeof(EthernetHeader) + sizeof(Ipv6Header) + ipv6_extensions_size_max < 256);

}  // namespace fulcrum::limits

namespace fulcrum {

inline bool is_later_fragment(const Ipv6ExtensionHeader& fragment_header) {
    return (fragment_header.third_and_fourth.host() & 0xFFF8) != 0;
}

// `segment` begins with the IPv6 header, `whole_length` counts to the frame's end.
void parse_ipv6(std::span<const std::uint8_t> segment, std::size_t whole_length,
                ParsedPacket& packet);

// Source and destination of a flow; of an ICMPv6 error those of the packet that it quotes, turned
// around.
struct Ipv6Ends {
    Ipv6Address source;
    Ipv6Address destination;
};

inline const Ipv6Header& ipv6_header_of(const std::uint8_t* frame) {
    return *reinterpret_cast<const Ipv6Header*>(frame + sizeof(EthernetHeader));
}

inline Ipv6Ends ipv6_ends_of(const std::uint8_t* frame, const ParsedPacket& packet) {
    if (packet.kind == PacketKind::icmp_error || packet.kind == PacketKind::tunnel_error) {
        const auto& quoted = *reinterpret_cast<const Ipv6Header*>(frame + packet.quotation_offset);
        return {quoted.destination, quoted.source};
    }
    const Ipv6Header& ip = ipv6_header_of(frame);
    return {ip.source, ip.destination};
}

}  // namespace fulcrum
