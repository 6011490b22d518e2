// What an operator wants to see of the packets themselves, and what he gets: an order that the
// workers read with their snapshot, and copies of frames that they post in return. A packet is
// copied twice: as it came, with what became of it, and as it left, once for each frame that left
// because of it. Plain values; words are constants of the program.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "config/model/limits.h"
#include "config/model/packet_filter.h"

namespace fulcrum {

struct CaptureOrder {
    std::uint32_t id = 0;  // comes back with each frame
    PacketFilter filter;   // a packet is wanted if what came or what left fits; empty: all are
    std::uint16_t octets_max = limits::captured_octets_max;  // of each frame
};

struct CapturedFrame {
    std::uint32_t capture_id = 0;
    std::uint32_t length = 0;                   // of the whole frame
    std::uint16_t octet_count = 0;              // of `octets`
    std::uint8_t port = 0;                      // by which it came, or left
    bool is_after = false;                      // it left
    std::uint32_t tally = limits::tallies_max;  // of the real that is concerned, if one is
    std::uint64_t time_ns = 0;                  // of the turn, since 1970
    std::string_view packet_class;              // "request", "reply", "punt", "refused"
    std::string_view verdict;                   // "transmit", "hold", "punt", "drop"
    std::string_view reason;                    // of a drop: its name
    std::array<std::uint8_t, limits::captured_octets_max> octets;
};
static_assert(std::is_trivially_copyable_v<CapturedFrame>);

}  // namespace fulcrum
