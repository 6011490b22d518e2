// The schedule of checks, with a prober that answers as the test says and opens no socket.
#include "controlplane/health/health_check.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "tests/support/loop_until.h"

namespace fulcrum {
namespace {

// Answers each probe in the next turn as its target's last octet is marked; keeps silent ones.
class ScriptedProber : public Prober {
  public:
    explicit ScriptedProber(EventLoop& loop) : loop_{loop} {}

    void probe(const ProbeSpec& spec, Done done) override {
        const unsigned key = spec.target.address.v4().host() & 0xFF;
        starts[key].push_back(std::chrono::steady_clock::now());
        if (silent.contains(key)) {
            kept.emplace_back(key, std::move(done));
            return;
        }
        loop_.post([verdict = verdicts[key], done = std::move(done)] {
            done({verdict, verdict == ProbeVerdict::success ? "fine" : "broken"});
        });
    }

    std::map<unsigned, ProbeVerdict> verdicts;
    std::map<unsigned, bool> silent;
    std::map<unsigned, std::vector<Instant>> starts;
    std::vector<std::pair<unsigned, Done>> kept;

  private:
    EventLoop& loop_;
};

class HealthCheckTest : public testing::Test {
  protected:
    HealthCheckTest()
        : check_{loop_, probers(),
                 [this](const HealthChange& change) { changes_.push_back(change); }} {}

    HealthCheck::Probers probers() {
        HealthCheck::Probers made;
        auto scripted = std::make_unique<ScriptedProber>(loop_);
        prober_ = scripted.get();
        made.emplace(CheckType::connect, std::move(scripted));
        return made;
    }

    static VirtualService service_of(const std::string& name, std::vector<unsigned> octets) {
        VirtualService service;
        service.name = name;
        service.check.interval = std::chrono::milliseconds{20};
        service.check.timeout = std::chrono::milliseconds{20};
        for (const unsigned octet : octets) {
            RealServer real;
            real.name = "real" + std::to_string(octet);
            real.endpoint = {Ipv4Address::of(10, 2, 0, static_cast<std::uint8_t>(octet)), be16{80}};
            service.reals.push_back(real);
        }
        return service;
    }

    std::size_t probes_of(unsigned octet) { return prober_->starts[octet].size(); }

    EventLoop loop_;
    ScriptedProber* prober_ = nullptr;
    std::vector<HealthChange> changes_;
    HealthCheck check_;
};

TEST_F(HealthCheckTest, TellsOfTheFirstVerdictAndOfChangesOnly) {
    Config config;
    config.services = {service_of("web", {11})};
    prober_->verdicts[11] = ProbeVerdict::success;
    check_.follow(plan_checks(config));
    ASSERT_TRUE(loop_until(loop_, [&] { return probes_of(11) >= 4; }));
    ASSERT_EQ(changes_.size(), 1U);
    EXPECT_EQ(changes_[0].service + "/" + changes_[0].real, "web/real11");
    EXPECT_EQ(changes_[0].health, Health::up);

    prober_->verdicts[11] = ProbeVerdict::failure;
    ASSERT_TRUE(loop_until(loop_, [&] { return changes_.size() == 2; }));
    EXPECT_EQ(changes_[1].health, Health::down);
    EXPECT_EQ(changes_[1].sentence, "broken");
    EXPECT_EQ(check_.report_of("web", "real11")->sentence, "broken");
    EXPECT_EQ(*check_.report_of("web", "real11")->tally->sentence.look(), "broken");
    EXPECT_EQ(check_.report_of("web", "real12"), nullptr);
}

TEST_F(HealthCheckTest, TakesARealForUpWhileItPassesAllOfItsChecks) {
    Config config;
    config.services = {service_of("web", {11})};
    Check second = config.services[0].check;
    second.port = 8'080;
    config.services[0].further_checks = {second};
    prober_->silent[11] = true;
    check_.follow(plan_checks(config));
    ASSERT_TRUE(loop_until(loop_, [&] { return prober_->kept.size() == 2; }));
    const auto answer = [this](std::size_t which, ProbeVerdict verdict) {
        const std::size_t count = prober_->kept.size();
        prober_->kept[which].second({verdict, verdict == ProbeVerdict::success ? "fine" : "bad"});
        return loop_until(loop_, [&, count] { return prober_->kept.size() > count; });
    };
    ASSERT_TRUE(answer(0, ProbeVerdict::success));
    EXPECT_TRUE(changes_.empty()) << "the other one is not known yet";
    ASSERT_TRUE(answer(1, ProbeVerdict::success));
    ASSERT_EQ(changes_.size(), 1U);
    EXPECT_EQ(changes_[0].health, Health::up);
    ASSERT_TRUE(answer(2, ProbeVerdict::failure));
    ASSERT_EQ(changes_.size(), 2U);
    EXPECT_EQ(changes_[1].health, Health::down);
    EXPECT_EQ(changes_[1].sentence, "connect: bad");
    ASSERT_TRUE(answer(3, ProbeVerdict::success));
    EXPECT_EQ(changes_.size(), 2U) << "one of two is not enough";
    EXPECT_EQ(check_.report_of("web", "real11")->health, Health::down);
}

TEST_F(HealthCheckTest, JudgesOneProbeForEveryServiceThatSharesIt) {
    Config config;
    config.services = {service_of("a", {11}), service_of("b", {11})};
    config.services[1].check.fall = 3;
    prober_->verdicts[11] = ProbeVerdict::success;
    check_.follow(plan_checks(config));
    ASSERT_TRUE(loop_until(loop_, [&] { return changes_.size() == 2; }));
    prober_->verdicts[11] = ProbeVerdict::failure;
    const std::size_t before = probes_of(11);
    ASSERT_TRUE(loop_until(loop_, [&] { return changes_.size() == 4; }));
    EXPECT_EQ(changes_[2].service, "a");
    EXPECT_EQ(changes_[3].service, "b");
    EXPECT_GE(probes_of(11), before + 3);
    EXPECT_EQ(check_.report_of("a", "real11")->tally->probes.read(),
              check_.report_of("b", "real11")->tally->probes.read());
}

TEST_F(HealthCheckTest, StartsNoProbeWhileHeldAndAllOfThemAtTheRelease) {
    Config config;
    config.services = {service_of("web", {11})};
    prober_->verdicts[11] = prober_->verdicts[12] = ProbeVerdict::success;
    check_.hold();
    check_.follow(plan_checks(config));
    config.services = {service_of("web", {11, 12})};
    check_.follow(plan_checks(config));
    loop_.run_for(100ms);  // five intervals
    EXPECT_EQ(probes_of(11) + probes_of(12), 0U);
    EXPECT_EQ(check_.report_of("web", "real11")->health, Health::unknown) << "it is listed already";
    check_.release();
    EXPECT_TRUE(loop_until(loop_, [&] { return probes_of(11) >= 2 && probes_of(12) >= 2; }));
}

TEST_F(HealthCheckTest, StartsAtTheIntervalHoweverLongAProbeTakes) {
    Config config;
    config.services = {service_of("web", {11, 12})};
    prober_->silent[12] = true;
    prober_->verdicts[11] = ProbeVerdict::success;
    const Instant begin = loop_.now();
    check_.follow(plan_checks(config));
    ASSERT_TRUE(loop_until(loop_, [&] { return probes_of(11) >= 10; }));
    EXPECT_EQ(probes_of(12), 1U) << "a second probe while the first is under way";
    prober_->kept.front().second({ProbeVerdict::failure, "no answer within 20 ms"});
    ASSERT_TRUE(loop_until(loop_, [&] { return probes_of(12) >= 2; }));
    const auto intervals = static_cast<long>(prober_->starts[11].size()) - 1;
    EXPECT_GE(prober_->starts[11].back(), begin + intervals * 20ms) << "faster than asked";
}

TEST_F(HealthCheckTest, KeepsStateAndScheduleOfWhatAReloadLeavesAlone) {
    Config config;
    config.services = {service_of("web", {11})};
    config.services[0].check.interval = std::chrono::milliseconds{1'000};
    prober_->verdicts[11] = prober_->verdicts[12] = ProbeVerdict::success;
    check_.follow(plan_checks(config));
    ASSERT_TRUE(loop_until(loop_, [&] { return changes_.size() == 1; }));
    const Instant since = check_.report_of("web", "real11")->since;

    config.services[0] = service_of("web", {11, 12});
    config.services[0].check.interval = std::chrono::milliseconds{1'000};
    check_.follow(plan_checks(config));
    ASSERT_TRUE(loop_until(loop_, [&] { return changes_.size() == 2; }));
    EXPECT_EQ(changes_[1].real, "real12");
    EXPECT_EQ(check_.report_of("web", "real11")->health, Health::up);
    EXPECT_EQ(check_.report_of("web", "real11")->since, since);
    EXPECT_EQ(probes_of(11), 1U) << "the reload must not have sent it anew";
}

TEST_F(HealthCheckTest, CountsAnOutcomeOnceHoweverOftenItWasReloaded) {
    Config config;
    config.services = {service_of("web", {11})};
    prober_->verdicts[11] = ProbeVerdict::success;
    for (int n = 0; n < 3; ++n) {
        check_.follow(plan_checks(config));
    }
    ASSERT_TRUE(loop_until(loop_, [&] { return probes_of(11) >= 5; }));
    EXPECT_LE(check_.report_of("web", "real11")->tally->probes.read(), probes_of(11));
}

TEST_F(HealthCheckTest, ForgetsWhatAReloadRemovesAndItsLateAnswer) {
    Config config;
    config.services = {service_of("web", {11})};
    prober_->silent[11] = true;
    check_.follow(plan_checks(config));
    ASSERT_TRUE(loop_until(loop_, [&] { return !prober_->kept.empty(); }));
    check_.follow(CheckPlan{});
    prober_->kept.front().second({ProbeVerdict::success, "too late"});
    loop_.run_for(50ms);
    EXPECT_TRUE(changes_.empty());
    EXPECT_EQ(probes_of(11), 1U);
    EXPECT_EQ(check_.report_of("web", "real11"), nullptr);
}

TEST_F(HealthCheckTest, TakesARealThatMovedElsewhereForAnother) {
    Config config;
    config.services = {service_of("web", {11})};
    prober_->verdicts[11] = prober_->verdicts[12] = ProbeVerdict::success;
    check_.follow(plan_checks(config));
    ASSERT_TRUE(loop_until(loop_, [&] { return changes_.size() == 1; }));
    config.services[0].reals[0].endpoint.address = Ipv4Address::of(10, 2, 0, 12);
    check_.follow(plan_checks(config));
    EXPECT_EQ(check_.report_of("web", "real11")->health, Health::unknown);
    EXPECT_TRUE(loop_until(loop_, [&] { return changes_.size() == 2; }));
}

TEST_F(HealthCheckTest, BlamesNoRealForWhatWeCouldNotSend) {
    Config config;
    config.services = {service_of("web", {11})};
    prober_->verdicts[11] = ProbeVerdict::success;
    check_.follow(plan_checks(config));
    ASSERT_TRUE(loop_until(loop_, [&] { return changes_.size() == 1; }));
    prober_->verdicts[11] = ProbeVerdict::not_sent;
    const std::size_t before = probes_of(11);
    ASSERT_TRUE(loop_until(loop_, [&] { return probes_of(11) >= before + 3; }));
    EXPECT_EQ(changes_.size(), 1U);
    EXPECT_EQ(check_.report_of("web", "real11")->health, Health::up);
    EXPECT_GE(check_.report_of("web", "real11")->tally->not_sent.read(), 2U);
}

TEST_F(HealthCheckTest, CountsDurationsOfWhatWasAnswered) {
    Config config;
    config.services = {service_of("web", {11})};
    prober_->verdicts[11] = ProbeVerdict::success;
    check_.follow(plan_checks(config));
    ASSERT_TRUE(loop_until(loop_, [&] { return probes_of(11) >= 5; }));
    std::uint64_t counted = 0;
    for (const SingleWriterCounter& bucket : check_.durations().at(CheckType::connect).counts) {
        counted += bucket.read();
    }
    EXPECT_EQ(counted, check_.report_of("web", "real11")->tally->probes.read());
}

class HastenedCheckTest : public HealthCheckTest {
  protected:
    // Asked once, and next in an hour.
    void begin(const Check& check, ProbeVerdict verdict = ProbeVerdict::success) {
        Config config;
        config.services = {service_of("web", {11})};
        config.services[0].check = check;
        config.services[0].check.interval = std::chrono::hours{1};
        prober_->verdicts[11] = verdict;
        check_.follow(plan_checks(config));
        ASSERT_TRUE(loop_until(loop_, [&] { return changes_.size() == 1; }));
    }
    bool is_hastened() {
        return loop_until(
            loop_, [&] { return check_.hasten("web", "real11"); }, 3s);
    }
};

TEST_F(HastenedCheckTest, BeginsASecondAfterTheOneBeforeAtTheSoonest) {
    begin({});
    EXPECT_FALSE(check_.hasten("web", "real11")) << "it has only just been asked";
    for (int n = 0; n < 2; ++n) {
        ASSERT_TRUE(is_hastened());
        EXPECT_FALSE(check_.hasten("web", "real11")) << "one is under way";
    }
    const std::vector<Instant>& starts = prober_->starts[11];
    ASSERT_EQ(starts.size(), 3U);
    EXPECT_GE(starts[1] - starts[0], 990ms);
    EXPECT_GE(starts[2] - starts[1], 990ms);
    EXPECT_EQ(check_.report_of("web", "real11")->tally->hastened.read(), 2U);
}

TEST_F(HastenedCheckTest, DecidesByRiseAndFall) {
    Check check;
    check.fall = 2;
    begin(check);
    prober_->verdicts[11] = ProbeVerdict::failure;
    ASSERT_TRUE(is_hastened());
    ASSERT_TRUE(is_hastened()) << "one failure does not decide";
    ASSERT_TRUE(loop_until(loop_, [&] { return changes_.size() == 2; }));
    EXPECT_EQ(changes_[1].health, Health::down);
    EXPECT_EQ(prober_->starts[11].size(), 3U);
}

TEST_F(HastenedCheckTest, IsNoMatterOfARealThatIsDown) {
    begin({}, ProbeVerdict::failure);
    loop_until(
        loop_, [&] { return check_.hasten("web", "real11"); }, 1'100ms);
    EXPECT_EQ(prober_->starts[11].size(), 1U);
}

TEST_F(HastenedCheckTest, IsNoMatterOfOneThatIsNotPassive) {
    Check check;
    check.passive = false;
    begin(check);
    EXPECT_FALSE(check_.is_passive("web", "real11"));
    loop_until(
        loop_, [&] { return check_.hasten("web", "real11"); }, 1'100ms);
    EXPECT_EQ(prober_->starts[11].size(), 1U);
}

TEST(NextStart, KeepsItsPhaseAfterALateLoop) {
    const Instant start{100s};
    EXPECT_EQ(next_start_after(start, 5s, start), start + 5s);
    EXPECT_EQ(next_start_after(start, 5s, start + 4s), start + 5s);
    EXPECT_EQ(next_start_after(start, 5s, start + 5s), start + 10s);
    EXPECT_EQ(next_start_after(start, 5s, start + 23s), start + 25s);
}

}  // namespace
}  // namespace fulcrum
