// What a link is told when an address has moved.
#include "controlplane/kernel/announcement.h"

#include <gtest/gtest.h>

#include "controlplane/kernel/address_claims.h"

namespace fulcrum {
namespace {

using Frame = std::vector<std::uint8_t>;

constexpr MacAddress mac{{2, 0, 0, 0, 0, 0x11}};

TEST(Announcement, IsAGratuitousArpOfBothForms) {
    const auto frames = announcement_of(Ipv4Address::of(10, 1, 0, 80), mac);
    const Frame request{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0,  0x11, 8, 6,
                        0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0,    0, 0x11,
                        10,   1,    0,    80,   0,    0,    0, 0, 0, 0, 10, 1,    0, 80};
    Frame reply = request;
    reply[21] = 2;
    std::copy(mac.bytes.begin(), mac.bytes.end(), reply.begin() + 32);
    EXPECT_EQ(frames, (std::vector<Frame>{request, reply}));
}

TEST(Announcement, IsAnUnsolicitedNeighbourAdvertisementThatOverrides) {
    const auto frames = announcement_of(parse_ip_address("2001:db8:1::80").value(), mac);
    ASSERT_EQ(frames.size(), 1U);
    const Frame& frame = frames[0];
    ASSERT_EQ(frame.size(), 14U + 40U + 32U);
    EXPECT_EQ((Frame{frame.begin(), frame.begin() + 6}), (Frame{0x33, 0x33, 0, 0, 0, 1}));
    EXPECT_EQ(frame[21], 255);
    EXPECT_EQ(frame[54], 136);
    EXPECT_EQ(frame[58], 0xA0);
    // By hand: 0x2001 + 0x0DB8 + 1 + 0x80, twice, and 0xFF02 + 1, 0x8800, 0xA000, 0x0201, 0x0200,
    // 0x0011, 58, 32 make 0x287E3, folded 0x87E5, turned 0x781A
    EXPECT_EQ(frame[56], 0x78);
    EXPECT_EQ(frame[57], 0x1A);
}

TEST(Announcement, IsUnderstoodByWhoWatchesForClaims) {
    for (const char* text : {"10.1.0.80", "2001:db8:1::80"}) {
        const IpAddress address = parse_ip_address(text).value();
        for (const Frame& frame : announcement_of(address, mac)) {
            EXPECT_EQ(claim_in(frame), (AddressClaim{address, mac}));
        }
    }
}

}  // namespace
}  // namespace fulcrum
