// Resets: whose numbers they carry, and where they go.
#include "dataplane/reset.h"

#include "dataplane/parse_ipv6.h"
#include "dataplane/segment.h"

namespace fulcrum {
namespace {

// With the numbers of the TCP packet that it answers.
void answer_tcp(const TcpHeader& asked, std::uint32_t l4_length, BareReset& reset) {
    if ((asked.flags & tcp_flag::ack) != 0) {
        reset.sequence_number = asked.acknowledgment_number;
        reset.flags = tcp_flag::rst;
        return;
    }
    const std::uint32_t asked_length = l4_length - asked.header_length() +
                                       ((asked.flags & tcp_flag::syn) != 0 ? 1 : 0) +
                                       ((asked.flags & tcp_flag::fin) != 0 ? 1 : 0);
    reset.acknowledgment_number = be32{asked.sequence_number.host() + asked_length};
    reset.flags = tcp_flag::rst | tcp_flag::ack;
}

}  // namespace

PacketEnds ends_of(const std::uint8_t* frame, const ParsedPacket& packet) {
    if (packet.ip_version == 6) {
        const Ipv6Ends ends = ipv6_ends_of(frame, packet);
        return {{ends.source, packet.source_port}, {ends.destination, packet.destination_port}};
    }
    return {{packet.source, packet.source_port}, {packet.destination, packet.destination_port}};
}

PacketEnds ends_onwards(const std::uint8_t* frame, const ParsedPacket& packet,
                        const Decision& decision, const IpAddress& client,
                        const Snapshot& snapshot) {
    PacketEnds ends = ends_of(frame, packet);
    const auto replacement = [&]() -> Endpoint {
        const NamedEndpoint& named = decision.replacement;
        return {snapshot.address_of(named.address, packet.ip_version == 6), named.port};
    };
    if (decision.rewrite == Rewrite::nat_request) {
        ends.destination = replacement();
    } else if (decision.rewrite == Rewrite::nat_reply) {
        ends.source = replacement();
    } else if (decision.rewrite == Rewrite::full_request) {
        ends.source = {snapshot.address_of(decision.far_address, packet.ip_version == 6),
                       decision.far_port};
        ends.destination = replacement();
    } else if (decision.rewrite == Rewrite::full_reply) {
        ends = {replacement(), {client, decision.far_port}};
    }
    return ends;
}

std::uint16_t turn_into_reset(std::uint8_t* frame, const ParsedPacket& packet, const NextHop& hop) {
    const std::uint8_t* const l4 = frame + packet.l4_offset;
    const PacketEnds asked = ends_of(frame, packet);
    BareReset reset{
        .source = asked.destination, .destination = asked.source, .protocol = packet.protocol};
    if (packet.protocol == L4Protocol::sctp) {
        reset.tag = abort_tag_back(l4);
    } else {
        const std::uint32_t ip_header_length =
            packet.l4_offset - std::uint32_t{sizeof(EthernetHeader)};
        answer_tcp(*reinterpret_cast<const TcpHeader*>(l4), packet.ip_length - ip_header_length,
                   reset);
    }
    return write_reset(frame, reset, hop);
}

BareReset reset_onwards(const std::uint8_t* frame, const ParsedPacket& packet,
                        const Decision& decision, const IpAddress& client,
                        const Snapshot& snapshot) {
    const std::uint8_t* const l4 = frame + packet.l4_offset;
    const PacketEnds ends = ends_onwards(frame, packet, decision, client, snapshot);
    BareReset reset{
        .source = ends.source, .destination = ends.destination, .protocol = packet.protocol};
    if (packet.protocol == L4Protocol::sctp) {
        reset.tag = abort_tag_onwards(l4);
    } else {
        const auto& tcp = *reinterpret_cast<const TcpHeader*>(l4);
        reset.sequence_number = tcp.sequence_number;
        reset.acknowledgment_number = tcp.acknowledgment_number;
        reset.flags = static_cast<std::uint8_t>(tcp_flag::rst | (tcp.flags & tcp_flag::ack));
    }
    return reset;
}

std::uint16_t write_reset(std::uint8_t* frame, const BareReset& reset, const NextHop& hop) {
    if (reset.protocol == L4Protocol::tcp) {
        return write_segment(frame,
                             {.source = reset.source,
                              .destination = reset.destination,
                              .sequence = reset.sequence_number.host(),
                              .acknowledged = reset.acknowledgment_number.host(),
                              .flags = reset.flags},
                             hop);
    }
    const std::size_t l4_offset = write_headers(frame,
                                                {.source = reset.source.address,
                                                 .destination = reset.destination.address,
                                                 .protocol = reset.protocol,
                                                 .l4_length = sctp_abort_size},
                                                hop);
    write_abort(frame + l4_offset, reset.source.port, reset.destination.port, reset.tag);
    return static_cast<std::uint16_t>(l4_offset + sctp_abort_size);
}

}  // namespace fulcrum
