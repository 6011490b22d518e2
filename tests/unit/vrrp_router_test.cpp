// The election, event by event: who hears what, and what he does. Times are the RFCs' own: with
// adverts every 100 ms and a priority of 100, the master is down after 3 * 100 + 156 * 100 / 256 =
// 360.9375 ms.
#include "controlplane/roles/vrrp_router.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

constexpr Duration down_time = std::chrono::nanoseconds{360'937'500};
constexpr Duration skew_time = std::chrono::nanoseconds{60'937'500};

Ipv4Address at(std::uint8_t octet) { return Ipv4Address::of(10, 0, 0, octet); }

VrrpSettings settings(std::uint8_t priority = 100, bool preempt = false) {
    return {.priority = priority, .preempt = preempt, .sources = {at(5), at(105)}};
}

Instant ms(std::int64_t length) { return Instant{} + std::chrono::milliseconds{length}; }

HeardAdvert from(std::uint8_t octet, std::uint8_t priority, std::size_t path = 0) {
    return {path, at(octet), priority, 100ms};
}

// One that has become master at its own time.
struct Mastering {
    explicit Mastering(VrrpSettings asked = settings()) : router{std::move(asked)} {
        router.start(ms(0));
        now = *router.next();
        router.on_time(now);
    }
    VrrpRouter router;
    Instant now;
};

TEST(VrrpRouter, BecomesMasterWhenNobodyIsHeardAndSaysSo) {
    VrrpRouter router{settings()};
    EXPECT_FALSE(router.start(ms(0)).advertise.has_value());
    EXPECT_EQ(router.state(), VrrpState::backup);
    EXPECT_EQ(router.next(), Instant{} + down_time);
    EXPECT_FALSE(router.on_time(Instant{} + down_time - Duration{1}).has_changed);
    const VrrpActions actions = router.on_time(Instant{} + down_time);
    EXPECT_TRUE(actions.has_changed);
    EXPECT_EQ(actions.advertise, 100);
    EXPECT_EQ(router.state(), VrrpState::master);
    EXPECT_EQ(router.reason(), VrrpReason::silence);
    EXPECT_EQ(router.next(), Instant{} + down_time + 100ms);
}

TEST(VrrpRouter, AdvertisesAtItsIntervalAndMakesUpForNothing) {
    Mastering it;
    EXPECT_EQ(it.router.on_time(it.now + 130ms).advertise, 100);  // 30 ms late
    EXPECT_EQ(it.router.next(), it.now + 200ms);
    EXPECT_EQ(it.router.on_time(it.now + 200ms + 150ms).advertise, 100);
    EXPECT_EQ(it.router.next(), it.now + 200ms + 150ms + 100ms);
}

TEST(VrrpRouter, WithoutAnybodyToHearStandsByUntilItIsAskedToTakeOver) {
    Mastering it{{.priority = 100, .sources = {}}};
    ASSERT_EQ(it.router.state(), VrrpState::master);
    EXPECT_TRUE(it.router.give_up(it.now).has_changed);
    EXPECT_FALSE(it.router.next().has_value());
    it.router.on_time(it.now + 3600s);
    it.router.set_fitness(false, 0, it.now + 3600s);
    it.router.set_fitness(true, 0, it.now + 3600s);
    it.router.on_time(it.now + 7200s);
    EXPECT_EQ(it.router.state(), VrrpState::backup);
    ASSERT_TRUE(it.router.can_take_over());
    EXPECT_TRUE(it.router.take_over(it.now + 7200s).has_changed);
    EXPECT_EQ(it.router.state(), VrrpState::master);
}

TEST(VrrpRouter, IsMasterAtOnceWhoseAddressesTheyAre) {
    VrrpRouter router{settings(255)};
    EXPECT_EQ(router.start(ms(0)).advertise, 255);
    EXPECT_EQ(router.state(), VrrpState::master);
}

TEST(VrrpRouter, StaysBackupWhileTheMasterIsHeardOnAnyPath) {
    VrrpRouter router{settings()};
    router.start(ms(0));
    router.on_advert(from(7, 150), ms(300));
    EXPECT_EQ(router.next(), ms(300) + down_time);
    router.on_advert(from(107, 150, 1), ms(600));
    EXPECT_EQ(router.next(), ms(600) + down_time);
    EXPECT_FALSE(router.is_path_lost(0, ms(600)));
    EXPECT_FALSE(router.is_path_lost(1, ms(600)));
    router.on_advert(from(107, 150, 1), ms(900));
    EXPECT_TRUE(router.is_path_lost(0, ms(900)));
    EXPECT_FALSE(router.is_path_lost(1, ms(900)));
}

TEST(VrrpRouter, WaitsOnlyItsSkewForOneThatLeaves) {
    VrrpRouter router{settings()};
    router.start(ms(0));
    router.on_advert(from(7, 150), ms(100));
    router.on_advert(from(7, 0), ms(200));
    EXPECT_EQ(router.next(), ms(200) + skew_time);
    router.on_time(ms(200) + skew_time);
    EXPECT_EQ(router.state(), VrrpState::master);
    EXPECT_EQ(router.reason(), VrrpReason::master_left);
}

TEST(VrrpRouter, LearnsTheMastersInterval) {
    VrrpRouter router{settings()};
    router.start(ms(0));
    router.on_advert({0, at(7), 150, 1s}, ms(100));
    EXPECT_EQ(router.next(), ms(100) + 10 * down_time);
    VrrpSettings two = settings();
    two.version = 2;
    two.advert = 1s;
    VrrpRouter old{two};
    old.start(ms(0));
    old.on_advert({0, at(7), 150, 3s}, ms(100));
    EXPECT_EQ(old.next(), ms(100) + 10 * down_time);
}

TEST(VrrpRouter, LeavesALesserMasterInPlaceUnlessItPreempts) {
    VrrpRouter patient{settings(200)};
    patient.start(ms(0));
    patient.on_advert(from(7, 100), ms(100));
    EXPECT_GT(patient.next(), ms(400));
    VrrpRouter eager{settings(200, true)};
    eager.start(ms(0));
    const auto due = eager.next();
    eager.on_advert(from(7, 100), ms(100));
    EXPECT_EQ(eager.next(), due);
    eager.on_time(*due);
    EXPECT_EQ(eager.state(), VrrpState::master);
    EXPECT_EQ(eager.reason(), VrrpReason::preempted);
}

TEST(VrrpRouter, PreemptsNotBeforeItsDelayAndNotBeforeItIsReady) {
    VrrpSettings asked = settings(200, true);
    asked.preempt_delay = 5s;
    VrrpRouter router{asked};
    router.set_ready(false, ms(0));
    router.start(ms(0));
    Instant now = ms(0);
    const auto hear_until = [&](Instant end) {
        while (now < end && router.state() == VrrpState::backup) {
            now += 100ms;
            router.on_time(now);
            router.on_advert(from(7, 100), now);
        }
    };
    hear_until(ms(20'000));
    EXPECT_EQ(router.state(), VrrpState::backup);
    router.set_ready(true, now);
    hear_until(ms(24'900));
    EXPECT_EQ(router.state(), VrrpState::backup);
    hear_until(ms(26'000));
    EXPECT_EQ(router.state(), VrrpState::master);
}

TEST(VrrpRouter, WaitsTwiceAsLongForASilentMasterWhileItIsNotReady) {
    VrrpRouter router{settings()};
    router.set_ready(false, ms(0));
    router.start(ms(0));
    router.on_time(Instant{} + down_time);
    EXPECT_EQ(router.state(), VrrpState::backup);
    EXPECT_EQ(router.next(), Instant{} + 2 * down_time);
    router.on_time(Instant{} + 2 * down_time);
    EXPECT_EQ(router.state(), VrrpState::master);
}

TEST(VrrpRouter, YieldsToAGreaterPriorityAndToAGreaterAddressOfAnEqual) {
    Mastering below;
    EXPECT_TRUE(below.router.on_advert(from(4, 101), below.now + 10ms).has_changed);
    EXPECT_EQ(below.router.state(), VrrpState::backup);
    EXPECT_EQ(below.router.reason(), VrrpReason::better_master);
    Mastering equal;
    EXPECT_TRUE(equal.router.on_advert(from(6, 100), equal.now + 10ms).has_changed);
    Mastering above;
    const VrrpActions actions = above.router.on_advert(from(4, 100), above.now + 10ms);
    EXPECT_FALSE(actions.has_changed);
    EXPECT_TRUE(actions.is_contested);
    EXPECT_EQ(actions.advertise, 100);
}

TEST(VrrpRouter, TellsEqualsApartByTheFirstPathOnWhichTheyAreHeard) {
    Mastering it;  // 10.0.0.5 and 10.0.0.105
    EXPECT_FALSE(it.router.on_advert(from(4, 100, 0), it.now + 10ms).has_changed);
    EXPECT_FALSE(it.router.on_advert(from(200, 100, 1), it.now + 11ms).has_changed);
    Mastering other;
    EXPECT_TRUE(other.router.on_advert(from(200, 100, 1), other.now + 11ms).has_changed);
}

TEST(VrrpRouter, AnswersARivalOnceAnIntervalAndNotEveryTime) {
    Mastering it;
    EXPECT_TRUE(it.router.on_advert(from(7, 50), it.now + 10ms).advertise.has_value());
    EXPECT_FALSE(it.router.on_advert(from(7, 50), it.now + 20ms).advertise.has_value());
    EXPECT_TRUE(it.router.on_advert(from(7, 50), it.now + 70ms).advertise.has_value());
}

TEST(VrrpRouter, AsksForPermissionBeforeItTakesOverFromTheSilent) {
    VrrpSettings asked = settings();
    asked.needs_permission = true;
    VrrpRouter router{asked};
    router.start(ms(0));
    const VrrpActions actions = router.on_time(Instant{} + down_time);
    EXPECT_EQ(router.state(), VrrpState::asking);
    EXPECT_TRUE(actions.has_changed);
    EXPECT_FALSE(actions.advertise.has_value());
    EXPECT_FALSE(router.next().has_value());
    EXPECT_FALSE(router.permit(false, ms(5'000)).has_changed);
    EXPECT_EQ(router.permit(true, ms(60'000)).advertise, 100);
    EXPECT_EQ(router.state(), VrrpState::master);
}

TEST(VrrpRouter, AsksNobodyWhenTheMasterHasLeftOrIsPreempted) {
    VrrpSettings asked = settings(200, true);
    asked.needs_permission = true;
    VrrpRouter after_leave{asked};
    after_leave.start(ms(0));
    after_leave.on_advert(from(7, 250), ms(100));
    after_leave.on_advert(from(7, 0), ms(200));
    after_leave.on_time(*after_leave.next());
    EXPECT_EQ(after_leave.state(), VrrpState::master);
    VrrpRouter preempting{asked};
    preempting.start(ms(0));
    preempting.on_advert(from(7, 100), ms(250));
    preempting.on_time(*preempting.next());
    EXPECT_EQ(preempting.state(), VrrpState::master);
}

TEST(VrrpRouter, AsksNoLongerWhenTheMasterIsHeardAgain) {
    VrrpSettings asked = settings();
    asked.needs_permission = true;
    VrrpRouter router{asked};
    router.start(ms(0));
    router.on_time(Instant{} + down_time);
    router.on_advert(from(7, 150), ms(400));
    EXPECT_EQ(router.state(), VrrpState::backup);
    EXPECT_EQ(router.reason(), VrrpReason::master_returned);
    EXPECT_FALSE(router.permit(true, ms(401)).has_changed);
    EXPECT_EQ(router.state(), VrrpState::backup);
}

TEST(VrrpRouter, GivesUpWhatItMayNoLongerHold) {
    Mastering it;
    EXPECT_EQ(it.router.permit(false, it.now + 10ms).advertise, 0);
    EXPECT_EQ(it.router.state(), VrrpState::backup);
}

TEST(VrrpRouter, SaysThatItLeavesWhenItStopsAndOnlyAsMaster) {
    Mastering it;
    EXPECT_EQ(it.router.stop(it.now + 10ms).advertise, 0);
    EXPECT_EQ(it.router.state(), VrrpState::stopped);
    EXPECT_FALSE(it.router.next().has_value());
    VrrpRouter backup{settings()};
    backup.start(ms(0));
    EXPECT_FALSE(backup.stop(ms(10)).advertise.has_value());
}

TEST(VrrpRouter, IsABackupAgainWhenItHasSleptForTooLong) {
    Mastering it;
    const Instant late = *it.router.next() + 200ms;
    const VrrpActions actions = it.router.on_time(late);
    EXPECT_TRUE(actions.has_changed);
    EXPECT_FALSE(actions.advertise.has_value());
    EXPECT_EQ(it.router.reason(), VrrpReason::stalled);
    EXPECT_EQ(it.router.next(), late + down_time);
    VrrpRouter backup{settings()};
    backup.start(ms(0));
    backup.on_time(ms(5'000));
    EXPECT_EQ(backup.state(), VrrpState::backup);
    EXPECT_EQ(backup.next(), ms(5'000) + down_time);
}

TEST(VrrpRouter, DoesNotOutbidAMasterThatTookOverWhileItSlept) {
    Mastering it{settings(200)};
    it.router.on_advert(from(7, 100), *it.router.next() + 5s);
    EXPECT_EQ(it.router.state(), VrrpState::backup);
}

TEST(VrrpRouter, GivesUpOnRequestAndLeavesTheOtherOneInPlace) {
    Mastering it{settings(200, true)};
    ASSERT_TRUE(it.router.can_give_up());
    EXPECT_EQ(it.router.give_up(it.now + 10ms).advertise, 0);
    Instant now = it.now + 10ms;
    for (int i = 0; i < 100; ++i) {
        now += 100ms;
        it.router.on_advert(from(7, 100), now);
        it.router.on_time(now);
    }
    EXPECT_EQ(it.router.state(), VrrpState::backup);
    now = *it.router.next();
    it.router.on_time(now);  // until that one is silent
    EXPECT_EQ(it.router.state(), VrrpState::master);
}

TEST(VrrpRouter, TakesOverOnRequestByAPriorityThatItKeepsUntilItLeaves) {
    VrrpRouter router{settings(100)};
    router.start(ms(0));
    router.on_advert(from(7, 200), ms(100));
    ASSERT_TRUE(router.can_take_over());
    EXPECT_EQ(router.take_over(ms(150)).advertise, 254);
    EXPECT_EQ(router.state(), VrrpState::master);
    router.on_advert(from(7, 200), ms(160));
    EXPECT_EQ(router.state(), VrrpState::master);
    Instant now = ms(160);
    while (now < ms(700)) {
        now = *router.next();
        router.on_time(now);
    }
    EXPECT_EQ(router.priority(), 254) << "the other one may preempt, and is silent as a standby";
    router.give_up(now);
    EXPECT_EQ(router.priority(), 100);
    VrrpRouter below_owner{settings(100)};
    below_owner.start(ms(0));
    below_owner.on_advert(from(7, 255), ms(100));
    EXPECT_FALSE(below_owner.can_take_over());
}

TEST(VrrpRouter, OfTwoThatWereAskedToTakeOverTheLaterOneDoes) {
    VrrpRouter router{settings(100)};
    router.start(ms(0));
    router.on_advert(from(7, 200), ms(100));
    router.take_over(ms(150));
    router.on_advert(from(4, 254), ms(200));  // said before the other one heard of it
    EXPECT_EQ(router.state(), VrrpState::master);
    router.on_advert(from(4, 254), ms(2'000));
    EXPECT_EQ(router.state(), VrrpState::backup) << "whatever the addresses are";
    EXPECT_EQ(router.priority(), 100);
}

TEST(VrrpRouter, IsWorthLessByWhatItHasLostAndNothingWithoutWhatItNeeds) {
    Mastering it{settings(100)};
    it.router.set_fitness(true, 30, it.now);
    EXPECT_EQ(it.router.priority(), 70);
    it.router.set_fitness(true, 300, it.now);
    EXPECT_EQ(it.router.priority(), 1);
    EXPECT_EQ(it.router.set_fitness(false, 0, it.now).advertise, 0);
    EXPECT_EQ(it.router.state(), VrrpState::fault);
    EXPECT_FALSE(it.router.next().has_value());
    it.router.on_advert(from(7, 50), it.now + 1s);
    EXPECT_EQ(it.router.state(), VrrpState::fault);
    it.router.set_fitness(true, 0, it.now + 2s);
    EXPECT_EQ(it.router.state(), VrrpState::backup);
    EXPECT_EQ(it.router.reason(), VrrpReason::tracked_back);
}

TEST(VrrpRouter, HasWordsForEveryStateAndReason) {
    for (const VrrpState state : {VrrpState::stopped, VrrpState::fault, VrrpState::backup,
                                  VrrpState::asking, VrrpState::master}) {
        EXPECT_FALSE(to_string(state).empty());
    }
    EXPECT_EQ(to_string(VrrpState::master), "active");
    EXPECT_EQ(to_string(VrrpReason::master_returned), "the active director is heard again");
}

}  // namespace
}  // namespace fulcrum
