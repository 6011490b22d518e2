// Headers laid down octet by octet, and how they are said.
#include "controlplane/packet_words.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace fulcrum {
namespace {

using Octets = std::vector<std::uint8_t>;
using Words = std::vector<std::string>;

Octets joined(std::initializer_list<Octets> parts) {
    Octets all;
    for (const Octets& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

Octets ethernet(std::uint8_t high, std::uint8_t low) {
    Octets octets(14, 0);
    octets[12] = high;
    octets[13] = low;
    return octets;
}

Octets ipv4(std::uint8_t protocol, std::uint8_t last = 1) {
    return {0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, last, 10, 0, 0, 2};
}

Octets ipv6(std::uint8_t protocol) {
    Octets octets(40, 0);
    octets[0] = 0x60;
    octets[6] = protocol;
    octets[8] = octets[24] = 0x20;
    octets[9] = octets[25] = 0x01;
    octets[23] = 1;
    octets[39] = 2;
    return octets;
}

const Octets ports{0x9C, 0x40, 0x00, 0x50, 0, 0, 0, 0};  // 40000, 80

TEST(PacketWords, SayAPlainPacket) {
    EXPECT_EQ(packet_in_words(joined({ethernet(0x08, 0x00), ipv4(6), ports})),
              (Words{"ipv4 10.0.0.1 > 10.0.0.2", "tcp 40000 > 80"}));
    EXPECT_EQ(packet_in_words(joined({ethernet(0x86, 0xDD), ipv6(132), ports})),
              (Words{"ipv6 2001:0:0:0:0:0:0:1 > 2001:0:0:0:0:0:0:2", "sctp 40000 > 80"}));
    EXPECT_EQ(packet_in_words(joined({ethernet(0x08, 0x00), ipv4(1), {3, 4}})),
              (Words{"ipv4 10.0.0.1 > 10.0.0.2", "icmp type 3"}));
    EXPECT_EQ(packet_in_words(joined({ethernet(0x08, 0x00), ipv4(89), {3, 4}})),
              (Words{"ipv4 10.0.0.1 > 10.0.0.2", "protocol 89"}));
}

TEST(PacketWords, SayTunnelsOutermostFirst) {
    const Octets inner = joined({ipv4(17, 9), ports});
    const Words tail{"ipv4 10.0.0.9 > 10.0.0.2", "udp 40000 > 80"};
    const auto expect = [&](const Octets& frame, Words head) {
        head.insert(head.end(), tail.begin(), tail.end());
        EXPECT_EQ(packet_in_words(frame), head);
    };
    expect(joined({ethernet(0x08, 0x00), ipv4(4), inner}), {"ipv4 10.0.0.1 > 10.0.0.2"});
    expect(joined({ethernet(0x08, 0x00), ipv4(47), {0, 0, 0x08, 0x00}, inner}),
           {"ipv4 10.0.0.1 > 10.0.0.2", "gre"});
    expect(joined({ethernet(0x08, 0x00),
                   ipv4(17),
                   {0x80, 0x00, 0x17, 0xC0, 0, 0, 0, 0},
                   {0x00, 0x04, 0, 0},
                   inner}),
           {"ipv4 10.0.0.1 > 10.0.0.2", "udp 32768 > 6080", "gue"});
    expect(joined({ethernet(0x81, 0x00), {0x20, 0x07, 0x86, 0xDD}, ipv6(4), inner}),
           {"vlan 7", "ipv6 2001:0:0:0:0:0:0:1 > 2001:0:0:0:0:0:0:2"});
}

TEST(PacketWords, StopWhereTheOctetsDo) {
    const Octets whole = joined({ethernet(0x08, 0x00), ipv4(6), ports});
    for (std::size_t length = 0; length < 34; ++length) {
        EXPECT_TRUE(packet_in_words({whole.data(), length}).empty()) << length;
    }
    EXPECT_EQ(packet_in_words({whole.data(), 37}), (Words{"ipv4 10.0.0.1 > 10.0.0.2"}));
}

TEST(PacketWords, EndWithinAChainOfTunnelsWithoutEnd) {
    Octets frame = ethernet(0x08, 0x00);
    for (int i = 0; i < 20; ++i) {
        const Octets layer = ipv4(4);
        frame.insert(frame.end(), layer.begin(), layer.end());
    }
    EXPECT_EQ(packet_in_words(frame).size(), 8U);
}

}  // namespace
}  // namespace fulcrum
