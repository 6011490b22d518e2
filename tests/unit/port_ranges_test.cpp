// Which range a port lies in, against the definition asked port by port.
#include "config/model/port_ranges.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

constexpr std::uint64_t address(std::uint8_t octet, std::uint8_t protocol = 6) {
    return EndpointMap::key_of(Ipv4Address::of(192, 0, 2, octet), be16{}, protocol);
}

TEST(PortRange, SaysWhatItHoldsAndWhatItMeets) {
    constexpr PortRange range{8'000, 8'099};
    EXPECT_TRUE(range.contains(8'000) && range.contains(8'099));
    EXPECT_FALSE(range.contains(7'999) || range.contains(8'100));
    EXPECT_TRUE(range.meets({8'099, 9'000}));
    EXPECT_FALSE(range.meets({8'100, 9'000}));
    EXPECT_TRUE(PortRange::any().is_any());
    EXPECT_TRUE(PortRange::only(80).is_single());
}

TEST(PortRange, ReadsAsItStandsInTheFile) {
    EXPECT_EQ(to_string(PortRange::only(80)), "80");
    EXPECT_EQ(to_string(PortRange{8'000, 8'099}), "8000-8099");
    EXPECT_EQ(to_string(PortRange::any()), "any");
}

TEST(PortRangeMap, AnEmptyOneFindsNothing) {
    const PortRangeMap map;
    EXPECT_TRUE(map.is_empty());
    EXPECT_EQ(map.find(address(1), 80), PortRangeMap::absent);
}

TEST(PortRangeMap, FindsTheRangeOfEachPortOfAnAddress) {
    const PortRangeMap map{{{address(1), {9'000, 9'000}, 3},
                            {address(1), {100, 199}, 1},
                            {address(1), {200, 299}, 2},
                            {address(2), {1, 65'534}, 4},
                            {address(1, 17), {100, 199}, 5}}};
    for (std::uint32_t port = 1; port <= 65'535; ++port) {
        const std::uint32_t expected = port >= 100 && port <= 199   ? 1U
                                       : port >= 200 && port <= 299 ? 2U
                                       : port == 9'000              ? 3U
                                                                    : PortRangeMap::absent;
        ASSERT_EQ(map.find(address(1), static_cast<std::uint16_t>(port)), expected) << port;
    }
    EXPECT_EQ(map.find(address(2), 65'534), 4U);
    EXPECT_EQ(map.find(address(2), 65'535), PortRangeMap::absent);
    EXPECT_EQ(map.find(address(1, 17), 150), 5U);
    EXPECT_EQ(map.find(address(3), 150), PortRangeMap::absent);
}

TEST(PortRangeMap, AllPortsYieldToARange) {
    const PortRangeMap map{{{address(1), PortRange::any(), 1}, {address(1), {80, 89}, 2}}};
    EXPECT_EQ(map.find(address(1), 79), 1U);
    EXPECT_EQ(map.find(address(1), 80), 2U);
    EXPECT_EQ(map.find(address(1), 90), 1U);
}

}  // namespace
}  // namespace fulcrum
