// The descent through IPv6 and its extension headers (RFC 8200, section 4).
#include "dataplane/parse_ipv6.h"

#include <algorithm>

#include "dataplane/parse_l4.h"
#include "dataplane/sctp.h"

namespace fulcrum {
namespace {

constexpr std::uint8_t next_hop_by_hop = 0;
constexpr std::uint8_t next_routing = 43;
constexpr std::uint8_t next_fragment = 44;
constexpr std::uint8_t next_destination_options = 60;

bool is_impossible_ipv6_source(const Ipv6Address& source) {
    return source.is_multicast() || source.is_loopback() || source.is_v4_mapped();
}

// What a walk over extension headers has found.
struct ExtensionWalk {
    std::size_t at = sizeof(Ipv6Header);  // where the next header lies
    std::uint8_t next_header = 0;         // what it is
    std::size_t fragment_at = 0;          // where the fragment header lies; 0: there is none
    bool is_fragment = false;             // of a packet in several pieces
    bool is_later_fragment = false;       // `next_header` is not here but in the first one
};

enum class WalkEnd : std::uint8_t { arrived, ran_out, refused };

bool is_extension(std::uint8_t next_header) {
    return next_header == next_hop_by_hop || next_header == next_routing ||
           next_header == next_fragment || next_header == next_destination_options;
}

// Over the header that `walk` stands before.
WalkEnd pass_over(std::span<const std::uint8_t> octets, ExtensionWalk& walk) {
    const auto* header = look_at<Ipv6ExtensionHeader>(octets, walk.at);
    if (header == nullptr) {
        return WalkEnd::ran_out;
    }
    const bool stands_wrong = walk.next_header == next_hop_by_hop && walk.at != sizeof(Ipv6Header);
    const bool has_way_to_go =
        walk.next_header == next_routing && header->third_and_fourth.host() % 256 != 0;
    const bool is_cut_twice = walk.next_header == next_fragment && walk.fragment_at != 0;
    if (stands_wrong || has_way_to_go || is_cut_twice) {
        return WalkEnd::refused;
    }
    if (walk.next_header == next_fragment) {
        walk.fragment_at = walk.at;
        walk.is_fragment = (header->third_and_fourth.host() & 0xFFF9U) != 0;
        walk.is_later_fragment = is_later_fragment(*header);
    }
    walk.at += walk.next_header == next_fragment ? 8U : 8U * (header->length_in_eights + 1U);
    walk.next_header = header->next_header;
    return walk.at <= octets.size() ? WalkEnd::arrived : WalkEnd::ran_out;
}

// From `walk.at`, which is the end of the IPv6 header, to what is no extension header.
WalkEnd walk_extensions(std::span<const std::uint8_t> octets, ExtensionWalk& walk) {
    const std::size_t begin = walk.at;
    for (unsigned count = 0; is_extension(walk.next_header) && !walk.is_later_fragment; ++count) {
        if (count == limits::ipv6_extensions_max) {
            return WalkEnd::refused;
        }
        if (const WalkEnd end = pass_over(octets, walk); end != WalkEnd::arrived) {
            return end;
        }
        if (walk.at - begin > limits::ipv6_extensions_size_max) {
            return WalkEnd::refused;
        }
    }
    return WalkEnd::arrived;
}

// As parse_icmp() in parse.cpp: an error is about the packet that it quotes, and reads as if that
// packet's tuple, turned around, were its own.
void parse_icmpv6(std::span<const std::uint8_t> ip_packet, std::size_t l4, ParsedPacket& packet) {
    const auto* icmp = look_at<IcmpHeader>(ip_packet, l4);
    if (icmp == nullptr) {
        return refuse(packet, DropReason::l4_truncated);
    }
    packet.icmp_type = icmp->type;
    packet.kind = PacketKind::other_ip;
    constexpr std::uint8_t parameter_problem = 4;
    if (icmp->type == 0 || icmp->type > parameter_problem) {
        return;
    }
    const std::size_t quoted_l3 = l4 + sizeof(IcmpHeader);
    const auto* quoted = look_at<Ipv6Header>(ip_packet, quoted_l3);
    if (quoted == nullptr || quoted->version() != 6) {
        return refuse(packet, DropReason::icmp_quotation);
    }
    ExtensionWalk walk{.next_header = quoted->next_header};
    const auto quotation = ip_packet.subspan(quoted_l3);
    if (walk_extensions(quotation, walk) != WalkEnd::arrived) {
        return refuse(packet, DropReason::icmp_quotation);
    }
    const bool is_flow = has_flows(walk.next_header);
    const auto* ip = look_at<Ipv6Header>(ip_packet, 0);
    const bool answers_its_sender = quoted->source == ip->destination;
    if (walk.is_later_fragment || !answers_its_sender) {
        return;
    }
    packet.quotation_offset = static_cast<std::uint16_t>(sizeof(EthernetHeader) + quoted_l3);
    packet.quoted_l4_offset = static_cast<std::uint16_t>(packet.quotation_offset + walk.at);
    if (is_tunnel_protocol(walk.next_header)) {
        packet.source_port = packet.destination_port = be16{};
        packet.kind = PacketKind::tunnel_error;
        return;
    }
    if (!is_flow) {
        return;
    }
    const auto* ports = look_at<UdpHeader>(quotation, walk.at);
    if (ports == nullptr) {
        return refuse(packet, DropReason::icmp_quotation);
    }
    packet.source_port = ports->destination_port;
    packet.destination_port = ports->source_port;
    packet.protocol = static_cast<L4Protocol>(walk.next_header);
    packet.kind = PacketKind::icmp_error;
}

// There is no header checksum that would cover the addresses: a datagram without its own could
// reach anybody (RFC 8200, 8.1). Tunnels that may do so are not ours to serve.
void refuse_without_checksum(std::span<const std::uint8_t> ip_packet, std::size_t l4,
                             ParsedPacket& packet) {
    const bool is_without =
        packet.kind == PacketKind::flow && look_at<UdpHeader>(ip_packet, l4)->checksum.wire() == 0;
    if (is_without) {
        refuse(packet, DropReason::udp_checksum_missing);
    }
}

// As parse_fragment() in parse.cpp. All that belong together have their L4 header right behind the
// fragment header of the first one: other extension headers there would be seen in that one alone.
void parse_ipv6_fragment(std::span<const std::uint8_t> ip_packet, const ExtensionWalk& walk,
                         ParsedPacket& packet) {
    const auto& header = *look_at<Ipv6ExtensionHeader>(ip_packet, walk.fragment_at);
    packet.kind = PacketKind::other_ip;
    if (!has_flows(header.next_header)) {
        return;
    }
    constexpr std::size_t payload_length_max = 65'535;
    const unsigned offset_and_more = header.third_and_fourth.host();
    const std::size_t offset = offset_and_more & 0xFFF8U;
    const std::size_t length = packet.ip_length - walk.at;
    const bool is_cut_unevenly = (offset_and_more & 1U) != 0 && length % 8 != 0;
    const std::size_t before = walk.fragment_at - sizeof(Ipv6Header);
    if (length == 0 || is_cut_unevenly || before + offset + length > payload_length_max) {
        return refuse(packet, DropReason::fragment_bounds);
    }
    packet.protocol = static_cast<L4Protocol>(header.next_header);
    packet.source_port = packet.destination_port = be16{};
    packet.quotation_offset = static_cast<std::uint16_t>(sizeof(EthernetHeader) + walk.fragment_at);
    if (offset == 0) {
        if (packet.protocol == L4Protocol::tcp) {
            parse_tcp(ip_packet, walk.at, packet);
        } else if (packet.protocol == L4Protocol::udp) {
            parse_first_of_udp(ip_packet, walk.at, packet);
        } else {
            parse_sctp(ip_packet, walk.at, packet);
        }
        if (packet.kind == PacketKind::refused) {
            return;
        }
        if (packet.protocol == L4Protocol::udp) {
            packet.kind = PacketKind::flow;
            refuse_without_checksum(ip_packet, walk.at, packet);
            if (packet.kind == PacketKind::refused) {
                return;
            }
        }
    }
    packet.kind = PacketKind::fragment;
}

void parse_ipv6_l4(std::span<const std::uint8_t> ip_packet, std::size_t l4, ParsedPacket& packet) {
    switch (packet.ip_protocol) {
        case static_cast<std::uint8_t>(L4Protocol::tcp):
            parse_tcp(ip_packet, l4, packet);
            break;
        case static_cast<std::uint8_t>(L4Protocol::udp):
            parse_udp(ip_packet, l4, packet);
            refuse_without_checksum(ip_packet, l4, packet);
            break;
        case static_cast<std::uint8_t>(L4Protocol::sctp):
            parse_sctp(ip_packet, l4, packet);
            break;
        case protocol_icmpv6:
            parse_icmpv6(ip_packet, l4, packet);
            break;
        default:
            packet.kind = PacketKind::other_ip;
            break;
    }
}

}  // namespace

void parse_ipv6(std::span<const std::uint8_t> segment, std::size_t whole_length,
                ParsedPacket& packet) {
    const auto* ip = look_at<Ipv6Header>(segment, 0);
    if (ip == nullptr) {
        return refuse_frame(packet, whole_length < sizeof(Ipv6Header)
                                        ? DropReason::ipv6_truncated
                                        : DropReason::headers_scattered);
    }
    const std::size_t total_length = sizeof(Ipv6Header) + ip->payload_length.host();
    if (ip->version() != 6) {
        return refuse_frame(packet, DropReason::ipv6_version);
    }
    if (total_length > whole_length) {
        return refuse_frame(packet, DropReason::ipv6_payload_length);
    }
    if (is_impossible_ipv6_source(ip->source)) {
        return refuse_frame(packet, DropReason::ipv6_source);
    }
    const auto ip_packet = segment.first(std::min(segment.size(), total_length));
    ExtensionWalk walk{.next_header = ip->next_header};
    const WalkEnd end = walk_extensions(ip_packet, walk);
    if (end != WalkEnd::arrived) {
        const bool is_cut = end == WalkEnd::ran_out && ip_packet.size() < total_length;
        return refuse_frame(packet,
                            is_cut ? DropReason::headers_scattered : DropReason::ipv6_extension);
    }
    packet.ip_version = 6;
    packet.is_fragment = walk.is_fragment;
    packet.is_broadcast = packet.is_broadcast || ip->destination.is_multicast();
    packet.time_to_live = ip->hop_limit;
    packet.ip_protocol = walk.next_header;
    packet.source = packet.destination = name_none;
    packet.ip_length = static_cast<std::uint16_t>(std::min<std::size_t>(total_length, 65'535));
    packet.l4_offset = static_cast<std::uint8_t>(sizeof(EthernetHeader) + walk.at);
    packet.icmp_type = 0;
    if (ip->source.is_unspecified()) {
        // An unspecified source is a host that asks whether its address is free (RFC 4862).
        const auto* icmp = look_at<IcmpHeader>(ip_packet, walk.at);
        packet.icmp_type = icmp == nullptr ? std::uint8_t{0} : icmp->type;
        packet.kind = PacketKind::other_ip;
        return;
    }
    walk.is_fragment ? parse_ipv6_fragment(ip_packet, walk, packet)
                     : parse_ipv6_l4(ip_packet, walk.at, packet);
    if (is_scattered(packet, ip_packet.size())) {
        refuse(packet, DropReason::headers_scattered);
    }
}

}  // namespace fulcrum
