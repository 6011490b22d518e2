// Shares of a ring and of weights, step by step.
#include "controlplane/slow_start.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "config/model/maglev.h"

namespace fulcrum {
namespace {

constexpr HashKey key{1, 2};
const std::array<std::string, 4> names{"a", "b", "c", "d"};

// Four reals of weight 1, of which the last starts slowly.
struct Pool {
    explicit Pool(std::uint16_t admitted) {
        plan.asked = &asked;
        std::vector<RingMember> members;
        for (std::uint16_t index = 0; index < 4; ++index) {
            plan.reals.push_back({.name = names[index],
                                  .standing = RealStanding::usable,
                                  .index = index,
                                  .ring_weight = 1,
                                  .weight = 1,
                                  .is_scheduled = true});
            members.push_back({names[index], 1, index});
        }
        plan.reals[3].admitted = admitted;
        ring = std::make_shared<const Ring>(build_ring(members, 65'537, key));
    }
    double share_of(const Ring& slots, std::uint16_t index) const {
        return static_cast<double>(std::ranges::count(slots, index)) /
               static_cast<double>(slots.size());
    }

    VirtualService asked;
    ServicePlan plan;
    std::shared_ptr<const Ring> ring;
};

TEST(SlowStart, AdmitsARealToAGrowingPartOfItsSlots) {
    for (const std::uint16_t admitted : {std::uint16_t{1}, std::uint16_t{4}, std::uint16_t{12}}) {
        const Pool pool{admitted};
        const auto warm = warming(pool.ring, pool.plan, key);
        EXPECT_NEAR(pool.share_of(*warm, 3), 0.25 * admitted / admitted_all, 0.01) << admitted;
        const double rest = (1 - pool.share_of(*warm, 3)) / 3;
        for (std::uint16_t index = 0; index < 3; ++index) {
            EXPECT_NEAR(pool.share_of(*warm, index), rest, 0.01) << "spread evenly";
        }
    }
    const Pool done{admitted_all};
    EXPECT_EQ(warming(done.ring, done.plan, key), done.ring);
}

TEST(SlowStart, MovesNobodyElseAndNeverTakesBackWhatItHasAdmitted) {
    std::shared_ptr<const Ring> before;
    for (std::uint16_t admitted = 1; admitted <= admitted_all; ++admitted) {
        const Pool pool{admitted};
        const auto warm = warming(pool.ring, pool.plan, key);
        for (std::size_t slot = 0; slot < warm->size(); ++slot) {
            ASSERT_TRUE((*pool.ring)[slot] == 3 || (*warm)[slot] == (*pool.ring)[slot]);
            ASSERT_TRUE(before == nullptr || (*warm)[slot] == 3 ||
                        (*warm)[slot] == (*before)[slot]);
        }
        before = warm;
    }
}

TEST(SlowStart, LeavesTheRingToARealThatIsAlone) {
    Pool pool{1};
    for (std::size_t index = 0; index < 3; ++index) {
        pool.plan.reals[index].standing = RealStanding::down;
    }
    EXPECT_EQ(warming(pool.ring, pool.plan, key), pool.ring);
}

TEST(SlowStart, GivesSchedulersAPartOfTheWeight) {
    const Pool pool{4};
    EXPECT_EQ(weight_unit(pool.plan), admitted_all);
    EXPECT_EQ(warm_weight(pool.plan.reals[0], admitted_all), 16U);
    EXPECT_EQ(warm_weight(pool.plan.reals[3], admitted_all), 4U);
    const Pool done{admitted_all};
    EXPECT_EQ(weight_unit(done.plan), 1U);
    EXPECT_EQ(warm_weight(done.plan.reals[0], 1), 1U);
}

TEST(SlowStart, LeavesWeightsAloneThatAreSetAgainstSessionsOrAreTooGreat) {
    Pool pool{4};
    pool.asked.scheduler = Scheduler::ovf;
    EXPECT_EQ(weight_unit(pool.plan), 1U);
    pool.asked.scheduler = Scheduler::wrr;
    pool.plan.reals[0].weight = limits::weight_max / admitted_all + 1;
    EXPECT_EQ(weight_unit(pool.plan), 1U);
}

}  // namespace
}  // namespace fulcrum
