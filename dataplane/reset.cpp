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

// Behind the Ethernet header; the frame's length.
template <typename IpHeader>
std::uint16_t write_packet(std::uint8_t* frame, const IpHeader& ip, TcpHeader tcp) {
    ChecksumSum sum = pseudo_header_sum(ip.source, ip.destination,
                                        static_cast<std::uint8_t>(L4Protocol::tcp), sizeof(tcp));
    sum.add(&tcp, sizeof(tcp));
    tcp.checksum = be16::from_wire(static_cast<std::uint16_t>(~sum.folded()));
    std::memcpy(frame + sizeof(EthernetHeader), &ip, sizeof(ip));
    std::memcpy(frame + sizeof(EthernetHeader) + sizeof(ip), &tcp, sizeof(tcp));
    return sizeof(EthernetHeader) + sizeof(ip) + sizeof(tcp);
}

Ipv4Header ipv4_header(const BareReset& reset) {
    Ipv4Header ip{};
    ip.version_and_length = 0x45;
    ip.total_length = be16{sizeof(Ipv4Header) + sizeof(TcpHeader)};
    ip.flags_and_fragment_offset = be16{0x4000};
    ip.time_to_live = 64;
    ip.protocol = static_cast<std::uint8_t>(L4Protocol::tcp);
    ip.source = reset.source.address.v4();
    ip.destination = reset.destination.address.v4();
    ip.checksum = checksum_of(&ip, sizeof(ip));
    return ip;
}

Ipv6Header ipv6_header(const BareReset& reset) {
    Ipv6Header ip{};
    ip.version_class_and_flow = be32{0x6000'0000};
    ip.payload_length = be16{sizeof(TcpHeader)};
    ip.next_header = static_cast<std::uint8_t>(L4Protocol::tcp);
    ip.hop_limit = 64;
    ip.source = reset.source.address.v6();
    ip.destination = reset.destination.address.v6();
    return ip;
}

}  // namespace

std::uint16_t turn_into_reset(std::uint8_t* frame, const ParsedPacket& packet, const NextHop& hop) {
    const auto& asked_tcp = *reinterpret_cast<const TcpHeader*>(frame + packet.l4_offset);
    const std::uint32_t headers_length =
        packet.l4_offset + asked_tcp.header_length() - std::uint32_t{sizeof(EthernetHeader)};
    const std::uint32_t payload_length = packet.ip_length - headers_length;
    const std::uint32_t asked_length = payload_length +
                                       ((asked_tcp.flags & tcp_flag::syn) != 0 ? 1 : 0) +
                                       ((asked_tcp.flags & tcp_flag::fin) != 0 ? 1 : 0);
    const PacketEnds asked = ends_of(frame, packet);
    BareReset reset{.source = asked.destination, .destination = asked.source};
    if ((asked_tcp.flags & tcp_flag::ack) != 0) {
        reset.sequence_number = asked_tcp.acknowledgment_number;
        reset.flags = tcp_flag::rst;
    } else {
        reset.acknowledgment_number = be32{asked_tcp.sequence_number.host() + asked_length};
        reset.flags = tcp_flag::rst | tcp_flag::ack;
    }
    return write_reset(frame, reset, hop);
}

BareReset reset_onwards(const std::uint8_t* frame, const ParsedPacket& packet,
                        const Decision& decision, const Snapshot& snapshot) {
    const auto& tcp = *reinterpret_cast<const TcpHeader*>(frame + packet.l4_offset);
    const PacketEnds ends = ends_of(frame, packet);
    BareReset reset{
        .source = ends.source,
        .destination = ends.destination,
        .sequence_number = tcp.sequence_number,
        .acknowledgment_number = tcp.acknowledgment_number,
        .flags = static_cast<std::uint8_t>(tcp_flag::rst | (tcp.flags & tcp_flag::ack))};
    const auto replacement = [&]() -> Endpoint {
        const NamedEndpoint& named = decision.replacement;
        return {snapshot.address_of(named.address, packet.ip_version == 6), named.port};
    };
    if (decision.rewrite == Rewrite::nat_request) {
        reset.destination = replacement();
    } else if (decision.rewrite == Rewrite::nat_reply) {
        reset.source = replacement();
    }
    return reset;
}

std::uint16_t write_reset(std::uint8_t* frame, const BareReset& reset, const NextHop& hop) {
    TcpHeader tcp{};
    tcp.source_port = reset.source.port;
    tcp.destination_port = reset.destination.port;
    tcp.sequence_number = reset.sequence_number;
    tcp.acknowledgment_number = reset.acknowledgment_number;
    tcp.data_offset_and_reserved = 5 << 4;
    tcp.flags = reset.flags;
    address_frame(frame, hop);
    const bool is_v4 = reset.source.address.is_v4();
    reinterpret_cast<EthernetHeader*>(frame)->ethertype = is_v4 ? ethertype::ipv4 : ethertype::ipv6;
    return is_v4 ? write_packet(frame, ipv4_header(reset), tcp)
                 : write_packet(frame, ipv6_header(reset), tcp);
}

}  // namespace fulcrum
