// From the workers' counts of connections that fail to a check that is not due for an hour: what
// becomes of the real, what is told of it, and how often.
#include "controlplane/health/opening_watch.h"

#include <gtest/gtest.h>

#include "tests/support/control_bench.h"

namespace fulcrum {
namespace {

class OpeningWatchTest : public ControlBench {
  protected:
    // The last two digits of a real are the last octet of its address.
    static std::string asked_in_an_hour(const std::vector<std::string>& reals) {
        std::string text = text_of(reals);
        const std::string soon = "interval = \"100ms\"";
        return text.replace(text.find(soon), soon.size(), "interval = \"1h\"");
    }
    void begin_with_rare_checks(const std::vector<std::string>& reals) {
        write(asked_in_an_hour(reals));
        begin();
        ASSERT_TRUE(becomes_usable(reals.size()));
    }

    std::uint32_t tally_of(const std::string& real) {
        const auto listing = applier_->listing().look();
        return listing->find("web")->find(real)->tally;
    }
    OpeningTally& opening(const std::string& real, std::size_t worker = 0) {
        return boards_[worker]->opening(tally_of(real));
    }
    std::uint64_t hastened(const std::string& real) {
        const CheckReport* const report = applier_->health().report_of("web", real);
        return report == nullptr ? 0 : report->tally->hastened.read();
    }
    // It has looked at all counts as they are now, and acted.
    bool has_looked_at(const std::string& witness) {
        opening(witness).refused.add(3);
        const std::uint64_t before = hastened(witness);
        return loop_until(loop_, [&] { return hastened(witness) > before; });
    }
    std::vector<std::string> told() const {
        std::vector<std::string> words;
        for (const EventRecord& event : applier_->events().kept()) {
            if (event.kind == EventKind::check_hastened || event.kind == EventKind::real_down) {
                words.push_back(std::string{to_string(event.kind)} + " " + event.real + ": " +
                                event.sentence);
            }
        }
        return words;
    }
};

TEST_F(OpeningWatchTest, LetsTheCheckDecideAboutARealThatRefusesConnections) {
    begin_with_rare_checks({"web11", "web12"});
    prober_->down[11] = true;
    opening("web11", 0).refused.add(2);
    opening("web11", 1).refused.add(1);
    ASSERT_TRUE(becomes_usable(1));
    EXPECT_EQ(told(), (std::vector<std::string>{
                          "check_hastened web11: check hastened: 3 of 3 new connections refused",
                          "real_down web11: connection refused"}));
    EXPECT_EQ(hastened("web12"), 0U);
}

TEST_F(OpeningWatchTest, TakesNoRealDownThatItsCheckFindsSound) {
    begin_with_rare_checks({"web11"});
    opening("web11").asked.add(12);
    ASSERT_TRUE(loop_until(loop_, [&] { return hastened("web11") == 1; }));
    ASSERT_TRUE(has_looked_at("web11")) << "a second later, at the soonest";
    EXPECT_EQ(usable_count(), 1U);
    EXPECT_EQ(told(), (std::vector<std::string>{
                          "check_hastened web11: check hastened: 12 of 12 new connections "
                          "unanswered"}))
        << "told once until it answers";
}

TEST_F(OpeningWatchTest, LeavesARealAloneThatAnswersOnlySome) {
    begin_with_rare_checks({"web11", "web12"});
    opening("web11").asked.add(1'000);
    opening("web11").refused.add(500);
    opening("web11", 1).answered.add(1);
    ASSERT_TRUE(has_looked_at("web12"));
    EXPECT_EQ(hastened("web11"), 0U);
}

TEST_F(OpeningWatchTest, LeavesARealAloneWhoseChecksAreNotPassive) {
    std::string text = asked_in_an_hour({"web11", "web12"});
    const std::string address = "address = \"10.2.0.11\";";
    text.insert(text.find(address) + address.size(),
                " check = { interval = \"1h\"; passive = false; };");
    write(text);
    begin();
    ASSERT_TRUE(becomes_usable(2));
    opening("web11").refused.add(100);
    ASSERT_TRUE(has_looked_at("web12"));
    EXPECT_EQ(hastened("web11"), 0U);
}

TEST_F(OpeningWatchTest, LeavesARealAloneThatIsDownAlready) {
    write(asked_in_an_hour({"web11", "web12"}));
    prober_->down[11] = true;
    begin();
    ASSERT_TRUE(becomes_usable(1));
    opening("web11").refused.add(100);
    ASSERT_TRUE(has_looked_at("web12"));
    EXPECT_EQ(hastened("web11"), 0U) << "its checks go on at their interval";
}

TEST_F(OpeningWatchTest, RemembersWhatFailedBeforeAReload) {
    begin_with_rare_checks({"web11"});
    opening("web11").refused.add(2);
    write(asked_in_an_hour({"web11", "web12"}));
    reload();
    ASSERT_TRUE(becomes_usable(2));
    opening("web11").refused.add(1);
    EXPECT_TRUE(loop_until(loop_, [&] { return hastened("web11") == 1; }));
}

TEST_F(OpeningWatchTest, WatchesARealThatAReloadBrings) {
    begin_with_rare_checks({"web11"});
    write(asked_in_an_hour({"web11", "web12"}));
    reload();
    ASSERT_TRUE(becomes_usable(2));
    EXPECT_TRUE(has_looked_at("web12"));
}

}  // namespace
}  // namespace fulcrum
