// Addresses cut to their leading bits, against masks worked out by hand.
#include "config/model/client_prefix.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

TEST(ClientPrefix, IsAnAddressCutToItsLeadingBits) {
    const ClientPrefix client = client_prefix_of(Ipv4Address::of(198, 51, 100, 77));
    EXPECT_TRUE(client.is_v4());
    EXPECT_EQ(cut(client, 96 + 32), client);
    EXPECT_EQ(cut(client, 96 + 24).low, 0xFFFF'C633'6400U);
    EXPECT_EQ(cut(client, 96 + 8).low, 0xFFFF'C600'0000U);
    EXPECT_TRUE(cut(client, 96 + 8).is_v4());
    // 2001:db8:1:2:3:4:5:6
    const ClientPrefix wide{0x2001'0DB8'0001'0002, 0x0003'0004'0005'0006, 128};
    EXPECT_FALSE(wide.is_v4());
    EXPECT_EQ(cut(wide, 64), (ClientPrefix{0x2001'0DB8'0001'0002, 0, 64}));
    EXPECT_EQ(cut(wide, 48), (ClientPrefix{0x2001'0DB8'0001'0000, 0, 48}));
    EXPECT_EQ(cut(wide, 80), (ClientPrefix{0x2001'0DB8'0001'0002, 0x0003'0000'0000'0000, 80}));
}

TEST(ClientPrefix, ReadsLikeANetwork) {
    const ClientPrefix client = client_prefix_of(Ipv4Address::of(198, 51, 100, 77));
    EXPECT_EQ(to_string(client), "198.51.100.77/32");
    EXPECT_EQ(to_string(cut(client, 96 + 20)), "198.51.96.0/20");
}

}  // namespace
}  // namespace fulcrum
