// Slots, blocks, rings.
#include "dataplane/frame_room.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "config/model/limits.h"

namespace fulcrum {
namespace {

constexpr std::uint32_t room_step = 2'048;
constexpr std::uint32_t ordinary_block_bytes = 65'536;

// Blocks are of whole pages, and of whole slots, because the driver takes the slots of all blocks
// for one row.
std::uint32_t block_bytes_for(std::uint32_t slot_bytes) {
    return ordinary_block_bytes % slot_bytes == 0 ? ordinary_block_bytes : 2 * slot_bytes;
}

// The kernel locks a packet socket's rings in memory, and lets an ordinary user lock a few
// megabytes. Whoever is root of the whole machine has no such limit.
std::uint64_t lockable_bytes() {
    std::ifstream map{"/proc/self/uid_map"};
    std::uint64_t inside = 1;
    std::uint64_t outside = 1;
    std::uint64_t count = 0;
    map >> inside >> outside >> count;
    const bool is_whole_machine = inside == 0 && outside == 0 && count == 0xFFFF'FFFFU;
    rlimit limit{};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    const bool is_unlimited = limit.rlim_cur == RLIM_INFINITY;
    return is_unlimited || (is_whole_machine && geteuid() == 0)
               ? std::numeric_limits<std::uint64_t>::max()
               : limit.rlim_cur;
}

}  // namespace

// The packet in its Ethernet frame, perhaps with a tag, behind the 52 octets that the kernel puts
// into a slot.
std::uint32_t frame_room_for(std::uint16_t mtu) {
    constexpr std::uint32_t around_packet = 14 + 4 + 32 + 20;
    const std::uint32_t frame = std::max(mtu, limits::mtu_default) + around_packet;
    return (frame + room_step - 1) / room_step * room_step;
}

// 4,096 frames of the ordinary size measured best over veth of those tried.
std::uint64_t ring_bytes_for(std::size_t queue_count) {
    const std::uint64_t rings = 2 * queue_count;
    const std::uint64_t affordable = lockable_bytes() / 4 * 3 / rings;
    return std::clamp<std::uint64_t>(affordable, 2 * ordinary_block_bytes, 4'096 * room_step);
}

RingShape ring_shape_for(std::uint16_t mtu, std::uint64_t ring_bytes) {
    RingShape shape{.slot_bytes = frame_room_for(mtu)};
    shape.block_bytes = block_bytes_for(shape.slot_bytes);
    shape.slot_count = ring_bytes / shape.block_bytes * (shape.block_bytes / shape.slot_bytes);
    return shape;
}

}  // namespace fulcrum
