// The one way to the workers: what arrives there, when whoever asked is answered, and what a
// refusal leaves as it was.
#include "controlplane/apply.h"

#include <gtest/gtest.h>

#include "tests/support/control_bench.h"
#include "tests/support/eal_environment.h"

namespace fulcrum {
namespace {

const auto* const eal = testing::AddGlobalTestEnvironment(new EalEnvironment);

using ApplyTest = ControlBench;

TEST_F(ApplyTest, PublishesTheFirstConfigurationAndTellsTheKernelsSide) {
    write(text_of({"web11", "web12"}));
    begin();
    ASSERT_NE(publisher_.current(), nullptr);
    EXPECT_EQ(publisher_.current()->listeners.size(), 1U);
    ASSERT_EQ(told_.size(), 1U);
    EXPECT_EQ(told_[0].services[0].name, "web");
}

TEST_F(ApplyTest, PassesChecksVerdictsToTheWorkers) {
    begin_with({"web11", "web12"});
    prober_->down[12] = true;
    EXPECT_TRUE(becomes_usable(1));
    prober_->down[12] = false;
    EXPECT_TRUE(becomes_usable(2));
}

TEST_F(ApplyTest, AnswersAReloadOnceEveryWorkerHasSeenIt) {
    begin_with({"web11"});
    write(text_of({"web11", "web12"}));
    const ApplyResult result = reload();
    const auto* applied = std::get_if<Applied>(&result);
    ASSERT_NE(applied, nullptr);
    EXPECT_GE(boards_[0]->worker().epoch_seen.read(), applied->epoch);
    EXPECT_GE(boards_[1]->worker().epoch_seen.read(), applied->epoch);
    EXPECT_FALSE(applied->changes.empty());
    EXPECT_EQ(applied->slots_moved.count("web"), 1U);
    EXPECT_EQ(told_.size(), 2U);
    EXPECT_EQ(applier_->reloads().applied.read(), 1U);
}

TEST_F(ApplyTest, AnswersAfterASecondWhenAWorkerStandsStill) {
    begin_with({"web11"});
    workers_[1]->is_frozen = true;
    write(text_of({"web11", "web12"}));
    const Instant start = std::chrono::steady_clock::now();
    EXPECT_TRUE(std::holds_alternative<Applied>(reload()));
    const Duration length = std::chrono::steady_clock::now() - start;
    EXPECT_GE(length, 1s);
    EXPECT_LT(length, 3s);
}

TEST_F(ApplyTest, WhatIsSavedIsNoLongerAnEdit) {
    begin_with({"web11"});
    unsigned answered = 0;
    const auto finish = [&](const ApplyResult& result) {
        EXPECT_TRUE(std::holds_alternative<Applied>(result));
        ++answered;
    };
    // One after the other, though nobody waits for the first.
    applier_->edit(Json::parse(R"([{"operation":"change-real","service":"web","real":"web11",
                                    "set":{"weight":9}}])"),
                   finish);
    applier_->save(finish);
    ASSERT_TRUE(loop_until(loop_, [&] { return answered == 2; }));
    EXPECT_TRUE(applier_->not_in_file().empty());
    const ApplyResult result = reload();
    ASSERT_TRUE(std::holds_alternative<Applied>(result));
    EXPECT_TRUE(std::get<Applied>(result).dropped.empty());
    EXPECT_EQ(state_.config()->services[0].reals[0].weight, 9U);
    unlink((file_ + ".old").c_str());
}

TEST_F(ApplyTest, KeepsWhatRunsWhenTheFileIsInvalid) {
    begin_with({"web11"});
    const std::uint64_t epoch = publisher_.current()->epoch;
    std::string text = text_of({"web11", "web12"});
    text.replace(text.find("port = 80;"), 10, "port = 99999;");  // in the seventh line
    write(text);
    const ApplyResult result = reload();
    const auto* refused = std::get_if<Refused>(&result);
    ASSERT_NE(refused, nullptr);
    EXPECT_EQ(refused->code, "config_invalid");
    EXPECT_EQ(refused->sentences.front().find(file_ + ":7: "), 0U) << refused->sentences.front();
    loop_.run_for(50ms);
    EXPECT_EQ(publisher_.current()->epoch, epoch);
    EXPECT_EQ(usable_count(), 1U);
    EXPECT_EQ(applier_->reloads().invalid.read(), 1U);
    EXPECT_EQ(told_.size(), 1U);
}

TEST_F(ApplyTest, KeepsWhatRunsWhenOnlyARestartCouldChangeIt) {
    begin_with({"web11"});
    const std::uint64_t epoch = publisher_.current()->epoch;
    std::string text = text_of({"web11", "web12"});
    text.replace(text.find("[ 1 ]"), 5, "[ 0 ]");
    write(text);
    const ApplyResult result = reload();
    const auto* refused = std::get_if<Refused>(&result);
    ASSERT_NE(refused, nullptr);
    EXPECT_EQ(refused->code, "restart_needed");
    EXPECT_EQ(publisher_.current()->epoch, epoch);
    EXPECT_EQ(applier_->reloads().refused.read(), 1U);
}

TEST_F(ApplyTest, ReadsTheFileOnceForAllWhoAskMeanwhile) {
    begin_with({"web11"});
    write(text_of({"web11", "web12"}));
    int answered_count = 0;
    for (int n = 0; n < 1'000; ++n) {
        applier_->reload(file_, [&](const ApplyResult& result) {
            answered_count += std::holds_alternative<Applied>(result) ? 1 : 0;
        });
    }
    ASSERT_TRUE(loop_until(loop_, [&] { return answered_count == 1'000; }));
    EXPECT_EQ(applier_->reloads().applied.read(), 2U) << "one reading under way, one for the rest";
}

TEST_F(ApplyTest, KeepsUnchangedRealsUpAcrossAReload) {
    begin_with({"web11", "web12"});
    write(text_of({"web11", "web12", "web13"}));
    std::optional<ApplyResult> result;
    applier_->reload(file_, [&](const ApplyResult& told) { result = told; });
    std::size_t least = 2;
    ASSERT_TRUE(loop_until(loop_, [&] {
        least = std::min(least, usable_count());
        return result.has_value() && usable_count() == 3;
    }));
    EXPECT_EQ(least, 2U);
}

TEST_F(ApplyTest, DrainsARealAndTakesItBack) {
    begin_with({"web11", "web12"});
    std::optional<ApplyResult> result;
    applier_->drain({.service = "web", .real = "web12"},
                    [&](const ApplyResult& told) { result = told; });
    ASSERT_TRUE(loop_until(loop_, [&] { return result.has_value(); }));
    EXPECT_EQ(usable_count(), 1U);
    EXPECT_EQ(applier_->listing().look()->services[0].reals[1].state, RealState::drained);
    EXPECT_EQ(applier_->listing().look()->services[0].reals[1].weight, 0U);
    result.reset();
    applier_->undrain("web", "web12", [&](const ApplyResult& told) { result = told; });
    ASSERT_TRUE(loop_until(loop_, [&] { return result.has_value(); }));
    EXPECT_EQ(usable_count(), 2U);
}

TEST_F(ApplyTest, ListsADrainedRealAsUnsoundWhenItsCheckFails) {
    begin_with({"web11", "web12"});
    applier_->drain({.service = "web", .real = "web12"}, [](const ApplyResult&) {});
    const auto drained = [&] { return applier_->listing().look()->services[0].reals[1]; };
    ASSERT_TRUE(loop_until(loop_, [&] { return drained().state == RealState::drained; }));
    EXPECT_TRUE(drained().is_sound);
    prober_->down[12] = true;
    ASSERT_TRUE(loop_until(loop_, [&] { return !drained().is_sound; }));
    EXPECT_EQ(drained().state, RealState::drained);
}

TEST_F(ApplyTest, RefusesToDrainWhatIsNotThere) {
    begin_with({"web11"});
    std::optional<ApplyResult> result;
    applier_->drain({.service = "web", .real = "web99"},
                    [&](const ApplyResult& told) { result = told; });
    ASSERT_TRUE(loop_until(loop_, [&] { return result.has_value(); }));
    ASSERT_TRUE(std::holds_alternative<Refused>(*result));
    EXPECT_EQ(std::get<Refused>(*result).code, "unknown_real");
}

TEST_F(ApplyTest, GathersAStormOfChangesIntoOneSnapshot) {
    begin_with({"web11", "web12"});
    const std::uint64_t before = publisher_.current()->epoch;
    KernelTables tables;
    tables.ports.resize(2);
    for (std::uint32_t n = 0; n < 200; ++n) {
        tables.addresses = {Ipv4Address::from_host(0x0A030000U + n)};
        applier_->on_kernel_changed(std::make_shared<const KernelTables>(tables));
    }
    ASSERT_TRUE(loop_until(loop_, [&] {
        const auto& paths = *publisher_.current()->paths;
        return paths.is_ours(Ipv4Address::from_host(0x0A030000U + 199));
    }));
    EXPECT_EQ(publisher_.current()->epoch, before + 1);
}

TEST_F(ApplyTest, ListsWhatItPublished) {
    begin_with({"web11", "web12"});
    boards_[0]->tally(applier_->listing().look()->services[0].reals[0].tally).in_packets.add(5);
    const auto listing = applier_->listing().look();
    EXPECT_EQ(listing->services[0].usable_count, 2U);
    EXPECT_EQ(listing->services[0].reals[0].totals(applier_->boards()).in_packets, 5U);
    EXPECT_EQ(listing->services[0].reals[0].check_sentence(), "connection accepted");
}

}  // namespace
}  // namespace fulcrum
