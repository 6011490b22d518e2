// What two services may claim of one VIP, and what not.
#include "config/listener_clashes.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

class ListenerClashesTest : public testing::Test {
  protected:
    // Whether somebody has a listener of these ports already.
    bool clashes(PortRange ports, IpPrefix vip = {Ipv4Address::of(10, 0, 0, 80), 32},
                 L4Protocol protocol = L4Protocol::tcp) {
        return clashes_.add(service_, {.vip = vip, .ports = ports, .protocol = protocol})
            .has_value();
    }

    VirtualService service_;
    ListenerClashes clashes_;
};

TEST_F(ListenerClashesTest, APortIsClaimedOnceAProtocol) {
    EXPECT_FALSE(clashes(PortRange::only(443)));
    EXPECT_TRUE(clashes(PortRange::only(443)));
    EXPECT_FALSE(
        clashes(PortRange::only(443), {Ipv4Address::of(10, 0, 0, 80), 32}, L4Protocol::udp));
    EXPECT_FALSE(clashes(PortRange::only(443), {Ipv4Address::of(10, 0, 0, 81), 32}));
}

TEST_F(ListenerClashesTest, RangesMayNotMeet) {
    EXPECT_FALSE(clashes({8'000, 8'099}));
    EXPECT_FALSE(clashes({8'200, 8'299}));
    EXPECT_TRUE(clashes({8'099, 8'100}));
    EXPECT_TRUE(clashes({7'000, 9'000}));
    EXPECT_TRUE(clashes({8'199, 8'200}));
    EXPECT_FALSE(clashes({8'100, 8'199}));
}

TEST_F(ListenerClashesTest, APortMayLieInARangeAndBothBesideAllPorts) {
    EXPECT_FALSE(clashes({8'000, 8'099}));
    EXPECT_FALSE(clashes(PortRange::only(8'080)));
    EXPECT_FALSE(clashes(PortRange::any()));
    EXPECT_TRUE(clashes(PortRange::any()));
}

TEST_F(ListenerClashesTest, ABlockClaimsEachOfItsAddresses) {
    EXPECT_FALSE(clashes(PortRange::only(80), {Ipv4Address::of(10, 0, 0, 64), 28}));
    EXPECT_TRUE(clashes(PortRange::only(80), {Ipv4Address::of(10, 0, 0, 79), 32}));
    EXPECT_FALSE(clashes(PortRange::only(80), {Ipv4Address::of(10, 0, 0, 80), 32}));
}

TEST_F(ListenerClashesTest, TheFirstAddressThatTwoClaimIsNamed) {
    clashes(PortRange::only(80), {Ipv4Address::of(10, 0, 0, 70), 32});
    const auto met = clashes_.add(
        service_, {.vip = {Ipv4Address::of(10, 0, 0, 64), 28}, .ports = PortRange::only(80)});
    ASSERT_TRUE(met.has_value());
    EXPECT_EQ(met->point.vip, Ipv4Address::of(10, 0, 0, 70));
}

}  // namespace
}  // namespace fulcrum
