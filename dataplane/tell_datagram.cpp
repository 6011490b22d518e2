// Datagrams that carry their client's address, and errors about them.
#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>

#include "dataplane/tell_client.h"
#include "dataplane/tell_parts.h"

namespace fulcrum {
namespace {

bool is_too_long(const IcmpHeader& icmp, const ParsedPacket& packet) {
    return packet.ip_version == 6 ? icmp.type == 2 : icmp.type == 3 && icmp.code == 4;
}

// The path carries so much; of that the client may use what our header leaves.
void lessen_mtu(IcmpHeader& icmp, const ParsedPacket& packet, std::uint16_t by,
                ChecksumDelta& delta) {
    const std::uint32_t mtu =
        packet.ip_version == 6 ? icmp.rest.host() : icmp.rest.host() & 0xFFFFU;
    if (!is_too_long(icmp, packet) || mtu <= by) {
        return;
    }
    const be32 before = icmp.rest;
    icmp.rest = be32{before.host() - by};
    change(delta, before, icmp.rest);
}

// What a datagram's checksum covers of the header: its octets, and the length, which counts twice,
// in the field and in the pseudo-header.
struct Covered {
    std::uint16_t header_sum = 0;
    be16 length;
};

ChecksumDelta delta_between(const Covered& before, const Covered& after) {
    ChecksumDelta delta;
    delta.change(before.header_sum, after.header_sum);
    delta.change(before.length, after.length);
    delta.change(before.length, after.length);
    return delta;
}

std::uint16_t sum_of(const Announced& announced) {
    ChecksumSum sum;
    sum.add(announced.octets.data(), announced.length);
    return sum.folded();
}

void replace(be16& word, be16 value, ChecksumDelta& delta) {
    delta.change(word, value);
    word = value;
}

be16 less(be16 length, std::uint16_t by) {
    return be16{static_cast<std::uint16_t>(length.host() - by)};
}

// Lengths and checksums in the quoted headers are again those of the client's datagram.
void shorten_quoted_headers(std::uint8_t* frame, const ParsedPacket& packet,
                            const Announced& announced, ChecksumDelta& delta) {
    auto& udp = *reinterpret_cast<UdpHeader*>(frame + quoted_l4_offset(frame, packet));
    const be16 udp_length = less(udp.length, announced.length);
    const ChecksumDelta udp_delta = delta_between({sum_of(announced), udp.length}, {0, udp_length});
    replace(udp.length, udp_length, delta);
    replace(udp.checksum, udp_delta.applied_to_udp(udp.checksum), delta);
    if (packet.ip_version == 6) {
        auto& ip = *reinterpret_cast<Ipv6Header*>(frame + packet.quotation_offset);
        return replace(ip.payload_length, less(ip.payload_length, announced.length), delta);
    }
    auto& ip = *reinterpret_cast<Ipv4Header*>(frame + packet.quotation_offset);
    const be16 ip_length = less(ip.total_length, announced.length);
    ChecksumDelta ip_delta;
    ip_delta.change(ip.total_length, ip_length);
    replace(ip.total_length, ip_length, delta);
    replace(ip.checksum, ip_delta.applied_to(ip.checksum), delta);
}

// What follows a quotation of told length (RFC 4884) stays where it is.
bool has_extensions(const IcmpHeader& icmp, const ParsedPacket& packet) {
    return packet.ip_version == 6 ? icmp.type != 2 && icmp.rest.host() >> 24 != 0
                                  : (icmp.rest.host() >> 16 & 0xFF) != 0;
}

void take_header_out_of_quotation(rte_mbuf* mbuf, ParsedPacket& packet,
                                  const Announced& announced) {
    auto* const frame = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
    auto& icmp = *reinterpret_cast<IcmpHeader*>(frame + packet.l4_offset);
    ChecksumDelta delta;
    lessen_mtu(icmp, packet, announced.length, delta);
    shorten_quoted_headers(frame, packet, announced, delta);
    const std::size_t from = quoted_l4_offset(frame, packet) + sizeof(UdpHeader);
    const std::size_t end = sizeof(EthernetHeader) + packet.ip_length;
    const std::size_t taken = std::min<std::size_t>(announced.length, end - from);
    if (taken > 0 && !has_extensions(icmp, packet)) {
        ChecksumSum sum;
        sum.add(frame + from, taken);
        delta.change(sum.folded(), std::uint16_t{0});
        if (packet.ip_version == 6) {
            const std::size_t before = segment_length_of(packet);
            delta.change(be16{static_cast<std::uint16_t>(before)},
                         be16{static_cast<std::uint16_t>(before - taken)});
        }
        std::memmove(frame + from, frame + from + taken, end - from - taken);
        change_ip_length(frame, packet, -static_cast<int>(taken));
        set_length(mbuf, end - taken);
    }
    icmp.checksum = delta.applied_to(icmp.checksum);
}

}  // namespace

// An answer bears no header; an error about what a client sent is to quote none, and to speak of
// the length that the client may have.
bool ClientTeller::tell_by_datagram(rte_mbuf* mbuf, ParsedPacket& packet, const Decision& decision,
                                    const Telling& telling, const Snapshot& snapshot) {
    const bool is_error = packet.kind == PacketKind::icmp_error;
    const Announced announced = announced_of(telling, snapshot);
    if (is_error && decision.is_reply && mbuf->nb_segs == 1) {
        take_header_out_of_quotation(mbuf, packet, announced);
    }
    if (is_error || decision.is_reply) {
        return true;
    }
    auto* const before = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
    auto* const frame =
        reinterpret_cast<std::uint8_t*>(rte_pktmbuf_prepend(mbuf, announced.length));
    if (frame == nullptr) {
        emitter_.drop(mbuf, {DropReason::no_buffer, snapshot.service_number_of(decision.tally)});
        return false;
    }
    const std::size_t headers = packet.l4_offset + sizeof(UdpHeader);
    std::memmove(frame, before, headers);
    std::memcpy(frame + headers, announced.octets.data(), announced.length);
    auto& udp = *reinterpret_cast<UdpHeader*>(frame + packet.l4_offset);
    const be16 length{static_cast<std::uint16_t>(udp.length.host() + announced.length)};
    const ChecksumDelta delta = delta_between({0, udp.length}, {sum_of(announced), length});
    udp.checksum = delta.applied_to_udp(udp.checksum);
    udp.length = length;
    change_ip_length(frame, packet, announced.length);
    return true;
}

}  // namespace fulcrum
