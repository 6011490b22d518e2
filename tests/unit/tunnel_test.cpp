// Outer headers, octet by octet, as the RFCs draw them.
#include "config/model/tunnel.h"

#include <gtest/gtest.h>

#include <vector>

namespace fulcrum {
namespace {

using Octets = std::vector<unsigned>;

constexpr Ipv4Address ours = Ipv4Address::of(192, 0, 2, 1);
constexpr Ipv4Address real = Ipv4Address::of(198, 51, 100, 9);
constexpr NextHop hop{
    .destination = {{2, 0, 0, 0, 0, 9}}, .port = 1, .is_resolved = true, .mtu = 1'500};

Octets header_of(const Tunnel& tunnel) {
    return {tunnel.header.begin(), tunnel.header.begin() + tunnel.header_length};
}

TEST(Tunnel, IpipIsAnIpv4HeaderOfProtocol4) {
    const Tunnel tunnel = prepare_tunnel(ForwardingMode::ipip, {}, hop, ours, real);
    EXPECT_EQ(header_of(tunnel), (Octets{0x45, 0, 0, 0, 0,   0,  0,   0, 0, 4, 0, 0,  //
                                         192,  0, 2, 1, 198, 51, 100, 9}));
    EXPECT_EQ(tunnel.mtu, 1'480);
    EXPECT_EQ(tunnel.destination, hop.destination);
    EXPECT_TRUE(tunnel.is_resolved);
}

TEST(Tunnel, GueIsUdpAndFourOctetsThatNameTheProtocolWithin) {
    const Tunnel tunnel =
        prepare_tunnel(ForwardingMode::gue, {.port = be16{6'080}}, hop, ours, real);
    EXPECT_EQ(header_of(tunnel), (Octets{0x45, 0, 0,    0,    0,   0,  0,   0, 0, 17, 0, 0,  //
                                         192,  0, 2,    1,    198, 51, 100, 9,               //
                                         0,    0, 0x17, 0xC0, 0,   0,  0,   0,               //
                                         0,    4, 0,    0}));
    EXPECT_EQ(tunnel.mtu, 1'468);
}

TEST(Tunnel, GreIsFourOctetsOrEightWithAChecksum) {
    const Tunnel plain = prepare_tunnel(ForwardingMode::gre, {}, hop, ours, real);
    EXPECT_EQ(header_of(plain), (Octets{0x45, 0, 0, 0, 0,   0,  0,   0, 0, 47, 0, 0,  //
                                        192,  0, 2, 1, 198, 51, 100, 9,               //
                                        0,    0, 8, 0}));
    EXPECT_EQ(plain.mtu, 1'476);
    const Tunnel summed =
        prepare_tunnel(ForwardingMode::gre, {.has_checksum = true}, hop, ours, real);
    EXPECT_EQ(header_of(summed), (Octets{0x45, 0, 0, 0, 0,   0,  0,   0, 0, 47, 0, 0,  //
                                         192,  0, 2, 1, 198, 51, 100, 9,               //
                                         0x80, 0, 8, 0, 0,   0,  0,   0}));
    EXPECT_EQ(summed.mtu, 1'472);
}

TEST(Tunnel, LeavesNothingOfAnMtuThatIsTooSmall) {
    NextHop narrow = hop;
    narrow.mtu = 20;
    EXPECT_EQ(prepare_tunnel(ForwardingMode::ipip, {}, narrow, ours, real).mtu, 0);
}

}  // namespace
}  // namespace fulcrum
