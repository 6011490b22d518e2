// Blocks of pcapng, octet by octet as the specification draws them.
#include "controlplane/pcapng.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace fulcrum {
namespace {

std::uint32_t word(const std::string& block, std::size_t at) {
    std::uint32_t value = 0;
    std::memcpy(&value, block.data() + at, sizeof(value));
    return value;
}

void expect_frame_of_block(const std::string& block, std::uint32_t type) {
    ASSERT_EQ(block.size() % 4, 0U);
    EXPECT_EQ(word(block, 0), type);
    EXPECT_EQ(word(block, 4), block.size());
    EXPECT_EQ(word(block, block.size() - 4), block.size());
    EXPECT_EQ(word(block, block.size() - 8), 0U) << "the end of the options";
}

TEST(Pcapng, ASectionTellsTheByteOrderAndWhoWroteIt) {
    const std::string block = pcapng_section("fulcrum");
    expect_frame_of_block(block, 0x0A0D0D0A);
    EXPECT_EQ(word(block, 8), 0x1A2B3C4DU);
    EXPECT_EQ(word(block, 12), 1U);  // version 1.0
    EXPECT_EQ(word(block, 24), 4U | 7U << 16);
    EXPECT_EQ(block.substr(28, 8), std::string("fulcrum\0", 8));
}

TEST(Pcapng, AnInterfaceIsAnEthernetsWithANameAndNanoseconds) {
    const std::string block = pcapng_interface("wan before", 256);
    expect_frame_of_block(block, 1);
    EXPECT_EQ(word(block, 8), 1U);
    EXPECT_EQ(word(block, 12), 256U);
    EXPECT_EQ(word(block, 16), 2U | 10U << 16);
    EXPECT_EQ(block.substr(20, 10), "wan before");
    EXPECT_EQ(word(block, 32), 9U | 1U << 16);
    EXPECT_EQ(block[36], 9);
}

TEST(Pcapng, AFrameHasItsTimeBothLengthsItsDirectionAndAComment) {
    const std::array<std::uint8_t, 5> octets{1, 2, 3, 4, 5};
    const std::string block = pcapng_frame({.interface = 3,
                                            .time_ns = 0x1'0000'0002,
                                            .length = 60,
                                            .octets = octets,
                                            .direction = Direction::outbound,
                                            .comment = "why"});
    expect_frame_of_block(block, 6);
    EXPECT_EQ(word(block, 8), 3U);
    EXPECT_EQ(word(block, 12), 1U);
    EXPECT_EQ(word(block, 16), 2U);
    EXPECT_EQ(word(block, 20), 5U);
    EXPECT_EQ(word(block, 24), 60U);
    EXPECT_EQ(block.substr(28, 8), std::string("\1\2\3\4\5\0\0\0", 8));
    EXPECT_EQ(word(block, 36), 1U | 3U << 16);
    EXPECT_EQ(block.substr(40, 4), std::string("why\0", 4));
    EXPECT_EQ(word(block, 44), 2U | 4U << 16);
    EXPECT_EQ(word(block, 48), 2U);
}

TEST(Pcapng, StatisticsTellHowManyFramesWereLost) {
    const std::string block = pcapng_lost(0, 7, 41);
    expect_frame_of_block(block, 5);
    EXPECT_EQ(word(block, 16), 7U);
    EXPECT_EQ(word(block, 20), 5U | 8U << 16);
    EXPECT_EQ(word(block, 24), 41U);
}

}  // namespace
}  // namespace fulcrum
