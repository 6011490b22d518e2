// How much room the longest frame of a port needs: in packet buffers, and in the rings that the
// kernel shares with af_packet's driver. Every frame lies in one piece, so that all drivers will
// do. Called at start.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fulcrum {

// Octets of a buffer, or of a ring's slot, for frames of a port with this `mtu` (0: the default).
std::uint32_t frame_room_for(std::uint16_t mtu);

// Octets of each ring of `queue_count` queue pairs: what measured best, less where it may not be
// locked in memory.
std::uint64_t ring_bytes_for(std::size_t queue_count);

// A ring as the driver is told of it.
struct RingShape {
    std::uint32_t slot_bytes = 0;
    std::uint32_t block_bytes = 0;  // of whole pages and whole slots
    std::uint64_t slot_count = 0;
};
RingShape ring_shape_for(std::uint16_t mtu, std::uint64_t ring_bytes);

}  // namespace fulcrum
