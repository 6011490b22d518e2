// What sessions' numbers mean, written and read again; and everything that is not believed.
#include "controlplane/index_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/small_config.h"

namespace fulcrum {
namespace {

using test::config;
using test::real;
using test::service;
using test::web;

class IndexMemoryTest : public testing::Test {
  protected:
    IndexMemoryTest() {
        VirtualService six = service("six", 43, {real("r", 31)});
        six.vip = *parse_ip_address("2001:db8::80");
        six.reals[0].endpoint.address = *parse_ip_address("2001:db8::11");
        six.reals[0].forward = ForwardingMode::gue;
        six.reals[0].tunnel = {.port = be16{6'081}, .has_checksum = true};
        registry_.adopt(config({web({real("web1", 11), real("web2", 21)}), six}), 1).has_value();
        registry_.adopt(config({web({real("web2", 21)}), six}), 2).has_value();
    }
    ~IndexMemoryTest() override { std::filesystem::remove(path_); }

    std::string text() const {
        std::ostringstream text;
        text << std::ifstream{path_}.rdbuf();
        return text.str();
    }
    std::string refusal_of(const std::string& changed) const {
        std::ofstream{path_} << changed;
        const Result<IndexMemory> read = read_index_memory(path_, 42);
        return read ? "" : read.error().sentence;
    }

    IndexRegistry registry_;
    std::string path_ = testing::TempDir() + "index_memory." + std::to_string(::getpid());
};

TEST_F(IndexMemoryTest, ReadsWhatWasWritten) {
    ASSERT_TRUE(write_index_memory(path_, 42, registry_.remember()));
    const Result<IndexMemory> read = read_index_memory(path_, 42);
    ASSERT_TRUE(read) << read.error().sentence;
    const IndexMemory was = registry_.remember();
    ASSERT_EQ(read->services.size(), was.services.size());
    for (std::size_t i = 0; i < was.services.size(); ++i) {
        const IndexMemory::Service& a = was.services[i];
        const IndexMemory::Service& b = read->services[i];
        EXPECT_EQ(a.name, b.name);
        EXPECT_EQ(a.number, b.number);
        ASSERT_EQ(a.listeners.size(), b.listeners.size());
        EXPECT_EQ(a.listeners[0].point, b.listeners[0].point);
        EXPECT_EQ(a.listeners[0].index, b.listeners[0].index);
        ASSERT_EQ(a.reals.size(), b.reals.size());
        for (std::size_t r = 0; r < a.reals.size(); ++r) {
            EXPECT_EQ(a.reals[r].name, b.reals[r].name);
            EXPECT_EQ(a.reals[r].endpoint, b.reals[r].endpoint);
            EXPECT_EQ(a.reals[r].mode, b.reals[r].mode);
            EXPECT_EQ(a.reals[r].tunnel, b.reals[r].tunnel);
            EXPECT_EQ(a.reals[r].place.index, b.reals[r].place.index);
            EXPECT_EQ(a.reals[r].place.tally, b.reals[r].place.tally);
            EXPECT_EQ(a.reals[r].is_gone, b.reals[r].is_gone);
        }
    }
}

TEST_F(IndexMemoryTest, RefusesWhatBelongsToOtherSessionsOrIsNotThere) {
    EXPECT_NE(refusal_of("").find("is damaged"), std::string::npos);
    ASSERT_TRUE(write_index_memory(path_, 41, registry_.remember()));
    EXPECT_NE(refusal_of(text()).find("belongs to another session file"), std::string::npos);
    std::filesystem::remove(path_);
    EXPECT_NE(read_index_memory(path_, 42).error().sentence.find("cannot be read"),
              std::string::npos);
}

TEST_F(IndexMemoryTest, RefusesEveryCutAndAnyNumberThatTwoWouldHave) {
    ASSERT_TRUE(write_index_memory(path_, 42, registry_.remember()));
    const std::string whole = text();
    for (std::size_t length = 0; length < whole.size(); length += 7) {
        EXPECT_NE(refusal_of(whole.substr(0, length)), "") << length;
    }
    std::string twice = whole;
    for (std::size_t at = 0; (at = twice.find("\"tally\":", at)) != std::string::npos; ++at) {
        twice[at + 8] = '0';
    }
    EXPECT_NE(refusal_of(twice).find("gives one number to two"), std::string::npos);
    EXPECT_EQ(refusal_of(whole), "");
}

}  // namespace
}  // namespace fulcrum
