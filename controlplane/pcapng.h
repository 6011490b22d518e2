// Blocks of a pcapng file (draft-ietf-opsawg-pcapng), of which a capture is a row: a section, its
// interfaces, frames, and how many were lost. In the host's byte order, which the section tells.
// Times are nanoseconds since 1970. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fulcrum {

enum class Direction : std::uint8_t { inbound = 1, outbound = 2 };

struct PcapngFrame {
    std::uint32_t interface = 0;  // by the order of the interfaces' blocks
    std::uint64_t time_ns = 0;
    std::uint32_t length = 0;  // of the whole frame
    std::span<const std::uint8_t> octets;
    Direction direction = Direction::inbound;
    std::string comment;
};

std::string pcapng_section(std::string_view program);
// An Ethernet's, of whose frames at most `octets_max` octets are there.
std::string pcapng_interface(std::string_view name, std::uint32_t octets_max);
std::string pcapng_frame(const PcapngFrame& frame);
std::string pcapng_lost(std::uint32_t interface, std::uint64_t time_ns, std::uint64_t lost_count);

}  // namespace fulcrum
