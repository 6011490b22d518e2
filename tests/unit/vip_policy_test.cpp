// The words for a VIP's policy.
#include "config/model/vip_policy.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

TEST(VipPolicy, IsNamedByItsAddressOrBlock) {
    VipPolicy policy{.addresses = {Ipv4Address::of(192, 0, 2, 16), 28}};
    EXPECT_EQ(addresses_of(policy), "192.0.2.16/28");
    policy.addresses.length = 32;
    EXPECT_EQ(addresses_of(policy), "192.0.2.16");
}

TEST(VipPolicy, HasTheWordsOfTheFile) {
    EXPECT_EQ(to_string(OtherTraffic::punt), "punt");
    EXPECT_EQ(to_string(OtherTraffic::reset), "reset");
    EXPECT_EQ(to_string(OtherTraffic::drop), "drop");
}

}  // namespace
}  // namespace fulcrum
