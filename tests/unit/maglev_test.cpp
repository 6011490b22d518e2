// What the ring promises: shares by weight, little movement, the same answer whoever asks. Bounds
// are those that the published measurements of Maglev give, with room; tests/oracle/maglev.py
// compares whole rings with an independent twin.
#include "config/model/maglev.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <string>

#include "config/model/limits.h"

namespace fulcrum {
namespace {

constexpr std::uint32_t size = limits::ring_size_default;
const HashKey key = derive_key("a test", "ring");

// Reals "web0", "web1", ... with indexes as in their names; the names outlive the members.
struct Pool {
    std::deque<std::string> names;
    std::vector<RingMember> members;

    explicit Pool(std::size_t count, std::uint32_t weight = 1) {
        for (std::size_t i = 0; i < count; ++i) {
            names.push_back("web" + std::to_string(i));
            members.push_back({names.back(), weight, static_cast<std::uint16_t>(i)});
        }
    }
    std::vector<std::uint16_t> ring(std::uint32_t ring_size = size) const {
        return build_ring(members, ring_size, key);
    }
};

std::vector<std::uint32_t> slots_by_index(const std::vector<std::uint16_t>& ring,
                                          std::size_t member_count) {
    std::vector<std::uint32_t> slots(member_count, 0);
    for (const std::uint16_t index : ring) {
        ++slots.at(index);  // throws for a slot left empty
    }
    return slots;
}

// Slots that moved although the member they belonged to has stayed.
double collateral_share(const std::vector<std::uint16_t>& before,
                        const std::vector<std::uint16_t>& after, std::uint16_t changed) {
    std::size_t moved = 0;
    std::size_t others = 0;
    for (std::size_t slot = 0; slot < before.size(); ++slot) {
        if (before[slot] != changed) {
            ++others;
            moved += before[slot] != after[slot] ? 1U : 0U;
        }
    }
    return static_cast<double>(moved) / static_cast<double>(others);
}

TEST(Maglev, GivesEverySlotToTheOnlyMember) {
    const std::vector<RingMember> one{{"alone", 5, 42}};
    EXPECT_EQ(build_ring(one, 7, key), std::vector<std::uint16_t>(7, 42));
}

TEST(Maglev, FillsTheSmallestPrimes) {
    const Pool pool{2};
    EXPECT_EQ(slots_by_index(pool.ring(2), 2), (std::vector<std::uint32_t>{1, 1}));
    EXPECT_EQ(slots_by_index(pool.ring(3), 2), (std::vector<std::uint32_t>{2, 1}));
}

TEST(Maglev, IsEmptyWhenNobodyHasWeight) {
    EXPECT_TRUE(build_ring({}, size, key).empty());
    EXPECT_TRUE(Pool(3, 0).ring().empty());
}

TEST(Maglev, FillsEverySlotAndSharesEquallyToWithinOneSlot) {
    const std::vector<std::uint32_t> slots = slots_by_index(Pool(10).ring(), 10);
    EXPECT_EQ(*std::min_element(slots.begin(), slots.end()), 6'553U);
    EXPECT_EQ(*std::max_element(slots.begin(), slots.end()), 6'554U);
}

// 1 : 2 : 3 : 4 of 65,537 slots, to within a few.
TEST(Maglev, SharesByWeight) {
    Pool pool{4};
    for (std::uint32_t i = 0; i < 4; ++i) {
        pool.members[i].weight = i + 1;
    }
    const std::vector<std::uint32_t> slots = slots_by_index(pool.ring(), 4);
    for (std::uint32_t i = 0; i < 4; ++i) {
        EXPECT_NEAR(slots[i], 65'537.0 * (i + 1) / 10.0, 4.0) << "weight " << i + 1;
    }
}

TEST(Maglev, GivesNoSlotToWeightZero) {
    Pool pool{3};
    pool.members[1].weight = 0;
    const std::vector<std::uint32_t> slots = slots_by_index(pool.ring(), 3);
    EXPECT_EQ(slots[1], 0U);
    EXPECT_EQ(slots[0] + slots[2], size);
}

// The greatest weight beside the smallest: 65,537 rounds give the small one nothing, and no time.
TEST(Maglev, TakesExtremeWeightsInStride) {
    Pool pool{1'000};
    pool.members[0].weight = limits::weight_max;
    const std::vector<std::uint32_t> slots = slots_by_index(pool.ring(), 1'000);
    EXPECT_EQ(slots[0], size);
}

TEST(Maglev, EqualsItselfWhenAllWeightsAreMultiplied) {
    Pool heavy{7, 300};
    heavy.members[3].weight = 600;
    Pool light{7, 1};
    light.members[3].weight = 2;
    EXPECT_EQ(heavy.ring(), light.ring());
}

TEST(Maglev, DependsOnNamesAndNotOnTheirOrder) {
    const Pool pool{20};
    Pool reversed{20};
    std::reverse(reversed.members.begin(), reversed.members.end());
    EXPECT_EQ(pool.ring(), reversed.ring());
}

TEST(Maglev, DependsOnTheKey) {
    const Pool pool{20};
    EXPECT_GT(slots_moved(pool.ring(), build_ring(pool.members, size, derive_key("b", "ring"))),
              size / 2);
}

TEST(Maglev, MovesFewSlotsOfOthersWhenOneOfTenLeaves) {
    const Pool before{10};
    Pool after{10};
    after.members.erase(after.members.begin() + 4);
    EXPECT_LT(collateral_share(before.ring(), after.ring(), 4), 0.01);
}

TEST(Maglev, MovesFewSlotsOfOthersWhenOneOfAHundredLeaves) {
    const Pool before{100};
    Pool after{100};
    after.members.erase(after.members.begin() + 50);
    EXPECT_LT(collateral_share(before.ring(), after.ring(), 50), 0.02);
}

// An eleventh of the slots must move to the newcomer; few more do.
TEST(Maglev, MovesLittleMoreThanTheShareOfANewcomer) {
    const std::uint32_t moved = slots_moved(Pool(10).ring(), Pool(11).ring());
    EXPECT_GE(moved, size / 11);
    EXPECT_LT(moved, size * 15 / 100);
}

TEST(Maglev, MovesAThousandthWhenOneWeightOfAHundredFallsByOnePercent) {
    const Pool before{100, 100};
    Pool after{100, 100};
    after.members[17].weight = 99;
    const std::uint32_t moved = slots_moved(before.ring(), after.ring());
    EXPECT_GE(moved, 6U);  // its own loss: one percent of 655
    EXPECT_LE(moved, size * 2 / 1'000);
}

TEST(Maglev, MovesAboutAHundredthWhenOneWeightOfAHundredIsHalved) {
    const Pool before{100, 100};
    Pool after{100, 100};
    after.members[17].weight = 50;
    EXPECT_LE(slots_moved(before.ring(), after.ring()), size * 2 / 100);
}

TEST(Maglev, BuildsARingOfAThousandInMilliseconds) {
    const Pool pool{1'000, 100};
    const auto start = std::chrono::steady_clock::now();
    const std::vector<std::uint16_t> ring = pool.ring();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    RecordProperty("ring_of_1000_us", static_cast<int>(took.count() * 1'000));
    EXPECT_EQ(ring.size(), size);
    EXPECT_LT(took.count(), 250.0);  // far above what it takes, for sanitizers and a busy machine
}

TEST(SlotsMoved, CountsTheSlotsThatDiffer) {
    const std::vector<std::uint16_t> before{1, 2, 3, 1, 2};
    const std::vector<std::uint16_t> after{1, 3, 3, 1, 1};
    EXPECT_EQ(slots_moved(before, after), 2U);
    EXPECT_EQ(slots_moved(before, before), 0U);
}

TEST(SlotsMoved, CountsAllWhenTheSizeDiffers) {
    EXPECT_EQ(slots_moved(Pool(2).ring(3), Pool(2).ring(5)), 5U);
}

TEST(IsPrime, KnowsPrimesAndTheirNeighbours) {
    for (const std::uint32_t prime :
         {2U, 3U, 5U, 251U, 4'093U, 65'537U, 655'373U, 4'294'967'291U}) {
        EXPECT_TRUE(is_prime(prime)) << prime;
    }
    for (const std::uint32_t other : {0U, 1U, 4U, 9U, 15U, 65'535U, 65'536U, 4'294'049'777U}) {
        EXPECT_FALSE(is_prime(other)) << other;  // the last is 65,521 * 65,537
    }
}

}  // namespace
}  // namespace fulcrum
