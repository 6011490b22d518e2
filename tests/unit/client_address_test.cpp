// The octets of both forms, against those of the PROXY protocol's document and of TOA's kernel
// modules, written out by hand.
#include "dataplane/client_address.h"

#include <gtest/gtest.h>

#include "tests/support/packet.h"

namespace fulcrum::test {
namespace {

const Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};
const Endpoint vip{Ipv4Address::of(203, 0, 113, 80), be16{443}};
const Endpoint client6{*parse_ipv6_address("2001:db8:9::7"), be16{40'000}};
const Endpoint vip6{*parse_ipv6_address("2001:db8:1::80"), be16{443}};

TEST(ClientAddress, IsAProxyHeaderOfVersion2OverIpv4) {
    Frame octets(proxy_header_length(true));
    write_proxy_header(octets.data(), L4Protocol::tcp, client, vip);
    EXPECT_EQ(octets, (Frame{0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49,
                             0x54, 0x0A, 0x21, 0x11, 0,    12,   198,  51,   100,  7,
                             203,  0,    113,  80,   0x9C, 0x40, 0x01, 0xBB}));
}

TEST(ClientAddress, IsAProxyHeaderOfVersion2OverIpv6) {
    Frame octets(proxy_header_length(false));
    write_proxy_header(octets.data(), L4Protocol::tcp, client6, vip6);
    EXPECT_EQ(octets, (Frame{0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54,
                             0x0A, 0x21, 0x21, 0,    36,   0x20, 0x01, 0x0D, 0xB8, 0,    9,
                             0,    0,    0,    0,    0,    0,    0,    0,    0,    7,    0x20,
                             0x01, 0x0D, 0xB8, 0,    1,    0,    0,    0,    0,    0,    0,
                             0,    0,    0,    0x80, 0x9C, 0x40, 0x01, 0xBB}));
}

TEST(ClientAddress, SaysThatItIsOfADatagram) {
    Frame octets(proxy_header_length(false));
    write_proxy_header(octets.data(), L4Protocol::udp, client, vip);
    EXPECT_EQ(octets[13], 0x12);
    write_proxy_header(octets.data(), L4Protocol::udp, client6, vip6);
    EXPECT_EQ(octets[13], 0x22);
}

TEST(ClientAddress, IsATcpOptionOf8OctetsOverIpv4And20OverIpv6) {
    Frame octets(toa_option_length(true));
    write_toa_option(octets.data(), client);
    EXPECT_EQ(octets, (Frame{254, 8, 0x9C, 0x40, 198, 51, 100, 7}));
    octets.resize(toa_option_length(false));
    write_toa_option(octets.data(), client6);
    EXPECT_EQ(octets, (Frame{254, 20, 0x9C, 0x40, 0x20, 0x01, 0x0D, 0xB8, 0, 9,
                             0,   0,  0,    0,    0,    0,    0,    0,    0, 7}));
}

}  // namespace
}  // namespace fulcrum::test
