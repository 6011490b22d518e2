// Of which version a configuration is, over a restart.
#include "controlplane/config_version.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace fulcrum {
namespace {

namespace fs = std::filesystem;

class ConfigVersionTest : public testing::Test {
  protected:
    ConfigVersionTest() {
        std::string pattern = testing::TempDir() + "config_version_XXXXXX";
        folder_ = mkdtemp(pattern.data());
        file_ = folder_ + "/director.cfg";
        included_ = folder_ + "/services.inc";
        for (const std::string& file : {file_, included_}) {
            std::ofstream{file} << "text";
        }
        date(file_, 100);
        date(included_, 200);
    }
    ~ConfigVersionTest() override { fs::remove_all(folder_); }

    static void date(const std::string& file, long seconds) {
        const timespec time{.tv_sec = seconds, .tv_nsec = 7'000};
        const timespec times[]{time, time};
        ASSERT_EQ(utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
    }
    ConfigStanding at_start(std::uint64_t checksum) const {
        return standing_at_start({file_, included_, folder_ + "/absent"}, checksum);
    }

    std::string folder_;
    std::string file_;
    std::string included_;
};

TEST_F(ConfigVersionTest, IsTheLatestChangeOfAllFilesWhereNothingIsNoted) {
    EXPECT_EQ(at_start(1), (ConfigStanding{{200'000'007}, 1}));
}

TEST_F(ConfigVersionTest, IsWhatWasNotedOfTheSameContent) {
    ASSERT_TRUE(note_standing(file_, {{150'000'000}, 1}));
    EXPECT_EQ(at_start(1), (ConfigStanding{{150'000'000}, 1}));
    EXPECT_EQ(at_start(2), (ConfigStanding{{200'000'007}, 2})) << "changed while nobody ran";
}

TEST_F(ConfigVersionTest, StandsInWordsThatSort) {
    EXPECT_EQ(to_string(ConfigVersion{1'000'000'000'000'042}), "2001-09-09 01:46:40.000042 UTC");
}

}  // namespace
}  // namespace fulcrum
