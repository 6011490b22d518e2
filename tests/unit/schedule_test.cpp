// What follows from reals and weights, worked out by hand.
#include "config/model/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fulcrum {
namespace {

// Indexes 10, 11, 12, ...
std::vector<ScheduledReal> reals_of(const std::vector<std::uint32_t>& weights) {
    std::vector<ScheduledReal> reals;
    for (const std::uint32_t weight : weights) {
        const auto index = static_cast<std::uint16_t>(10 + reals.size());
        reals.push_back({.weight = weight, .lasting_weight = weight, .index = index});
    }
    return reals;
}

std::ptrdiff_t buckets_of(const Schedule& schedule, std::uint16_t position) {
    return std::count(schedule.buckets.begin(), schedule.buckets.end(), position);
}

TEST(Schedule, KnowsTheGreatestWeightAndTheCommonDivisor) {
    const Schedule schedule = make_schedule(Scheduler::wrr, {}, reals_of({12, 0, 18, 30}));
    EXPECT_EQ(schedule.weight_greatest, 30U);
    EXPECT_EQ(schedule.weight_divisor, 6U);
    const Schedule weightless = make_schedule(Scheduler::wrr, {}, reals_of({0, 0}));
    EXPECT_EQ(weightless.weight_greatest, 0U);
    EXPECT_EQ(weightless.weight_divisor, 1U);
}

TEST(Schedule, FindsARealByItsIndex) {
    const Schedule schedule = make_schedule(Scheduler::rr, {}, reals_of({1, 2}));
    ASSERT_NE(schedule.find(11), nullptr);
    EXPECT_EQ(schedule.find(11)->weight, 2U);
    for (const std::uint16_t index : {std::uint16_t{0}, std::uint16_t{12}, limits::index_none}) {
        EXPECT_EQ(schedule.find(index), nullptr) << index;
    }
}

TEST(Schedule, GivesOutBucketsByWeightForShAndEquallyForDh) {
    // Rounds of eight: 256 is 32 of them.
    const Schedule by_weight = make_schedule(Scheduler::sh, {}, reals_of({1, 2, 5}));
    EXPECT_EQ(buckets_of(by_weight, 0), 32);
    EXPECT_EQ(buckets_of(by_weight, 1), 64);
    EXPECT_EQ(buckets_of(by_weight, 2), 160);
    const Schedule equally = make_schedule(Scheduler::dh, {}, reals_of({1, 2, 5, 9}));
    for (std::uint16_t position = 0; position < 4; ++position) {
        EXPECT_EQ(buckets_of(equally, position), 64);
    }
    EXPECT_TRUE(make_schedule(Scheduler::wlc, {}, reals_of({1})).buckets.empty());
    EXPECT_TRUE(make_schedule(Scheduler::sh, {}, {}).buckets.empty());
}

TEST(Schedule, KeepsTheBucketsOfADrainedRealAndHasOneForWhoNeverWeighed) {
    std::vector<ScheduledReal> reals = reals_of({4, 3, 0});
    const Schedule before = make_schedule(Scheduler::sh, {}, reals);
    EXPECT_EQ(buckets_of(before, 2), 32);
    reals[0].weight = 0;
    EXPECT_EQ(make_schedule(Scheduler::sh, {}, reals).buckets, before.buckets);
}

TEST(Schedule, RelievesBelowLowerOrThreeQuartersOfUpper) {
    EXPECT_EQ(relieved_below({.upper = 10, .lower = 5}), 5U);
    EXPECT_EQ(relieved_below({.upper = 10}), 8U);
    EXPECT_EQ(relieved_below({.upper = 7}), 6U);
    EXPECT_EQ(relieved_below({.upper = 1}), 1U);
}

}  // namespace
}  // namespace fulcrum
