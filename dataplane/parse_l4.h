// What both IP versions' descents have in common: a bounded look at the octets, refusing, and the
// TCP and UDP headers. For the rooms of `parse`, and `classify`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/headers.h"
#include "dataplane/parse.h"

namespace fulcrum {

inline void refuse(ParsedPacket& packet, DropReason reason) {
    packet.kind = PacketKind::refused;
    packet.reason = reason;
}

// Before anything is known of an IP packet.
inline void forget_ip(ParsedPacket& packet) {
    packet.ip_version = 0;
    packet.is_fragment = false;
    packet.ip_protocol = 0;
    packet.ip_length = 0;
}

inline void refuse_frame(ParsedPacket& packet, DropReason reason) {
    forget_ip(packet);
    refuse(packet, reason);
}

// A T at this offset, or nothing.
template <typename T>
const T* look_at(std::span<const std::uint8_t> bytes, std::size_t offset) {
    return offset + sizeof(T) <= bytes.size() ? reinterpret_cast<const T*>(bytes.data() + offset)
                                              : nullptr;
}

// Whether such packets have ports in their first four octets, and reals that serve them.
constexpr bool has_flows(std::uint8_t ip_protocol) {
    return ip_protocol == static_cast<std::uint8_t>(L4Protocol::tcp) ||
           ip_protocol == static_cast<std::uint8_t>(L4Protocol::udp) ||
           ip_protocol == static_cast<std::uint8_t>(L4Protocol::sctp);
}

constexpr bool flags_contradict(unsigned flags) {
    constexpr unsigned openers_and_enders = tcp_flag::syn | tcp_flag::fin | tcp_flag::rst;
    const unsigned set = flags & openers_and_enders;
    const bool more_than_one = (set & (set - 1)) != 0;
    const bool says_nothing = (flags & (openers_and_enders | tcp_flag::ack)) == 0;
    return more_than_one || says_nothing;
}

// The answers for all five flags that matter, a bit each.
inline constexpr unsigned judged_flags = 0x1F;
inline constexpr std::uint32_t contradictions = [] {
    std::uint32_t answers = 0;
    for (unsigned flags = 0; flags <= judged_flags; ++flags) {
        answers |= std::uint32_t{flags_contradict(flags)} << flags;
    }
    return answers;
}();

// Inline at both its places: a call of it would cost IPv4 two in a hundred instructions.
[[gnu::always_inline]] inline void parse_tcp(std::span<const std::uint8_t> ip_packet,
                                             std::size_t l4, ParsedPacket& packet) {
    const auto* tcp = look_at<TcpHeader>(ip_packet, l4);
    if (tcp == nullptr) {
        return refuse(packet, DropReason::l4_truncated);
    }
    if (tcp->header_length() < sizeof(TcpHeader) || l4 + tcp->header_length() > packet.ip_length) {
        return refuse(packet, DropReason::l4_header_length);
    }
    const be16 source_port = tcp->source_port;
    const be16 destination_port = tcp->destination_port;
    const std::uint8_t flags = tcp->flags;
    if (source_port.wire() == 0 || destination_port.wire() == 0) {
        return refuse(packet, DropReason::l4_port_zero);
    }
    if (((contradictions >> (flags & judged_flags)) & 1) != 0) {
        return refuse(packet, DropReason::tcp_flags);
    }
    packet.source_port = source_port;
    packet.destination_port = destination_port;
    packet.tcp_flags = flags;
    packet.protocol = L4Protocol::tcp;
    packet.kind = PacketKind::flow;
}

[[gnu::always_inline]] inline void parse_udp(std::span<const std::uint8_t> ip_packet,
                                             std::size_t l4, ParsedPacket& packet) {
    const auto* udp = look_at<UdpHeader>(ip_packet, l4);
    if (udp == nullptr) {
        return refuse(packet, DropReason::l4_truncated);
    }
    const std::size_t length = udp->length.host();
    if (length < sizeof(UdpHeader) || l4 + length > packet.ip_length) {
        return refuse(packet, DropReason::l4_length);
    }
    if (udp->source_port.wire() == 0 || udp->destination_port.wire() == 0) {
        return refuse(packet, DropReason::l4_port_zero);
    }
    packet.source_port = udp->source_port;
    packet.destination_port = udp->destination_port;
    packet.protocol = L4Protocol::udp;
    packet.kind = PacketKind::flow;
}

// The length that the header tells is that of the whole datagram.
inline void parse_first_of_udp(std::span<const std::uint8_t> ip_packet, std::size_t l4,
                               ParsedPacket& packet) {
    const auto* udp = look_at<UdpHeader>(ip_packet, l4);
    if (udp == nullptr) {
        return refuse(packet, DropReason::l4_truncated);
    }
    if (udp->length.host() < sizeof(UdpHeader)) {
        return refuse(packet, DropReason::l4_length);
    }
    if (udp->source_port.wire() == 0 || udp->destination_port.wire() == 0) {
        return refuse(packet, DropReason::l4_port_zero);
    }
    packet.source_port = udp->source_port;
    packet.destination_port = udp->destination_port;
}

// What an IP header says of a packet in a tunnel: IPv4 or IPv6 within, or GRE.
constexpr bool is_tunnel_protocol(std::uint8_t ip_protocol) {
    return ip_protocol == 4 || ip_protocol == 41 || ip_protocol == 47;
}

// Whether a header ended where the first segment does, and not where the packet does.
inline bool is_scattered(const ParsedPacket& packet, std::size_t seen_length) {
    const bool ends_in_header =
        packet.kind == PacketKind::refused && packet.reason == DropReason::l4_truncated;
    return seen_length != packet.ip_length &&
           (ends_in_header || packet.kind == PacketKind::icmp_error ||
            packet.kind == PacketKind::tunnel_error);
}

}  // namespace fulcrum
