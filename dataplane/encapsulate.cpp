// Copy and patch.
#include "dataplane/encapsulate.h"

#include <cstddef>
#include <cstring>

#include "dataplane/headers.h"

namespace fulcrum {
namespace {

constexpr std::uint16_t dont_fragment = 0x4000;
// The range of ephemeral ports, so that nobody takes the outer packet for a server's (RFC 7510,
// 5.1 gives the same advice).
constexpr std::uint16_t flow_port_first = 49'152;
constexpr std::uint16_t flow_port_mask = 16'383;

void patch_ipv4(Ipv4Header& outer, const Ipv4Header& inner, const Tunnel& tunnel,
                const WrapFields& fields) {
    const bool may_fragment = (inner.flags_and_fragment_offset.host() & dont_fragment) == 0;
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
    sum.add(be16{static_cast<std::uint16_t>(outer.time_to_live << 8)});
    outer.checksum = be16::from_wire(static_cast<std::uint16_t>(~sum.folded()));
}

void patch_udp(UdpHeader& udp, const Ipv4Header& outer, const Tunnel& tunnel,
               const WrapFields& fields) {
    const auto length =
        static_cast<std::uint16_t>(fields.inner_length + tunnel.header_length - tunnel.l4_offset);
    udp.source_port =
        be16{static_cast<std::uint16_t>(flow_port_first + (fields.flow_hash & flow_port_mask))};
    udp.length = be16{length};
    if (!tunnel.has_checksum) {
        return;
    }
    constexpr std::size_t gue_size = 4;
    ChecksumSum sum = pseudo_header_sum(outer.source, outer.destination, outer.protocol, length);
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
    const auto& inner = *reinterpret_cast<const Ipv4Header*>(frame + sizeof(EthernetHeader));
    std::uint8_t* const grown = frame - tunnel.header_length;
    auto& ethernet = *reinterpret_cast<EthernetHeader*>(grown);
    ethernet.destination = tunnel.destination;
    ethernet.source = tunnel.source;
    ethernet.ethertype = ethertype::ipv4;
    std::uint8_t* const header = grown + sizeof(EthernetHeader);
    std::memcpy(header, tunnel.header.data(), tunnel.header_length);
    auto& outer = *reinterpret_cast<Ipv4Header*>(header);
    patch_ipv4(outer, inner, tunnel, fields);
    if (tunnel.mode == ForwardingMode::gue) {
        patch_udp(*reinterpret_cast<UdpHeader*>(header + tunnel.l4_offset), outer, tunnel, fields);
    } else if (tunnel.mode == ForwardingMode::gre && tunnel.has_checksum) {
        patch_gre(header + tunnel.l4_offset, fields);
    }
    return grown;
}

}  // namespace fulcrum
