// The side table of spliced sessions.
#include "dataplane/splices.h"

#include <gtest/gtest.h>

namespace fulcrum::test {
namespace {

LeasingFlow flow(std::uint16_t client_port, std::uint16_t listener = 3) {
    return {.client = IpAddress{Ipv4Address::of(198, 51, 100, 7)}.v6(),
            .client_port = be16{client_port},
            .vip_port = be16{80},
            .listener = listener};
}

std::unique_ptr<Splices> splices_of(std::size_t count) {
    return Splices::create(count, {0x1234, 0x5678});
}

TEST(Splices, FindsEachByWhatNamesItsSession) {
    const auto splices = splices_of(100);
    for (std::uint16_t port = 1; port <= 100; ++port) {
        splices->add(flow(port), {.cookie = port});
    }
    for (std::uint16_t port = 1; port <= 100; ++port) {
        ASSERT_NE(splices->find(flow(port)), nullptr);
        EXPECT_EQ(splices->find(flow(port))->cookie, port);
        EXPECT_EQ(splices->find(flow(port, 4)), nullptr);
    }
    EXPECT_EQ(splices->find(flow(101)), nullptr);
    EXPECT_EQ(splices->count(), 100U);
}

TEST(Splices, HasRoomForSoManyAndAgainWhenOneIsGone) {
    const auto splices = splices_of(3);
    for (std::uint16_t port = 1; port <= 3; ++port) {
        ASSERT_TRUE(splices->has_room());
        splices->add(flow(port), {.cookie = port});
    }
    EXPECT_FALSE(splices->has_room());
    splices->remove(flow(7));  // nobody's
    EXPECT_FALSE(splices->has_room());
    splices->remove(flow(2));
    ASSERT_TRUE(splices->has_room());
    EXPECT_EQ(splices->find(flow(2)), nullptr);
    splices->add(flow(9), {.cookie = 9});
    EXPECT_FALSE(splices->has_room());
    EXPECT_EQ(splices->find(flow(1))->cookie, 1U);
    EXPECT_EQ(splices->find(flow(3))->cookie, 3U);
    EXPECT_EQ(splices->find(flow(9))->cookie, 9U);
    EXPECT_EQ(splices->count(), 3U);
}

}  // namespace
}  // namespace fulcrum::test
