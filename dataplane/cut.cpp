// One header, and its shorter form for all pieces but the first.
#include "dataplane/cut.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>

#include "dataplane/checksum.h"
#include "dataplane/headers.h"

namespace fulcrum {
namespace {

constexpr std::uint16_t more_fragments = 0x2000;
constexpr std::uint16_t offset_mask = 0x1FFF;
constexpr std::size_t offset_unit = 8;
constexpr std::size_t header_size_max = 60;

struct PieceHeader {
    std::array<std::uint8_t, header_size_max> octets;
    std::size_t length = 0;

    Ipv4Header& ip() { return *reinterpret_cast<Ipv4Header*>(octets.data()); }
};

// With the options that go into every piece (RFC 791, 3.1: those whose type has the highest bit),
// filled up with ends of list.
PieceHeader header_of_later_pieces(const PieceHeader& first) {
    constexpr std::uint8_t option_end = 0;
    constexpr std::uint8_t option_nothing = 1;
    constexpr std::uint8_t is_copied = 0x80;
    PieceHeader later;
    std::memcpy(later.octets.data(), first.octets.data(), sizeof(Ipv4Header));
    later.length = sizeof(Ipv4Header);
    std::size_t at = sizeof(Ipv4Header);
    while (at < first.length && first.octets[at] != option_end) {
        if (first.octets[at] == option_nothing) {
            ++at;
            continue;
        }
        const std::size_t length = at + 1 < first.length ? first.octets[at + 1] : 0;
        if (length < 2 || at + length > first.length) {
            break;  // nonsense is not passed on
        }
        if ((first.octets[at] & is_copied) != 0) {
            std::memcpy(later.octets.data() + later.length, first.octets.data() + at, length);
            later.length += length;
        }
        at += length;
    }
    while (later.length % 4 != 0) {
        later.octets[later.length++] = option_end;
    }
    later.ip().version_and_length = static_cast<std::uint8_t>(0x40 | (later.length / 4));
    return later;
}

struct Stretch {
    std::size_t from = 0;  // within the packet's payload
    std::size_t length = 0;
    bool is_last = false;
};

rte_mbuf* piece_of(rte_mbuf* whole, PieceHeader header, std::size_t payload_at, Stretch stretch) {
    rte_mbuf* const piece = rte_pktmbuf_alloc(whole->pool);
    if (piece == nullptr) {
        return nullptr;
    }
    const std::size_t size = sizeof(EthernetHeader) + header.length + stretch.length;
    char* const frame = size <= rte_pktmbuf_tailroom(piece)
                            ? rte_pktmbuf_append(piece, static_cast<std::uint16_t>(size))
                            : nullptr;
    if (frame == nullptr) {
        rte_pktmbuf_free(piece);
        return nullptr;
    }
    piece->port = whole->port;
    Ipv4Header& ip = header.ip();
    const std::uint16_t before = ip.flags_and_fragment_offset.host();
    const std::size_t offset = (before & offset_mask) + stretch.from / offset_unit;
    const std::uint16_t more = stretch.is_last ? before & more_fragments : more_fragments;
    ip.flags_and_fragment_offset = be16{static_cast<std::uint16_t>(more | offset)};
    ip.total_length = be16{static_cast<std::uint16_t>(header.length + stretch.length)};
    ip.checksum = be16{};
    ip.checksum = checksum_of(&ip, header.length);

    std::memcpy(frame, rte_pktmbuf_mtod(whole, const char*), sizeof(EthernetHeader));
    char* at = frame + sizeof(EthernetHeader);
    std::memcpy(at, header.octets.data(), header.length);
    at += header.length;
    const auto from = static_cast<std::uint32_t>(payload_at + stretch.from);
    const auto length = static_cast<std::uint32_t>(stretch.length);
    const void* const payload = rte_pktmbuf_read(whole, from, length, at);
    if (payload != at) {
        std::memcpy(at, payload, stretch.length);
    }
    return piece;
}

}  // namespace

bool cut(rte_mbuf* frame_mbuf, std::uint16_t mtu, Pieces& pieces) {
    pieces.count = 0;
    const auto* ip = rte_pktmbuf_mtod_offset(frame_mbuf, const Ipv4Header*, sizeof(EthernetHeader));
    PieceHeader header;
    header.length = ip->header_length();
    std::memcpy(header.octets.data(), ip, header.length);
    const PieceHeader later = header_of_later_pieces(header);
    const std::size_t payload_at = sizeof(EthernetHeader) + header.length;
    const std::size_t payload_length = ip->total_length.host() - header.length;

    for (Stretch stretch; stretch.from < payload_length; stretch.from += stretch.length) {
        const PieceHeader& own = stretch.from == 0 ? header : later;
        const std::size_t room = mtu > own.length ? mtu - own.length : 0;
        const std::size_t left = payload_length - stretch.from;
        stretch.is_last = left <= room;
        stretch.length = stretch.is_last ? left : room / offset_unit * offset_unit;
        rte_mbuf* const piece = stretch.length > 0 && pieces.count < Pieces::count_max
                                    ? piece_of(frame_mbuf, own, payload_at, stretch)
                                    : nullptr;
        if (piece == nullptr) {
            rte_pktmbuf_free_bulk(pieces.mbufs.data(), static_cast<unsigned>(pieces.count));
            pieces.count = 0;
            return false;
        }
        pieces.mbufs[pieces.count++] = piece;
    }
    return true;
}

}  // namespace fulcrum
