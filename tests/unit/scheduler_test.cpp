// The schedulers' rules against sequences worked out by hand. Random scripts are played against an
// independent twin in tests/oracle/schedulers.py.
#include "dataplane/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <vector>

#include "dataplane/locality.h"

namespace fulcrum {
namespace {

std::vector<ScheduledReal> reals_of(const std::vector<std::uint32_t>& weights) {
    std::vector<ScheduledReal> reals;
    for (const std::uint32_t weight : weights) {
        const auto index = static_cast<std::uint16_t>(reals.size());
        reals.push_back(
            {.weight = weight, .lasting_weight = weight, .tally = index, .index = index});
    }
    return reals;
}

// One worker's service: reals are called A, B, C, ... and "-" is nobody.
class Room {
  public:
    Room(Scheduler scheduler, const std::vector<std::uint32_t>& weights, SchedulerFlags flags = {})
        : reals_{reals_of(weights)}, scheduler_{scheduler}, flags_{flags} {
        lay();
    }

    char choose(const FlowTraits& flow = {}) {
        const Candidates candidates{schedule_, counts_};
        const bool is_local = scheduler_ == Scheduler::lblc || scheduler_ == Scheduler::lblcr;
        const std::size_t position =
            is_local
                ? locality_.pick(candidates, {(std::uint64_t{1} << 63) | flow.destination, now_s})
                : pick(candidates, flow, state_, random_);
        return position == no_position ? '-' : static_cast<char>('A' + position);
    }
    // The choices of so many flows in a row, each of which opens a session.
    std::string open(std::size_t count, const FlowTraits& flow = {}) {
        std::string names;
        for (std::size_t i = 0; i < count; ++i) {
            names.push_back(choose(flow));
            if (names.back() != '-') {
                add(names.back(), 1);
            }
        }
        return names;
    }
    std::string turns(std::size_t count) {
        std::string names;
        for (std::size_t i = 0; i < count; ++i) {
            names.push_back(choose());
        }
        return names;
    }

    void add(char real, std::uint64_t count) {
        tally(real).sessions_active.add(count);
        tally(real).sessions_live.add(count);
        counts_.note_opened(real_named(real));
    }
    // So many sessions that are active no more.
    void linger(char real, std::uint64_t count) { tally(real).sessions_live.add(count); }
    void end(char real, std::uint64_t count = 1) {
        tally(real).sessions_active.subtract(count);
        tally(real).sessions_live.subtract(count);
    }
    void weigh(char real, std::uint32_t weight) {
        ScheduledReal& changed = real_named(real);
        changed.weight = weight;
        changed.lasting_weight = weight > 0 ? weight : changed.lasting_weight;
        lay();
    }
    void limit(char real, ConnectionLimits connections) {
        real_named(real).overloaded_from = connections.upper;
        real_named(real).relieved_below = relieved_below(connections);
        lay();
    }
    std::uint64_t active(char real) { return tally(real).sessions_active.read(); }

    std::uint32_t now_s = 1'000;

  private:
    ScheduledReal& real_named(char real) { return reals_[static_cast<std::size_t>(real - 'A')]; }
    RealTally& tally(char real) { return board_.tally(static_cast<std::uint32_t>(real - 'A')); }
    void lay() { schedule_ = make_schedule(scheduler_, flags_, reals_); }

    std::vector<ScheduledReal> reals_;
    Scheduler scheduler_;
    SchedulerFlags flags_;
    Schedule schedule_;
    CounterBoard board_{64};
    RealCounts counts_{board_, {}};
    SchedulerState state_;
    Random random_{1};
    Locality locality_{64};
};

TEST(RoundRobin, ThreeHundredSessionsAlternateOverThreeReals) {
    Room room{Scheduler::rr, {1, 1, 1}};
    std::string expected;
    for (int i = 0; i < 100; ++i) {
        expected += "ABC";
    }
    EXPECT_EQ(room.open(300), expected);
}

TEST(RoundRobin, AHigherWeightChangesNothingAndNoneTakesOneOut) {
    Room room{Scheduler::rr, {5, 0, 1}};
    EXPECT_EQ(room.turns(6), "ACACAC");
}

TEST(RoundRobin, ARealThatComesBackTakesItsTurnAgain) {
    Room room{Scheduler::rr, {1, 1, 1}};
    EXPECT_EQ(room.turns(2), "AB");
    room.weigh('C', 0);
    EXPECT_EQ(room.turns(3), "ABA");
    room.weigh('C', 1);
    EXPECT_EQ(room.turns(3), "BCA");
}

TEST(WeightedRoundRobin, FourThreeTwoIsTheSequenceOfTheManual) {
    Room room{Scheduler::wrr, {4, 3, 2}};
    EXPECT_EQ(room.turns(9), "AABABCABC");
    EXPECT_EQ(room.turns(9), "AABABCABC");
}

TEST(WeightedRoundRobin, AnyNineThousandSessionsAreFourToThreeToTwo) {
    Room room{Scheduler::wrr, {4, 3, 2}};
    room.turns(5);
    const std::string names = room.turns(9'000);
    EXPECT_EQ(std::count(names.begin(), names.end(), 'A'), 4'000);
    EXPECT_EQ(std::count(names.begin(), names.end(), 'B'), 3'000);
    EXPECT_EQ(std::count(names.begin(), names.end(), 'C'), 2'000);
}

TEST(WeightedRoundRobin, ACommonDivisorShortensTheRound) {
    Room room{Scheduler::wrr, {200, 100}};
    EXPECT_EQ(room.turns(6), "AABAAB");
}

TEST(WeightedRoundRobin, TheGreatestOfAllWeightsCostsNoMoreThanAnyOther) {
    Room room{Scheduler::wrr, {1, 2'147'483'647}};
    room.limit('B', {.upper = 1});
    room.add('B', 1);
    EXPECT_EQ(room.turns(3), "AAA");
}

TEST(WeightedRoundRobin, WithoutAnyWeightThereIsNobody) {
    Room room{Scheduler::wrr, {0, 0}};
    EXPECT_EQ(room.turns(2), "--");
    room.weigh('B', 3);
    EXPECT_EQ(room.turns(2), "BB");
}

TEST(LeastConnection, ARealWithAHundredActiveGetsNoneOfTheNextHundred) {
    Room room{Scheduler::lc, {1, 1}};
    room.add('A', 100);
    EXPECT_EQ(room.open(100), std::string(100, 'B'));
    EXPECT_EQ(room.open(4), "ABAB");
}

TEST(WeightedLeastConnection, ActiveSessionsConvergeToTheWeights) {
    Room room{Scheduler::wlc, {1, 3}};
    std::deque<char> living;
    for (int i = 0; i < 5'000; ++i) {
        living.push_back(room.open(1).front());
        if (living.size() > 400) {
            room.end(living.front());
            living.pop_front();
        }
    }
    EXPECT_NEAR(static_cast<double>(room.active('A')), 100, 5);
    EXPECT_NEAR(static_cast<double>(room.active('B')), 300, 5);
}

TEST(WeightedLeastConnection, ASessionThatIsNoLongerActiveWeighsATwoHundredAndFiftySeventh) {
    Room room{Scheduler::wlc, {1, 1}};
    room.add('A', 1);
    room.linger('B', 256);
    EXPECT_EQ(room.choose(), 'B');
    room.linger('B', 2);
    EXPECT_EQ(room.choose(), 'A');
}

// (active + 1) / weight before each choice:
//   A 1/3 2/3 2/3 3/3 4/3 4/3 4/3      B 1/2 1/2 2/2 2/2 2/2 3/2 3/2      C 1 1 1 1 1 1 2
TEST(ShortestExpectedDelay, GivesTheSequenceOfItsFormula) {
    Room room{Scheduler::sed, {3, 2, 1}};
    EXPECT_EQ(room.open(7), "ABAABCA");
}

// A, B, C while they are idle; then A 2/3 3/3 4/3, B 2/2 2/2 2/2, C 2 2 2.
TEST(NeverQueue, FillsTheIdleBeforeItGoesByDelay) {
    Room room{Scheduler::nq, {3, 2, 1}};
    EXPECT_EQ(room.open(6), "ABCAAB");
    room.end('C');
    EXPECT_EQ(room.choose(), 'C');
}

TEST(Failover, TheGreatestWeightTakesAllUntilItIsGone) {
    Room room{Scheduler::fo, {1, 9, 5, 9}};
    EXPECT_EQ(room.open(3), "BBB");
    room.weigh('B', 0);
    EXPECT_EQ(room.open(2), "DD");
    room.weigh('D', 0);
    EXPECT_EQ(room.open(2), "CC");
}

TEST(Overflow, TheNextTakesOverWithElevenActiveOnAWeightOfTen) {
    Room room{Scheduler::ovf, {2, 10}};
    EXPECT_EQ(room.open(11), std::string(11, 'B'));
    EXPECT_EQ(room.open(3), "AAA");
    EXPECT_EQ(room.choose(), '-');
    room.end('B');
    EXPECT_EQ(room.choose(), 'B');
}

TEST(BetterOfTwo, LoadsFollowTheWeights) {
    Room room{Scheduler::twos, {1, 2, 5}};
    room.open(10'000);
    EXPECT_NEAR(static_cast<double>(room.active('A')), 1'250, 125);
    EXPECT_NEAR(static_cast<double>(room.active('B')), 2'500, 250);
    EXPECT_NEAR(static_cast<double>(room.active('C')), 6'250, 625);
}

TEST(BetterOfTwo, TheOnlyOneThereIsIsTaken) {
    Room room{Scheduler::twos, {0, 1}};
    EXPECT_EQ(room.open(3), "BBB");
    room.weigh('B', 0);
    EXPECT_EQ(room.choose(), '-');
}

// The kernel's hash_32(number, 8), worked out with a pocket calculator: the upper octet of
// number * 0x61C88647 modulo 2^32.
TEST(Hashing, ANumbersBucketIsThatOfTheKernel) {
    EXPECT_EQ(bucket_hash(0), 0U);
    EXPECT_EQ(bucket_hash(1), 0x61U);
    EXPECT_EQ(bucket_hash(2), 0xC3U);            // 0xC3910C8E
    EXPECT_EQ(bucket_hash(0x0A09'0005), 0x67U);  // 10.9.0.5
}

FlowTraits from(std::uint32_t source, std::uint16_t port = 40'000) {
    return {.source = source, .destination = 0x0A01'0050, .source_port = port};
}

TEST(SourceHashing, OneClientsSessionsGoToOneReal) {
    Room room{Scheduler::sh, {1, 1, 1}};
    const char first = room.choose(from(0x0A09'0005));
    for (std::uint16_t port = 0; port < 100; ++port) {
        EXPECT_EQ(room.choose(from(0x0A09'0005, port)), first);
    }
    // Bucket 0x67 is 103, and 103 mod 3 is 1.
    EXPECT_EQ(first, 'B');
}

TEST(SourceHashing, ARealHoldsAsManyBucketsAsItWeighs) {
    Room room{Scheduler::sh, {1, 3}};
    // Bucket 103 is the fourth of a round of A B B B.
    EXPECT_EQ(room.choose(from(0x0A09'0005)), 'B');
    EXPECT_EQ(room.choose(from(0)), 'A');
}

TEST(SourceHashing, WithPortAClientsSessionsSpread) {
    Room room{Scheduler::sh, {1, 1, 1}, {.port = true}};
    std::string names;
    for (std::uint16_t port = 1'000; port < 1'300; ++port) {
        names.push_back(room.choose(from(0x0A09'0005, port)));
    }
    for (const char real : {'A', 'B', 'C'}) {
        EXPECT_NEAR(static_cast<double>(std::count(names.begin(), names.end(), real)), 100, 25);
    }
}

TEST(SourceHashing, ADrainedRealsClientsGetNobodyUnlessThereIsFallback) {
    Room strict{Scheduler::sh, {1, 1, 1}};
    strict.weigh('B', 0);
    EXPECT_EQ(strict.choose(from(0x0A09'0005)), '-');
    Room lenient{Scheduler::sh, {1, 1, 1}, {.fallback = true}};
    lenient.weigh('B', 0);
    // 2 * 103 is 206, and 206 mod 3 is 2.
    EXPECT_EQ(lenient.choose(from(0x0A09'0005)), 'C');
}

TEST(SourceHashing, ADrainMovesNobodyElse) {
    Room room{Scheduler::sh, {4, 3, 2}};
    std::string before;
    std::string after;
    for (std::uint32_t client = 0; client < 1'000; ++client) {
        before.push_back(room.choose(from(client * 77)));
    }
    room.weigh('A', 0);
    for (std::uint32_t client = 0; client < 1'000; ++client) {
        after.push_back(room.choose(from(client * 77)));
    }
    for (std::size_t client = 0; client < before.size(); ++client) {
        EXPECT_EQ(after[client], before[client] == 'A' ? '-' : before[client]);
    }
}

TEST(DestinationHashing, OneDestinationIsServedByOneReal) {
    Room room{Scheduler::dh, {1, 9, 1}};
    const FlowTraits flow{.source = 1, .destination = 0x0A09'0005};
    EXPECT_EQ(room.open(5, flow), "BBBBB");
    room.weigh('B', 0);
    EXPECT_EQ(room.choose(flow), '-');
}

TEST(Locality, ADestinationStaysUntilItsRealHasTooMuchAndAnotherLittle) {
    Room room{Scheduler::lblc, {10, 10}};
    const FlowTraits flow{.destination = 1};
    EXPECT_EQ(room.open(11, flow), std::string(11, 'A'));
    // Eleven are more than ten, and twice none is less than ten.
    EXPECT_EQ(room.choose(flow), 'B');
    EXPECT_EQ(room.choose(flow), 'B');
}

TEST(Locality, TooMuchIsNotTooMuchWhileNobodyHasLittle) {
    Room room{Scheduler::lblc, {10, 10}};
    const FlowTraits flow{.destination = 1};
    room.open(10, flow);
    room.add('B', 5);
    EXPECT_EQ(room.open(5, flow), "AAAAA");
    room.end('B');
    EXPECT_EQ(room.choose(flow), 'B');
}

TEST(Locality, DestinationsAreSpreadByLoad) {
    Room room{Scheduler::lblc, {1, 1, 1}};
    EXPECT_EQ(room.open(1, {.destination = 1}), "A");
    EXPECT_EQ(room.open(1, {.destination = 2}), "B");
    EXPECT_EQ(room.open(1, {.destination = 3}), "C");
    EXPECT_EQ(room.choose({.destination = 2}), 'B');
}

TEST(Locality, ADestinationThatNobodyAskedForInADayIsForgotten) {
    Room room{Scheduler::lblc, {1, 1}};
    EXPECT_EQ(room.open(1, {.destination = 1}), "A");
    room.now_s += 24 * 3'600;
    EXPECT_EQ(room.choose({.destination = 1}), 'A');
    room.now_s += 24 * 3'600 + 1;
    EXPECT_EQ(room.choose({.destination = 1}), 'B');
}

TEST(Locality, MoreDestinationsThanThereIsRoomForAreServedAllTheSame) {
    Room room{Scheduler::lblc, {1, 1}};
    for (std::uint32_t destination = 0; destination < 1'000; ++destination) {
        ASSERT_NE(room.choose({.destination = destination}), '-');
        ++room.now_s;
    }
}

TEST(Replication, AnOverloadedSetGetsAnotherRealAndTheLeastLoadedOfTheSetServes) {
    Room room{Scheduler::lblcr, {10, 10, 10}};
    const FlowTraits flow{.destination = 1};
    EXPECT_EQ(room.open(11, flow), std::string(11, 'A'));
    EXPECT_EQ(room.open(1, flow), "B");
    room.add('B', 1);
    room.end('A', 10);
    EXPECT_EQ(room.choose(flow), 'A') << "C has less to do, but is not of the set";
}

TEST(Replication, ASetUnchangedForADayLosesItsMostLoaded) {
    Room room{Scheduler::lblcr, {10, 10}};
    const FlowTraits flow{.destination = 1};
    room.open(12, flow);  // A, until it has too much; then B as well
    for (int half_days = 0; half_days < 3; ++half_days) {
        room.now_s += 12 * 3'600;
        EXPECT_EQ(room.choose(flow), 'B');
    }
    room.end('A', 11);
    EXPECT_EQ(room.choose(flow), 'B') << "A is of the set no more";
}

// --- limits ----------------------------------------------------------------------------------

TEST(Limits, ARealWithAllItMayHaveIsPassedOverUntilItHasFewerThanLower) {
    Room room{Scheduler::fo, {1, 9}};
    room.limit('B', {.upper = 10, .lower = 5});
    EXPECT_EQ(room.open(11), "BBBBBBBBBBA");
    room.end('B', 5);
    EXPECT_EQ(room.choose(), 'A') << "five are not fewer than five";
    room.end('B');
    EXPECT_EQ(room.choose(), 'B');
}

TEST(Limits, WithoutLowerItIsThreeQuartersOfUpper) {
    Room room{Scheduler::fo, {1, 9}};
    room.limit('B', {.upper = 10});
    room.open(10);
    room.end('B', 2);
    EXPECT_EQ(room.choose(), 'A') << "eight are not fewer than 10 - floor(10 / 4)";
    room.end('B');
    EXPECT_EQ(room.choose(), 'B');
}

TEST(Limits, WhoRecoveredBetweenTwoChoicesHasRecovered) {
    Room room{Scheduler::fo, {1, 9}};
    room.limit('B', {.upper = 10, .lower = 5});
    room.open(10);
    room.end('B', 6);
    room.add('B', 1);  // by affinity: nobody chose
    room.add('B', 1);
    EXPECT_EQ(room.choose(), 'B');
}

TEST(Limits, ARaisedLimitHoldsAtOnce) {
    Room room{Scheduler::fo, {1, 9}};
    room.limit('B', {.upper = 2, .lower = 1});
    EXPECT_EQ(room.open(3), "BBA");
    room.limit('B', {.upper = 4, .lower = 1});
    EXPECT_EQ(room.open(3), "BBA");
}

// --- several workers -------------------------------------------------------------------------

TEST(Workers, TheirTurnsDoNotAllBeginWithTheSameReal) {
    const Schedule schedule = make_schedule(Scheduler::rr, {}, reals_of({1, 1, 1, 1, 1, 1}));
    EXPECT_EQ(first_state(schedule, 0, 3).turn, 0U);
    EXPECT_EQ(first_state(schedule, 1, 3).turn, 2U);
    EXPECT_EQ(first_state(schedule, 2, 3).turn, 4U);
}

TEST(Workers, OthersSessionsCountAsTheyStoodWhenTheyWereSummed) {
    CounterBoard own{8};
    CounterBoard other{8};
    RealCounts counts{own, {&other}};
    const Schedule schedule = make_schedule(Scheduler::lc, {}, reals_of({1, 1}));
    RealCounts::Progress progress;
    counts.look_at(schedule, progress);
    own.tally(1).sessions_live.add(2);
    other.tally(1).sessions_live.add(40);
    other.tally(1).sessions_active.add(3);
    counts.look_at(schedule, progress);
    EXPECT_EQ(counts.of(schedule.reals[1]).total, 2U) << "nothing is summed twice in one round";
    counts.renew();
    counts.look_at(schedule, progress);
    EXPECT_EQ(counts.of(schedule.reals[1]).total, 42U);
    EXPECT_EQ(counts.of(schedule.reals[1]).active, 3U);
    EXPECT_EQ(counts.of(schedule.reals[0]).total, 0U);
}

// Two workers that serve the same real, each with its own sessions of it.
class Overload : public testing::Test {
  protected:
    // Of worker 0 or 1, whose counts of the other are fresh.
    bool is_overloaded(unsigned worker) {
        counts_[worker].renew();
        counts_[worker].look_at(schedule_, progress_[worker]);
        return counts_[worker].is_overloaded(schedule_.reals[0]);
    }
    void hold(unsigned worker, std::uint64_t sessions) {
        boards_[worker].tally(0).sessions_live.set(sessions);
    }
    static Schedule limited() {
        Schedule schedule = make_schedule(Scheduler::wlc, {}, reals_of({1}));
        schedule.reals[0].overloaded_from = 10;
        schedule.reals[0].relieved_below = 3;
        return schedule;
    }

    Schedule schedule_ = limited();
    std::array<CounterBoard, 2> boards_{CounterBoard{8}, CounterBoard{8}};
    std::array<RealCounts, 2> counts_{RealCounts{boards_[0], {&boards_[1]}},
                                      RealCounts{boards_[1], {&boards_[0]}}};
    std::array<RealCounts::Progress, 2> progress_;
};

TEST_F(Overload, OfARealIsOneForAllWorkersBetweenItsLimitsToo) {
    hold(0, 10);
    EXPECT_TRUE(is_overloaded(0));
    hold(0, 5);
    EXPECT_TRUE(is_overloaded(1)) << "it has not been below three since";
    hold(0, 2);
    EXPECT_FALSE(is_overloaded(1));
    hold(1, 3);
    EXPECT_FALSE(is_overloaded(0)) << "it has been, as the other has seen";
    hold(1, 8);
    EXPECT_TRUE(is_overloaded(1));
    hold(0, 0);
    EXPECT_TRUE(is_overloaded(0));
}

TEST_F(Overload, EndsForAllWorkersWhenTheLimitIsRaised) {
    hold(0, 10);
    EXPECT_TRUE(is_overloaded(0));
    EXPECT_TRUE(is_overloaded(1));
    schedule_.reals[0].overloaded_from = 20;
    EXPECT_FALSE(is_overloaded(1));
    EXPECT_FALSE(is_overloaded(0));
}

TEST(Workers, AMissSumsABoundedNumberOfReals) {
    CounterBoard own{2'048};
    CounterBoard other{2'048};
    RealCounts counts{own, {&other}};
    const Schedule schedule =
        make_schedule(Scheduler::lc, {}, reals_of(std::vector<std::uint32_t>(1'000, 1)));
    for (std::uint32_t tally = 0; tally < 1'000; ++tally) {
        other.tally(tally).sessions_live.add(1);
    }
    RealCounts::Progress progress;
    counts.look_at(schedule, progress);
    EXPECT_EQ(progress.next, limits::tallies_summed_per_miss_max);
    for (int misses = 0; misses < 3; ++misses) {
        counts.look_at(schedule, progress);
    }
    EXPECT_EQ(counts.of(schedule.reals[999]).total, 1U);
}

}  // namespace
}  // namespace fulcrum
