// Wire structs, in the nouns of their RFCs. Alignment 1 throughout, so that any offset will do.
#pragma once

#include <array>
#include <cstdint>

#include "config/model/address.h"

namespace fulcrum {

// IEEE 802.3
struct EthernetHeader {
    MacAddress destination;
    MacAddress source;
    be16 ethertype;
};
static_assert(sizeof(EthernetHeader) == 14 && alignof(EthernetHeader) == 1);

namespace ethertype {
inline constexpr be16 ipv4{0x0800};
inline constexpr be16 arp{0x0806};
inline constexpr be16 vlan{0x8100};
inline constexpr be16 ipv6{0x86DD};
}  // namespace ethertype

// RFC 791
struct Ipv4Header {
    std::uint8_t version_and_length;
    std::uint8_t type_of_service;
    be16 total_length;
    be16 identification;
    be16 flags_and_fragment_offset;
    std::uint8_t time_to_live;
    std::uint8_t protocol;
    be16 checksum;
    Ipv4Address source;
    Ipv4Address destination;

    unsigned version() const { return version_and_length >> 4; }
    unsigned header_length() const { return (version_and_length & 0x0FU) * 4; }
    bool is_fragment() const { return (flags_and_fragment_offset.host() & 0x3FFF) != 0; }
    bool forbids_fragments() const { return (flags_and_fragment_offset.host() & 0x4000) != 0; }
    unsigned fragment_offset() const { return flags_and_fragment_offset.host() & 0x1FFFU; }
    bool has_more_fragments() const { return (flags_and_fragment_offset.host() & 0x2000) != 0; }
    bool is_later_fragment() const { return (flags_and_fragment_offset.host() & 0x1FFF) != 0; }
};
static_assert(sizeof(Ipv4Header) == 20 && alignof(Ipv4Header) == 1);

// RFC 8200
struct Ipv6Header {
    be32 version_class_and_flow;
    be16 payload_length;  // what follows this header
    std::uint8_t next_header;
    std::uint8_t hop_limit;
    Ipv6Address source;
    Ipv6Address destination;

    unsigned version() const { return version_class_and_flow.host() >> 28; }
    std::uint8_t traffic_class() const {
        return static_cast<std::uint8_t>(version_class_and_flow.host() >> 20);
    }
};
static_assert(sizeof(Ipv6Header) == 40 && alignof(Ipv6Header) == 1);

// What all extension headers of RFC 8200 begin with. The third and fourth octet are the fragment
// header's offset and flags, or the routing header's type and segments left.
struct Ipv6ExtensionHeader {
    std::uint8_t next_header;
    std::uint8_t length_in_eights;  // without the first eight octets; not of a fragment header
    be16 third_and_fourth;
    be32 rest;
};
static_assert(sizeof(Ipv6ExtensionHeader) == 8 && alignof(Ipv6ExtensionHeader) == 1);

inline constexpr std::uint8_t protocol_icmpv6 = 58;

// RFC 9293
struct TcpHeader {
    be16 source_port;
    be16 destination_port;
    be32 sequence_number;
    be32 acknowledgment_number;
    std::uint8_t data_offset_and_reserved;
    std::uint8_t flags;
    be16 window;
    be16 checksum;
    be16 urgent_pointer;

    unsigned header_length() const { return (data_offset_and_reserved >> 4) * 4U; }
};
static_assert(sizeof(TcpHeader) == 20 && alignof(TcpHeader) == 1);

namespace tcp_flag {
inline constexpr std::uint8_t fin = 0x01;
inline constexpr std::uint8_t syn = 0x02;
inline constexpr std::uint8_t rst = 0x04;
inline constexpr std::uint8_t psh = 0x08;
inline constexpr std::uint8_t ack = 0x10;
}  // namespace tcp_flag

// RFC 768
struct UdpHeader {
    be16 source_port;
    be16 destination_port;
    be16 length;
    be16 checksum;  // zero: the sender computed none
};
static_assert(sizeof(UdpHeader) == 8 && alignof(UdpHeader) == 1);

// RFC 9260
struct SctpHeader {
    be16 source_port;
    be16 destination_port;
    be32 verification_tag;
    std::array<std::uint8_t, 4> checksum;  // CRC32c, its least octet first
};
static_assert(sizeof(SctpHeader) == 12 && alignof(SctpHeader) == 1);

// What each chunk of RFC 9260 begins with.
struct SctpChunkHeader {
    std::uint8_t type;
    std::uint8_t flags;
    be16 length;  // with this header, without the padding to a multiple of four
};
static_assert(sizeof(SctpChunkHeader) == 4 && alignof(SctpChunkHeader) == 1);

// RFC 792. An error quotes the IP header and at least eight octets of what it is about.
struct IcmpHeader {
    std::uint8_t type;
    std::uint8_t code;
    be16 checksum;
    be32 rest;

    bool is_error() const {
        return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
    }
};
static_assert(sizeof(IcmpHeader) == 8 && alignof(IcmpHeader) == 1);

}  // namespace fulcrum
