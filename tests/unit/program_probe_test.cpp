// Real programs: what they are told, what their exits mean, and that nothing outlives its time.
#include "controlplane/health/program_probe.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/probing.h"

namespace fulcrum {
namespace {

ProbeSpec spec_of(std::vector<std::string> command) {
    ProbeSpec spec;
    spec.check.type = CheckType::program;
    spec.check.command = std::move(command);
    spec.check.timeout = std::chrono::milliseconds{20'000};
    spec.target = {Ipv4Address::of(10, 0, 0, 11), be16{8'080}};
    spec.vip = {*parse_ip_address("2001:db8::80"), be16{80}};
    return spec;
}

ProbeSpec script(const std::string& text) { return spec_of({"/bin/sh", "-c", text}); }

bool is_running(int process) { return std::filesystem::exists("/proc/" + std::to_string(process)); }

// Of a file that a program has written.
int number_in(const std::string& path) {
    std::ifstream file{path};
    int number = 0;
    file >> number;
    return number;
}

bool wait_until_gone(int process) {
    EventLoop loop;
    return loop_until(loop, [process] { return !is_running(process); });
}

class ProgramFiles : public testing::Test {
  protected:
    ProgramFiles()
        : path_{testing::TempDir() + "program_probe_test." + std::to_string(::getpid())} {}
    ~ProgramFiles() override { std::filesystem::remove(path_); }

    std::string path_;
};

TEST(ProgramProbe, TakesTheExitForTheAnswer) {
    EXPECT_EQ(outcome_of<ProgramProber>(script("exit 0")).verdict, ProbeVerdict::success);
    const ProbeOutcome broken = outcome_of<ProgramProber>(script("echo the disk is full; exit 3"));
    EXPECT_EQ(broken.verdict, ProbeVerdict::failure);
    EXPECT_EQ(broken.sentence, "the program ended with 3: the disk is full");
    EXPECT_EQ(outcome_of<ProgramProber>(script("kill -9 $$")).sentence,
              "the program was killed by signal 9");
}

TEST(ProgramProbe, FillsInAddressesAndPorts) {
    const std::vector<std::string> wanted{"/x",        "2001:db8::80", "80",
                                          "10.0.0.11", "8080",         "a%b10.0.0.11"};
    EXPECT_EQ(words_of_command(spec_of({"/x", "%H", "%P", "%h", "%p", "a%%b%h"})), wanted);
}

TEST(ProgramProbe, HandsWordsOverAsTheyAreAndNothingOfOurEnvironment) {
    ::setenv("FULCRUM_SECRET", "x", 1);
    ProbeSpec spec = script(
        "test \"$1\" = '; exit 9' && test -z \"$FULCRUM_SECRET\" && "
        "test \"$FULCRUM_REAL:$FULCRUM_REAL_PORT\" = 10.0.0.11:8080 && "
        "test \"$FULCRUM_VIP $FULCRUM_VIP_PORT\" = '2001:db8::80 80' && "
        "test \"$PWD\" = / && ! read line && ls /proc/self/fd | wc -l");
    spec.check.command.insert(spec.check.command.end(), {"sh", "; exit 9"});
    const ProbeOutcome outcome = outcome_of<ProgramProber>(spec);
    ::unsetenv("FULCRUM_SECRET");
    // ls has its three, and the folder's own.
    EXPECT_EQ(outcome.sentence, "the program ended with 0: 4");
}

TEST(ProgramProbe, ReadsAWeightFromTheExitWhereThatIsAsked) {
    ProbeSpec spec = script("exit 42");
    EXPECT_EQ(outcome_of<ProgramProber>(spec).verdict, ProbeVerdict::failure);
    spec.check.exit_weight = true;
    const ProbeOutcome heavy = outcome_of<ProgramProber>(spec);
    EXPECT_EQ(heavy.verdict, ProbeVerdict::success);
    EXPECT_EQ(heavy.weight, 40U);
    const auto outcome_of_status = [&](int status) {
        return outcome_of_end(spec, {ProgramEnd::Kind::exited, status, {}});
    };
    EXPECT_EQ(outcome_of_status(0).weight, std::nullopt);
    EXPECT_EQ(outcome_of_status(1).verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome_of_status(2).weight, 0U);
    EXPECT_EQ(outcome_of_status(255).weight, 253U);
    EXPECT_EQ(outcome_of_end(spec, {ProgramEnd::Kind::ended, SIGTERM, {}}).verdict,
              ProbeVerdict::failure);
}

TEST_F(ProgramFiles, KillsTheProgramAndItsChildrenAtTheTimeout) {
    EventLoop loop;
    ProgramProber prober{loop};
    ProbeSpec spec = script("trap '' TERM; sleep 60 & echo $! > " + path_ + ".new; mv " + path_ +
                            ".new " + path_ + "; wait; sleep 60");
    spec.check.timeout = std::chrono::milliseconds{300};
    std::optional<ProbeOutcome> outcome;
    prober.probe(spec, [&](ProbeOutcome told) { outcome = std::move(told); });
    ASSERT_TRUE(loop_until(loop, [&] { return outcome.has_value(); }));
    EXPECT_EQ(outcome->verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome->sentence, "no answer within 300 ms: the program was killed");
    const int child = number_in(path_);
    ASSERT_GT(child, 0);
    EXPECT_TRUE(loop_until(loop, [&] { return !is_running(child); }));
    EXPECT_TRUE(loop_until(loop, [&] { return ::waitpid(-1, nullptr, WNOHANG) == -1; }))
        << "somebody is left to be reaped";
}

TEST_F(ProgramFiles, KillsWhatAProgramLeavesBehind) {
    const ProbeOutcome outcome =
        outcome_of<ProgramProber>(script("sleep 60 & echo $! > " + path_ + "; exit 0"));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::success);
    EXPECT_TRUE(wait_until_gone(number_in(path_)));
}

TEST_F(ProgramFiles, LeavesNobodyRunningAtItsEnd) {
    EventLoop loop;
    int told_count = 0;
    {
        ProgramProber prober{loop};
        prober.probe(script("echo $$ > " + path_ + "; sleep 60"),
                     [&](const ProbeOutcome&) { ++told_count; });
        ASSERT_TRUE(loop_until(loop, [&] { return number_in(path_) > 0; }));
    }
    EXPECT_TRUE(wait_until_gone(number_in(path_)));
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    loop.run_for(10ms);
    EXPECT_EQ(told_count, 0);
}

TEST(ProgramProbe, IsNotHeldUpByAnEndlessOutput) {
    const ProbeOutcome outcome = outcome_of<ProgramProber>(spec_of({"/usr/bin/yes"}));
    EXPECT_EQ(outcome.sentence, "the program was killed by signal 13: y");
}

TEST(ProgramProbe, BlamesTheConfigurationForAProgramThatIsNone) {
    const ProbeOutcome outcome = outcome_of<ProgramProber>(spec_of({"/does/not/exist"}));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::not_sent);
    EXPECT_EQ(outcome.sentence, "probe not sent: /does/not/exist: No such file or directory");
}

TEST(ProgramProbe, LetsMoreWaitThanMayRunAtOnce) {
    EventLoop loop;
    ProgramProber prober{loop};
    std::vector<std::string> sentences;
    const std::size_t count = ProgramProber::running_max + 8;
    for (std::size_t n = 0; n < count; ++n) {
        prober.probe(spec_of({"/bin/true"}),
                     [&](const ProbeOutcome& outcome) { sentences.push_back(outcome.sentence); });
    }
    EXPECT_TRUE(loop_until(
        loop, [&] { return sentences.size() == count; }, 60s));
    EXPECT_EQ(sentences, std::vector<std::string>(count, "the program ended with 0"));
}

}  // namespace
}  // namespace fulcrum
