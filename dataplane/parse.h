// Bytes to a ParsedPacket, or the reason why not. The only room that doubts a length: behind it,
// offsets and lengths are true and lie in the first segment of the buffer. A straight descent,
// Ethernet, IP, L4; each step one look, one check, one named refusal. IPv4 options are skipped by
// header length and carried along; of fragments the first alone is looked into. IPv6 has its own
// room (parse_ipv6.h). Pure; worker side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "config/model/address.h"
#include "dataplane/headers.h"
#include "dataplane/verdict.h"

namespace fulcrum {

enum class PacketKind : std::uint8_t {
    refused,       // `reason` says why
    flow,          // TCP, UDP or SCTP, whole
    icmp_error,    // about a flow: the quotation's addresses and ports are in the packet's place
    tunnel_error,  // about an IP-in-IP or GRE packet of its receiver's; `source` is whom that was
                   // for
    fragment,      // of a TCP, UDP or SCTP packet; the first one's ports are known
    other_ip,      // any other IP packet
    not_ip,        // ARP: the kernel's
};

// In the order of its first two words, which are read whole: each begins as the key does by which
// its end is looked up (see EndpointMap::key_of).
struct alignas(8) ParsedPacket {
    // Of a flow: its addresses and ports. Of an ICMP error: those of the packet it quotes, turned
    // around, so that they read as if they were the error's own. IPv6: names, given by `classify`.
    AddressName destination;
    be16 destination_port;
    L4Protocol protocol = L4Protocol::tcp;  // of an error: the quoted packet's
    PacketKind kind = PacketKind::refused;
    AddressName source;
    be16 source_port;
    std::uint8_t l4_offset = 0;   // from the start of the frame
    std::uint8_t tcp_flags = 0;   // of a TCP flow; of an SCTP one see sctp.h
    std::uint16_t ip_length = 0;  // octets of the IP packet
    // Of an ICMP error: the quoted IP header. Of a fragment of IPv6: its fragment header.
    std::uint16_t quotation_offset = 0;
    std::uint16_t quoted_l4_offset = 0;  // of an ICMPv6 error: the quoted L4 header
    std::uint8_t time_to_live = 0;
    std::uint8_t ip_protocol = 0;
    DropReason reason = DropReason::frame_truncated;
    bool is_broadcast = false;  // to a group MAC address
    bool is_fragment = false;
    std::uint8_t ip_version = 0;  // 4, 6; 0: refused before it was known, or no IP
    std::uint8_t icmp_type = 0;   // of ICMPv6
    std::uint8_t port = 0;        // index of the NIC port where it came in; not said by `parse`

    // As EndpointMap::key_of and client_key_of would make them, of IPv4.
    std::uint64_t destination_key() const { return word(0) & 0x00FF'FFFF'FFFF'FFFF; }
    std::uint64_t source_key() const {
        return (word(1) & 0x0000'FFFF'FFFF'FFFF) | (word(0) & 0x00FF'0000'0000'0000);
    }

  private:
    std::uint64_t word(std::size_t index) const {
        std::uint64_t word = 0;
        std::memcpy(&word, reinterpret_cast<const std::uint8_t*>(this) + index * sizeof(word),
                    sizeof(word));
        return word;
    }
};
static_assert(sizeof(ParsedPacket) == 32);

// `frame` is the buffer's first segment, `frame_length` the whole frame's octets. `port_mac`:
// frames to another unicast address are refused as `destination`.
// Filled in where it lies: to pass it about costs more than to parse.
void parse(std::span<const std::uint8_t> frame, std::uint32_t frame_length,
           const MacAddress& port_mac, ParsedPacket& packet);

// The addresses in an error's outer header, for who rewrites it.
inline const Ipv4Header& ipv4_header_of(const std::uint8_t* frame) {
    return *reinterpret_cast<const Ipv4Header*>(frame + sizeof(EthernetHeader));
}

// veth, TAP and virtio hand over packets whose TCP or UDP checksum is only begun: the field holds
// the pseudo-header's folded sum (SCTP's holds nothing). Completes it in place; true if there was
// one to complete. A sound checksum that equals that sum by chance comes out the same.
bool complete_partial_checksum(std::uint8_t* frame, const ParsedPacket& packet);

}  // namespace fulcrum
