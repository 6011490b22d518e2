// The applier and its file: what is foreseen, watched for, gone back to, and taken back.
#include <gtest/gtest.h>

#include <fstream>

#include "config/writer.h"
#include "tests/support/control_bench.h"

namespace fulcrum {
namespace {

class ApplyFileTest : public ControlBench {
  protected:
    static std::string with(const std::string& reload, const std::vector<std::string>& reals) {
        return "reload = { " + reload + " };\n" + text_of(reals);
    }
    ApplyResult plan() {
        std::optional<ApplyResult> result;
        applier_->plan(file_, [&](const ApplyResult& told) { result = told; });
        EXPECT_TRUE(loop_until(loop_, [&] { return result.has_value(); }));
        return result.value_or(Refused{});
    }
    ApplyResult go_back(std::uint64_t number) {
        std::optional<ApplyResult> result;
        applier_->go_back(number, [&](const ApplyResult& told) { result = told; });
        EXPECT_TRUE(loop_until(loop_, [&] { return result.has_value(); }));
        return result.value_or(Refused{});
    }
    ApplyResult take_common(const std::string& text) {
        std::optional<ApplyResult> result;
        applier_->take_common({"lb2", text, {5}}, [&](const ApplyResult& told) { result = told; });
        EXPECT_TRUE(loop_until(loop_, [&] { return result.has_value(); }));
        return result.value_or(Refused{});
    }
    std::size_t real_count() const { return state_.config()->services[0].reals.size(); }
};

TEST_F(ApplyFileTest, APlanTellsWhatTheReloadThenDoesAndChangesNothing) {
    begin_with({"web11", "web12"});
    const std::uint64_t epoch = publisher_.current()->epoch;
    write(text_of({"web11", "web12", "web13"}));
    const ApplyResult told = plan();
    const auto* planned = std::get_if<Applied>(&told);
    ASSERT_NE(planned, nullptr);
    loop_.run_for(50ms);
    EXPECT_EQ(publisher_.current()->epoch, epoch);
    EXPECT_EQ(real_count(), 2U);
    EXPECT_TRUE(applier_->problems().empty());

    const ApplyResult then = reload();
    const auto* applied = std::get_if<Applied>(&then);
    ASSERT_NE(applied, nullptr);
    EXPECT_EQ(planned->changes, applied->changes);
    EXPECT_EQ(planned->slots_moved, applied->slots_moved);
    EXPECT_GT(planned->slots_moved.at("web"), 0U);
}

TEST_F(ApplyFileTest, APlanCountsTheSessionsOfRealsThatWouldGo) {
    begin_with({"web11", "web12"});
    const std::uint32_t tally = state_.service("web")->reals[1].tally;
    boards_[0]->tally(tally).sessions_live.add(3);
    boards_[1]->tally(tally).sessions_live.add(4);
    write(text_of({"web11"}));
    const ApplyResult told = plan();
    ASSERT_TRUE(std::holds_alternative<Applied>(told));
    EXPECT_EQ(std::get<Applied>(told).sessions_left,
              (std::map<std::string, std::uint64_t>{{"web/web12", 7}}));
}

TEST_F(ApplyFileTest, APlanOfAnInvalidFileIsRefusedLikeItsReload) {
    begin_with({"web11"});
    write("nonsense = 1;\n" + text_of({"web11"}));
    const ApplyResult told = plan();
    ASSERT_TRUE(std::holds_alternative<Refused>(told));
    EXPECT_EQ(std::get<Refused>(told).code, "config_invalid");
    EXPECT_TRUE(applier_->problems().empty()) << "nobody has asked to apply it";
}

TEST_F(ApplyFileTest, AReturnLetsAnEarlierConfigurationRunAndTellsThatTheFileDiffers) {
    begin_with({"web11"});
    write(text_of({"web11", "web12"}));
    ASSERT_TRUE(std::holds_alternative<Applied>(reload()));
    ASSERT_EQ(applier_->history().kept().size(), 2U);
    ASSERT_TRUE(std::holds_alternative<Applied>(go_back(1)));
    EXPECT_EQ(real_count(), 1U);
    EXPECT_FALSE(applier_->not_in_file().empty());
    EXPECT_EQ(applier_->history().kept().back().origin, "a return to 1");
    EXPECT_EQ(applier_->history().kept().back().number, 3U);
}

TEST_F(ApplyFileTest, AReturnToWhatIsNotKeptIsRefused) {
    begin_with({"web11"});
    const ApplyResult told = go_back(7);
    ASSERT_TRUE(std::holds_alternative<Refused>(told));
    EXPECT_EQ(std::get<Refused>(told).code, "unknown_configuration");
}

TEST_F(ApplyFileTest, TenConfigurationsAreKept) {
    begin_with({"web11"});
    for (int n = 0; n < 12; ++n) {
        write(text_of(n % 2 == 0 ? std::vector<std::string>{"web11", "web12"}
                                 : std::vector<std::string>{"web11"}));
        ASSERT_TRUE(std::holds_alternative<Applied>(reload()));
    }
    EXPECT_EQ(applier_->history().kept().size(), 10U);
    EXPECT_EQ(applier_->history().kept().back().number, 13U);
}

TEST_F(ApplyFileTest, AWatchedFileIsReloadedWhenItChangesAndRefusedOnceWhenInvalid) {
    write(with("watch = \"100ms\";", {"web11"}));
    begin();
    write(with("watch = \"100ms\";", {"web11", "web12"}));
    ASSERT_TRUE(loop_until(loop_, [&] { return real_count() == 2; }));
    write(with("watch = \"100ms\"; nonsense = 1;", {"web11"}));
    ASSERT_TRUE(loop_until(loop_, [&] { return !applier_->problems().empty(); }));
    loop_.run_for(500ms);
    EXPECT_EQ(applier_->reloads().invalid.read(), 1U) << "the same file is not read again";
    EXPECT_EQ(real_count(), 2U);
    write(with("watch = \"100ms\";", {"web11"}));
    ASSERT_TRUE(loop_until(loop_, [&] { return real_count() == 1; }));
    EXPECT_TRUE(applier_->problems().empty());
}

TEST_F(ApplyFileTest, AChangeThatCameBeforeTheFirstLookIsSeen) {
    write(with("watch = \"100ms\";", {"web11"}));
    LoadOutcome loaded = load_config(file_);
    const auto read_at =
        std::chrono::system_clock::now() - std::chrono::hours{1};  // the file is younger than that
    write(with("watch = \"100ms\";", {"web11", "web12"}));
    applier_->begin(std::make_shared<const Config>(std::move(loaded.config)),
                    {std::move(loaded.files), read_at}, [](const ApplyResult&) {});
    EXPECT_TRUE(loop_until(loop_, [&] { return real_count() == 2; }));
}

TEST_F(ApplyFileTest, AnIncludedFileIsWatchedToo) {
    const std::string included = folder_ + "/more.inc";
    std::ofstream{included} << "# nothing\n";
    write("@include \"" + included + "\"\n" + with("watch = \"100ms\";", {"web11"}));
    begin();
    std::ofstream{included} << "metrics = { };\n# something\n";
    EXPECT_TRUE(loop_until(loop_, [&] { return applier_->reloads().applied.read() == 1; }));
    unlink(included.c_str());
}

TEST_F(ApplyFileTest, AReloadAfterWhichAServiceLosesEveryRealIsTakenBack) {
    write(with("rollback_within = \"10s\";", {"web11"}));
    begin();
    ASSERT_TRUE(becomes_usable(1));
    prober_->down[66] = true;
    write(with("rollback_within = \"10s\";", {"web66"}));
    ASSERT_TRUE(std::holds_alternative<Applied>(reload()));
    ASSERT_TRUE(loop_until(loop_, [&] { return applier_->problems().size() == 1; }));
    EXPECT_EQ(state_.config()->services[0].reals[0].name, "web11");
    EXPECT_TRUE(becomes_usable(1));
    EXPECT_NE(applier_->problems()[0].find("service \"web\" lost every real"), std::string::npos);
    EXPECT_EQ(applier_->reloads().taken_back.read(), 1U);
    // The operator's next word counts.
    prober_->down[66] = false;
    ASSERT_TRUE(std::holds_alternative<Applied>(reload()));
    EXPECT_TRUE(applier_->problems().empty());
}

TEST_F(ApplyFileTest, AReloadThatDrainsAServiceByItsWeightsStays) {
    write(with("rollback_within = \"10s\";", {"web11", "web12"}));
    begin();
    ASSERT_TRUE(becomes_usable(2));
    std::string text = with("rollback_within = \"10s\";", {"web11", "web12"});
    for (std::size_t at = 0; (at = text.find("port = 8080;", at)) != std::string::npos; at += 20) {
        text.insert(at, "weight = 0; ");
    }
    write(text);
    ASSERT_TRUE(std::holds_alternative<Applied>(reload()));
    loop_.run_for(500ms);
    EXPECT_EQ(applier_->reloads().taken_back.read(), 0U);
    EXPECT_TRUE(becomes_usable(0));
}

TEST_F(ApplyFileTest, WithoutThatKeyNothingIsTakenBack) {
    begin_with({"web11"});
    prober_->down[66] = true;
    write(text_of({"web66"}));
    ASSERT_TRUE(std::holds_alternative<Applied>(reload()));
    loop_.run_for(500ms);
    EXPECT_EQ(state_.config()->services[0].reals[0].name, "web66");
}

TEST_F(ApplyFileTest, WhatTheOtherDirectorServesRunsBesideWhatIsOurs) {
    begin_with({"web11"});
    const std::string name = state_.config()->director.name;
    Config theirs = *state_.config();
    theirs.services[0].reals[0].weight = 9;
    ASSERT_TRUE(std::holds_alternative<Applied>(take_common(write_common_part(theirs))));
    EXPECT_EQ(state_.config()->services[0].reals[0].weight, 9U);
    EXPECT_EQ(state_.config()->director.name, name);
    EXPECT_EQ(applier_->history().kept().back().origin, "the director \"lb2\"");
    EXPECT_FALSE(applier_->not_in_file().empty()) << "until it is saved";
}

TEST_F(ApplyFileTest, WhatTheOtherDirectorServesIsRefusedLikeAFile) {
    begin_with({"web11"});
    const auto before = state_.config();
    const ApplyResult told = take_common("services = ( { name = \"web\"; } );\n");
    ASSERT_TRUE(std::holds_alternative<Refused>(told));
    EXPECT_EQ(std::get<Refused>(told).code, "config_invalid");
    EXPECT_TRUE(std::get<Refused>(told).sentences.front().starts_with("service \"web\""))
        << std::get<Refused>(told).sentences.front();
    EXPECT_EQ(state_.config(), before);
}

}  // namespace
}  // namespace fulcrum
