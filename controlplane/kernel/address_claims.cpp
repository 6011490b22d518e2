// Frames to claims, and questions to frames.
#include "controlplane/kernel/address_claims.h"

#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace fulcrum {
namespace {

constexpr std::uint8_t hops_of_the_link = 255;  // nobody has forwarded it (RFC 4861, 7.1)

struct ArpFrame {
    ether_header ethernet;
    ether_arp arp;
};
static_assert(sizeof(ArpFrame) == 42);

struct NeighbourFrame {
    ether_header ethernet;
    ip6_hdr ip;
    nd_neighbor_solicit question;  // an advertisement is laid out alike
} __attribute__((packed));
static_assert(sizeof(NeighbourFrame) == 78);

template <typename Frame>
std::vector<std::uint8_t> octets_of(const Frame& frame) {
    std::vector<std::uint8_t> octets(sizeof(frame));
    std::memcpy(octets.data(), &frame, sizeof(frame));
    return octets;
}

void begin(ether_header& ethernet, const MacAddress& from, std::uint16_t ethertype) {
    std::ranges::copy(from.bytes, ethernet.ether_shost);
    ethernet.ether_type = be16{ethertype}.wire();
}

std::vector<std::uint8_t> arp_probe(Ipv4Address address, const MacAddress& asker) {
    ArpFrame frame{};
    begin(frame.ethernet, asker, ETHERTYPE_ARP);
    std::ranges::fill(frame.ethernet.ether_dhost, std::uint8_t{0xFF});
    frame.arp.ea_hdr.ar_hrd = be16{ARPHRD_ETHER}.wire();
    frame.arp.ea_hdr.ar_pro = be16{ETHERTYPE_IP}.wire();
    frame.arp.ea_hdr.ar_hln = ETH_ALEN;
    frame.arp.ea_hdr.ar_pln = sizeof(Ipv4Address);
    frame.arp.ea_hdr.ar_op = be16{ARPOP_REQUEST}.wire();
    std::ranges::copy(asker.bytes, frame.arp.arp_sha);
    std::memcpy(frame.arp.arp_tpa, &address, sizeof(address));
    return octets_of(frame);
}

// RFC 1071, over the pseudo-header and the question.
std::uint16_t checksum_of(const NeighbourFrame& frame) {
    std::uint32_t sum = be16{sizeof(frame.question)}.wire() + be16{IPPROTO_ICMPV6}.wire();
    const auto add = [&sum](const void* octets, std::size_t length) {
        for (std::size_t at = 0; at < length; at += sizeof(std::uint16_t)) {
            std::uint16_t word = 0;
            std::memcpy(&word, static_cast<const std::uint8_t*>(octets) + at, sizeof(word));
            sum += word;
        }
    };
    add(&frame.ip.ip6_src, sizeof(frame.ip.ip6_src) + sizeof(frame.ip.ip6_dst));
    add(&frame.question, sizeof(frame.question));
    while (sum >> 16 != 0) {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(~sum);
}

std::vector<std::uint8_t> neighbour_solicitation(const Ipv6Address& address,
                                                 const MacAddress& asker) {
    NeighbourFrame frame{};
    begin(frame.ethernet, asker, ETHERTYPE_IPV6);
    // To the group of all whose address ends alike (RFC 4291, 2.7.1; RFC 2464, 7).
    Ipv6Address group{{0xFF, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF}};
    std::ranges::copy(address.octets.begin() + 13, address.octets.end(), group.octets.begin() + 13);
    frame.ethernet.ether_dhost[0] = frame.ethernet.ether_dhost[1] = 0x33;
    std::ranges::copy(group.octets.begin() + 12, group.octets.end(),
                      frame.ethernet.ether_dhost + 2);
    frame.ip.ip6_flow = be32{std::uint32_t{6} << 28}.wire();
    frame.ip.ip6_plen = be16{sizeof(frame.question)}.wire();
    frame.ip.ip6_nxt = IPPROTO_ICMPV6;
    frame.ip.ip6_hlim = hops_of_the_link;
    std::memcpy(&frame.ip.ip6_dst, &group, sizeof(group));
    frame.question.nd_ns_type = ND_NEIGHBOR_SOLICIT;
    std::memcpy(&frame.question.nd_ns_target, &address, sizeof(address));
    frame.question.nd_ns_cksum = checksum_of(frame);
    return octets_of(frame);
}

template <typename Frame>
std::optional<Frame> copied(std::span<const std::uint8_t> octets) {
    if (octets.size() < sizeof(Frame)) {
        return std::nullopt;
    }
    Frame frame;
    std::memcpy(&frame, octets.data(), sizeof(frame));
    return frame;
}

MacAddress mac_at(const std::uint8_t* octets) {
    MacAddress mac;
    std::copy_n(octets, mac.bytes.size(), mac.bytes.begin());
    return mac;
}

std::optional<AddressClaim> claim_by_arp(std::span<const std::uint8_t> octets) {
    const std::optional<ArpFrame> frame = copied<ArpFrame>(octets);
    if (!frame || frame->arp.ea_hdr.ar_hrd != be16{ARPHRD_ETHER}.wire() ||
        frame->arp.ea_hdr.ar_pro != be16{ETHERTYPE_IP}.wire() ||
        frame->arp.ea_hdr.ar_hln != ETH_ALEN || frame->arp.ea_hdr.ar_pln != sizeof(Ipv4Address)) {
        return std::nullopt;
    }
    Ipv4Address sender;
    std::memcpy(&sender, frame->arp.arp_spa, sizeof(sender));
    if (sender.is_unspecified()) {  // a probe: somebody asks, too
        return std::nullopt;
    }
    return AddressClaim{sender, mac_at(frame->arp.arp_sha)};
}

// The target's MAC address is said by an option, or else is the frame's.
std::optional<AddressClaim> claim_by_advertisement(std::span<const std::uint8_t> octets) {
    const std::optional<NeighbourFrame> frame = copied<NeighbourFrame>(octets);
    if (!frame || frame->ip.ip6_nxt != IPPROTO_ICMPV6 || frame->ip.ip6_hlim != hops_of_the_link ||
        frame->question.nd_ns_type != ND_NEIGHBOR_ADVERT) {
        return std::nullopt;
    }
    Ipv6Address target;
    std::ranges::copy(frame->question.nd_ns_target.s6_addr, target.octets.begin());
    constexpr std::size_t option_size = sizeof(nd_opt_hdr) + ETH_ALEN;
    const std::span option = octets.subspan(sizeof(NeighbourFrame));
    const bool has_option = option.size() >= option_size && option[0] == ND_OPT_TARGET_LINKADDR &&
                            option[1] == option_size / 8;
    return AddressClaim{target, mac_at(has_option ? option.data() + sizeof(nd_opt_hdr)
                                                  : frame->ethernet.ether_shost)};
}

}  // namespace

std::vector<std::uint8_t> claim_question(const IpAddress& address, const MacAddress& asker) {
    return address.is_v4() ? arp_probe(address.v4(), asker)
                           : neighbour_solicitation(address.v6(), asker);
}

std::optional<AddressClaim> claim_in(std::span<const std::uint8_t> frame) {
    const std::optional<ether_header> ethernet = copied<ether_header>(frame);
    if (!ethernet) {
        return std::nullopt;
    }
    if (ethernet->ether_type == be16{ETHERTYPE_ARP}.wire()) {
        return claim_by_arp(frame);
    }
    if (ethernet->ether_type == be16{ETHERTYPE_IPV6}.wire()) {
        return claim_by_advertisement(frame);
    }
    return std::nullopt;
}

}  // namespace fulcrum
