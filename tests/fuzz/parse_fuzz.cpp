// Any octets as a frame, wholly in one segment or cut in two: parse reads nothing beyond the
// segment (which is a heap block of its exact size), and what it calls sound is so, by a second
// reading that is written here from the RFCs and trusts nothing that parse says.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>

#include "dataplane/parse.h"

namespace {

using namespace fulcrum;

constexpr MacAddress port_mac{{0x02, 0, 0, 0, 0, 0x01}};

void promise(bool is_kept, const char* what) {
    if (!is_kept) {
        std::fprintf(stderr, "broken promise: %s\n", what);
        std::abort();
    }
}

unsigned word(std::span<const std::uint8_t> octets, std::size_t at) {
    promise(at + 2 <= octets.size(), "headers lie within the segment");
    return (unsigned{octets[at]} << 8) | octets[at + 1];
}

void check_ipv4(std::span<const std::uint8_t> segment, std::size_t frame_length,
                const ParsedPacket& packet) {
    promise(segment.size() >= 34 && word(segment, 12) == 0x0800, "IPv4 in an Ethernet frame");
    const std::size_t header_length = (segment[14] & 15U) * 4U;
    promise(segment[14] >> 4 == 4 && header_length >= 20, "version and header length");
    promise(packet.ip_length == word(segment, 16), "the length is the header's");
    promise(packet.ip_length >= header_length && 14U + packet.ip_length <= frame_length,
            "the packet lies within the frame");
    promise(packet.l4_offset == 14 + header_length && packet.l4_offset <= segment.size(),
            "L4 begins behind the header");
    unsigned sum = 0;
    for (std::size_t at = 14; at < 14 + header_length; at += 2) {
        sum += word(segment, at);
    }
    promise((sum & 0xFFFF) + (sum >> 16) == 0xFFFF, "the header's checksum is sound");
}

// Extension headers are walked here once more, from what RFC 8200 says of their lengths.
void check_ipv6(std::span<const std::uint8_t> segment, std::size_t frame_length,
                const ParsedPacket& packet) {
    promise(segment.size() >= 54 && word(segment, 12) == 0x86DD, "IPv6 in an Ethernet frame");
    promise(segment[14] >> 4 == 6 && packet.ip_version == 6, "version");
    promise(packet.ip_length == 40 + word(segment, 18) && 14U + packet.ip_length <= frame_length,
            "the packet lies within the frame");
    unsigned next = segment[20];
    std::size_t at = 54;
    for (int passed = 0; at < packet.l4_offset; ++passed) {
        promise(passed < 4 && (next == 0 || next == 43 || next == 44 || next == 60),
                "up to four extension headers");
        const unsigned was = next;
        next = word(segment, at) >> 8;
        at += was == 44 ? 8 : (word(segment, at) % 256 + 1) * 8;
    }
    promise(at == packet.l4_offset && at <= 182 && next == packet.ip_protocol,
            "L4 begins behind them");
}

void check_ip(std::span<const std::uint8_t> segment, std::size_t frame_length,
              const ParsedPacket& packet) {
    packet.ip_version == 6 ? check_ipv6(segment, frame_length, packet)
                           : check_ipv4(segment, frame_length, packet);
}

void check_flow(std::span<const std::uint8_t> segment, const ParsedPacket& packet) {
    const std::size_t l4 = packet.l4_offset;
    const std::size_t end = 14U + packet.ip_length;
    promise(!packet.is_fragment, "a flow's packet is whole");
    promise(packet.source_port.host() == word(segment, l4) &&
                packet.destination_port.host() == word(segment, l4 + 2),
            "ports are where they lie");
    promise(packet.source_port.host() != 0 && packet.destination_port.host() != 0, "no port zero");
    if (packet.protocol == L4Protocol::udp) {
        const std::size_t length = word(segment, l4 + 4);
        promise(length >= 8 && l4 + length <= end && l4 + 8 <= segment.size(), "UDP's length");
    } else if (packet.protocol == L4Protocol::sctp) {
        promise(l4 + 16 <= segment.size() && l4 + 16 <= end, "SCTP's header and a chunk's");
        promise(segment[l4 + 12] != 1 || l4 + 20 <= end, "a tag in each INIT");
    } else {
        promise(l4 + 20 <= segment.size(), "TCP's header lies in the segment");
        const std::size_t header_length = (segment[l4 + 12] >> 4) * 4U;
        promise(header_length >= 20 && l4 + header_length <= end, "TCP's header length");
        promise(packet.tcp_flags == segment[l4 + 13], "flags are where they lie");
    }
}

void check_error(std::span<const std::uint8_t> segment, const ParsedPacket& packet) {
    const std::size_t quoted = packet.quotation_offset;
    promise(quoted == packet.l4_offset + 8U && quoted + 20 <= segment.size(), "a quotation");
    const bool is_ipv6 = packet.ip_version == 6;
    const std::size_t header_length =
        is_ipv6 ? packet.quoted_l4_offset - quoted : (segment[quoted] & 15U) * 4U;
    const std::size_t ports = quoted + header_length;
    promise(header_length >= (is_ipv6 ? 40 : 20) && ports + 8 <= 14U + packet.ip_length,
            "eight quoted octets");
    promise(14U + packet.ip_length <= segment.size(), "an error lies in one segment");
    promise(packet.source_port.host() == word(segment, ports + 2) &&
                packet.destination_port.host() == word(segment, ports),
            "a quotation is turned around");
}

void check(std::span<const std::uint8_t> segment, std::size_t frame_length) {
    ParsedPacket packet;
    std::memset(static_cast<void*>(&packet), 0xA5, sizeof(packet));
    packet.ip_version = 99;
    packet.is_broadcast = packet.is_fragment = true;  // of the packet before
    parse(segment, static_cast<std::uint32_t>(frame_length), port_mac, packet);
    switch (packet.kind) {
        case PacketKind::refused:
            promise(static_cast<std::size_t>(packet.reason) < drop_reason_count, "a reason");
            break;
        case PacketKind::flow:
            check_ip(segment, frame_length, packet);
            check_flow(segment, packet);
            break;
        case PacketKind::icmp_error:
            check_ip(segment, frame_length, packet);
            check_error(segment, packet);
            break;
        case PacketKind::tunnel_error:
        case PacketKind::fragment:
        case PacketKind::other_ip:
            check_ip(segment, frame_length, packet);
            break;
        case PacketKind::not_ip:
            promise(segment.size() >= 14, "an Ethernet header");
            break;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0 || size > 2'048) {
        return 0;
    }
    // The last octet says where a second segment begins.
    const std::size_t frame_length = size - 1;
    const std::size_t cut = bytes[frame_length] < 128 ? bytes[frame_length] : frame_length;
    const std::size_t length = cut < frame_length ? cut : frame_length;
    const auto segment = std::make_unique<std::uint8_t[]>(length);
    std::memcpy(segment.get(), bytes, length);
    check({segment.get(), length}, frame_length);
    return 0;
}
