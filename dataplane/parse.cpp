// The descent.
#include "dataplane/parse.h"

#include <algorithm>
#include <cstring>

#include "dataplane/checksum.h"
#include "dataplane/parse_ipv6.h"
#include "dataplane/parse_l4.h"
#include "dataplane/sctp.h"

namespace fulcrum {
namespace {

constexpr std::size_t l3_offset = sizeof(EthernetHeader);
constexpr std::uint8_t version_4_without_options = 0x45;

void take_for_kernel(ParsedPacket& packet) {
    forget_ip(packet);
    packet.kind = PacketKind::not_ip;
}

bool is_impossible_source(Ipv4Address source) {
    return source.is_multicast() || source.is_broadcast() || source.is_loopback();
}

// What few packets need is kept out of line: its registers would have to be saved for all.
[[gnu::noinline]] bool has_sound_checksum_with_options(const Ipv4Header& ip,
                                                       std::size_t header_length) {
    ChecksumSum sum;
    sum.add(&ip, header_length);
    return sum.folded() == 0xFFFF;
}

bool has_sound_checksum(const Ipv4Header& ip, std::size_t header_length) {
    if (header_length > sizeof(ip)) {
        return has_sound_checksum_with_options(ip, header_length);
    }
    ChecksumSum sum;
    sum.add(&ip, sizeof(ip));
    return sum.folded() == 0xFFFF;
}

// Every fragment but the last ends at a multiple of eight octets, and none goes beyond the largest
// packet that there is (RFC 791, 3.1). The first one has to hold the whole L4 header, so that
// nobody after us reads another one than we did (RFC 1858).
void parse_fragment(std::span<const std::uint8_t> segment, const Ipv4Header& ip,
                    std::size_t header_length, ParsedPacket& packet) {
    constexpr std::size_t ip_length_max = 65'535;
    packet.kind = PacketKind::other_ip;
    if (!has_flows(packet.ip_protocol)) {
        return;
    }
    const std::size_t length = packet.ip_length - header_length;
    const std::size_t offset = std::size_t{ip.fragment_offset()} * 8;
    const bool is_cut_unevenly = ip.has_more_fragments() && length % 8 != 0;
    if (length == 0 || is_cut_unevenly || header_length + offset + length > ip_length_max) {
        return refuse(packet, DropReason::fragment_bounds);
    }
    packet.protocol = static_cast<L4Protocol>(packet.ip_protocol);
    packet.source_port = packet.destination_port = be16{};
    if (offset == 0) {
        const auto ip_packet =
            segment.first(std::min<std::size_t>(segment.size(), packet.ip_length));
        if (packet.protocol == L4Protocol::tcp) {
            parse_tcp(ip_packet, header_length, packet);
        } else if (packet.protocol == L4Protocol::udp) {
            parse_first_of_udp(ip_packet, header_length, packet);
        } else {
            parse_sctp(ip_packet, header_length, packet);
        }
        if (packet.kind == PacketKind::refused) {
            return;
        }
    }
    packet.kind = PacketKind::fragment;
}

// An unspecified source is a host that asks for its address (RFC 2131).
[[gnu::noinline]] void parse_unusual(std::span<const std::uint8_t> segment, const Ipv4Header& ip,
                                     std::size_t header_length, ParsedPacket& packet) {
    packet.kind = PacketKind::other_ip;
    packet.is_fragment = ip.is_fragment();
    if (!packet.source.is_unspecified()) {
        parse_fragment(segment, ip, header_length, packet);
    }
}

// An error is about the packet that it quotes. Turned around, the quotation's tuple is what the
// error would carry if it were a packet of that flow going the error's way.
[[gnu::noinline]] void parse_icmp(std::span<const std::uint8_t> ip_packet, std::size_t l4,
                                  ParsedPacket& packet) {
    const auto* icmp = look_at<IcmpHeader>(ip_packet, l4);
    if (icmp == nullptr) {
        return refuse(packet, DropReason::l4_truncated);
    }
    packet.kind = PacketKind::other_ip;
    // Redirects (type 5) advise the sender's own routing; they are nobody's beyond it.
    if (!icmp->is_error() || icmp->type == 5) {
        return;
    }
    const std::size_t quoted_l3 = l4 + sizeof(IcmpHeader);
    const auto* quoted = look_at<Ipv4Header>(ip_packet, quoted_l3);
    if (quoted == nullptr || quoted->version() != 4 ||
        quoted->header_length() < sizeof(Ipv4Header)) {
        return refuse(packet, DropReason::icmp_quotation);
    }
    const bool is_flow = has_flows(quoted->protocol);
    if (is_tunnel_protocol(quoted->protocol) && quoted->source == packet.destination) {
        packet.source = quoted->destination;
        packet.source_port = be16{};
        packet.quotation_offset = static_cast<std::uint16_t>(l3_offset + quoted_l3);
        packet.kind = PacketKind::tunnel_error;
        return;
    }
    if (!is_flow || quoted->is_later_fragment()) {
        return;
    }
    // RFC 792 promises eight octets of the quoted L4 header: the ports and four more.
    const auto* ports = look_at<UdpHeader>(ip_packet, quoted_l3 + quoted->header_length());
    if (ports == nullptr) {
        return refuse(packet, DropReason::icmp_quotation);
    }
    const bool answers_its_sender = quoted->source == packet.destination;
    if (!answers_its_sender) {
        return;
    }
    packet.source = quoted->destination;
    packet.destination = quoted->source;
    packet.source_port = ports->destination_port;
    packet.destination_port = ports->source_port;
    packet.protocol = static_cast<L4Protocol>(quoted->protocol);
    packet.quotation_offset = static_cast<std::uint16_t>(l3_offset + quoted_l3);
    packet.kind = PacketKind::icmp_error;
}

// Of the protocols that come seldom.
[[gnu::noinline]] void parse_rare_l4(std::span<const std::uint8_t> ip_packet, std::size_t l4,
                                     ParsedPacket& packet) {
    if (packet.ip_protocol == static_cast<std::uint8_t>(L4Protocol::icmp)) {
        parse_icmp(ip_packet, l4, packet);
    } else if (packet.ip_protocol == static_cast<std::uint8_t>(L4Protocol::sctp)) {
        parse_sctp(ip_packet, l4, packet);
    } else {
        packet.kind = PacketKind::other_ip;
    }
}

// What to make of an IPv4 packet's payload. What lies behind the IP packet is padding.
[[gnu::always_inline]] inline void parse_l4(std::span<const std::uint8_t> segment,
                                            std::size_t header_length, ParsedPacket& packet) {
    const std::size_t total_length = packet.ip_length;
    const auto ip_packet = segment.first(std::min(segment.size(), total_length));
    if (packet.ip_protocol == static_cast<std::uint8_t>(L4Protocol::tcp)) {
        parse_tcp(ip_packet, header_length, packet);
    } else if (packet.ip_protocol == static_cast<std::uint8_t>(L4Protocol::udp)) {
        parse_udp(ip_packet, header_length, packet);
    } else {
        parse_rare_l4(ip_packet, header_length, packet);
    }
    if (is_scattered(packet, ip_packet.size())) {
        refuse(packet, DropReason::headers_scattered);
    }
}

// Of a header whose length is known, and which the segment holds; inline, so that the length is a
// constant where it can be.
[[gnu::always_inline]] inline void parse_sized_ipv4(std::span<const std::uint8_t> segment,
                                                    std::size_t whole_length, const Ipv4Header& ip,
                                                    std::size_t header_length,
                                                    ParsedPacket& packet) {
    const std::size_t total_length = ip.total_length.host();
    if (total_length < header_length || total_length > whole_length) {
        return refuse_frame(packet, DropReason::ipv4_total_length);
    }
    if (!has_sound_checksum(ip, header_length)) {
        return refuse_frame(packet, DropReason::ipv4_checksum);
    }
    const Ipv4Address source = ip.source;
    if (is_impossible_source(source)) {
        return refuse_frame(packet, DropReason::ipv4_source);
    }
    const Ipv4Address destination = ip.destination;
    const std::uint8_t time_to_live = ip.time_to_live;
    const std::uint8_t ip_protocol = ip.protocol;
    const bool is_unusual = ip.is_fragment() || source.is_unspecified();
    packet.time_to_live = time_to_live;
    packet.ip_protocol = ip_protocol;
    packet.is_fragment = false;
    packet.ip_version = 4;
    packet.source = source;
    packet.destination = destination;
    packet.ip_length = static_cast<std::uint16_t>(total_length);
    packet.l4_offset = static_cast<std::uint8_t>(l3_offset + header_length);
    if (is_unusual) {
        return parse_unusual(segment, ip, header_length, packet);
    }
    parse_l4(segment, header_length, packet);
}

[[gnu::noinline]] void parse_ipv4_with_options(std::span<const std::uint8_t> segment,
                                               std::size_t whole_length, const Ipv4Header& ip,
                                               ParsedPacket& packet) {
    if (ip.version() != 4) {
        return refuse_frame(packet, DropReason::ipv4_version);
    }
    const std::size_t header_length = ip.header_length();
    if (header_length < sizeof(Ipv4Header) || header_length > whole_length) {
        return refuse_frame(packet, DropReason::ipv4_header_length);
    }
    if (header_length > segment.size()) {
        return refuse_frame(packet, DropReason::headers_scattered);
    }
    return parse_sized_ipv4(segment, whole_length, ip, header_length, packet);
}

[[gnu::always_inline]] inline void parse_ipv4(std::span<const std::uint8_t> segment,
                                              std::size_t whole_length, ParsedPacket& packet) {
    const auto* ip = look_at<Ipv4Header>(segment, 0);
    if (ip == nullptr) {
        return refuse_frame(packet, whole_length < sizeof(Ipv4Header)
                                        ? DropReason::ipv4_truncated
                                        : DropReason::headers_scattered);
    }
    if (ip->version_and_length == version_4_without_options) {
        return parse_sized_ipv4(segment, whole_length, *ip, sizeof(Ipv4Header), packet);
    }
    return parse_ipv4_with_options(segment, whole_length, *ip, packet);
}

}  // namespace

void parse(std::span<const std::uint8_t> frame, std::uint32_t frame_length,
           const MacAddress& port_mac, ParsedPacket& packet) {
    const auto* ethernet = look_at<EthernetHeader>(frame, 0);
    if (ethernet == nullptr) {
        return refuse_frame(packet, DropReason::frame_truncated);
    }
    packet.is_broadcast = (ethernet->destination.bytes[0] & 1) != 0;
    if (!packet.is_broadcast &&
        std::memcmp(&ethernet->destination, &port_mac, sizeof(MacAddress)) != 0) {
        return refuse_frame(packet, DropReason::destination);
    }
    if (ethernet->ethertype == ethertype::ipv4) {
        return parse_ipv4(frame.subspan(l3_offset), frame_length - l3_offset, packet);
    }
    if (ethernet->ethertype == ethertype::ipv6) {
        return parse_ipv6(frame.subspan(l3_offset), frame_length - l3_offset, packet);
    }
    if (ethernet->ethertype == ethertype::arp) {
        return take_for_kernel(packet);
    }
    return refuse_frame(
        packet, ethernet->ethertype == ethertype::vlan ? DropReason::vlan : DropReason::ethertype);
}

bool complete_partial_checksum(std::uint8_t* frame, const ParsedPacket& packet) {
    if (packet.kind != PacketKind::flow) {
        return false;
    }
    if (packet.protocol == L4Protocol::sctp) [[unlikely]] {
        return complete_sctp_checksum(frame, packet);
    }
    std::uint8_t* l4 = frame + packet.l4_offset;
    const auto l4_length =
        static_cast<std::uint16_t>(packet.ip_length + l3_offset - packet.l4_offset);
    be16& field = packet.protocol == L4Protocol::tcp ? reinterpret_cast<TcpHeader*>(l4)->checksum
                                                     : reinterpret_cast<UdpHeader*>(l4)->checksum;
    ChecksumSum sum =
        packet.ip_version == 6
            ? pseudo_header_sum(ipv6_header_of(frame).source, ipv6_header_of(frame).destination,
                                packet.ip_protocol, l4_length)
            : pseudo_header_sum(packet.source, packet.destination, packet.ip_protocol, l4_length);
    if (field.wire() != sum.folded()) {
        return false;
    }
    field = be16{};
    sum.add(l4, l4_length);
    field = be16::from_wire(static_cast<std::uint16_t>(~sum.folded()));
    if (packet.protocol == L4Protocol::udp && field.wire() == 0) {
        field = be16::from_wire(0xFFFF);
    }
    return true;
}

}  // namespace fulcrum
