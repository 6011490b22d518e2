// Copy and patch.
#include "dataplane/encapsulate.h"

#include <cstddef>
#include <cstring>

#include "dataplane/headers.h"

namespace fulcrum {
namespace {

constexpr std::uint16_t dont_fragment = 0x4000;
constexpr std::uint16_t ipv6_mtu_least = 1'280;  // RFC 8200, 5
constexpr std::size_t gue_size = 4;
// The range of ephemeral ports, so that nobody takes the outer packet for a server's (RFC 7510,
// 5.1 gives the same advice).
constexpr std::uint16_t flow_port_mask = 16'383;

// What the outer header has of the inner one.
struct Inherited {
    bool is_ipv6 = false;
    bool may_fragment = false;
    std::uint8_t type_of_service = 0;
    std::uint8_t time_to_live = 0;
};

Inherited inherited_from(const std::uint8_t* inner, const Tunnel& tunnel,
                         const WrapFields& fields) {
    if (*inner >> 4 == 6) {
        const auto& ip = *reinterpret_cast<const Ipv6Header*>(inner);
        return {
            .is_ipv6 = true,
            .may_fragment = tunnel.mtu < ipv6_mtu_least && fields.inner_length <= ipv6_mtu_least,
            .type_of_service = ip.traffic_class(),
            .time_to_live = ip.hop_limit};
    }
    const auto& ip = *reinterpret_cast<const Ipv4Header*>(inner);
    return {.may_fragment = !ip.forbids_fragments(),
            .type_of_service = ip.type_of_service,
            .time_to_live = ip.time_to_live};
}

// The header was prepared for IPv4 within.
[[gnu::noinline]] void name_ipv6_within(std::uint8_t* header, const Tunnel& tunnel) {
    constexpr std::uint8_t protocol_ipv6 = 41;
    std::uint8_t* const l4 = header + tunnel.l4_offset;
    if (tunnel.mode == ForwardingMode::gue) {
        l4[sizeof(UdpHeader) + 1] = protocol_ipv6;
    } else if (tunnel.mode == ForwardingMode::gre) {
        std::memcpy(l4 + 2, &ethertype::ipv6, sizeof(be16));
    } else if (tunnel.is_ipv6) {
        reinterpret_cast<Ipv6Header*>(header)->next_header = protocol_ipv6;
    } else {
        reinterpret_cast<Ipv4Header*>(header)->protocol = protocol_ipv6;
    }
}

void patch_ipv4(Ipv4Header& outer, const Inherited& inner, const Tunnel& tunnel,
                const WrapFields& fields) {
    const bool may_fragment = inner.may_fragment;
    outer.type_of_service = inner.type_of_service;
    outer.total_length =
        be16{static_cast<std::uint16_t>(fields.inner_length + tunnel.header_length)};
    outer.identification = be16{may_fragment ? fields.identification : std::uint16_t{0}};
    outer.flags_and_fragment_offset = be16{may_fragment ? std::uint16_t{0} : dont_fragment};
    outer.time_to_live = inner.time_to_live;
    ChecksumSum sum;
    sum.add(tunnel.ip_checksum_sum);
    sum.add(be16{outer.type_of_service});
    sum.add(outer.total_length);
    sum.add(outer.identification);
    sum.add(outer.flags_and_fragment_offset);
    sum.add(be16{static_cast<std::uint16_t>((outer.time_to_live << 8) | outer.protocol)});
    outer.checksum = be16::from_wire(static_cast<std::uint16_t>(~sum.folded()));
}

void patch_ipv6(Ipv6Header& outer, const Inherited& inner, const Tunnel& tunnel,
                const WrapFields& fields) {
    constexpr std::uint32_t version = 6U << 28;
    constexpr std::uint32_t flow_label_mask = 0xF'FFFF;
    outer.version_class_and_flow = be32{version | (std::uint32_t{inner.type_of_service} << 20) |
                                        (fields.flow_hash & flow_label_mask)};
    outer.payload_length = be16{
        static_cast<std::uint16_t>(fields.inner_length + tunnel.header_length - sizeof(outer))};
    outer.hop_limit = inner.time_to_live;
}

ChecksumSum outer_pseudo_header_sum(const std::uint8_t* header, const Tunnel& tunnel,
                                    std::uint16_t length) {
    if (tunnel.is_ipv6) {
        const auto& outer = *reinterpret_cast<const Ipv6Header*>(header);
        return pseudo_header_sum(outer.source, outer.destination, outer.next_header, length);
    }
    const auto& outer = *reinterpret_cast<const Ipv4Header*>(header);
    return pseudo_header_sum(outer.source, outer.destination, outer.protocol, length);
}

void patch_udp(std::uint8_t* header, const Tunnel& tunnel, const WrapFields& fields) {
    auto& udp = *reinterpret_cast<UdpHeader*>(header + tunnel.l4_offset);
    const auto length =
        static_cast<std::uint16_t>(fields.inner_length + tunnel.header_length - tunnel.l4_offset);
    udp.source_port =
        be16{static_cast<std::uint16_t>(flow_port_first + (fields.flow_hash & flow_port_mask))};
    udp.length = be16{length};
    if (!tunnel.has_checksum) {
        return;
    }
    ChecksumSum sum = outer_pseudo_header_sum(header, tunnel, length);
    sum.add(&udp, sizeof(udp) + gue_size);
    sum.add(fields.inner_sum.folded());
    udp.checksum = be16::from_wire(static_cast<std::uint16_t>(~sum.folded()));
    if (udp.checksum.wire() == 0) {
        udp.checksum = be16::from_wire(0xFFFF);
    }
}

// RFC 2784, 2.3: over the GRE header and all that follows.
void patch_gre(std::uint8_t* gre, const WrapFields& fields) {
    constexpr std::size_t header_with_checksum_size = 8;
    constexpr std::size_t checksum_offset = 4;
    ChecksumSum sum;
    sum.add(gre, header_with_checksum_size);
    sum.add(fields.inner_sum.folded());
    const be16 checksum = be16::from_wire(static_cast<std::uint16_t>(~sum.folded()));
    std::memcpy(gre + checksum_offset, &checksum, sizeof(checksum));
}

}  // namespace

std::uint8_t* encapsulate(std::uint8_t* frame, const Tunnel& tunnel, const WrapFields& fields) {
    const Inherited inner = inherited_from(frame + sizeof(EthernetHeader), tunnel, fields);
    std::uint8_t* const grown = frame - tunnel.header_length;
    auto& ethernet = *reinterpret_cast<EthernetHeader*>(grown);
    ethernet.destination = tunnel.destination;
    ethernet.source = tunnel.source;
    ethernet.ethertype = tunnel.is_ipv6 ? ethertype::ipv6 : ethertype::ipv4;
    std::uint8_t* const header = grown + sizeof(EthernetHeader);
    std::memcpy(header, tunnel.header.data(), tunnel.header_length);
    if (inner.is_ipv6) {
        name_ipv6_within(header, tunnel);
    }
    if (tunnel.is_ipv6) {
        patch_ipv6(*reinterpret_cast<Ipv6Header*>(header), inner, tunnel, fields);
    } else {
        patch_ipv4(*reinterpret_cast<Ipv4Header*>(header), inner, tunnel, fields);
    }
    if (tunnel.mode == ForwardingMode::gue) {
        patch_udp(header, tunnel, fields);
    } else if (tunnel.mode == ForwardingMode::gre && tunnel.has_checksum) {
        patch_gre(header + tunnel.l4_offset, fields);
    }
    return grown;
}

}  // namespace fulcrum
