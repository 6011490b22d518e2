// TCP segments of our own, whole frames over either IP version; and the IP header that all packets
// of our own have. Pure; worker side.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/model/address.h"
#include "config/model/paths.h"
#include "dataplane/parse.h"
#include "dataplane/tcp_options.h"

namespace fulcrum {

// A segment without content.
struct Segment {
    Endpoint source;
    Endpoint destination;
    std::uint32_t sequence = 0;
    std::uint32_t acknowledged = 0;
    std::uint8_t flags = 0;
    std::uint16_t window = 0;
    TcpOptions options{};
};
inline constexpr std::size_t segment_frame_size_max =
    sizeof(EthernetHeader) + sizeof(Ipv6Header) + sizeof(TcpHeader) + tcp_options_length_max;

// On its way by `hop`. The frame's length.
std::uint16_t write_segment(std::uint8_t* frame, const Segment& segment, const NextHop& hop);

// Ethernet and IP header for `l4_length` octets behind them, and where those begin in the frame.
struct PacketOfOurs {
    IpAddress source;
    IpAddress destination;
    L4Protocol protocol = L4Protocol::tcp;
    std::size_t l4_length = 0;
};
std::size_t write_headers(std::uint8_t* frame, const PacketOfOurs& packet, const NextHop& hop);

// The TCP checksum of what stands behind such headers.
void complete_tcp(std::uint8_t* frame, const PacketOfOurs& packet);

// Of a TCP segment that lies whole in the frame's buffer.
bool has_sound_checksum(const std::uint8_t* frame, const ParsedPacket& packet);

}  // namespace fulcrum
