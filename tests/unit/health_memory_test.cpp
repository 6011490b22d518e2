// Written, read, and not believed when it is old or no such file.
#include "controlplane/health/health_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace fulcrum {
namespace {

class HealthMemoryFile : public testing::Test {
  protected:
    HealthMemoryFile()
        : path_{testing::TempDir() + "health_memory_test." + std::to_string(::getpid())} {}
    ~HealthMemoryFile() override { std::filesystem::remove(path_); }

    std::string path_;
    const RememberedReal web1_{"web", "web1", {Ipv4Address::of(10, 0, 0, 11), be16{80}}};
    const RememberedReal web6_{"web", "web6", {*parse_ip_address("2001:db8::11"), be16{0}}};
};

TEST_F(HealthMemoryFile, IsReadAsItWasWritten) {
    ASSERT_TRUE(write_health_memory(path_, {{web1_, true}, {web6_, false}}));
    ASSERT_TRUE(write_health_memory(path_, {{web1_, false}, {web6_, true}}));
    EXPECT_EQ(read_health_memory(path_), (HealthMemory{{web1_, false}, {web6_, true}}));
}

TEST_F(HealthMemoryFile, SaysNothingWhenItIsOldOrMissing) {
    EXPECT_TRUE(read_health_memory(path_).empty());
    ASSERT_TRUE(write_health_memory(path_, {{web1_, true}}));
    std::filesystem::last_write_time(
        path_, std::filesystem::file_time_type::clock::now() - std::chrono::minutes{11});
    EXPECT_TRUE(read_health_memory(path_).empty());
}

TEST_F(HealthMemoryFile, SaysNothingWhenALineIsOfAnotherKind) {
    std::ofstream{path_} << "web\tweb1\t10.0.0.11\t80\tup\nweb\tweb2\n";
    EXPECT_TRUE(read_health_memory(path_).empty());
}

TEST_F(HealthMemoryFile, TellsThatItCannotBeWritten) {
    EXPECT_FALSE(write_health_memory("/does/not/exist/health", {{web1_, true}}));
}

}  // namespace
}  // namespace fulcrum
