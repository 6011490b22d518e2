// The map against std::unordered_map, and at its corners.
#include "config/model/endpoint_map.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>
#include <vector>

namespace fulcrum {
namespace {

std::uint64_t key(std::uint32_t host, std::uint16_t port, std::uint8_t protocol = 6) {
    return EndpointMap::key_of(Ipv4Address::from_host(host), be16{port}, protocol);
}

TEST(EndpointMap, FindsNothingWhenEmpty) {
    const EndpointMap map;
    EXPECT_EQ(map.find(key(0x0A000001, 80)), EndpointMap::absent);
}

TEST(EndpointMap, TellsAddressPortAndProtocolApart) {
    const std::vector<EndpointMap::Pair> pairs{{key(0x0A000001, 80), 0},
                                               {key(0x0A000001, 80, 17), 1},
                                               {key(0x0A000001, 81), 2},
                                               {key(0x0A000002, 80), 3}};
    const EndpointMap map{pairs};
    EXPECT_EQ(map.find(key(0x0A000001, 80)), 0U);
    EXPECT_EQ(map.find(key(0x0A000001, 80, 17)), 1U);
    EXPECT_EQ(map.find(key(0x0A000001, 81)), 2U);
    EXPECT_EQ(map.find(key(0x0A000002, 80)), 3U);
    EXPECT_EQ(map.find(key(0x0A000002, 81)), EndpointMap::absent);
}

TEST(EndpointMap, KeepsTheFirstValueOfARepeatedKey) {
    const std::vector<EndpointMap::Pair> pairs{{key(1, 1), 7}, {key(1, 1), 8}};
    EXPECT_EQ(EndpointMap{pairs}.find(key(1, 1)), 7U);
}

TEST(EndpointMap, HoldsTheUnspecifiedEndpoint) {
    const std::vector<EndpointMap::Pair> pairs{{key(0, 0), 5}};
    EXPECT_EQ(EndpointMap{pairs}.find(key(0, 0)), 5U);
    EXPECT_EQ(EndpointMap{pairs}.find(key(0, 0, 17)), EndpointMap::absent);
}

// 20,000 random keys, many of one address, and as many look-ups of strangers.
TEST(EndpointMap, AgreesWithTheStandardMap) {
    std::mt19937 generator{1};  // NOLINT: the same every time
    const auto random = [&] { return static_cast<std::uint32_t>(generator()); };
    std::unordered_map<std::uint64_t, std::uint32_t> twin;
    std::vector<EndpointMap::Pair> pairs;
    for (std::uint32_t value = 0; value < 20'000; ++value) {
        const std::uint64_t at =
            key(0x0A000000 + random() % 64, static_cast<std::uint16_t>(random()));
        twin.emplace(at, value);
        pairs.push_back({at, value});
    }
    const EndpointMap map{pairs};
    std::size_t wrong_count = 0;
    for (const auto& [at, value] : twin) {
        wrong_count += map.find(at) == value ? 0U : 1U;
    }
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        const std::uint64_t at =
            key(0x0A000000 + random() % 64, static_cast<std::uint16_t>(random()));
        const auto found = twin.find(at);
        wrong_count +=
            map.find(at) == (found == twin.end() ? EndpointMap::absent : found->second) ? 0U : 1U;
    }
    EXPECT_EQ(wrong_count, 0U);
}

}  // namespace
}  // namespace fulcrum
