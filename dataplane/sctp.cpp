// Chunks, checksums, aborts.
#include "dataplane/sctp.h"

#include <cstring>

#include "dataplane/crc32c.h"
#include "dataplane/parse_l4.h"

namespace fulcrum {
namespace {

namespace chunk {
constexpr std::uint8_t init = 1;
constexpr std::uint8_t init_ack = 2;
constexpr std::uint8_t abort = 6;
constexpr std::uint8_t shutdown = 7;
constexpr std::uint8_t shutdown_ack = 8;
constexpr std::uint8_t shutdown_complete = 14;
}  // namespace chunk

// A SHUTDOWN or an ABORT may stand behind others; no sender has reason to bundle more than this.
constexpr unsigned chunks_looked_at = 8;

// What a chunk that stands at some place of a packet amounts to.
constexpr std::uint8_t flags_of(std::uint8_t chunk_type) {
    switch (chunk_type) {
        case chunk::abort:
            return tcp_flag::rst;
        case chunk::shutdown:
        case chunk::shutdown_ack:
        case chunk::shutdown_complete:
            return tcp_flag::fin | tcp_flag::ack;
        default:
            return tcp_flag::ack;
    }
}

std::uint8_t flags_of_chunks(std::span<const std::uint8_t> ip_packet, std::size_t at) {
    std::uint8_t flags = 0;
    for (unsigned n = 0; n < chunks_looked_at; ++n) {
        const auto* header = look_at<SctpChunkHeader>(ip_packet, at);
        if (header == nullptr || header->length.host() < sizeof(SctpChunkHeader)) {
            break;
        }
        flags |= flags_of(header->type);
        at += (header->length.host() + 3U) & ~3U;
    }
    return (flags & tcp_flag::rst) != 0 ? tcp_flag::rst : flags;
}

std::uint32_t word_at(const void* octets) {
    std::uint32_t word = 0;
    std::memcpy(&word, octets, sizeof(word));
    return word;
}

std::size_t length_of(const ParsedPacket& packet) {
    return sizeof(EthernetHeader) + packet.ip_length - packet.l4_offset;
}

// Over the packet with its checksum taken for zero.
std::uint32_t crc_of(const std::uint8_t* l4, std::size_t length) {
    constexpr std::size_t checksum_at = offsetof(SctpHeader, checksum);
    constexpr std::array<std::uint8_t, sizeof(SctpHeader::checksum)> zero{};
    Crc32c crc;
    crc.add({l4, checksum_at});
    crc.add(zero);
    crc.add({l4 + sizeof(SctpHeader), length - sizeof(SctpHeader)});
    return crc.value();
}

}  // namespace

void parse_sctp(std::span<const std::uint8_t> ip_packet, std::size_t l4, ParsedPacket& packet) {
    const auto* sctp = look_at<SctpHeader>(ip_packet, l4);
    const std::size_t chunk_at = l4 + sizeof(SctpHeader);
    const auto* first = look_at<SctpChunkHeader>(ip_packet, chunk_at);
    if (sctp == nullptr || first == nullptr) {
        return refuse(packet, DropReason::l4_truncated);
    }
    if (sctp->source_port.wire() == 0 || sctp->destination_port.wire() == 0) {
        return refuse(packet, DropReason::l4_port_zero);
    }
    if (first->length.host() < sizeof(SctpChunkHeader)) {
        return refuse(packet, DropReason::l4_length);
    }
    // These two stand alone in their packet, and begin with a tag.
    const bool is_opener = first->type == chunk::init || first->type == chunk::init_ack;
    if (is_opener && look_at<be32>(ip_packet, chunk_at + sizeof(SctpChunkHeader)) == nullptr) {
        return refuse(packet, DropReason::l4_truncated);
    }
    packet.tcp_flags = flags_of_chunks(ip_packet, chunk_at);
    if (is_opener) {
        packet.tcp_flags = first->type == chunk::init
                               ? tcp_flag::syn
                               : static_cast<std::uint8_t>(tcp_flag::syn | tcp_flag::ack);
    }
    packet.source_port = sctp->source_port;
    packet.destination_port = sctp->destination_port;
    packet.protocol = L4Protocol::sctp;
    packet.kind = PacketKind::flow;
}

bool complete_sctp_checksum(std::uint8_t* frame, const ParsedPacket& packet) {
    std::uint8_t* const l4 = frame + packet.l4_offset;
    auto& sctp = *reinterpret_cast<SctpHeader*>(l4);
    if (sctp.checksum != std::array<std::uint8_t, 4>{}) {
        return false;
    }
    const std::uint32_t crc = crc_of(l4, length_of(packet));
    std::memcpy(&sctp.checksum, &crc, sizeof(crc));
    return true;
}

void update_sctp_checksum(std::uint8_t* frame, const ParsedPacket& packet) {
    auto& sctp = *reinterpret_cast<SctpHeader*>(frame + packet.l4_offset);
    const std::array<be16, 2> ports_before{packet.source_port, packet.destination_port};
    const std::uint32_t difference = word_at(ports_before.data()) ^ word_at(&sctp);
    if (difference != 0) {
        const std::uint32_t crc =
            crc32c_after_change(word_at(&sctp.checksum), difference, length_of(packet));
        std::memcpy(&sctp.checksum, &crc, sizeof(crc));
    }
}

// Who asks for an association has told its tag, and knows no other; all others have sent their
// peer's.
AbortTag abort_tag_back(const std::uint8_t* l4) {
    const std::uint8_t* const first = l4 + sizeof(SctpHeader);
    if (*first == chunk::init) {
        return {*reinterpret_cast<const be32*>(first + sizeof(SctpChunkHeader)), false};
    }
    return {reinterpret_cast<const SctpHeader*>(l4)->verification_tag, true};
}

void write_abort(std::uint8_t* l4, be16 source_port, be16 destination_port, AbortTag tag) {
    auto& sctp = *reinterpret_cast<SctpHeader*>(l4);
    auto& chunk = *reinterpret_cast<SctpChunkHeader*>(l4 + sizeof(sctp));
    sctp = {source_port, destination_port, tag.tag, {}};
    chunk = {chunk::abort, static_cast<std::uint8_t>(tag.is_reflected ? 1 : 0),
             be16{sizeof(SctpChunkHeader)}};
    const std::uint32_t crc = crc_of(l4, sctp_abort_size);
    std::memcpy(&sctp.checksum, &crc, sizeof(crc));
}

}  // namespace fulcrum
