// Resets: whose numbers they carry, and their octets.
#include "dataplane/reset.h"

#include "dataplane/parse_ipv6.h"
#include "dataplane/rewrite_parts.h"

namespace fulcrum {
namespace {

struct PacketEnds {
    Endpoint source;
    Endpoint destination;
};

PacketEnds ends_of(const std::uint8_t* frame, const ParsedPacket& packet) {
    if (packet.ip_version == 6) {
        const Ipv6Ends ends = ipv6_ends_of(frame, packet);
        return {{ends.source, packet.source_port}, {ends.destination, packet.destination_port}};
    }
    return {{packet.source, packet.source_port}, {packet.destination, packet.destination_port}};
}

constexpr std::size_t l4_size_of(const BareReset& reset) {
    return reset.protocol == L4Protocol::tcp ? sizeof(TcpHeader) : sctp_abort_size;
}

template <typename IpHeader>
void write_tcp(std::uint8_t* l4, const BareReset& reset, const IpHeader& ip) {
    auto& tcp = *reinterpret_cast<TcpHeader*>(l4);
    tcp = {};
    tcp.source_port = reset.source.port;
    tcp.destination_port = reset.destination.port;
    tcp.sequence_number = reset.sequence_number;
    tcp.acknowledgment_number = reset.acknowledgment_number;
    tcp.data_offset_and_reserved = 5 << 4;
    tcp.flags = reset.flags;
    ChecksumSum sum = pseudo_header_sum(ip.source, ip.destination,
                                        static_cast<std::uint8_t>(L4Protocol::tcp), sizeof(tcp));
    sum.add(&tcp, sizeof(tcp));
    tcp.checksum = be16::from_wire(static_cast<std::uint16_t>(~sum.folded()));
}

// Behind the Ethernet header; the frame's length.
template <typename IpHeader>
std::uint16_t write_packet(std::uint8_t* frame, const IpHeader& ip, const BareReset& reset) {
    std::uint8_t* const l4 = frame + sizeof(EthernetHeader) + sizeof(ip);
    std::memcpy(frame + sizeof(EthernetHeader), &ip, sizeof(ip));
    if (reset.protocol == L4Protocol::tcp) {
        write_tcp(l4, reset, ip);
    } else {
        write_abort(l4, reset.source.port, reset.destination.port, reset.tag);
    }
    return static_cast<std::uint16_t>(sizeof(EthernetHeader) + sizeof(ip) + l4_size_of(reset));
}

Ipv4Header ipv4_header(const BareReset& reset) {
    Ipv4Header ip{};
    ip.version_and_length = 0x45;
    ip.total_length = be16{static_cast<std::uint16_t>(sizeof(Ipv4Header) + l4_size_of(reset))};
    ip.flags_and_fragment_offset = be16{0x4000};
    ip.time_to_live = 64;
    ip.protocol = static_cast<std::uint8_t>(reset.protocol);
    ip.source = reset.source.address.v4();
    ip.destination = reset.destination.address.v4();
    ip.checksum = checksum_of(&ip, sizeof(ip));
    return ip;
}

Ipv6Header ipv6_header(const BareReset& reset) {
    Ipv6Header ip{};
    ip.version_class_and_flow = be32{0x6000'0000};
    ip.payload_length = be16{static_cast<std::uint16_t>(l4_size_of(reset))};
    ip.next_header = static_cast<std::uint8_t>(reset.protocol);
    ip.hop_limit = 64;
    ip.source = reset.source.address.v6();
    ip.destination = reset.destination.address.v6();
    return ip;
}

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
    const PacketEnds ends = ends_of(frame, packet);
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
    const auto replacement = [&]() -> Endpoint {
        const NamedEndpoint& named = decision.replacement;
        return {snapshot.address_of(named.address, packet.ip_version == 6), named.port};
    };
    if (decision.rewrite == Rewrite::nat_request) {
        reset.destination = replacement();
    } else if (decision.rewrite == Rewrite::nat_reply) {
        reset.source = replacement();
    } else if (decision.rewrite == Rewrite::full_request) {
        reset.source = {snapshot.address_of(decision.far_address, packet.ip_version == 6),
                        decision.far_port};
        reset.destination = replacement();
    } else if (decision.rewrite == Rewrite::full_reply) {
        reset.source = replacement();
        reset.destination = {client, decision.far_port};
    }
    return reset;
}

std::uint16_t write_reset(std::uint8_t* frame, const BareReset& reset, const NextHop& hop) {
    address_frame(frame, hop);
    const bool is_v4 = reset.source.address.is_v4();
    reinterpret_cast<EthernetHeader*>(frame)->ethertype = is_v4 ? ethertype::ipv4 : ethertype::ipv6;
    return is_v4 ? write_packet(frame, ipv4_header(reset), reset)
                 : write_packet(frame, ipv6_header(reset), reset);
}

}  // namespace fulcrum
