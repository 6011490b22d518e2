// Outer headers, octet by octet, as the RFCs draw them.
#include "config/model/tunnel.h"

#include <gtest/gtest.h>

#include <vector>

namespace fulcrum {
namespace {

using Octets = std::vector<unsigned>;

constexpr Ipv4Address ours = Ipv4Address::of(192, 0, 2, 1);
constexpr Ipv4Address real = Ipv4Address::of(198, 51, 100, 9);
constexpr TunnelEnds ends{ours, real};
constexpr NextHop hop{
    .destination = {{2, 0, 0, 0, 0, 9}}, .port = 1, .is_resolved = true, .mtu = 1'500};

Octets header_of(const Tunnel& tunnel) {
    return {tunnel.header.begin(), tunnel.header.begin() + tunnel.header_length};
}

TEST(Tunnel, IpipIsAnIpv4HeaderOfProtocol4) {
    const Tunnel tunnel = prepare_tunnel(ForwardingMode::ipip, {}, hop, ends);
    EXPECT_EQ(header_of(tunnel), (Octets{0x45, 0, 0, 0, 0,   0,  0,   0, 0, 4, 0, 0,  //
                                         192,  0, 2, 1, 198, 51, 100, 9}));
    EXPECT_EQ(tunnel.mtu, 1'480);
    EXPECT_EQ(tunnel.destination, hop.destination);
    EXPECT_TRUE(tunnel.is_resolved);
}

TEST(Tunnel, GueIsUdpAndFourOctetsThatNameTheProtocolWithin) {
    const Tunnel tunnel = prepare_tunnel(ForwardingMode::gue, {.port = be16{6'080}}, hop, ends);
    EXPECT_EQ(header_of(tunnel), (Octets{0x45, 0, 0,    0,    0,   0,  0,   0, 0, 17, 0, 0,  //
                                         192,  0, 2,    1,    198, 51, 100, 9,               //
                                         0,    0, 0x17, 0xC0, 0,   0,  0,   0,               //
                                         0,    4, 0,    0}));
    EXPECT_EQ(tunnel.mtu, 1'468);
}

TEST(Tunnel, GreIsFourOctetsOrEightWithAChecksum) {
    const Tunnel plain = prepare_tunnel(ForwardingMode::gre, {}, hop, ends);
    EXPECT_EQ(header_of(plain), (Octets{0x45, 0, 0, 0, 0,   0,  0,   0, 0, 47, 0, 0,  //
                                        192,  0, 2, 1, 198, 51, 100, 9,               //
                                        0,    0, 8, 0}));
    EXPECT_EQ(plain.mtu, 1'476);
    const Tunnel summed = prepare_tunnel(ForwardingMode::gre, {.has_checksum = true}, hop, ends);
    EXPECT_EQ(header_of(summed), (Octets{0x45, 0, 0, 0, 0,   0,  0,   0, 0, 47, 0, 0,  //
                                         192,  0, 2, 1, 198, 51, 100, 9,               //
                                         0x80, 0, 8, 0, 0,   0,  0,   0}));
    EXPECT_EQ(summed.mtu, 1'472);
}

// RFC 2473: what follows is said by the next header, and the hop limit is patched.
TEST(Tunnel, IsAnIpv6HeaderToARealOfIpv6) {
    const TunnelEnds ends6{*parse_ipv6_address("2001:db8::1"), *parse_ipv6_address("2001:db8::9")};
    const Octets addresses{0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
                           0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
    const auto expected = [&](unsigned next_header, const Octets& l4) {
        Octets octets{0x60, 0, 0, 0, 0, 0, next_header, 0};
        octets.insert(octets.end(), addresses.begin(), addresses.end());
        octets.insert(octets.end(), l4.begin(), l4.end());
        return octets;
    };
    const Tunnel ipip = prepare_tunnel(ForwardingMode::ipip, {}, hop, ends6);
    EXPECT_EQ(header_of(ipip), expected(4, {}));
    EXPECT_EQ(ipip.mtu, 1'460);
    const Tunnel gue = prepare_tunnel(ForwardingMode::gue, {.port = be16{6'080}}, hop, ends6);
    EXPECT_EQ(header_of(gue), expected(17, {0, 0, 0x17, 0xC0, 0, 0, 0, 0, 0, 4, 0, 0}));
    EXPECT_EQ(gue.mtu, 1'448);
    const Tunnel gre = prepare_tunnel(ForwardingMode::gre, {.has_checksum = true}, hop, ends6);
    EXPECT_EQ(header_of(gre), expected(47, {0x80, 0, 8, 0, 0, 0, 0, 0}));
    EXPECT_EQ(gre.mtu, 1'452);
}

TEST(Tunnel, LeavesNothingOfAnMtuThatIsTooSmall) {
    NextHop narrow = hop;
    narrow.mtu = 20;
    EXPECT_EQ(prepare_tunnel(ForwardingMode::ipip, {}, narrow, ends).mtu, 0);
}

}  // namespace
}  // namespace fulcrum
