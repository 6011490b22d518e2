// The way to the kernel and back. In the place of a TAP stands one end of a socket pair that keeps
// frames apart; the test holds the other end and is the kernel.
#include "dataplane/twin.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "tests/support/eal.h"

namespace fulcrum::test {
namespace {

// Two ends, non-blocking both.
struct Tap {
    Tap() {
        std::array<int, 2> ends{-1, -1};
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends.data()), 0);
        twin_end = ends[0];
        kernel_end = ends[1];
    }
    ~Tap() {
        close(twin_end);
        close(kernel_end);
    }
    Tap(const Tap&) = delete;
    Tap& operator=(const Tap&) = delete;

    // Empty: none there.
    Frame received() const {
        Frame frame(2'048);
        const ssize_t length = read(kernel_end, frame.data(), frame.size());
        frame.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
        return frame;
    }
    void send(const Frame& frame) const {
        EXPECT_EQ(write(kernel_end, frame.data(), frame.size()),
                  static_cast<ssize_t>(frame.size()));
    }

    int twin_end = -1;
    int kernel_end = -1;
};

// Frames told apart by their first octet.
Frame frame_number(std::uint8_t number, std::size_t length = 60) {
    Frame frame(length, 0xAB);
    frame[0] = number;
    return frame;
}

class TwinTest : public testing::Test {
  protected:
    TwinTest() : buffers_before_{rte_mempool_in_use_count(packet_pool())} {
        for (unsigned worker = 0; worker < 2; ++worker) {
            doors_.push_back(TwinDoor::create(worker, bell_));
        }
        to_worker_ = Mailbox<rte_mbuf*>::create("test_to_worker", 16);
        TwinWiring wiring;
        for (std::size_t port = 0; port < 2; ++port) {
            wiring.tap_fds.push_back(taps_[port].twin_end);
            wiring.port_ids.push_back(ring_port(port).id());
        }
        wiring.doors = {doors_[0].get(), doors_[1].get()};
        wiring.to_worker = to_worker_.get();
        wiring.pool = packet_pool();
        wiring.bell = &bell_;
        wiring.counters = &counters_;
        Result<std::unique_ptr<Twin>> twin = Twin::create(wiring);
        EXPECT_TRUE(twin.has_value());
        twin_ = std::move(*twin);
    }
    ~TwinTest() override { EXPECT_EQ(rte_mempool_in_use_count(packet_pool()), buffers_before_); }

    void post(unsigned worker, PuntClass punt_class, std::uint8_t number, std::size_t port = 0) {
        ASSERT_TRUE(doors_[worker]->post(buffer_of(frame_number(number), ring_port(port).id()),
                                         punt_class));
    }

    unsigned buffers_before_;
    std::array<Tap, 2> taps_;
    TwinBell bell_;
    std::vector<std::unique_ptr<TwinDoor>> doors_;
    std::unique_ptr<Mailbox<rte_mbuf*>> to_worker_;
    std::vector<TwinCounters> counters_{2};
    std::unique_ptr<Twin> twin_;
};

TEST_F(TwinTest, GivesAFrameToTheTwinOfThePortThatItCameBy) {
    post(0, PuntClass::link, 1, 0);
    post(1, PuntClass::link, 2, 1);
    EXPECT_TRUE(twin_->run_once());
    EXPECT_EQ(taps_[0].received(), frame_number(1));
    EXPECT_EQ(taps_[1].received(), frame_number(2));
    EXPECT_TRUE(taps_[0].received().empty());
    EXPECT_EQ(counters_[0].to_kernel.read(), 1U);
    EXPECT_EQ(counters_[1].to_kernel.read(), 1U);
}

TEST_F(TwinTest, MovesTheMostPreciousClassFirst) {
    post(0, PuntClass::rest, 3);
    post(0, PuntClass::check, 2);
    post(1, PuntClass::keepalive, 1);
    twin_->run_once();
    EXPECT_EQ(taps_[0].received()[0], 1);
    EXPECT_EQ(taps_[0].received()[0], 2);
    EXPECT_EQ(taps_[0].received()[0], 3);
}

TEST_F(TwinTest, BringsTheKernelsFramesToTheWorkerWithTheirPort) {
    taps_[1].send(frame_number(7));
    EXPECT_TRUE(twin_->run_once());
    rte_mbuf* mbuf = nullptr;
    ASSERT_EQ(to_worker_->collect(&mbuf, 1), 1U);
    EXPECT_EQ(mbuf->port, ring_port(1).id());
    EXPECT_EQ(frame_of(mbuf), frame_number(7));
    EXPECT_EQ(counters_[1].from_kernel.read(), 1U);
}

TEST_F(TwinTest, CountsWhatTheWorkerHasNoRoomFor) {
    for (std::uint8_t number = 0; number < 20; ++number) {
        taps_[0].send(frame_number(number));
    }
    while (twin_->run_once()) {
    }
    EXPECT_EQ(counters_[0].from_kernel.read(), 16U);
    EXPECT_EQ(counters_[0].from_kernel_lost.read(), 4U);
    rte_mbuf* mbuf = nullptr;
    while (to_worker_->collect(&mbuf, 1) == 1) {
        rte_pktmbuf_free(mbuf);
    }
}

TEST_F(TwinTest, TakesAFrameFromTheKernelEvenWithoutABufferForIt) {
    std::vector<rte_mbuf*> all;
    while (rte_mbuf* mbuf = rte_pktmbuf_alloc(packet_pool())) {
        all.push_back(mbuf);
    }
    taps_[0].send(frame_number(1));
    EXPECT_TRUE(twin_->run_once());
    EXPECT_FALSE(twin_->run_once());
    EXPECT_EQ(counters_[0].from_kernel_lost.read(), 1U);
    for (rte_mbuf* mbuf : all) {
        rte_pktmbuf_free(mbuf);
    }
}

TEST_F(TwinTest, CountsWhatTheKernelRefuses) {
    close(taps_[0].kernel_end);
    taps_[0].kernel_end = open("/dev/null", O_RDONLY | O_CLOEXEC);
    signal(SIGPIPE, SIG_IGN);
    post(0, PuntClass::link, 1);
    twin_->run_once();
    EXPECT_EQ(counters_[0].to_kernel.read(), 0U);
    EXPECT_EQ(counters_[0].to_kernel_failed.read(), 1U);
}

TEST_F(TwinTest, RefusesAFrameInSeveralSegments) {
    ASSERT_TRUE(doors_[0]->post(buffer_of(frame_number(1), ring_port(0).id(), /*segment=*/20),
                                PuntClass::link));
    twin_->run_once();
    EXPECT_TRUE(taps_[0].received().empty());
    EXPECT_EQ(counters_[0].to_kernel_failed.read(), 1U);
}

TEST_F(TwinTest, ABoundedNumberOfFramesOfOneClassPassesInARound) {
    for (unsigned i = 0; i < 40; ++i) {
        post(0, PuntClass::rest, 9);
    }
    twin_->run_once();
    EXPECT_LT(counters_[0].to_kernel.read(), 40U);
    while (twin_->run_once()) {
    }
    EXPECT_EQ(counters_[0].to_kernel.read(), 40U);
}

TEST_F(TwinTest, WakesForFramesOfEitherSideAndStopsWhenTold) {
    std::atomic<bool> stop{false};
    std::thread thread{[&] { twin_->run(stop); }};
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    const auto wait_until = [&](const auto& is_so) {
        while (!is_so() && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::yield();
        }
        return is_so();
    };
    for (std::uint64_t round = 1; round <= 200; ++round) {
        post(0, PuntClass::check, 1);
        doors_[0]->ring_if_asleep();
        ASSERT_TRUE(wait_until([&] { return counters_[0].to_kernel.read() == round; }));
        ASSERT_EQ(taps_[0].received(), frame_number(1));
        taps_[1].send(frame_number(2));
        ASSERT_TRUE(wait_until([&] { return counters_[1].from_kernel.read() == round; }));
        rte_mbuf* mbuf = nullptr;
        ASSERT_EQ(to_worker_->collect(&mbuf, 1), 1U);
        rte_pktmbuf_free(mbuf);
    }
    stop.store(true);
    bell_.ring();
    thread.join();
}

}  // namespace
}  // namespace fulcrum::test
