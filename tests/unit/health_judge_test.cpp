// Damping, by hand-written rows of outcomes.
#include "controlplane/health/health_judge.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace fulcrum {
namespace {

const Instant start{1'000s};

// The health after each outcome of the row, one a second, as letters: u up, d down.
std::string healths_after(HealthThresholds thresholds, std::initializer_list<bool> outcomes) {
    std::string letters;
    HealthState state;
    Instant now = start;
    for (const bool is_success : outcomes) {
        now += 1s;
        state = judge(state, is_success, thresholds, now);
        letters += state.health == Health::up ? 'u' : 'd';
    }
    return letters;
}

TEST(HealthJudge, DecidesAtOnceOnTheFirstOutcomeOfAll) {
    EXPECT_EQ(healths_after({3, 3}, {true}), "u");
    EXPECT_EQ(healths_after({3, 3}, {false}), "d");
}

TEST(HealthJudge, TakesDownAfterFallFailuresInARow) {
    EXPECT_EQ(healths_after({1, 3}, {true, false, false, false}), "uuud");
}

TEST(HealthJudge, BeginsTheRowAnewAfterOneSuccess) {
    EXPECT_EQ(healths_after({1, 3}, {true, false, false, true, false, false, false}), "uuuuuud");
}

TEST(HealthJudge, BringsUpAfterRiseSuccessesInARow) {
    EXPECT_EQ(healths_after({2, 1}, {false, true, false, true, true}), "ddddu");
}

TEST(HealthJudge, ChangesAtEveryOutcomeWithThresholdsOfOne) {
    EXPECT_EQ(healths_after({1, 1}, {true, false, true, false}), "udud");
}

TEST(HealthJudge, DatesAHealthByItsLastChange) {
    HealthState state = judge({}, true, {1, 2}, start);
    state = judge(state, true, {1, 2}, start + 5s);
    state = judge(state, false, {1, 2}, start + 10s);
    EXPECT_EQ(state.since, start);
    state = judge(state, false, {1, 2}, start + 15s);
    EXPECT_EQ(state.health, Health::down);
    EXPECT_EQ(state.since, start + 15s);
}

}  // namespace
}  // namespace fulcrum
