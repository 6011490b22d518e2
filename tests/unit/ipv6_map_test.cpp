// The map against the standard's, and its two halves of a key.
#include "config/model/ipv6_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace fulcrum {
namespace {

Ipv6Address numbered(std::uint32_t number) {
    Ipv6Address address = parse_ipv6_address("2001:db8::").value();
    for (std::size_t octet = 0; octet < 4; ++octet) {
        address.octets[12 + octet] = static_cast<std::uint8_t>(number >> (8 * octet));
    }
    return address;
}

TEST(Ipv6Map, OfNothingHoldsNothing) {
    EXPECT_EQ(Ipv6Map{}.find(numbered(1)), Ipv6Map::absent);
    EXPECT_EQ(Ipv6Map{}.find(Ipv6Address{}), Ipv6Map::absent);
}

TEST(Ipv6Map, TellsAddressesAndTagsApart) {
    const Ipv6Map map{std::vector<Ipv6Map::Pair>{
        {numbered(1), 0, 10}, {numbered(1), 7, 11}, {numbered(2), 0, 12}, {Ipv6Address{}, 0, 0}}};
    EXPECT_EQ(map.find(numbered(1)), 10U);
    EXPECT_EQ(map.find(numbered(1), 7), 11U);
    EXPECT_EQ(map.find(numbered(1), 8), Ipv6Map::absent);
    EXPECT_EQ(map.find(numbered(2)), 12U);
    EXPECT_EQ(map.find(Ipv6Address{}), 0U);
}

TEST(Ipv6Map, KeepsTheFirstValueOfARepeatedKey) {
    const Ipv6Map map{std::vector<Ipv6Map::Pair>{{numbered(1), 0, 10}, {numbered(1), 0, 11}}};
    EXPECT_EQ(map.find(numbered(1)), 10U);
}

TEST(Ipv6Map, AgreesWithTheStandardsMap) {
    std::mt19937 random{9};  // NOLINT: the same every time
    std::map<std::pair<Ipv6Address, std::uint32_t>, std::uint32_t> expected;
    std::vector<Ipv6Map::Pair> pairs;
    for (std::uint32_t value = 0; value < 5'000; ++value) {
        const Ipv6Map::Pair pair{numbered(static_cast<std::uint32_t>(random() % 20'000)),
                                 static_cast<std::uint32_t>(random() % 3), value};
        pairs.push_back(pair);
        expected.emplace(std::pair{pair.address, pair.tag}, value);
    }
    const Ipv6Map map{pairs};
    for (std::uint32_t number = 0; number < 20'000; ++number) {
        for (std::uint32_t tag = 0; tag < 3; ++tag) {
            const auto found = expected.find({numbered(number), tag});
            ASSERT_EQ(map.find(numbered(number), tag),
                      found == expected.end() ? Ipv6Map::absent : found->second);
        }
    }
}

}  // namespace
}  // namespace fulcrum
