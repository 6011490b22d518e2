// Rooms and rings for frames of any MTU that a port may have.
#include "dataplane/frame_room.h"

#include <gtest/gtest.h>

#include "config/model/limits.h"

namespace fulcrum {
namespace {

TEST(FrameRoom, IsTwoKibibytesForOrdinaryFramesAndTenForJumboFrames) {
    EXPECT_EQ(frame_room_for(0), 2'048U);
    EXPECT_EQ(frame_room_for(1'280), 2'048U);
    EXPECT_EQ(frame_room_for(1'978), 2'048U);  // 18 of Ethernet and tag, 52 of the kernel's
    EXPECT_EQ(frame_room_for(1'979), 4'096U);
    EXPECT_EQ(frame_room_for(9'000), 10'240U);
    EXPECT_EQ(frame_room_for(limits::mtu_max), 10'240U);
}

// The driver takes slot n to lie at n times its size, and the kernel wants blocks of whole pages.
TEST(FrameRoom, RingsAreRowsOfSlotsWithoutAGap) {
    for (unsigned mtu = limits::mtu_min; mtu <= limits::mtu_max; mtu += 64) {
        const RingShape ring = ring_shape_for(static_cast<std::uint16_t>(mtu), 8'388'608);
        EXPECT_EQ(ring.block_bytes % ring.slot_bytes, 0U) << mtu;
        EXPECT_EQ(ring.block_bytes % 4'096, 0U) << mtu;
        EXPECT_GT(ring.slot_count, 0U) << mtu;
        EXPECT_LE(ring.slot_count * ring.slot_bytes, 8'388'608U) << mtu;
    }
    EXPECT_EQ(ring_shape_for(0, 8'388'608).slot_count, 4'096U);
}

TEST(FrameRoom, ARingHasAFewFramesHoweverManyThereAre) {
    EXPECT_GE(ring_shape_for(limits::mtu_max, ring_bytes_for(1'000)).slot_count, 12U);
}

}  // namespace
}  // namespace fulcrum
