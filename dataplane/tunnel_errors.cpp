// The descent into the quotation: outer header, what lies between, the packet within.
#include "dataplane/tunnel_errors.h"

#include "dataplane/headers.h"

namespace fulcrum {
namespace {

constexpr std::uint8_t protocol_ipip = 4;
constexpr std::uint8_t protocol_gre = 47;
constexpr std::uint8_t unreachable = 3;
constexpr std::uint8_t code_fragmentation_needed = 4;
constexpr std::size_t quoted_l4_size_least = 8;
// The least that every IPv4 link has to carry whole for a host (RFC 1122, 3.3.3): a smaller claim
// is no path's, but somebody's who wants us to send crumbs.
constexpr std::uint16_t path_mtu_least = 576;

// Octets between the quoted outer IP header and the packet within.
std::size_t length_between(const Ipv4Header& outer, const std::uint8_t* l4, std::size_t left) {
    constexpr std::size_t gue_size = 4;
    constexpr std::uint8_t gre_has_checksum = 0x80;
    if (outer.protocol == protocol_ipip) {
        return 0;
    }
    if (outer.protocol == protocol_gre) {
        return left > 0 && (*l4 & gre_has_checksum) != 0 ? 8 : 4;
    }
    return sizeof(UdpHeader) + gue_size;
}

}  // namespace

TunnelNews read_tunnel_error(const std::uint8_t* frame, const ParsedPacket& packet) {
    TunnelNews news;
    const auto& icmp = *reinterpret_cast<const IcmpHeader*>(frame + packet.l4_offset);
    const auto& outer = *reinterpret_cast<const Ipv4Header*>(frame + packet.quotation_offset);
    const std::size_t end = sizeof(EthernetHeader) + packet.ip_length;
    const std::size_t l4 = packet.quotation_offset + outer.header_length();
    const std::size_t left = end > l4 ? end - l4 : 0;
    const std::size_t between = length_between(outer, frame + l4, left);
    news.error = icmp_error::host_unreachable;
    if (icmp.type == unreachable && icmp.code == code_fragmentation_needed) {
        const auto said = static_cast<std::uint16_t>(icmp.rest.host());
        const std::size_t overhead = outer.header_length() + between;
        news.error = icmp_error::fragmentation_needed;
        if (said >= path_mtu_least) {
            news.path_mtu = said;
            news.error.next_mtu = static_cast<std::uint16_t>(said - overhead);
        }
    }
    if (left < between + sizeof(Ipv4Header)) {
        return news;
    }
    const std::size_t inner_at = l4 + between;
    const auto& inner = *reinterpret_cast<const Ipv4Header*>(frame + inner_at);
    const std::size_t inner_left = end - inner_at;
    const bool is_whole = inner.version() == 4 && inner.header_length() >= sizeof(Ipv4Header) &&
                          inner_left >= inner.header_length() + quoted_l4_size_least;
    const bool is_told_of_size =
        icmp.code != code_fragmentation_needed || icmp.type != unreachable || news.path_mtu != 0;
    if (is_whole && is_told_of_size && !inner.is_later_fragment()) {
        news.inner_offset = static_cast<std::uint16_t>(inner_at);
        news.inner_length = static_cast<std::uint16_t>(inner_left);
        news.error.source = inner.destination;
    }
    return news;
}

}  // namespace fulcrum
