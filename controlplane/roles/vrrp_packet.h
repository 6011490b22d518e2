// What directors tell each other, as octets: VRRP version 3 for IPv4 and IPv6 (RFC 9568, 5.1), and
// version 2 for IPv4 (RFC 3768, 5.1). Both begin alike:
//
//    0       4       8               16              24            31
//   +-------+-------+---------------+---------------+---------------+
//   |version| type 1| virtual router|    priority   | address count |
//   +-------+-------+---------------+---------------+---------------+
//   | v3: 4 bits 0, interval in 1/100 s             |   checksum    |
//   | v2: authentication, interval in s             |               |
//   +-----------------------------------------------+---------------+
//   | the addresses; v2: then eight octets of authentication        |
//
// The checksum of version 3 covers a pseudo-header as well; some senders leave it out over IPv4,
// and are understood. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "config/model/address.h"
#include "config/model/time.h"

namespace fulcrum {

inline constexpr std::uint8_t vrrp_protocol = 112;  // of IP
inline constexpr std::uint8_t vrrp_hops = 255;      // or somebody has forwarded it
inline constexpr std::uint8_t priority_of_leaver = 0;

struct Advert {
    std::uint8_t version = 3;
    std::uint8_t id = 0;               // virtual router ID
    std::uint8_t priority = 0;         // 0: the sender leaves; 255: the addresses are its own
    Duration interval{};               // v2: whole seconds up to 255; v3: up to 40.95 s, in 10 ms
    std::vector<IpAddress> addresses;  // of the packet's IP version; at most addresses_max

    static constexpr std::size_t addresses_max = 80;  // of IPv6, in a frame of 1,500 octets

    friend bool operator==(const Advert&, const Advert&) = default;
};

// Why a packet is no advert. `count` is none of them.
enum class AdvertFault : std::uint8_t {
    hops,     // TTL or hop limit is not 255
    length,   // shorter than it says
    version,  // another one than 2 and 3, or 2 over IPv6
    type,     // not an advert
    checksum,
    authentication,  // v2: of a kind that was withdrawn (RFC 3768, 5.3.6)
    interval,        // v2: another than ours; found by who knows ours (RFC 3768, 7.1)
    count,
};
std::string_view to_string(AdvertFault fault);  // "hops", for metrics

struct AdvertEnds {
    IpAddress source;
    IpAddress destination;
    std::uint8_t hops = vrrp_hops;
};

// What follows the IP header.
std::vector<std::uint8_t> write_advert(const Advert& advert, const AdvertEnds& ends);
std::variant<Advert, AdvertFault> read_advert(std::span<const std::uint8_t> octets,
                                              const AdvertEnds& ends);

// To all directors of a link.
IpAddress vrrp_group(IpFamily family);

}  // namespace fulcrum
