// What is tracked, and what its loss does.
#include "controlplane/roles/tracked_things.h"

#include <gtest/gtest.h>

#include "tests/support/loop_until.h"

namespace fulcrum {
namespace {

struct Tracked {
    EventLoop loop;
    Log log{2, Severity::error};
    bool has_link = true;
    bool has_way = true;
    bool are_turning = true;
    int changes = 0;
    Programs programs{loop};
    TrackedThings tracker{
        programs,
        log,
        {.is_link_up = [this](const std::string& port) { return port != "wan" || has_link; },
         .has_way = [this](const IpAddress&) { return has_way; },
         .are_workers_turning = [this] { return are_turning; }},
        "front",
        [this] { ++changes; }};

    bool wait_for_changes(int count) {
        return loop_until(loop, [this, count] { return changes >= count; });
    }
};

TrackedThing program(const std::string& body) {
    return {.command = {"/bin/sh", "-c", body}, .interval = 20ms, .timeout = 2s};
}

TEST(TrackedThings, IsFitWhileEverythingIsThere) {
    Tracked it;
    it.tracker.follow({{.port = "wan"}, {.route = Ipv4Address::of(192, 0, 2, 1)}});
    it.loop.run_for(300ms);
    EXPECT_EQ(it.changes, 0);
    EXPECT_TRUE(it.tracker.is_fit());
    EXPECT_TRUE(it.tracker.problems().empty());
}

TEST(TrackedThings, IsUnfitWithoutALinkAndFitAgainWithIt) {
    Tracked it;
    it.tracker.follow({{.port = "wan"}, {.port = "lan"}});
    it.has_link = false;
    ASSERT_TRUE(it.wait_for_changes(1));
    EXPECT_FALSE(it.tracker.is_fit());
    EXPECT_EQ(
        it.tracker.problems(),
        std::vector<std::string>{"group \"front\": the link of port \"wan\" is lost: it is down"});
    it.has_link = true;
    ASSERT_TRUE(it.wait_for_changes(2));
    EXPECT_TRUE(it.tracker.is_fit());
}

TEST(TrackedThings, TakesAWeightFromThePriorityAndNotTheFitness) {
    Tracked it;
    it.tracker.follow(
        {{.port = "wan", .weight = 30}, {.route = Ipv4Address::of(192, 0, 2, 1), .weight = 12}});
    it.has_link = it.has_way = false;
    ASSERT_TRUE(it.wait_for_changes(2));
    EXPECT_TRUE(it.tracker.is_fit());
    EXPECT_EQ(it.tracker.penalty(), 42U);
}

TEST(TrackedThings, BelievesAProgramThatFailsOftenEnough) {
    Tracked it;
    TrackedThing thing = program("echo gone; exit 3");
    thing.fall = 3;
    it.tracker.follow({thing});
    ASSERT_TRUE(it.wait_for_changes(1));
    EXPECT_FALSE(it.tracker.is_fit());
    EXPECT_NE(it.tracker.problems().at(0).find("is lost: it ended with 3: gone"),
              std::string::npos);
}

TEST(TrackedThings, IsUnfitWhenAWorkerStandsStill) {
    Tracked it;
    it.are_turning = false;
    ASSERT_TRUE(it.wait_for_changes(1));
    EXPECT_FALSE(it.tracker.is_fit());
    EXPECT_EQ(it.tracker.problems(),
              std::vector<std::string>{"group \"front\": a worker stands still"});
}

TEST(TrackedThings, KeepsWhatItKnowsOverAReload) {
    Tracked it;
    it.tracker.follow({{.port = "wan"}});
    it.has_link = false;
    ASSERT_TRUE(it.wait_for_changes(1));
    it.tracker.follow({{.port = "wan"}, {.port = "lan"}});
    EXPECT_FALSE(it.tracker.is_fit());
    it.tracker.follow({{.port = "lan"}});
    EXPECT_TRUE(it.tracker.is_fit());
}

}  // namespace
}  // namespace fulcrum
