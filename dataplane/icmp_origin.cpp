// The message around its quotation.
#include "dataplane/icmp_origin.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>

#include "dataplane/checksum.h"
#include "dataplane/headers.h"

namespace fulcrum {
namespace {

static_assert(icmp_error_growth == sizeof(Ipv4Header) + sizeof(IcmpHeader));
static_assert(icmp_error_growth <= RTE_PKTMBUF_HEADROOM);

constexpr std::size_t message_size_max = 576;
constexpr std::size_t quotation_size_max = message_size_max - icmp_error_growth;
// As many as Linux sends by default (icmp_msgs_per_sec), and a little at once.
constexpr std::uint64_t errors_per_s = 1'000;
constexpr std::uint64_t errors_at_once = 100;

constexpr std::uint8_t internetwork_control = 0xC0;  // precedence of errors: RFC 1812, 4.3.2.5

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

IcmpOrigin::IcmpOrigin(Emitter& emitter, WorkerCounters& counters, const TurnClock& clock)
    : emitter_{emitter},
      counters_{counters},
      clock_{clock},
      rate_{clock.hz() / errors_per_s, errors_at_once, clock.now_cycles()} {}

void IcmpOrigin::refuse(rte_mbuf* mbuf, const ParsedPacket& packet, DropReason reason,
                        const IcmpError& error, const NextHop& hop) {
    const bool is_possible = may_be_told(packet) && hop.is_resolved && hop.port != port_none &&
                             !error.source.is_unspecified() &&
                             rte_pktmbuf_headroom(mbuf) >= icmp_error_growth;
    if (!is_possible) {
        return emitter_.drop(mbuf, reason);
    }
    if (!may_send()) {
        return emitter_.drop(mbuf, reason);
    }
    emitter_.count_drop(reason);
    counters_.originated.add(1);
    const std::size_t in_segment = mbuf->data_len - sizeof(EthernetHeader);
    const auto quotable =
        static_cast<std::uint16_t>(std::min<std::size_t>(packet.ip_length, in_segment));
    const GrownFrame grown =
        make_icmp_error(rte_pktmbuf_mtod(mbuf, std::uint8_t*), quotable, error, hop);
    send(mbuf, grown, hop.port);
}

void IcmpOrigin::pass_on(rte_mbuf* mbuf, std::uint16_t quoted_at, std::uint16_t quotable,
                         const IcmpError& error, const NextHop& hop) {
    if (!hop.is_resolved || hop.port == port_none || !may_send()) {
        return emitter_.drop(mbuf, DropReason::tunnel_error);
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
