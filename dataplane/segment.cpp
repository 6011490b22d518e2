// From Ethernet to TCP's options.
#include "dataplane/segment.h"

#include <array>
#include <cstring>

#include "dataplane/parse_ipv6.h"
#include "dataplane/rewrite_parts.h"

namespace fulcrum {
namespace {

constexpr std::uint8_t hops = 64;

Ipv4Header ipv4_header(const PacketOfOurs& packet) {
    Ipv4Header ip{};
    ip.version_and_length = 0x45;
    ip.total_length = be16{static_cast<std::uint16_t>(sizeof(ip) + packet.l4_length)};
    ip.flags_and_fragment_offset = be16{0x4000};
    ip.time_to_live = hops;
    ip.protocol = static_cast<std::uint8_t>(packet.protocol);
    ip.source = packet.source.v4();
    ip.destination = packet.destination.v4();
    ip.checksum = checksum_of(&ip, sizeof(ip));
    return ip;
}

Ipv6Header ipv6_header(const PacketOfOurs& packet) {
    Ipv6Header ip{};
    ip.version_class_and_flow = be32{0x6000'0000};
    ip.payload_length = be16{static_cast<std::uint16_t>(packet.l4_length)};
    ip.next_header = static_cast<std::uint8_t>(packet.protocol);
    ip.hop_limit = hops;
    ip.source = packet.source.v6();
    ip.destination = packet.destination.v6();
    return ip;
}

std::size_t l4_offset_of(const PacketOfOurs& packet) {
    return sizeof(EthernetHeader) +
           (packet.source.is_v4() ? sizeof(Ipv4Header) : sizeof(Ipv6Header));
}

}  // namespace

std::size_t write_headers(std::uint8_t* frame, const PacketOfOurs& packet, const NextHop& hop) {
    address_frame(frame, hop);
    const bool is_v4 = packet.source.is_v4();
    reinterpret_cast<EthernetHeader*>(frame)->ethertype = is_v4 ? ethertype::ipv4 : ethertype::ipv6;
    if (is_v4) {
        const Ipv4Header ip = ipv4_header(packet);
        std::memcpy(frame + sizeof(EthernetHeader), &ip, sizeof(ip));
    } else {
        const Ipv6Header ip = ipv6_header(packet);
        std::memcpy(frame + sizeof(EthernetHeader), &ip, sizeof(ip));
    }
    return l4_offset_of(packet);
}

void complete_tcp(std::uint8_t* frame, const PacketOfOurs& packet) {
    std::uint8_t* const l4 = frame + l4_offset_of(packet);
    constexpr auto protocol = static_cast<std::uint8_t>(L4Protocol::tcp);
    const auto length = static_cast<std::uint16_t>(packet.l4_length);
    auto& tcp = *reinterpret_cast<TcpHeader*>(l4);
    tcp.checksum = {};
    ChecksumSum sum =
        packet.source.is_v4()
            ? pseudo_header_sum(packet.source.v4(), packet.destination.v4(), protocol, length)
            : pseudo_header_sum(packet.source.v6(), packet.destination.v6(), protocol, length);
    sum.add(l4, packet.l4_length);
    tcp.checksum = be16::from_wire(static_cast<std::uint16_t>(~sum.folded()));
}

std::uint16_t write_segment(std::uint8_t* frame, const Segment& segment, const NextHop& hop) {
    std::array<std::uint8_t, tcp_options_length_max> options;
    const std::size_t options_length = write_tcp_options(options.data(), segment.options);
    const PacketOfOurs packet{.source = segment.source.address,
                              .destination = segment.destination.address,
                              .l4_length = sizeof(TcpHeader) + options_length};
    const std::size_t l4_offset = write_headers(frame, packet, hop);
    auto& tcp = *reinterpret_cast<TcpHeader*>(frame + l4_offset);
    tcp.source_port = segment.source.port;
    tcp.destination_port = segment.destination.port;
    tcp.sequence_number = be32{segment.sequence};
    tcp.acknowledgment_number = be32{segment.acknowledged};
    tcp.data_offset_and_reserved = static_cast<std::uint8_t>(packet.l4_length / 4 << 4);
    tcp.flags = segment.flags;
    tcp.window = be16{segment.window};
    tcp.urgent_pointer = {};
    std::memcpy(frame + l4_offset + sizeof(tcp), options.data(), options_length);
    complete_tcp(frame, packet);
    return static_cast<std::uint16_t>(l4_offset + packet.l4_length);
}

bool has_sound_checksum(const std::uint8_t* frame, const ParsedPacket& packet) {
    constexpr auto protocol = static_cast<std::uint8_t>(L4Protocol::tcp);
    const std::size_t length = packet.ip_length + sizeof(EthernetHeader) - packet.l4_offset;
    const auto l4_length = static_cast<std::uint16_t>(length);
    ChecksumSum sum;
    if (packet.ip_version == 6) {
        const Ipv6Header& ip = ipv6_header_of(frame);
        sum = pseudo_header_sum(ip.source, ip.destination, protocol, l4_length);
    } else {
        const Ipv4Header& ip = ipv4_header_of(frame);
        sum = pseudo_header_sum(ip.source, ip.destination, protocol, l4_length);
    }
    sum.add(frame + packet.l4_offset, length);
    return sum.folded() == 0xFFFF;
}

}  // namespace fulcrum
