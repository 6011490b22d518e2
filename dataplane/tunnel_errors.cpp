// The descent into the quotation: outer header, what lies between, the packet within.
#include "dataplane/tunnel_errors.h"

#include <algorithm>

#include "dataplane/encapsulate.h"
#include "dataplane/headers.h"

namespace fulcrum {
namespace {

constexpr std::uint8_t protocol_gre = 47;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint8_t protocol_tcp = 6;
constexpr std::size_t quoted_l4_size_least = 8;
// The least that every IPv4 link has to carry whole for a host (RFC 1122, 3.3.3), and every IPv6
// link at all (RFC 8201, 4): a smaller claim is no path's, but somebody's who wants us to send
// crumbs.
constexpr std::uint16_t path_mtu_least = 576;
constexpr std::uint16_t path_mtu_least6 = 1'280;

// Our outer header as it is quoted.
struct Outer {
    std::size_t l4 = 0;  // from the start of the frame
    std::uint8_t protocol = 0;
    bool is_too_long = false;  // what is said of it
    std::uint16_t mtu = 0;     // then: what would have passed; 0: not said, or not to be believed
    std::uint32_t length = 0;  // of our packet
};

Outer read_outer(const std::uint8_t* frame, const ParsedPacket& packet) {
    const auto& icmp = *reinterpret_cast<const IcmpHeader*>(frame + packet.l4_offset);
    const std::uint8_t* const quoted = frame + packet.quotation_offset;
    const std::uint32_t said = icmp.rest.host();
    if (packet.ip_version == 6) {
        constexpr std::uint8_t packet_too_big = 2;
        const bool is_sound = said >= path_mtu_least6 && said <= 0xFFFF;
        return {.l4 = packet.quoted_l4_offset,
                .protocol = reinterpret_cast<const Ipv6Header*>(quoted)->next_header,
                .is_too_long = icmp.type == packet_too_big,
                .mtu = is_sound ? static_cast<std::uint16_t>(said) : std::uint16_t{0},
                .length = static_cast<std::uint32_t>(
                    sizeof(Ipv6Header) +
                    reinterpret_cast<const Ipv6Header*>(quoted)->payload_length.host())};
    }
    constexpr std::uint8_t unreachable = 3;
    constexpr std::uint8_t code_fragmentation_needed = 4;
    const auto& ip = *reinterpret_cast<const Ipv4Header*>(quoted);
    const auto mtu = static_cast<std::uint16_t>(said);
    return {.l4 = packet.quotation_offset + std::size_t{ip.header_length()},
            .protocol = ip.protocol,
            .is_too_long = icmp.type == unreachable && icmp.code == code_fragmentation_needed,
            .mtu = mtu >= path_mtu_least ? mtu : std::uint16_t{0},
            .length = ip.total_length.host()};
}

// Whether what is quoted could be a packet of ours for which the way is too narrow.
bool is_credible(const Outer& outer, const std::uint8_t* l4, std::size_t left) {
    if (outer.length <= outer.mtu) {
        return false;
    }
    return outer.protocol != protocol_udp || left < sizeof(UdpHeader) ||
           reinterpret_cast<const UdpHeader*>(l4)->source_port.host() >= flow_port_first;
}

// Octets between the quoted outer IP header and the packet within.
std::size_t length_between(std::uint8_t protocol, const std::uint8_t* l4, std::size_t left) {
    constexpr std::size_t gue_size = 4;
    constexpr std::uint8_t gre_has_checksum = 0x80;
    if (protocol == protocol_gre) {
        return left > 0 && (*l4 & gre_has_checksum) != 0 ? 8 : 4;
    }
    return protocol == protocol_udp ? sizeof(UdpHeader) + gue_size : 0;
}

// Of a whole TCP or UDP packet, or the first piece of one: nobody is told of an error's trouble,
// nor of one that says nothing.
struct Inner {
    bool is_to_be_told_of = false;
    IpAddress destination;
};

bool is_flow(std::uint8_t protocol) { return protocol == protocol_tcp || protocol == protocol_udp; }

Inner read_inner_ipv6(const std::uint8_t* octets, std::size_t length) {
    if (length < sizeof(Ipv6Header) + quoted_l4_size_least) {
        return {};
    }
    const auto& ip = *reinterpret_cast<const Ipv6Header*>(octets);
    const bool is_from_one = !ip.source.is_multicast() && !ip.source.is_unspecified() &&
                             !ip.source.is_link_local() && !ip.source.is_v4_mapped();
    return {.is_to_be_told_of = is_flow(ip.next_header) && is_from_one,
            .destination = ip.destination};
}

Inner read_inner(const std::uint8_t* octets, std::size_t length) {
    if (length == 0 || *octets >> 4 == 6) {
        return read_inner_ipv6(octets, length);
    }
    const auto& ip = *reinterpret_cast<const Ipv4Header*>(octets);
    const bool is_whole = length >= sizeof(Ipv4Header) && ip.version() == 4 &&
                          ip.header_length() >= sizeof(Ipv4Header) &&
                          length >= ip.header_length() + quoted_l4_size_least;
    if (!is_whole) {
        return {};
    }
    return {.is_to_be_told_of = is_flow(ip.protocol) && !ip.is_later_fragment(),
            .destination = ip.destination};
}

// What is left for the packet within; IPv6 never hears of less than it asks of every way.
std::uint16_t mtu_within(const Outer& outer, std::size_t overhead, const std::uint8_t* inner) {
    const auto left = static_cast<std::uint16_t>(outer.mtu - overhead);
    return *inner >> 4 == 6 ? std::max(left, path_mtu_least6) : left;
}

}  // namespace

TunnelNews read_tunnel_error(const std::uint8_t* frame, const ParsedPacket& packet) {
    TunnelNews news;
    const Outer outer = read_outer(frame, packet);
    const std::size_t end = sizeof(EthernetHeader) + packet.ip_length;
    const std::size_t left = end > outer.l4 ? end - outer.l4 : 0;
    const std::size_t between = length_between(outer.protocol, frame + outer.l4, left);
    const std::uint8_t* const octets = frame + outer.l4 + between;
    const Inner inner = read_inner(octets, left > between ? left - between : 0);
    if (outer.is_too_long && is_credible(outer, frame + outer.l4, left)) {
        news.path_mtu = outer.mtu;
    }
    const bool is_said = !outer.is_too_long || outer.mtu != 0;
    if (!inner.is_to_be_told_of || !is_said) {
        return news;
    }
    news.inner_offset = static_cast<std::uint16_t>(outer.l4 + between);
    news.inner_length = static_cast<std::uint16_t>(left - between);
    news.error = outer.is_too_long ? icmp_error::too_long : icmp_error::host_unreachable;
    news.error.source = inner.destination;
    if (outer.is_too_long) {
        news.error.next_mtu =
            mtu_within(outer, outer.l4 + between - packet.quotation_offset, octets);
    }
    return news;
}

}  // namespace fulcrum
