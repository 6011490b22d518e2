// Whole segments of ours, options, and what errors quote.
#include "dataplane/tell_client.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/segment.h"
#include "dataplane/tell_parts.h"

namespace fulcrum {
namespace {

constexpr std::size_t tcp_header_size_max = 60;
constexpr auto tcp_number = static_cast<std::uint8_t>(L4Protocol::tcp);

TcpHeader& tcp_at(std::uint8_t* frame, const ParsedPacket& packet) {
    return *reinterpret_cast<TcpHeader*>(frame + packet.l4_offset);
}

// Whether its numbers may be believed, and repeated in a segment of our own. Not asked of a segment
// that lies in pieces.
bool is_sound(const rte_mbuf* mbuf, const ParsedPacket& packet) {
    return mbuf->nb_segs != 1 || packet.is_fragment ||
           has_sound_checksum(rte_pktmbuf_mtod(mbuf, const std::uint8_t*), packet);
}

// --- the PROXY header -------------------------------------------------------------------------

template <typename IpHeader>
std::uint16_t write_segment(std::uint8_t* to, const IpHeader& ip, std::size_t tcp_length,
                            const Announced& announced) {
    std::uint8_t* const l4 = to + sizeof(EthernetHeader) + sizeof(ip);
    std::memcpy(to + sizeof(EthernetHeader), &ip, sizeof(ip));
    std::memcpy(l4 + tcp_length, announced.octets.data(), announced.length);
    const auto length = static_cast<std::uint16_t>(tcp_length + announced.length);
    ChecksumSum sum = pseudo_header_sum(ip.source, ip.destination, tcp_number, length);
    sum.add(l4, length);
    reinterpret_cast<TcpHeader*>(l4)->checksum =
        be16::from_wire(static_cast<std::uint16_t>(~sum.folded()));
    return static_cast<std::uint16_t>(sizeof(EthernetHeader) + sizeof(ip) + length);
}

Ipv4Header plain(const Ipv4Header& like, std::size_t l4_length) {
    Ipv4Header ip = like;
    ip.version_and_length = 0x45;
    ip.total_length = be16{static_cast<std::uint16_t>(sizeof(ip) + l4_length)};
    ip.flags_and_fragment_offset = be16{0x4000};
    ip.checksum = {};
    ip.checksum = checksum_of(&ip, sizeof(ip));
    return ip;
}

Ipv6Header plain(const Ipv6Header& like, std::size_t l4_length) {
    Ipv6Header ip = like;
    ip.payload_length = be16{static_cast<std::uint16_t>(l4_length)};
    ip.next_header = tcp_number;
    return ip;
}

// Into `to`, which may be `frame` itself: what the segment in `frame` acknowledges, with its TCP
// options, and the header in the place of its content. The frame's length.
std::uint16_t write_announcement(std::uint8_t* to, const std::uint8_t* frame,
                                 const ParsedPacket& packet, const Announced& announced,
                                 std::uint32_t position) {
    std::array<std::uint8_t, tcp_header_size_max> tcp;
    const std::uint8_t* const l4 = frame + packet.l4_offset;
    const std::size_t tcp_length = reinterpret_cast<const TcpHeader*>(l4)->header_length();
    std::memcpy(tcp.data(), l4, tcp_length);
    auto& header = *reinterpret_cast<TcpHeader*>(tcp.data());
    header.sequence_number = be32{position};
    header.flags = tcp_flag::ack | tcp_flag::psh;
    header.urgent_pointer = {};
    header.checksum = {};
    const std::size_t l4_length = tcp_length + announced.length;
    if (to != frame) {
        std::memcpy(to, frame, sizeof(EthernetHeader));
    }
    if (packet.ip_version == 6) {
        const Ipv6Header ip = plain(ipv6_header_of(frame), l4_length);
        std::memcpy(to + sizeof(EthernetHeader) + sizeof(ip), tcp.data(), tcp_length);
        return write_segment(to, ip, tcp_length, announced);
    }
    const Ipv4Header ip = plain(ipv4_header_of(frame), l4_length);
    std::memcpy(to + sizeof(EthernetHeader) + sizeof(ip), tcp.data(), tcp_length);
    return write_segment(to, ip, tcp_length, announced);
}

// A SYN goes without its content. False: that lies in other buffers too.
bool take_content_out(rte_mbuf* mbuf, ParsedPacket& packet) {
    auto* const frame = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
    TcpHeader& tcp = tcp_at(frame, packet);
    const std::size_t length = segment_length_of(packet);
    const std::size_t content = length - tcp.header_length();
    if (content == 0) {
        return true;
    }
    if (mbuf->nb_segs != 1 || packet.is_fragment) {
        return false;
    }
    ChecksumSum sum;
    sum.add(frame + packet.l4_offset + tcp.header_length(), content);
    ChecksumDelta delta;
    delta.change(sum.folded(), std::uint16_t{0});
    delta.change(be16{static_cast<std::uint16_t>(length)},
                 be16{static_cast<std::uint16_t>(tcp.header_length())});
    tcp.checksum = delta.applied_to(tcp.checksum);
    change_ip_length(frame, packet, -static_cast<int>(content));
    set_length(mbuf, packet.l4_offset + tcp.header_length());
    return true;
}

// --- what errors quote ------------------------------------------------------------------------

// An error for the client quotes a segment as the real was to get it, one for the real a segment as
// the client was to get it: the one's position is turned back, the other's acknowledgement, if
// the quotation goes so far.
void shift_quotation(std::uint8_t* frame, const ParsedPacket& packet, bool is_for_client,
                     const StreamShift& shift) {
    const std::size_t at = is_for_client ? offsetof(TcpHeader, sequence_number)
                                         : offsetof(TcpHeader, acknowledgment_number);
    if (shift.length == 0) {
        return;
    }
    change_quoted_number(frame, packet, at, [&](std::uint32_t number) {
        return is_for_client ? shift.at_client(number) : shift.edge_at_real(number);
    });
}

}  // namespace

bool ClientTeller::tell(rte_mbuf* mbuf, ParsedPacket& packet, const Decision& decision,
                        const Telling& telling, const Snapshot& snapshot) {
    if (packet.protocol == L4Protocol::udp && telling.by == ClientAddressBy::proxy) {
        return tell_by_datagram(mbuf, packet, decision, telling, snapshot);
    }
    if (telling.by == ClientAddressBy::proxy) {
        return tell_by_header(mbuf, packet, decision, telling, snapshot);
    }
    tell_by_option(mbuf, packet, decision, telling);
    return true;
}

bool ClientTeller::tell_by_header(rte_mbuf* mbuf, ParsedPacket& packet, const Decision& decision,
                                  const Telling& telling, const Snapshot& snapshot) {
    StreamShift& shift = *telling.shift;
    auto* const frame = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
    if (packet.kind == PacketKind::icmp_error) {
        shift_quotation(frame, packet, decision.is_reply, shift);
        return true;
    }
    TcpHeader& tcp = tcp_at(frame, packet);
    const std::size_t size = mbuf->data_len - std::size_t{packet.l4_offset};
    if (decision.is_reply) {
        shift_reply(shift, frame + packet.l4_offset, size);
        return true;
    }
    if ((tcp.flags & tcp_flag::syn) != 0) {
        note_beginning(shift, tcp, proxy_header_length(packet.ip_version == 4));
        if (!take_content_out(mbuf, packet)) {
            emitter_.drop(mbuf,
                          {DropReason::local_fragment, snapshot.service_number_of(decision.tally)});
            return false;
        }
        return true;
    }
    const bool has_content = segment_length_of(packet) > tcp.header_length() ||
                             (tcp.flags & tcp_flag::fin) != 0 || packet.is_fragment;
    StreamShift next = shift;
    Announcement announcement = announcement_with(next, tcp, has_content);
    if (announcement != Announcement::none && !is_sound(mbuf, packet)) {
        next = shift;
        announcement = Announcement::none;
    }
    if (announcement == Announcement::instead && mbuf->nb_segs == 1 && !packet.is_fragment) {
        shift = next;
        set_length(mbuf, write_announcement(frame, frame, packet, announced_of(telling, snapshot),
                                            shift.first));
        return true;
    }
    if (announcement != Announcement::none &&
        !announce_before(mbuf, packet, decision, telling, snapshot)) {
        return false;
    }
    shift = next;
    shift_request(shift, frame + packet.l4_offset, size);
    return true;
}

bool ClientTeller::announce_before(rte_mbuf* mbuf, const ParsedPacket& packet,
                                   const Decision& decision, const Telling& telling,
                                   const Snapshot& snapshot) {
    rte_mbuf* const ours = rte_pktmbuf_alloc(mbuf->pool);
    if (ours == nullptr) {
        emitter_.drop(mbuf, {DropReason::no_buffer, snapshot.service_number_of(decision.tally)});
        return false;
    }
    ours->port = mbuf->port;
    set_length(ours, write_announcement(rte_pktmbuf_mtod(ours, std::uint8_t*),
                                        rte_pktmbuf_mtod(mbuf, const std::uint8_t*), packet,
                                        announced_of(telling, snapshot), telling.shift->first));
    counters_.originated.add(1);
    emitter_.transmit(ours, decision.hop->port);
    return true;
}

// The option goes first, where no end of a list can stand before it: all headers move into the room
// before the frame.
void ClientTeller::tell_by_option(rte_mbuf* mbuf, ParsedPacket& packet, const Decision& decision,
                                  const Telling& telling) {
    StreamShift& shift = *telling.shift;
    constexpr std::uint8_t syn_or_reset = tcp_flag::syn | tcp_flag::rst;
    if (packet.kind != PacketKind::flow || shift.is_accepted) {
        return;
    }
    if (decision.is_reply) {
        shift.is_accepted = (packet.tcp_flags & syn_or_reset) == 0;
        return;
    }
    if ((packet.tcp_flags & tcp_flag::rst) != 0) {
        return;
    }
    const bool is_v4 = packet.ip_version == 4;
    const unsigned length = toa_option_length(is_v4);
    const unsigned tcp_length =
        tcp_at(rte_pktmbuf_mtod(mbuf, std::uint8_t*), packet).header_length();
    const bool has_room = tcp_length + length <= tcp_header_size_max &&
                          packet.ip_length + length <= decision.hop->mtu && !packet.is_fragment &&
                          rte_pktmbuf_headroom(mbuf) >= length;
    if (!has_room) {
        counters_.client_addresses_left_out.add(1);
        return;
    }
    auto* const before = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
    auto* const frame = reinterpret_cast<std::uint8_t*>(
        rte_pktmbuf_prepend(mbuf, static_cast<std::uint16_t>(length)));
    std::memmove(frame, before, packet.l4_offset + sizeof(TcpHeader));
    TcpHeader& tcp = tcp_at(frame, packet);
    std::uint8_t* const option = frame + packet.l4_offset + sizeof(TcpHeader);
    write_toa_option(option, {IpAddress{telling.flow->client}, telling.flow->client_port});

    const be16 offset_before = *reinterpret_cast<const be16*>(&tcp.data_offset_and_reserved);
    tcp.data_offset_and_reserved =
        static_cast<std::uint8_t>(tcp.data_offset_and_reserved + (length / 4 << 4));
    ChecksumSum added;
    added.add(option, length);
    const std::size_t segment = segment_length_of(packet);
    ChecksumDelta delta;
    delta.change(offset_before, *reinterpret_cast<const be16*>(&tcp.data_offset_and_reserved));
    delta.change(std::uint16_t{0}, added.folded());
    delta.change(be16{static_cast<std::uint16_t>(segment)},
                 be16{static_cast<std::uint16_t>(segment + length)});
    tcp.checksum = delta.applied_to(tcp.checksum);
    change_ip_length(frame, packet, static_cast<int>(length));
}

void shift_reset(const StreamShift& shift, bool is_reply, BareReset& reset) {
    if (is_reply) {
        reset.acknowledgment_number = be32{shift.at_client(reset.acknowledgment_number.host())};
    } else if (shift.is_announced) {
        reset.sequence_number = be32{shift.octet_at_real(reset.sequence_number.host())};
    }
}

}  // namespace fulcrum
