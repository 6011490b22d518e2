// What a fence is called with, and what its failures and successes lead to.
#include "controlplane/roles/fencing.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/loop_until.h"

namespace fulcrum {
namespace {

namespace fs = std::filesystem;

class Folder {
  public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "fencing_test.XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string path(const std::string& name) const { return path_ / name; }
    std::string program(const std::string& body) const {
        std::ofstream{path("fence")} << "#!/bin/sh\n" << body;
        chmod(path("fence").c_str(), 0755);
        return path("fence");
    }
    std::string content(const std::string& name) const {
        const std::ifstream file{path(name)};
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }

  private:
    fs::path path_;
};

Fence agent(const std::string& command) {
    return {.style = FenceStyle::fence_agent,
            .command = command,
            .node = "lb2",
            .options = {"ip=192.0.2.9"},
            .options_file = {},
            .timeout_s = 5,
            .retry_s = 0};
}

struct Fenced {
    EventLoop loop;
    Log log{2, Severity::error};
    Programs programs{loop};
    Fencing fencing{programs, log, "front"};
    bool is_dead = false;

    void begin(const Fence& fence) {
        fencing.begin(fence, [this] { is_dead = true; });
    }
    bool wait_until_dead() {
        return loop_until(loop, [this] { return is_dead; });
    }
};

TEST(Fencing, CallsAnAgentByLinesAndAPluginByArgumentsAndEnvironment) {
    Fence fence = agent("/sbin/fence_x");
    const ProgramOrder lines = fence_order(fence, {"password=hush"});
    EXPECT_EQ(lines.words, std::vector<std::string>{"/sbin/fence_x"});
    EXPECT_EQ(lines.input, "action=reboot\nnodename=lb2\nplug=lb2\nip=192.0.2.9\npassword=hush\n");
    EXPECT_TRUE(lines.environment.empty());
    fence.style = FenceStyle::external;
    const ProgramOrder words = fence_order(fence, {"password=hush"});
    EXPECT_EQ(words.words, (std::vector<std::string>{"/sbin/fence_x", "reset", "lb2"}));
    EXPECT_EQ(words.environment, (std::vector<std::string>{"ip=192.0.2.9", "password=hush"}));
    EXPECT_EQ(words.input, "");
}

TEST(Fencing, IsDoneWhenTheAgentSucceedsAndReadsSecretsFromTheirFile) {
    const Folder folder;
    std::ofstream{folder.path("secret")} << "# ours\n\npassword=hush\nnonsense\n";
    chmod(folder.path("secret").c_str(), 0600);
    Fenced it;
    Fence fence = agent(folder.program("cat >" + folder.path("told") + "\n"));
    fence.options_file = folder.path("secret");
    it.begin(fence);
    ASSERT_TRUE(it.wait_until_dead());
    EXPECT_EQ(folder.content("told"),
              "action=reboot\nnodename=lb2\nplug=lb2\nip=192.0.2.9\npassword=hush\n");
    EXPECT_FALSE(it.fencing.is_under_way());
    EXPECT_EQ(it.fencing.problem(), "");
}

TEST(Fencing, CallsNobodyWithSecretsThatOthersCanRead) {
    const Folder folder;
    std::ofstream{folder.path("secret")} << "password=hush\n";
    chmod(folder.path("secret").c_str(), 0640);
    Fenced it;
    Fence fence = agent(folder.program("touch " + folder.path("called") + "\n"));
    fence.options_file = folder.path("secret");
    const std::string reason = "fence.options_file \"" + folder.path("secret") +
                               "\" can be read by others than its owner: chmod 600 it";
    it.fencing.look_at(fence);
    EXPECT_EQ(it.fencing.problem(), "group \"front\": the fence will not be called: " + reason);
    it.begin(fence);
    ASSERT_TRUE(loop_until(it.loop, [&] {
        return it.fencing.problem().find("is not called: " + reason) != std::string::npos;
    }));
    EXPECT_FALSE(it.is_dead);
    EXPECT_FALSE(fs::exists(folder.path("called")));
}

TEST(Fencing, TriesAgainUntilItSucceedsAndSaysMeanwhileThatItDoesNot) {
    const Folder folder;
    Fenced it;
    it.begin(agent(folder.program("echo out of reach\nexit 1\n")));
    ASSERT_TRUE(loop_until(it.loop, [&] {
        return it.fencing.problem().find(" times, so nobody takes over") != std::string::npos;
    }));
    EXPECT_NE(it.fencing.problem().find("ended with 1: out of reach"), std::string::npos);
    EXPECT_FALSE(it.is_dead);
    folder.program("exit 0\n");
    EXPECT_TRUE(it.wait_until_dead());
}

TEST(Fencing, TakesAnAttemptThatTakesTooLongForAFailure) {
    const Folder folder;
    Fenced it;
    Fence fence = agent(folder.program("sleep 60\n"));
    fence.timeout_s = 1;
    fence.retry_s = 60;
    it.begin(fence);
    ASSERT_TRUE(loop_until(it.loop, [&] { return !it.fencing.problem().empty(); }));
    EXPECT_NE(it.fencing.problem().find("was killed, as it took too long"), std::string::npos);
    EXPECT_FALSE(it.is_dead);
}

TEST(Fencing, TakesAProgramThatIsNotThereForAFailure) {
    Fenced it;
    it.begin(agent("/nowhere/fence"));
    ASSERT_TRUE(loop_until(it.loop, [&] { return !it.fencing.problem().empty(); }));
    EXPECT_NE(it.fencing.problem().find("cannot be started"), std::string::npos);
}

TEST(Fencing, EndsByAnOperatorsWordAndOnlyWhileItIsUnderWay) {
    Fenced it;
    EXPECT_FALSE(it.fencing.confirm());
    Fence fence = agent("/nowhere/fence");
    fence.delay_s = 60;
    it.begin(fence);
    EXPECT_TRUE(it.fencing.confirm());
    EXPECT_TRUE(it.is_dead);
    EXPECT_FALSE(it.fencing.confirm());
}

TEST(Fencing, IsCalledOffWhenTheOtherIsHeardAgain) {
    const Folder folder;
    Fenced it;
    it.begin(agent(folder.program("echo $$ >" + folder.path("pid") + "\nexec sleep 60\n")));
    ASSERT_TRUE(loop_until(it.loop, [&] { return !folder.content("pid").empty(); }));
    const int leader = std::stoi(folder.content("pid"));
    it.fencing.cancel();
    EXPECT_FALSE(it.fencing.is_under_way());
    EXPECT_TRUE(loop_until(it.loop, [&] { return kill(leader, 0) == -1; }));  // gone, and reaped
    EXPECT_FALSE(it.is_dead);
}

}  // namespace
}  // namespace fulcrum
