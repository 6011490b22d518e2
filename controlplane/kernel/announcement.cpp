// Octet by octet, as the RFCs' pictures have them.
#include "controlplane/kernel/announcement.h"

#include <algorithm>
#include <initializer_list>

namespace fulcrum {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::uint8_t arp_request = 1;
constexpr std::uint8_t arp_reply = 2;
constexpr std::uint8_t protocol_icmpv6 = 58;
constexpr std::uint8_t hops_of_the_link = 255;
constexpr std::uint8_t type_advertisement = 136;
// We forward (or would, for whom this is the gateway), and what is known is to be replaced.
constexpr std::uint8_t router_and_override = 0xA0;
constexpr std::uint8_t option_target_address = 2;
constexpr std::size_t ipv6_length = 40;
constexpr std::size_t advertisement_length = 32;

void append(Octets& frame, std::initializer_list<std::uint8_t> octets) {
    frame.insert(frame.end(), octets);
}
template <typename Range>
void append(Octets& frame, const Range& octets) {
    frame.insert(frame.end(), octets.begin(), octets.end());
}

Octets begin_frame(std::initializer_list<std::uint8_t> to, const MacAddress& from) {
    Octets frame;
    frame.reserve(14 + ipv6_length + advertisement_length);
    append(frame, to);
    append(frame, from.bytes);
    return frame;
}

Octets arp(const Ipv4Address& address, const MacAddress& mac, std::uint8_t operation) {
    const Ipv6Address mapped = IpAddress{address}.v6();
    const auto append_address = [&](Octets& frame) {
        frame.insert(frame.end(), mapped.octets.begin() + 12, mapped.octets.end());
    };
    Octets frame = begin_frame({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, mac);
    append(frame, {0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, operation});
    append(frame, mac.bytes);
    append_address(frame);
    if (operation == arp_reply) {
        append(frame, mac.bytes);
    } else {
        append(frame, {0, 0, 0, 0, 0, 0});
    }
    append_address(frame);
    return frame;
}

// RFC 1071, over the pseudo-header and the message, which has an even length.
std::uint16_t icmpv6_checksum(const Octets& frame) {
    constexpr std::size_t addresses_at = 14 + 8;
    std::uint32_t sum = protocol_icmpv6 + advertisement_length;
    for (std::size_t at = addresses_at; at + 1 < frame.size(); at += 2) {
        sum += static_cast<std::uint32_t>(frame[at] << 8U | frame[at + 1]);
    }
    while (sum >> 16U != 0) {
        sum = (sum & 0xFFFFU) + (sum >> 16U);
    }
    return static_cast<std::uint16_t>(~sum);
}

Octets neighbour_advertisement(const Ipv6Address& address, const MacAddress& mac) {
    Octets frame = begin_frame({0x33, 0x33, 0, 0, 0, 1}, mac);
    append(frame,
           {0x86, 0xDD, 0x60, 0, 0, 0, 0, advertisement_length, protocol_icmpv6, hops_of_the_link});
    append(frame, address.octets);
    append(frame, {0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});  // all nodes
    append(frame, {type_advertisement, 0, 0, 0, router_and_override, 0, 0, 0});
    append(frame, address.octets);
    append(frame, {option_target_address, 1});
    append(frame, mac.bytes);
    const std::uint16_t checksum = icmpv6_checksum(frame);
    frame[14 + ipv6_length + 2] = static_cast<std::uint8_t>(checksum >> 8U);
    frame[14 + ipv6_length + 3] = static_cast<std::uint8_t>(checksum & 0xFFU);
    return frame;
}

}  // namespace

std::vector<std::vector<std::uint8_t>> announcement_of(const IpAddress& address,
                                                       const MacAddress& mac) {
    if (address.is_v4()) {
        return {arp(address.v4(), mac, arp_request), arp(address.v4(), mac, arp_reply)};
    }
    return {neighbour_advertisement(address.v6(), mac)};
}

}  // namespace fulcrum
