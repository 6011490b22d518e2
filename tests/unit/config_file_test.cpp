// The director's file, written anew: what it says afterwards, and when it stays as it is.
#include "controlplane/config_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/loader.h"

namespace fulcrum {
namespace {

namespace fs = std::filesystem;

class ConfigFileTest : public testing::Test {
  protected:
    ConfigFileTest() {
        std::string pattern = testing::TempDir() + "config_file_XXXXXX";
        folder_ = mkdtemp(pattern.data());
        path_ = folder_ + "/director.cfg";
        write(
            "# by hand\ndirector = { workers = [ 1 ]; };\n"
            "ports = ( { name = \"wan\"; device = \"af_packet:eth0\"; } );\n"
            "services = ( { name = \"web\"; vip = \"10.1.0.80\"; port = 80; deny_file = \"bad\";"
            " reals = ( { name = \"web1\"; address = \"10.2.0.11\"; } ); } );\n");
        std::ofstream{folder_ + "/bad"} << "198.51.100.0/24\n";
        of_file_ = loaded();
        running_ = of_file_;
        running_.services[0].reals[0].weight = 7;
    }
    ~ConfigFileTest() override { fs::remove_all(folder_); }

    void write(const std::string& text) const { std::ofstream{path_} << text; }
    std::string content(const std::string& path) const {
        std::stringstream text;
        text << std::ifstream{path}.rdbuf();
        return text.str();
    }
    Config loaded() const {
        LoadOutcome outcome = load_config(path_);
        EXPECT_EQ(outcome.problems, std::vector<std::string>{});
        return std::move(outcome.config);
    }
    std::string refusal() const {
        const Result<std::string> outcome = write_config_file(running_, of_file_);
        return outcome ? "none" : outcome.error().sentence;
    }
    std::size_t file_count() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator{folder_}, fs::directory_iterator{}));
    }

    std::string folder_;
    std::string path_;
    Config of_file_;
    Config running_;
};

TEST_F(ConfigFileTest, SaysWhatRunsAndKeepsTheOldOne) {
    chmod(path_.c_str(), 0640);
    const Result<std::string> old = write_config_file(running_, of_file_);
    ASSERT_TRUE(old) << old.error().sentence;
    EXPECT_EQ(*old, path_ + ".old");
    EXPECT_EQ(loaded(), running_);
    EXPECT_TRUE(content(*old).starts_with("# by hand"));
    struct stat facts {};
    ASSERT_EQ(stat(path_.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0640U);
    EXPECT_EQ(file_count(), 3U) << "the list, the file and the old file";
}

TEST_F(ConfigFileTest, IsWrittenASecondTime) {
    ASSERT_TRUE(write_config_file(running_, of_file_));
    of_file_ = loaded();
    running_.services[0].reals[0].weight = 8;
    ASSERT_TRUE(write_config_file(running_, of_file_));
    EXPECT_EQ(loaded().services[0].reals[0].weight, 8U);
}

TEST_F(ConfigFileTest, IsLeftAloneWhenSomebodyHasChangedIt) {
    const std::string text = content(path_) + "vips = ( { address = \"10.1.0.80\"; } );\n";
    write(text);
    EXPECT_EQ(refusal(),
              path_ + " has changed since it was read: reload it, or save to another file");
    write("director = {");
    EXPECT_NE(refusal(), "none");
    EXPECT_EQ(content(path_), "director = {");
    EXPECT_EQ(file_count(), 2U);
}

TEST_F(ConfigFileTest, IsLeftAloneWhenTheNewTextWouldSaySomethingElse) {
    running_.services[0].marked.push_back({});  // a rule that no `marks` gave it
    EXPECT_EQ(refusal(), "what runs has no words in a file");
    EXPECT_TRUE(content(path_).starts_with("# by hand"));
    EXPECT_EQ(file_count(), 2U);
}

}  // namespace
}  // namespace fulcrum
