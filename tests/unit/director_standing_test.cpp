// Quorum, slow start, advised weights, and what a real is before its first check.
#include <gtest/gtest.h>

#include <vector>

#include "controlplane/director_state.h"
#include "tests/support/small_config.h"

namespace fulcrum {
namespace {

using test::real;
using test::shared_config;
using test::web;

Instant at_s(int seconds) { return Instant{} + std::chrono::seconds{seconds}; }

class Standing : public testing::Test {
  protected:
    Outcome load(const VirtualService& asked, int second = 0) {
        return state_.on_event(ConfigLoaded{shared_config({asked})}, at_s(second));
    }
    Outcome set_health(const std::string& name, bool is_up, int second = 1,
                       std::optional<std::uint32_t> weight = std::nullopt) {
        return state_.on_event(HealthChanged{"web", name, is_up, "because", weight}, at_s(second));
    }
    Outcome pass_second(int second) {
        return state_.on_event(
            WorkersSeen{
                .epoch_seen = state_.epoch(), .epoch_swept = state_.epoch(), .idle_tallies = {}},
            at_s(second));
    }
    RealPlan plan(std::size_t real) { return state_.compile_input().services[0].reals[real]; }
    ServiceView view() const { return state_.service("web").value(); }

    DirectorState state_;
};

TEST_F(Standing, GivesADisabledServiceNobodyUntilItIsEnabled) {
    VirtualService asked = web({real("web1", 11)});
    asked.fallback = real("sorry", 99);
    load(asked);
    set_health("web1", true);
    EXPECT_EQ(plan(0).standing, RealStanding::usable);
    asked.enabled = false;
    const Outcome disabled = load(asked, 2);
    ASSERT_EQ(disabled.quorums.size(), 1U);
    EXPECT_FALSE(disabled.quorums[0].is_reached);
    EXPECT_FALSE(disabled.quorums[0].has_fallback) << "which does not serve either";
    EXPECT_EQ(plan(0).standing, RealStanding::draining) << "its sessions go on";
    EXPECT_EQ(plan(1).standing, RealStanding::draining);
    EXPECT_EQ(plan(0).weight, 0U);
    asked.enabled = true;
    load(asked, 3);
    EXPECT_EQ(plan(0).standing, RealStanding::usable);
    EXPECT_EQ(plan(1).standing, RealStanding::usable);
}

TEST_F(Standing, IsOfARealsOwnChecks) {
    RealServer unchecked = real("web2", 12);
    unchecked.checks = {{.type = CheckType::none}};
    RealServer off = real("web3", 13);
    off.checks = {{.type = CheckType::off}};
    load(web({real("web1", 11), unchecked, off}));
    EXPECT_EQ(view().reals.at(0).state, RealState::unknown);
    EXPECT_EQ(view().reals.at(1).state, RealState::up);
    EXPECT_EQ(view().reals.at(2).state, RealState::down);
}

TEST_F(Standing, ComesUpWithQuorumAndHysteresisAndGoesDownBelowTheirDifference) {
    VirtualService asked = web({real("web1", 11), real("web2", 21), real("web3", 31)});
    asked.quorum = 2;
    asked.hysteresis = 1;
    load(asked);
    const std::vector<int> sums{3, 2, 1, 0, 1, 2, 3};
    const std::vector<bool> states{true, true, true, false, false, false, true};
    std::vector<bool> seen;
    std::vector<bool> told;
    int sum = 0;
    for (const int wanted : sums) {
        for (; sum < wanted; ++sum) {
            for (const QuorumChange& change :
                 set_health("web" + std::to_string(sum + 1), true).quorums) {
                told.push_back(change.is_reached);
            }
        }
        for (; sum > wanted; --sum) {
            for (const QuorumChange& change :
                 set_health("web" + std::to_string(sum), false).quorums) {
                told.push_back(change.is_reached);
            }
        }
        seen.push_back(view().has_quorum);
    }
    EXPECT_EQ(seen, states);
    EXPECT_EQ(told, (std::vector<bool>{true, false, true})) << "once a change";
}

TEST_F(Standing, UsesNoRealWithoutAQuorumAndTheFallbackAllTheTime) {
    VirtualService asked = web({real("web1", 11), real("web2", 21)});
    asked.quorum = 2;
    asked.fallback = real("sorry", 99);
    load(asked);
    EXPECT_FALSE(set_health("web1", true).needs_snapshot);
    EXPECT_EQ(view().reals[0].state, RealState::up);
    EXPECT_EQ(view().usable_count, 0U);
    EXPECT_EQ(plan(0).standing, RealStanding::draining);
    EXPECT_EQ(plan(0).weight, 0U);
    EXPECT_EQ(plan(2).standing, RealStanding::usable);
    EXPECT_TRUE(set_health("web2", true).needs_snapshot);
    EXPECT_EQ(plan(0).standing, RealStanding::usable);
    EXPECT_EQ(view().usable_count, 2U);
    EXPECT_TRUE(state_.on_event(DrainAsked{"web", "web2"}, at_s(2)).needs_snapshot);
    EXPECT_EQ(plan(0).standing, RealStanding::draining);
}

TEST_F(Standing, KeepsTheQuorumThatAReloadDoesNotTouch) {
    VirtualService asked = web({real("web1", 11), real("web2", 21)});
    asked.quorum = 1;
    asked.hysteresis = 1;
    load(asked);
    set_health("web1", true);
    set_health("web2", true);
    set_health("web2", false);
    EXPECT_TRUE(view().has_quorum);
    asked.slow_start_s = 10;
    load(asked, 2);
    EXPECT_TRUE(view().has_quorum) << "1 is between both thresholds";
}

TEST_F(Standing, RampsARealThatComesBack) {
    VirtualService asked = web({real("web1", 11), real("web2", 21)});
    asked.slow_start_s = 30;
    load(asked);
    set_health("web1", true);
    EXPECT_EQ(plan(0).admitted, admitted_all) << "it was never down";
    set_health("web1", false, 2);
    set_health("web1", true, 10);
    EXPECT_EQ(plan(0).admitted, 1);
    EXPECT_FALSE(pass_second(11).needs_snapshot);
    EXPECT_TRUE(pass_second(25).needs_snapshot);
    EXPECT_EQ(plan(0).admitted, 8);
    EXPECT_EQ(view().reals[0].admitted, 8);
    EXPECT_TRUE(pass_second(40).needs_snapshot);
    EXPECT_EQ(plan(0).admitted, admitted_all);
    EXPECT_FALSE(pass_second(60).needs_snapshot);
}

TEST_F(Standing, BeginsARampAnewAfterEachFailure) {
    VirtualService asked = web({real("web1", 11)});
    asked.slow_start_s = 30;
    load(asked);
    set_health("web1", false, 1);
    set_health("web1", true, 2);
    pass_second(20);
    set_health("web1", false, 21);
    EXPECT_FALSE(pass_second(25).needs_snapshot);
    set_health("web1", true, 26);
    EXPECT_EQ(plan(0).admitted, 1);
}

TEST_F(Standing, TakesTheWeightThatTheCheckAdvises) {
    VirtualService asked = web({real("web1", 11), real("web2", 21)});
    asked.check.type = CheckType::program;
    asked.check.exit_weight = true;
    load(asked);
    set_health("web1", true, 1, 40);
    EXPECT_EQ(plan(0).weight, 40U);
    EXPECT_EQ(plan(0).ring_weight, 40U);
    EXPECT_EQ(view().reals[0].weight, 40U);
    EXPECT_EQ(view().reals[0].weight_configured, 1U);
    EXPECT_TRUE(set_health("web1", true, 2, 7).needs_snapshot);
    EXPECT_EQ(plan(0).weight, 7U);
    set_health("web1", true, 3, 0);
    EXPECT_EQ(view().reals[0].state, RealState::drained);
    EXPECT_EQ(plan(0).ring_weight, 7U) << "it keeps its slots";
    set_health("web1", true, 4);
    EXPECT_EQ(plan(0).weight, 1U);
    set_health("web1", true, 5, 40);
    asked.slow_start_s = 5;
    load(asked, 6);
    EXPECT_EQ(plan(0).weight, 40U) << "a reload keeps it";
    asked.check.exit_weight = false;
    load(asked, 7);
    EXPECT_EQ(plan(0).weight, 1U);
}

TEST_F(Standing, IsWhatTheConfigurationSaysBeforeTheFirstCheck) {
    VirtualService asked = web({real("web1", 11)});
    asked.check.initial = InitialHealth::up;
    load(asked);
    EXPECT_EQ(view().reals[0].state, RealState::up);
    EXPECT_EQ(view().usable_count, 1U);
    EXPECT_EQ(state_.health_of("web", "web1"), Health::up);
    DirectorState other;
    asked.check.initial = InitialHealth::down;
    other.on_event(ConfigLoaded{shared_config({asked})}, at_s(0));
    EXPECT_EQ(other.health_of("web", "web1"), Health::down);
}

TEST_F(Standing, IsWhatItWasWhenTheDirectorLastRan) {
    const VirtualService asked = web({real("web1", 11), real("web2", 21), real("web3", 31)});
    HealthMemory memory;
    memory[{"web", "web1", asked.reals[0].endpoint}] = true;
    memory[{"web", "web2", asked.reals[1].endpoint}] = false;
    memory[{"web", "web3", real("elsewhere", 99).endpoint}] = true;
    state_.on_event(HealthRemembered{memory}, at_s(0));
    load(asked);
    EXPECT_EQ(state_.health_of("web", "web1"), Health::up);
    EXPECT_EQ(state_.health_of("web", "web2"), Health::down);
    EXPECT_EQ(state_.health_of("web", "web3"), Health::unknown) << "it has moved";
    EXPECT_EQ(plan(0).standing, RealStanding::usable);
    VirtualService more = asked;
    more.reals.push_back(real("web4", 41));
    load(more, 1);
    EXPECT_EQ(state_.health_of("web", "web4"), Health::unknown);
    const HealthNotes notes = state_.health_notes();
    ASSERT_EQ(notes.size(), 2U);
    EXPECT_EQ(notes[0].first.real, "web1");
    EXPECT_TRUE(notes[0].second);
}

}  // namespace
}  // namespace fulcrum
