// The door for counters: one thread writes, any reads, and nobody sees them go back.
#include "dataplane/counters.h"

#include <gtest/gtest.h>

#include <thread>

namespace fulcrum {
namespace {

TEST(SingleWriterCounter, AddsSubtractsAndIsSet) {
    SingleWriterCounter counter;
    EXPECT_EQ(counter.read(), 0U);
    counter.add(5);
    counter.add(2);
    counter.subtract(3);
    EXPECT_EQ(counter.read(), 4U);
    counter.set(9);
    EXPECT_EQ(counter.read(), 9U);
}

TEST(SingleWriterCounter, IsReadWhileItGrowsAndNeverGoesBack) {
    constexpr std::uint64_t last = 1'000'000;
    CounterBoard board{1};
    SingleWriterCounter& packets = board.tally(0).in_packets;
    std::thread worker{[&] {
        for (std::uint64_t i = 0; i < last; ++i) {
            packets.add(1);
        }
    }};
    std::uint64_t seen = 0;
    bool has_gone_back = false;
    while (seen < last) {
        const std::uint64_t now = packets.read();
        has_gone_back |= now < seen;
        seen = now;
    }
    worker.join();
    EXPECT_FALSE(has_gone_back);
}

TEST(CounterBoard, BeginsWithZeroEverywhere) {
    const CounterBoard board{3};
    EXPECT_EQ(board.tally_count(), 3U);
    for (std::uint32_t i = 0; i < 3; ++i) {
        EXPECT_EQ(board.tally(i).in_packets.read(), 0U);
        EXPECT_EQ(board.tally(i).sessions_live.read(), 0U);
    }
    for (const SingleWriterCounter& dropped : board.worker().dropped) {
        EXPECT_EQ(dropped.read(), 0U);
    }
}

TEST(CounterBoard, CountsTheDropsOfAsManyServicesAsItIsMadeFor) {
    CounterBoard board{1, 2};
    ASSERT_EQ(board.service_count(), 2U);
    board.drops(1).by_reason[3].add(5);
    EXPECT_EQ(board.drops(1).by_reason[3].read(), 5U);
    EXPECT_EQ(board.drops(0).by_reason[3].read(), 0U);
}

TEST(CounterBoard, NoTwoTalliesShareACacheLine) {
    const CounterBoard board{2};
    const auto first = reinterpret_cast<std::uintptr_t>(&board.tally(0));
    const auto second = reinterpret_cast<std::uintptr_t>(&board.tally(1));
    EXPECT_EQ(first % limits::cache_line_size, 0U);
    EXPECT_GE(second - first, limits::cache_line_size);
}

}  // namespace
}  // namespace fulcrum
