// The options in a TCP header: a walk over them, and those of a handshake as values, to be read and
// written; and changes to a header that its checksum follows. Pure; worker side.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "dataplane/checksum.h"
#include "dataplane/headers.h"

namespace fulcrum {

namespace tcp_option {
inline constexpr std::uint8_t end = 0;
inline constexpr std::uint8_t nothing = 1;
inline constexpr std::uint8_t mss = 2;
inline constexpr std::uint8_t window_scale = 3;
inline constexpr std::uint8_t sack_permitted = 4;
inline constexpr std::uint8_t sack = 5;
inline constexpr std::uint8_t timestamps = 8;

inline constexpr std::size_t mss_length = 4;
inline constexpr std::size_t window_scale_length = 3;
inline constexpr std::size_t sack_permitted_length = 2;
inline constexpr std::size_t timestamps_length = 10;
}  // namespace tcp_option

inline constexpr std::size_t tcp_options_length_max = 40;

// Octets from `left` up to `right`.
struct SackBlock {
    be32 left;
    be32 right;
};
static_assert(sizeof(SackBlock) == 8 && alignof(SackBlock) == 1);

// The header's octets, as many as there are.
inline std::size_t tcp_header_size(const std::uint8_t* tcp, std::size_t size) {
    return std::min<std::size_t>(size, reinterpret_cast<const TcpHeader*>(tcp)->header_length());
}

// What `change` does to the header, of which `size` octets are at `tcp`, its checksum follows.
template <typename Change>
void change_tcp_header(std::uint8_t* tcp, std::size_t size, const Change& change) {
    const std::size_t length = tcp_header_size(tcp, size);
    ChecksumSum before;
    before.add(tcp, length);
    change();
    ChecksumSum after;
    after.add(tcp, length);
    ChecksumDelta delta;
    delta.change(before.folded(), after.folded());
    be16& checksum = reinterpret_cast<TcpHeader*>(tcp)->checksum;
    checksum = delta.applied_to(checksum);
}

// Calls `visit(option, length)` for each option that lies whole in the header, of which `size`
// octets are at `tcp`; padding is none. Behind nonsense nobody looks, as the receiver will not.
template <typename Octet, typename Visit>
void visit_tcp_options(Octet* tcp, std::size_t size, const Visit& visit) {
    const std::size_t end = tcp_header_size(tcp, size);
    std::size_t at = sizeof(TcpHeader);
    while (at < end && tcp[at] != tcp_option::end) {
        if (tcp[at] == tcp_option::nothing) {
            ++at;
            continue;
        }
        const std::size_t length = at + 1 < end ? tcp[at + 1] : 0;
        if (length < 2 || at + length > end) {
            return;
        }
        visit(tcp + at, length);
        at += length;
    }
}

// What a segment says beside its header: RFC 9293, 3.7.1; RFC 7323; RFC 2018.
struct TcpOptions {
    static constexpr std::uint8_t scale_none = 15;

    std::uint16_t mss = 0;                   // 0: none
    std::uint8_t window_scale = scale_none;  // 0 to 14
    bool permits_sack = false;
    bool has_timestamps = false;
    std::uint32_t timestamp = 0;
    std::uint32_t timestamp_echo = 0;
};

TcpOptions read_tcp_options(const std::uint8_t* tcp, std::size_t size);

// Into as many octets as there may be; how many it took, a multiple of four.
std::size_t write_tcp_options(std::uint8_t* to, const TcpOptions& options);

}  // namespace fulcrum
