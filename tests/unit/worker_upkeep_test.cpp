// What a worker does besides packets: it sweeps its table, says under which snapshot it has done
// so, and walks the table when asked.
#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint other_vip{Ipv4Address::of(10, 1, 0, 81), be16{443}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Endpoint other_real{Ipv4Address::of(10, 2, 0, 12), be16{8'443}};

Endpoint client_number(std::uint32_t number) {
    return {Ipv4Address::of(198, 51, 100, static_cast<std::uint8_t>(number / 500)),
            be16{static_cast<std::uint16_t>(1'000 + number % 500)}};
}

class Upkeep : public testing::Test {
  protected:
    Upkeep() {
        scene_.service("web", vip).real("a", real);
        scene_.service("shop", other_vip).real("b", other_real);
    }

    // Turns until it is so, for ten seconds at most: time passes as it does.
    template <typename Condition>
    static bool turn_until(WorkerRig& rig, const Condition& is_so) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
        while (!is_so()) {
            if (std::chrono::steady_clock::now() > deadline) {
                return false;
            }
            rig.turn();
        }
        return true;
    }

    static void open_sessions(WorkerRig& rig, std::uint32_t count, Endpoint to = vip) {
        for (std::uint32_t number = 0; number < count; ++number) {
            rig.receive(Packet::tcp(client_number(number), to).flags(tcp_flag::syn).bytes());
            if (number % 32 == 31) {
                rig.settle();
            }
        }
        rig.settle();
        rig.sent(1);
    }

    // All reports of one walk, its end included.
    static std::vector<WorkerReport> walk(WorkerRig& rig, const WorkerRequest& request) {
        EXPECT_TRUE(rig.inbox().post(request));
        std::vector<WorkerReport> reports;
        const bool has_ended = turn_until(rig, [&] {
            for (const WorkerReport& report : rig.reports()) {
                reports.push_back(report);
            }
            return !reports.empty() && reports.back().kind == ReportKind::walk_done;
        });
        EXPECT_TRUE(has_ended);
        return reports;
    }

    Scene scene_;
};

TEST_F(Upkeep, AnIdleWorkerSweepsItsTable) {
    scene_.config().services[0].timeouts.tcp_handshake_s = 1;
    WorkerRig rig{scene_};
    open_sessions(rig, 50);
    ASSERT_EQ(rig.counters().sessions_live.read(), 50U);
    EXPECT_TRUE(turn_until(rig, [&] { return rig.counters().sessions_live.read() == 0; }));
    EXPECT_EQ(rig.counters().sessions_expired.read(), 50U);
}

TEST_F(Upkeep, ARoundOfTheSweepTakesAtMostItsPeriod) {
    WorkerRig rig{scene_};
    rig.turn();
    const auto began = std::chrono::steady_clock::now();
    const std::uint64_t epoch = rig.snapshot().epoch;
    ASSERT_TRUE(turn_until(rig, [&] { return rig.counters().epoch_swept.read() >= epoch; }));
    EXPECT_LE(std::chrono::steady_clock::now() - began,
              std::chrono::seconds{limits::sweep_period_s});
}

TEST_F(Upkeep, EpochSweptIsThatUnderWhichTheRoundWasBegun) {
    WorkerRig rig{scene_, {.bucket_count = 490}};  // two steps a round
    const std::uint64_t first = rig.snapshot().epoch;
    rig.turn();
    ASSERT_EQ(rig.counters().epoch_swept.read(), 0U);
    rig.publish();
    ASSERT_TRUE(turn_until(rig, [&] { return rig.counters().epoch_swept.read() != 0; }));
    EXPECT_EQ(rig.counters().epoch_swept.read(), first);
}

TEST_F(Upkeep, AWalkReportsEverySessionOnceAndEnds) {
    WorkerRig rig{scene_, {.bucket_count = 2'048}};
    open_sessions(rig, 1'500);
    const auto reports = walk(rig, {.walk_id = 7, .records_max = 10'000});
    ASSERT_EQ(reports.size(), 1'501U);
    std::set<Endpoint> clients;
    for (const WorkerReport& report : reports) {
        EXPECT_EQ(report.walk_id, 7U);
        if (report.kind == ReportKind::session) {
            clients.insert(report.session.client);
            EXPECT_EQ(report.session.vip, vip);
        }
    }
    EXPECT_EQ(clients.size(), 1'500U);
}

TEST_F(Upkeep, AWalksRecordTellsWhatASessionIs) {
    WorkerRig rig{scene_};
    open_sessions(rig, 1, other_vip);
    const auto reports = walk(rig, {.walk_id = 1, .records_max = 10});
    ASSERT_EQ(reports.size(), 2U);
    const SessionRecord& record = reports[0].session;
    EXPECT_EQ(record.client, client_number(0));
    EXPECT_EQ(record.vip, other_vip);
    EXPECT_EQ(rig.snapshot().listeners[record.listener].vip, other_vip.address.v4());
    EXPECT_EQ(record.protocol, L4Protocol::tcp);
    EXPECT_EQ(record.state, SessionState::syn_seen);
    EXPECT_EQ(record.worker, 0);
    EXPECT_LE(record.idle_s, 1U);
    EXPECT_EQ(record.timeout_s, 30U);
}

TEST_F(Upkeep, AWalkEndsAfterAsManyRecordsAsAskedFor) {
    WorkerRig rig{scene_};
    open_sessions(rig, 100);
    EXPECT_EQ(walk(rig, {.walk_id = 1, .records_max = 10}).size(), 11U);
    EXPECT_EQ(walk(rig, {.walk_id = 2, .records_max = 0}).size(), 1U);
}

TEST_F(Upkeep, AWalkIsNarrowedByServiceRealAndClient) {
    WorkerRig rig{scene_};
    open_sessions(rig, 40, vip);
    open_sessions(rig, 30, other_vip);
    const auto id_of = [&](Endpoint endpoint) {
        const auto listener = rig.snapshot().listener_by_endpoint.find(
            EndpointMap::key_of(endpoint.address.v4(), endpoint.port, 6));
        return rig.snapshot().service_of(static_cast<std::uint16_t>(listener)).id;
    };
    const auto count = [&](WorkerRequest request) {
        request.records_max = 1'000;
        return walk(rig, request).size() - 1;
    };
    EXPECT_EQ(count({.service = id_of(vip)}), 40U);
    EXPECT_EQ(count({.service = id_of(other_vip)}), 30U);
    EXPECT_EQ(count({.service = id_of(other_vip), .real = 0}), 30U);
    EXPECT_EQ(count({.service = id_of(other_vip), .real = 5}), 0U);
    EXPECT_EQ(count({.client = client_number(0).address}), 70U);
    EXPECT_EQ(count({.client = Ipv4Address::of(9, 9, 9, 9)}), 0U);
}

TEST_F(Upkeep, ASecondWalkReplacesTheFirst) {
    WorkerRig rig{scene_, {.bucket_count = 2'048}};
    open_sessions(rig, 1'000);
    ASSERT_TRUE(rig.inbox().post({.walk_id = 1, .records_max = 10'000}));
    rig.turn();
    const auto reports = walk(rig, {.walk_id = 2, .records_max = 10'000});
    std::size_t of_second = 0;
    for (const WorkerReport& report : reports) {
        of_second += report.walk_id == 2 && report.kind == ReportKind::session ? 1 : 0;
        EXPECT_FALSE(report.walk_id == 1 && report.kind == ReportKind::walk_done);
    }
    EXPECT_EQ(of_second, 1'000U);
}

TEST_F(Upkeep, AWalkWaitsForItsReaderAndLosesNothing) {
    WorkerRig rig{scene_, {.bucket_count = 4'096}};
    open_sessions(rig, 5'000);
    ASSERT_TRUE(rig.inbox().post({.walk_id = 1, .records_max = 10'000}));
    for (unsigned i = 0; i < 100; ++i) {
        rig.turn();  // nobody reads
    }
    EXPECT_EQ(rig.counters().reports_lost.read(), 0U);
    std::size_t session_count = 0;
    bool has_ended = false;
    ASSERT_TRUE(turn_until(rig, [&] {
        for (const WorkerReport& report : rig.reports()) {
            session_count += report.kind == ReportKind::session ? 1 : 0;
            has_ended |= report.kind == ReportKind::walk_done;
        }
        return has_ended;
    }));
    EXPECT_EQ(session_count, 5'000U);
}

TEST_F(Upkeep, SessionsOfAServiceThatIsGoneAreNotListed) {
    WorkerRig rig{scene_};
    open_sessions(rig, 20, vip);
    open_sessions(rig, 10, other_vip);
    scene_.config().services.erase(scene_.config().services.begin());
    rig.publish();
    EXPECT_EQ(walk(rig, {.walk_id = 1, .records_max = 1'000}).size(), 11U);
}

}  // namespace
}  // namespace fulcrum::test
