// Frames for tests, built octet by octet and said fluently:
//
//   Packet::tcp(client, vip).flags(tcp_flag::syn).ttl(5).bytes()
//
// Nothing of the product computes here: the checksums are naive sums over the finished octets, so
// that a frame which the product has rewritten can be compared whole with one that was built the
// way it should look. A frame without a word on MAC addresses comes from the router to port 0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "config/model/address.h"

namespace fulcrum::test {

using Frame = std::vector<std::uint8_t>;

// Offsets within a frame whose IPv4 header has no options.
inline constexpr std::size_t ethertype_at = 12;
inline constexpr std::size_t ip_at = 14;
inline constexpr std::size_t total_length_at = ip_at + 2;
inline constexpr std::size_t fragment_at = ip_at + 6;
inline constexpr std::size_t ttl_at = ip_at + 8;
inline constexpr std::size_t protocol_at = ip_at + 9;
inline constexpr std::size_t ip_checksum_at = ip_at + 10;
inline constexpr std::size_t source_at = ip_at + 12;
inline constexpr std::size_t destination_at = ip_at + 16;
inline constexpr std::size_t l4_at = 34;
inline constexpr std::size_t source_port_at = l4_at;
inline constexpr std::size_t destination_port_at = l4_at + 2;
inline constexpr std::size_t tcp_offset_at = l4_at + 12;
inline constexpr std::size_t tcp_flags_at = l4_at + 13;
inline constexpr std::size_t tcp_checksum_at = l4_at + 16;
inline constexpr std::size_t udp_length_at = l4_at + 4;
inline constexpr std::size_t udp_checksum_at = l4_at + 6;

class Packet {
  public:
    // IPv4 or IPv6, as the addresses are.
    static Packet tcp(Endpoint source, Endpoint destination);
    static Packet udp(Endpoint source, Endpoint destination);
    static Packet sctp(Endpoint source, Endpoint destination, std::uint32_t tag);
    static Packet icmp(const IpAddress& source, const IpAddress& destination, std::uint8_t type,
                       std::uint8_t code = 0);
    static Packet ipv4(const IpAddress& source, const IpAddress& destination,
                       std::uint8_t protocol);
    static Packet icmp6(const IpAddress& source, const IpAddress& destination, std::uint8_t type,
                        std::uint8_t code = 0);
    static Packet ipv6(const IpAddress& source, const IpAddress& destination,
                       std::uint8_t next_header);

    Packet& macs(const MacAddress& source, const MacAddress& destination);
    Packet& flags(std::uint8_t tcp_flags);
    Packet& sequence(std::uint32_t number);
    Packet& acknowledges(std::uint32_t number);
    Packet& window(std::uint16_t octets);
    Packet& tcp_options(const Frame& octets);  // a multiple of four
    Packet& payload(std::string_view octets);
    // SCTP: one more chunk, padded.
    Packet& chunk(std::uint8_t type, std::string_view octets, std::uint8_t flags = 0);
    Packet& ttl(std::uint8_t hops);
    Packet& options(const Frame& octets);  // of the IPv4 header; a multiple of four
    // Octets of IPv6 extension headers, the first of which is of this kind; the last must say what
    // the packet's next header is.
    Packet& extensions(std::uint8_t first, const Frame& octets);
    // `offset` in units of eight octets, as the header has it.
    Packet& fragment(std::uint16_t offset, bool has_more);
    Packet& dont_fragment();
    // As veth hands it over: the L4 checksum holds the pseudo-header's sum alone.
    Packet& with_partial_checksum();
    Packet& without_checksum();  // UDP
    // An ICMP error: the IP header of `quoted` and so many octets of what follows it.
    Packet& quoting(const Packet& quoted, std::size_t l4_octets);
    Packet& rest(std::uint32_t value);  // the second word of an ICMP header

    Frame bytes() const;

  private:
    enum class L4Checksum : std::uint8_t { whole, partial, none };

    static Packet between(const IpAddress& source, const IpAddress& destination,
                          std::uint8_t protocol);
    Frame l4_bytes() const;
    Frame ip_bytes() const;
    Frame ipv4_bytes() const;
    Frame ipv6_bytes() const;

    MacAddress source_mac_;
    MacAddress destination_mac_;
    IpAddress source_;
    IpAddress destination_;
    std::uint16_t source_port_ = 0;
    std::uint16_t destination_port_ = 0;
    std::uint8_t protocol_ = 0;
    std::uint8_t ttl_ = 64;
    std::uint8_t tcp_flags_ = 0x10;
    std::uint8_t icmp_type_ = 0;
    std::uint8_t icmp_code_ = 0;
    std::uint16_t fragment_ = 0;
    std::uint32_t sequence_ = 1'000;
    std::uint32_t acknowledges_ = 0;
    std::uint16_t window_ = 64'240;
    std::uint32_t rest_ = 0;
    L4Checksum l4_checksum_ = L4Checksum::whole;
    Frame options_;
    Frame tcp_options_;
    std::uint8_t first_extension_ = 0;
    Frame payload_;
};

// The frame with some octets overwritten: lies for `parse`. `fixed` makes the IPv4 checksum true
// again, so that the lie is found and not its checksum.
Frame with_octet(Frame frame, std::size_t at, std::uint8_t octet);
Frame with_word(Frame frame, std::size_t at, std::uint16_t word);
Frame cut(Frame frame, std::size_t length);
Frame fixed(Frame frame);

// RFC 9260, appendix A, bit by bit.
std::uint32_t naive_crc32c(const Frame& octets);
// RFC 1071 word by word; with the checksum field in place, a sound range sums up to 0xFFFF.
std::uint16_t naive_sum(const Frame& octets, std::size_t from, std::size_t to,
                        std::uint32_t start = 0);
// Whether all checksums of an unfragmented TCP, UDP or ICMP packet are sound.
bool has_sound_checksums(const Frame& frame);

// Octet for octet; says where they differ.
testing::AssertionResult same_frame(const Frame& expected, const Frame& actual);

}  // namespace fulcrum::test
