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

static_assert(icmp_error_growth == sizeof(Ipv6Header) + sizeof(IcmpHeader));
static_assert(icmp_error_growth <= RTE_PKTMBUF_HEADROOM);

constexpr std::uint8_t internetwork_control = 0xC0;  // precedence of errors: RFC 1812, 4.3.2.5
constexpr std::uint8_t hops_of_errors = 64;

struct TypeAndCode {
    std::uint8_t type;
    std::uint8_t code;
};

// By trouble.
constexpr TypeAndCode icmp_numbers[] = {{3, 1}, {3, 3}, {3, 4}, {11, 0}};
constexpr TypeAndCode icmpv6_numbers[] = {{1, 3}, {1, 4}, {2, 0}, {3, 0}};

// How an IP version says it.
struct Ipv4Error {
    using Header = Ipv4Header;
    static constexpr std::size_t message_size_max = 576;
    static constexpr be16 ethertype = ethertype::ipv4;
    static constexpr const TypeAndCode* numbers = icmp_numbers;

    static void lay_header(Header& ip, Ipv4Address sender, const IpAddress& source,
                           std::size_t length) {
        ip.version_and_length = 0x45;
        ip.type_of_service = internetwork_control;
        ip.total_length = be16{static_cast<std::uint16_t>(sizeof(ip) + length)};
        ip.flags_and_fragment_offset = be16{0x4000};
        ip.time_to_live = hops_of_errors;
        ip.protocol = static_cast<std::uint8_t>(L4Protocol::icmp);
        ip.source = source.v4();
        ip.destination = sender;
        ip.checksum = checksum_of(&ip, sizeof(ip));
    }
    static be16 checksum_over(const Header&, const IcmpHeader& icmp, std::size_t length) {
        return checksum_of(&icmp, length);
    }
};

struct Ipv6Error {
    using Header = Ipv6Header;
    static constexpr std::size_t message_size_max = 1'280;
    static constexpr be16 ethertype = ethertype::ipv6;
    static constexpr const TypeAndCode* numbers = icmpv6_numbers;

    static void lay_header(Header& ip, const Ipv6Address& sender, const IpAddress& source,
                           std::size_t length) {
        ip.version_class_and_flow = be32{6U << 28};
        ip.payload_length = be16{static_cast<std::uint16_t>(length)};
        ip.next_header = protocol_icmpv6;
        ip.hop_limit = hops_of_errors;
        ip.source = source.v6();
        ip.destination = sender;
    }
    static be16 checksum_over(const Header& ip, const IcmpHeader& icmp, std::size_t length) {
        ChecksumSum sum = pseudo_header_sum(ip.source, ip.destination, protocol_icmpv6,
                                            static_cast<std::uint16_t>(length));
        sum.add(&icmp, length);
        return be16::from_wire(static_cast<std::uint16_t>(~sum.folded()));
    }
};

template <typename Version>
GrownFrame make_error(std::uint8_t* frame, std::uint16_t quotable, const IcmpError& error,
                      const NextHop& hop) {
    using Header = typename Version::Header;
    constexpr std::size_t growth = sizeof(Header) + sizeof(IcmpHeader);
    const std::size_t quoted_size =
        std::min<std::size_t>(quotable, Version::message_size_max - growth);
    const auto sender = reinterpret_cast<const Header*>(frame + sizeof(EthernetHeader))->source;
    std::uint8_t* const grown = frame - growth;
    auto& ip = *reinterpret_cast<Header*>(grown + sizeof(EthernetHeader));
    auto& icmp = *reinterpret_cast<IcmpHeader*>(&ip + 1);
    *reinterpret_cast<EthernetHeader*>(grown) = {hop.destination, hop.source, Version::ethertype};
    ip = {};
    Version::lay_header(ip, sender, error.source, sizeof(icmp) + quoted_size);
    icmp = {};
    icmp.type = Version::numbers[static_cast<std::size_t>(error.trouble)].type;
    icmp.code = Version::numbers[static_cast<std::size_t>(error.trouble)].code;
    icmp.rest = be32{error.next_mtu};
    icmp.checksum = Version::checksum_over(ip, icmp, sizeof(icmp) + quoted_size);
    return {grown, static_cast<std::uint16_t>(sizeof(EthernetHeader) + growth + quoted_size)};
}

// Octets of the IP packet in the first segment.
std::uint16_t quotable_of(const rte_mbuf* mbuf, const ParsedPacket& packet) {
    const std::size_t in_segment = mbuf->data_len - sizeof(EthernetHeader);
    return static_cast<std::uint16_t>(std::min<std::size_t>(packet.ip_length, in_segment));
}

}  // namespace

bool may_be_told(const ParsedPacket& packet) {
    const bool is_from_nobody = packet.ip_version == 4 && packet.source.is_unspecified();
    return packet.kind == PacketKind::flow && !packet.is_broadcast && !is_from_nobody;
}

GrownFrame make_icmp_error(std::uint8_t* frame, std::uint16_t quotable, const IcmpError& error,
                           const NextHop& hop) {
    return ipv4_header_of(frame).version() == 6
               ? make_error<Ipv6Error>(frame, quotable, error, hop)
               : make_error<Ipv4Error>(frame, quotable, error, hop);
}

IcmpOrigin::IcmpOrigin(Emitter& emitter, WorkerCounters& counters, const TurnClock& clock)
    : emitter_{emitter},
      counters_{counters},
      clock_{clock},
      rate_{clock.hz() / errors_per_s, errors_at_once, clock.now_cycles()} {}

void IcmpOrigin::refuse(rte_mbuf* mbuf, const ParsedPacket& packet, DropCause cause,
                        const IcmpError& error, const NextHop& hop) {
    if (error.source.is_unspecified() || !may_answer(mbuf, packet, hop)) {
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
    const auto* const frame = rte_pktmbuf_mtod(mbuf, const std::uint8_t*);
    IcmpError error = icmp_error::port_unreachable;
    error.source = packet.ip_version == 6 ? IpAddress{ipv6_header_of(frame).destination}
                                          : IpAddress{packet.destination};
    refuse(mbuf, packet, cause, error, hop);
}

bool IcmpOrigin::may_answer(const rte_mbuf* mbuf, const ParsedPacket& packet, const NextHop& hop) {
    const bool is_possible = may_be_told(packet) && hop.is_resolved && hop.port != port_none &&
                             rte_pktmbuf_headroom(mbuf) >= icmp_error_growth;
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
