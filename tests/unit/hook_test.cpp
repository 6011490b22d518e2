// Real programs, called as hooks.
#include "controlplane/telling/hook.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace fulcrum {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class HookTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "hook_test.XXXXXX").string();
        folder_ = mkdtemp(name.data());
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::string program(const std::string& body) const {
        const fs::path path = folder_ / "program";
        std::ofstream{path} << "#!/bin/sh\n" << body;
        chmod(path.c_str(), 0755);
        return path;
    }
    std::string content_of(const std::string& name) const {
        std::ostringstream content;
        content << std::ifstream{folder_ / name}.rdbuf();
        return content.str();
    }
    Status call(const std::string& body, std::chrono::milliseconds timeout = 10s) {
        const RealChange change{.time = 1'700'000'000,
                                .director = "lb1",
                                .service = "web",
                                .listeners = "203.0.113.80:80/tcp",
                                .real = "web1",
                                .endpoint = "10.0.0.1:8080",
                                .from = "up",
                                .to = "down",
                                .reason = "connection refused; $(touch /tmp/never)",
                                .up_count = 1,
                                .real_count = 2};
        return run_hook(program("cd " + folder_.string() + "\n" + body), hook_environment(change),
                        timeout, stop_);
    }

    fs::path folder_;
    std::atomic<bool> stop_ = false;
};

TEST_F(HookTest, IsToldOfTheChangeInItsEnvironmentAndInNothingElse) {
    ASSERT_TRUE(call("env | grep FULCRUM_ | sort > told; echo $# >> told"));
    EXPECT_EQ(content_of("told"),
              "FULCRUM_ADDRESS=10.0.0.1:8080\nFULCRUM_DIRECTOR=lb1\nFULCRUM_EVENT=down\n"
              "FULCRUM_FROM=up\nFULCRUM_LISTENERS=203.0.113.80:80/tcp\nFULCRUM_REAL=web1\n"
              "FULCRUM_REALS=2\nFULCRUM_REALS_UP=1\n"
              "FULCRUM_REASON=connection refused; $(touch /tmp/never)\nFULCRUM_SERVICE=web\n"
              "FULCRUM_TIME=2023-11-14T22:13:20Z\nFULCRUM_TO=down\n0\n");
}

TEST_F(HookTest, IsToldOfAGroupsRoleAsWell) {
    const RoleChange change{.time = 1'700'000'000,
                            .director = "lb1",
                            .group = "front",
                            .from = "standby",
                            .to = "active",
                            .reason = "the active director is silent",
                            .addresses = "203.0.113.80, 192.168.10.1"};
    ASSERT_TRUE(run_hook(program("cd " + folder_.string() + "\nenv | grep FULCRUM_ | sort > told"),
                         hook_environment(change), 10s, stop_));
    EXPECT_EQ(content_of("told"),
              "FULCRUM_ADDRESSES=203.0.113.80, 192.168.10.1\nFULCRUM_DIRECTOR=lb1\n"
              "FULCRUM_EVENT=role\nFULCRUM_FROM=standby\nFULCRUM_GROUP=front\n"
              "FULCRUM_REASON=the active director is silent\n"
              "FULCRUM_TIME=2023-11-14T22:13:20Z\nFULCRUM_TO=active\n");
}

TEST_F(HookTest, SaysHowAProgramEnded) {
    EXPECT_EQ(call("exit 3").error().sentence, "ended with 3");
    EXPECT_EQ(call("kill -TERM $$").error().sentence, "was ended by signal 15");
    const Status missing = run_hook("/nonexistent", {}, 1s, stop_);
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().sentence.find("No such file"), std::string::npos);
}

TEST_F(HookTest, IsKilledAtTheDeadlineWithAllThatItStarted) {
    const auto begun = std::chrono::steady_clock::now();
    const Status called = call("sleep 600 &\necho $! > child\nsleep 600", 500ms);
    EXPECT_EQ(called.error().sentence, "was killed after 500 ms");
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
    const pid_t child = std::stoi(content_of("child"));
    for (int i = 0; i < 1'000 && kill(child, 0) == 0; ++i) {
        std::ifstream state{"/proc/" + std::to_string(child) + "/stat"};
        std::string words;
        std::getline(state, words);
        if (words.find(") Z ") != std::string::npos) {
            return;  // dead, and its new parent has not looked yet
        }
        std::this_thread::sleep_for(10ms);
    }
    EXPECT_NE(kill(child, 0), 0);
}

TEST_F(HookTest, IsEndedWhenTheDirectorEnds) {
    std::thread ender{[this] {
        while (content_of("begun").empty()) {
            std::this_thread::sleep_for(5ms);
        }
        stop_ = true;
    }};
    EXPECT_FALSE(call("echo yes > begun\nsleep 600"));
    ender.join();
}

}  // namespace
}  // namespace fulcrum
