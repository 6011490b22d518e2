// The message around its quotation.
#include "dataplane/icmp_origin.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>

#include "dataplane/checksum.h"
#include "dataplane/headers.h"
#include "dataplane/parse_ipv6.h"

namespace fulcrum {
namespace {

static_assert(icmp_error_growth == sizeof(Ipv4Header) + sizeof(IcmpHeader));
static_assert(icmpv6_error_growth == sizeof(Ipv6Header) + sizeof(IcmpHeader));
static_assert(std::max(icmp_error_growth, icmpv6_error_growth) <= RTE_PKTMBUF_HEADROOM);

constexpr std::size_t message_size_max = 576;
constexpr std::size_t quotation_size_max = message_size_max - icmp_error_growth;
constexpr std::size_t icmpv6_message_size_max = 1'280;
constexpr std::size_t icmpv6_quotation_size_max = icmpv6_message_size_max - icmpv6_error_growth;
constexpr std::uint8_t internetwork_control = 0xC0;  // precedence of errors: RFC 1812, 4.3.2.5

// Octets of the IP packet in the first segment.
std::uint16_t quotable_of(const rte_mbuf* mbuf, const ParsedPacket& packet) {
    const std::size_t in_segment = mbuf->data_len - sizeof(EthernetHeader);
    return static_cast<std::uint16_t>(std::min<std::size_t>(packet.ip_length, in_segment));
}

}  // namespace

bool may_be_told(const ParsedPacket& packet) {
    return packet.kind == PacketKind::flow && !packet.is_broadcast &&
           !packet.source.is_unspecified();
}

GrownFrame make_icmp_error(std::uint8_t* frame, std::uint16_t quotable, const IcmpError& error,
                           const NextHop& hop) {
    const auto quoted_size =
        static_cast<std::uint16_t>(std::min<std::size_t>(quotable, quotation_size_max));
    const Ipv4Address sender = ipv4_header_of(frame).source;
    std::uint8_t* const grown = frame - icmp_error_growth;
    auto& ethernet = *reinterpret_cast<EthernetHeader*>(grown);
    auto& ip = *reinterpret_cast<Ipv4Header*>(grown + sizeof(EthernetHeader));
    auto& icmp = *reinterpret_cast<IcmpHeader*>(&ip + 1);
    ethernet = {hop.destination, hop.source, ethertype::ipv4};
    ip = {};
    ip.version_and_length = 0x45;
    ip.type_of_service = internetwork_control;
    ip.total_length = be16{static_cast<std::uint16_t>(icmp_error_growth + quoted_size)};
    ip.flags_and_fragment_offset = be16{0x4000};
    ip.time_to_live = 64;
    ip.protocol = static_cast<std::uint8_t>(L4Protocol::icmp);
    ip.source = error.source;
    ip.destination = sender;
    ip.checksum = checksum_of(&ip, sizeof(ip));
    icmp = {};
    icmp.type = error.type;
    icmp.code = error.code;
    icmp.rest = be32{error.next_mtu};
    icmp.checksum = checksum_of(&icmp, sizeof(icmp) + quoted_size);
    return {grown,
            static_cast<std::uint16_t>(sizeof(EthernetHeader) + icmp_error_growth + quoted_size)};
}

GrownFrame make_icmpv6_port_unreachable(std::uint8_t* frame, std::uint16_t quotable,
                                        const NextHop& hop) {
    constexpr std::uint8_t destination_unreachable = 1;
    constexpr std::uint8_t code_port = 4;
    const auto quoted_size =
        static_cast<std::uint16_t>(std::min<std::size_t>(quotable, icmpv6_quotation_size_max));
    const auto icmp_size = static_cast<std::uint16_t>(sizeof(IcmpHeader) + quoted_size);
    const Ipv6Header asked = ipv6_header_of(frame);
    std::uint8_t* const grown = frame - icmpv6_error_growth;
    auto& ip = *reinterpret_cast<Ipv6Header*>(grown + sizeof(EthernetHeader));
    auto& icmp = *reinterpret_cast<IcmpHeader*>(grown + sizeof(EthernetHeader) + sizeof(ip));
    *reinterpret_cast<EthernetHeader*>(grown) = {hop.destination, hop.source, ethertype::ipv6};
    ip = {};
    ip.version_class_and_flow = be32{0x6000'0000};
    ip.payload_length = be16{icmp_size};
    ip.next_header = protocol_icmpv6;
    ip.hop_limit = 64;
    ip.source = asked.destination;
    ip.destination = asked.source;
    icmp = {};
    icmp.type = destination_unreachable;
    icmp.code = code_port;
    ChecksumSum sum = pseudo_header_sum(ip.source, ip.destination, protocol_icmpv6, icmp_size);
    sum.add(&icmp, icmp_size);
    icmp.checksum = be16::from_wire(static_cast<std::uint16_t>(~sum.folded()));
    return {grown,
            static_cast<std::uint16_t>(sizeof(EthernetHeader) + icmpv6_error_growth + quoted_size)};
}

IcmpOrigin::IcmpOrigin(Emitter& emitter, WorkerCounters& counters, const TurnClock& clock)
    : emitter_{emitter},
      counters_{counters},
      clock_{clock},
      rate_{clock.hz() / errors_per_s, errors_at_once, clock.now_cycles()} {}

void IcmpOrigin::refuse(rte_mbuf* mbuf, const ParsedPacket& packet, DropCause cause,
                        const IcmpError& error, const NextHop& hop) {
    if (error.source.is_unspecified() || !may_answer(mbuf, packet, icmp_error_growth, hop)) {
        return emitter_.drop(mbuf, cause);
    }
    emitter_.count_drop(cause);
    counters_.originated.add(1);
    const GrownFrame grown = make_icmp_error(rte_pktmbuf_mtod(mbuf, std::uint8_t*),
                                             quotable_of(mbuf, packet), error, hop);
    send(mbuf, grown, hop.port);
}

void IcmpOrigin::refuse_port(rte_mbuf* mbuf, const ParsedPacket& packet, DropCause cause,
                             const NextHop& hop) {
    if (packet.ip_version == 4) {
        IcmpError error = icmp_error::port_unreachable;
        error.source = packet.destination;
        return refuse(mbuf, packet, cause, error, hop);
    }
    if (!may_answer(mbuf, packet, icmpv6_error_growth, hop)) {
        return emitter_.drop(mbuf, cause);
    }
    emitter_.count_drop(cause);
    counters_.originated.add(1);
    const GrownFrame grown = make_icmpv6_port_unreachable(rte_pktmbuf_mtod(mbuf, std::uint8_t*),
                                                          quotable_of(mbuf, packet), hop);
    send(mbuf, grown, hop.port);
}

bool IcmpOrigin::may_answer(const rte_mbuf* mbuf, const ParsedPacket& packet, std::size_t growth,
                            const NextHop& hop) {
    const bool is_possible = may_be_told(packet) && hop.is_resolved && hop.port != port_none &&
                             rte_pktmbuf_headroom(mbuf) >= growth;
    return is_possible && may_send();
}

void IcmpOrigin::pass_on(rte_mbuf* mbuf, std::uint16_t quoted_at, std::uint16_t quotable,
                         const IcmpError& error, const NextHop& hop) {
    if (!hop.is_resolved || hop.port == port_none || !may_send()) {
        return emitter_.drop(mbuf, {DropReason::tunnel_error});
    }
    std::uint8_t* const frame =
        rte_pktmbuf_mtod(mbuf, std::uint8_t*) + quoted_at - sizeof(EthernetHeader);
    send(mbuf, make_icmp_error(frame, quotable, error, hop), hop.port);
}

bool IcmpOrigin::may_send() {
    const bool may = rate_.take(clock_.now_cycles());
    (may ? counters_.icmp_errors_sent : counters_.icmp_errors_policed).add(1);
    return may;
}

// One segment is left, and it begins where the new frame does.
void IcmpOrigin::send(rte_mbuf* mbuf, const GrownFrame& frame, std::uint8_t port) {
    rte_pktmbuf_free(mbuf->next);
    mbuf->next = nullptr;
    mbuf->nb_segs = 1;
    const auto* const buffer = static_cast<const std::uint8_t*>(mbuf->buf_addr);
    mbuf->data_off = static_cast<std::uint16_t>(frame.octets - buffer);
    mbuf->data_len = frame.length;
    mbuf->pkt_len = frame.length;
    emitter_.transmit(mbuf, port);
}

}  // namespace fulcrum
