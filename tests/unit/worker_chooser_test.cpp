// Schedulers, limits and affinity where several workers share the clients: each knows its own
// sessions, and the others' as of a moment ago. Two and three workers on one thread.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>
#include <vector>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};

Endpoint real_at(std::uint32_t number) {
    return {Ipv4Address::from_host(0x0A02'000B + number), be16{8'080}};
}
Endpoint client(std::uint32_t number) {
    return {Ipv4Address::from_host(0xC633'0000 + number * 37), be16{40'000}};
}
Ipv4Address destination_of(const Frame& frame) {
    return Ipv4Address::of(frame[30], frame[31], frame[32], frame[33]);
}

class WorkersChoose : public testing::TestWithParam<unsigned> {
  protected:
    WorkersChoose() {
        scene_.service("web", vip);
        for (std::uint32_t number = 0; number < 3; ++number) {
            scene_.real(std::string(1, static_cast<char>('a' + number)), real_at(number));
        }
    }

    VirtualService& web() { return scene_.last_service(); }
    unsigned count() const { return GetParam(); }
    WorkerRig::Shape shape() const { return {.worker_count = count(), .bucket_count = 4'096}; }

    // Where the SYNs of so many clients go, by real.
    static std::map<IpAddress, std::uint32_t> open(WorkerRig& rig, std::uint32_t first,
                                                   std::uint32_t count) {
        std::map<IpAddress, std::uint32_t> counts;
        for (std::uint32_t number = first; number < first + count; ++number) {
            rig.receive(Packet::tcp(client(number), vip).flags(tcp_flag::syn).bytes());
            rig.settle();
            for (const Frame& frame : rig.sent(1)) {
                ++counts[destination_of(frame)];
            }
        }
        return counts;
    }
    // More than the ten milliseconds after which counts are summed anew.
    static void let_counts_age(WorkerRig& rig) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{15};
        while (std::chrono::steady_clock::now() < end) {
            rig.turn();
        }
    }
    std::uint64_t sessions_at(const WorkerRig& rig, std::uint32_t real) const {
        std::uint64_t sum = 0;
        for (unsigned worker = 0; worker < count(); ++worker) {
            sum += rig.tally(rig.snapshot().reals[real].tally, worker).sessions_live.read();
        }
        return sum;
    }

    Scene scene_;
};

TEST_P(WorkersChoose, RoundRobinGivesEveryRealItsShare) {
    web().scheduler = Scheduler::rr;
    WorkerRig rig{scene_, shape()};
    const auto counts = open(rig, 0, 300);
    for (std::uint32_t real = 0; real < 3; ++real) {
        // Each worker's turns are exact: they differ by at most one session a worker.
        EXPECT_NEAR(counts.at(real_at(real).address), 100, count());
    }
}

TEST_P(WorkersChoose, WeightedRoundRobinGivesEveryRealItsShare) {
    web().scheduler = Scheduler::wrr;
    web().reals[0].weight = 4;
    web().reals[1].weight = 3;
    web().reals[2].weight = 2;
    WorkerRig rig{scene_, shape()};
    const auto counts = open(rig, 0, 900);
    EXPECT_NEAR(counts.at(real_at(0).address), 400, 4.0 * count());
    EXPECT_NEAR(counts.at(real_at(1).address), 300, 4.0 * count());
    EXPECT_NEAR(counts.at(real_at(2).address), 200, 4.0 * count());
}

TEST_P(WorkersChoose, LeastConnectionSeesTheSessionsOfTheOthers) {
    web().scheduler = Scheduler::lc;
    WorkerRig rig{scene_, shape()};
    for (std::uint32_t round = 0; round < 10; ++round) {
        open(rig, round * 30, 30);
        let_counts_age(rig);
    }
    for (std::uint32_t real = 0; real < 3; ++real) {
        // What one round opens is not seen by the others within it.
        EXPECT_NEAR(static_cast<double>(sessions_at(rig, real)), 100, 10.0 * count());
    }
}

TEST_P(WorkersChoose, ALimitIsExceededByNoMoreThanTheOthersOpenInTenMilliseconds) {
    web().scheduler = Scheduler::fo;
    web().reals[0].weight = 9;
    web().reals[0].connections = {.upper = 60};
    WorkerRig rig{scene_, shape()};
    for (std::uint32_t round = 0; round < 20; ++round) {
        open(rig, round * 10, 10);
        let_counts_age(rig);
    }
    EXPECT_GE(sessions_at(rig, 0), 60U);
    EXPECT_LE(sessions_at(rig, 0), 60U + 10U) << "one round";
    const std::uint64_t before = sessions_at(rig, 0);
    open(rig, 1'000, 50);
    EXPECT_EQ(sessions_at(rig, 0), before);
}

TEST_P(WorkersChoose, AllClientsOfAPrefixMeetTheSameWorkerAndReal) {
    web().scheduler = Scheduler::rr;
    web().affinity = Affinity{.timeout_s = 300, .prefix = 24};
    WorkerRig::Shape wide = shape();
    wide.owner_prefix = 24;
    WorkerRig rig{scene_, wide};
    for (std::uint32_t network = 0; network < 20; ++network) {
        std::set<Ipv4Address> reals;
        for (std::uint32_t host = 1; host < 20; ++host) {
            const Endpoint from{Ipv4Address::from_host(0xCB00'0000 + network * 256 + host),
                                be16{40'000}};
            rig.receive(Packet::tcp(from, vip).flags(tcp_flag::syn).bytes(), host % count());
            rig.settle();
            for (const Frame& frame : rig.sent(1)) {
                reals.insert(destination_of(frame));
            }
        }
        EXPECT_EQ(reals.size(), 1U);
    }
}

TEST_P(WorkersChoose, EveryWorkersClientsAreListedWhenAsked) {
    web().affinity = Affinity{.timeout_s = 300};
    WorkerRig rig{scene_, shape()};
    open(rig, 0, 50);
    std::set<std::string> listed;
    for (unsigned worker = 0; worker < count(); ++worker) {
        ASSERT_TRUE(rig.inbox(worker).post(
            {.table = WalkedTable::affinity, .walk_id = 3, .records_max = 1'000}));
        bool has_ended = false;
        for (unsigned turns = 0; turns < 1'000 && !has_ended; ++turns) {
            rig.turn();
            for (const WorkerReport& report : rig.reports(worker)) {
                has_ended |= report.kind == ReportKind::walk_done;
                if (report.kind == ReportKind::client) {
                    EXPECT_EQ(report.client.worker, worker);
                    EXPECT_EQ(report.client.sessions, 1U);
                    EXPECT_EQ(report.client.remaining_s, 300U);
                    EXPECT_FALSE(report.client.is_confirmed);
                    listed.insert(to_string(report.client.client));
                }
            }
        }
        EXPECT_TRUE(has_ended);
    }
    EXPECT_EQ(listed.size(), 50U);
    EXPECT_TRUE(listed.contains("198.51.0.37/32"));
}

INSTANTIATE_TEST_SUITE_P(TwoAndThree, WorkersChoose, testing::Values(2U, 3U));

}  // namespace
}  // namespace fulcrum::test
