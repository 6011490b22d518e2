// The loop's promises: turns, timers that stay cancelled, watches, and the helper's results.
#include "controlplane/event_loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>

#include "controlplane/helper_thread.h"
#include "tests/support/loop_until.h"

namespace fulcrum {
namespace {

TEST(EventLoop, GivesOneNowForAWholeTurn) {
    EventLoop loop;
    Instant first{};
    Instant second{};
    Instant later{};
    loop.post([&] {
        first = loop.now();
        const Instant end = std::chrono::steady_clock::now() + 3ms;
        while (std::chrono::steady_clock::now() < end) {
        }
        second = loop.now();
    });
    loop.post([&] { later = loop.now(); });
    ASSERT_TRUE(loop_until(loop, [&] { return later != Instant{}; }));
    EXPECT_EQ(first, second);
    EXPECT_GE(later, first + 3ms);
    EXPECT_GE(loop.counters().longest_turn_ns.read(), 3'000'000U);
    EXPECT_EQ(loop.counters().turns.read(), 2U);
}

TEST(Timer, FiresOnceAtItsDeadline) {
    EventLoop loop;
    Timer timer{loop};
    int count = 0;
    const Instant start = loop.now();
    Instant fired{};
    timer.after(20ms, [&] {
        ++count;
        fired = loop.now();
    });
    ASSERT_TRUE(loop_until(loop, [&] { return count > 0; }));
    loop.run_for(30ms);
    EXPECT_EQ(count, 1);
    EXPECT_GE(fired, start + 20ms);
}

TEST(Timer, NeverFiresOnceCancelledReplacedOrDestroyed) {
    EventLoop loop;
    Timer cancelled{loop};
    Timer replaced{loop};
    auto destroyed = std::make_unique<Timer>(loop);
    std::string fired;
    // All three are due long before this turn ends, and must still be revocable within it.
    loop.post([&] {
        cancelled.after(1ms, [&] { fired += 'c'; });
        replaced.after(1ms, [&] { fired += 'r'; });
        destroyed->after(1ms, [&] { fired += 'd'; });
        const Instant end = std::chrono::steady_clock::now() + 5ms;
        while (std::chrono::steady_clock::now() < end) {
        }
        cancelled.cancel();
        replaced.after(1ms, [&] { fired += 'n'; });
        destroyed.reset();
    });
    ASSERT_TRUE(loop_until(loop, [&] { return !fired.empty(); }));
    loop.run_for(20ms);
    EXPECT_EQ(fired, "n");
}

TEST(Timer, MayBeSetAnewByItsOwnWork) {
    EventLoop loop;
    Timer timer{loop};
    int count = 0;
    std::function<void()> tick = [&] {
        if (++count < 3) {
            timer.after(1ms, tick);
        }
    };
    timer.after(1ms, tick);
    EXPECT_TRUE(loop_until(loop, [&] { return count == 3; }));
}

TEST(DescriptorWatch, CallsAsLongAsThereIsSomethingToRead) {
    EventLoop loop;
    std::array<int, 2> pipe_ends{};
    ASSERT_EQ(pipe(pipe_ends.data()), 0);
    std::string read_octets;
    {
        DescriptorWatch watch{loop, pipe_ends[0], [&](DescriptorWatch::Ready) {
                                  char octet = 0;
                                  ASSERT_EQ(read(pipe_ends[0], &octet, 1), 1);
                                  read_octets += octet;
                              }};
        watch.want(true, false);
        ASSERT_EQ(write(pipe_ends[1], "abc", 3), 3);
        ASSERT_TRUE(loop_until(loop, [&] { return read_octets == "abc"; }));
        watch.want(false, false);
        ASSERT_EQ(write(pipe_ends[1], "d", 1), 1);
        loop.run_for(20ms);
        EXPECT_EQ(read_octets, "abc") << "not wanted any more";
        watch.want(true, false);
        EXPECT_TRUE(loop_until(loop, [&] { return read_octets == "abcd"; }));
    }
    EXPECT_EQ(write(pipe_ends[1], "e", 1), 1);
    loop.run_for(10ms);
    EXPECT_EQ(read_octets, "abcd") << "destroyed";
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

TEST(HelperThread, WorksElsewhereAndHandsTheResultBackInOrder) {
    EventLoop loop;
    HelperThread helper{loop};
    const auto here = std::this_thread::get_id();
    std::vector<int> taken;
    for (int n = 0; n < 5; ++n) {
        helper.run(
            [n, here] {
                EXPECT_NE(std::this_thread::get_id(), here);
                return std::make_unique<int>(n);
            },
            [&, here](std::unique_ptr<int> made) {
                EXPECT_EQ(std::this_thread::get_id(), here);
                taken.push_back(*made);
            });
    }
    ASSERT_TRUE(loop_until(loop, [&] { return taken.size() == 5; }));
    EXPECT_EQ(taken, (std::vector{0, 1, 2, 3, 4}));
}

TEST(HelperThread, EndsWhileJobsAreStillWaiting) {
    EventLoop loop;
    std::atomic<int> begun_count = 0;
    int taken_count = 0;
    {
        HelperThread helper{loop};
        for (int n = 0; n < 1'000; ++n) {
            helper.run([&] { return ++begun_count; }, [&](int) { ++taken_count; });
        }
    }
    const int begun_at_end = begun_count;
    loop.run_for(10ms);
    EXPECT_EQ(begun_count, begun_at_end) << "a job began after the helper's end";
    EXPECT_EQ(taken_count, begun_at_end) << "results that were made are delivered";
}

}  // namespace
}  // namespace fulcrum
