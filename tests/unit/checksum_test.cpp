// The Internet checksum against the examples of its RFCs, and its updates against naive sums.
#include "dataplane/checksum.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "tests/support/packet.h"

namespace fulcrum::test {
namespace {

TEST(Checksum, IsThatOfRfc1071sExample) {
    // RFC 1071, section 3: 00 01 f2 03 f4 f5 f6 f7 sums up to ddf2.
    constexpr std::array<std::uint8_t, 8> octets{0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7};
    EXPECT_EQ(checksum_of(octets.data(), octets.size()).host(), 0x220D);
}

TEST(Checksum, IsThatOfAKnownHeader) {
    constexpr std::array<std::uint8_t, 20> header{0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40,
                                                  0x00, 0x40, 0x11, 0x00, 0x00, 0xC0, 0xA8,
                                                  0x00, 0x01, 0xC0, 0xA8, 0x00, 0xC7};
    EXPECT_EQ(checksum_of(header.data(), header.size()).host(), 0xB861);
}

TEST(Checksum, PadsAnOddOctetWithZero) {
    constexpr std::array<std::uint8_t, 4> padded{0x12, 0x34, 0x56, 0x00};
    EXPECT_EQ(checksum_of(padded.data(), 3), checksum_of(padded.data(), 4));
    EXPECT_EQ(checksum_of(padded.data(), 3).host(), static_cast<std::uint16_t>(~0x6834));
}

TEST(Checksum, OfAnyOctetsEqualsTheNaiveSum) {
    std::mt19937 random{7};
    for (std::size_t length = 1; length < 200; ++length) {
        Frame octets(length);
        for (std::uint8_t& octet : octets) {
            octet = static_cast<std::uint8_t>(random());
        }
        ASSERT_EQ(checksum_of(octets.data(), length).host(),
                  static_cast<std::uint16_t>(~naive_sum(octets, 0, length)))
            << "length " << length;
    }
}

TEST(Checksum, OfTheLongestPacketDoesNotOverflow) {
    const Frame octets(65'535, 0xFF);
    EXPECT_EQ(checksum_of(octets.data(), octets.size()).host(),
              static_cast<std::uint16_t>(~naive_sum(octets, 0, octets.size())));
}

TEST(ChecksumDelta, IsThatOfRfc1624sExample) {
    // RFC 1624, section 4: checksum dd2f, a field goes from 5555 to 3285, the result is 0000 and
    // not ffff.
    ChecksumDelta delta;
    delta.change(be16{0x5555}, be16{0x3285});
    EXPECT_EQ(delta.applied_to(be16{0xDD2F}).host(), 0x0000);
}

TEST(ChecksumDelta, ThatChangesNothingLeavesAnyChecksum) {
    ChecksumDelta delta;
    delta.change(be16{0x1234}, be16{0x1234});
    delta.change(Ipv4Address::of(10, 0, 0, 1), Ipv4Address::of(10, 0, 0, 1));
    EXPECT_EQ(delta.applied_to(be16{0xABCD}).host(), 0xABCD);
}

TEST(ChecksumDelta, EqualsANewSumAfterAnyChange) {
    std::mt19937 random{11};
    for (unsigned i = 0; i < 100'000; ++i) {
        Frame octets(20);
        for (std::uint8_t& octet : octets) {
            octet = static_cast<std::uint8_t>(random());
        }
        const auto before = static_cast<std::uint16_t>(~naive_sum(octets, 0, octets.size()));
        const Ipv4Address address = Ipv4Address::from_host(static_cast<std::uint32_t>(random()));
        const be16 port{static_cast<std::uint16_t>(random())};
        Ipv4Address old_address;
        be16 old_port;
        std::memcpy(&old_address, &octets[4], sizeof(old_address));
        std::memcpy(&old_port, &octets[10], sizeof(old_port));

        ChecksumDelta delta;
        delta.change(old_address, address);
        delta.change(old_port, port);
        std::memcpy(&octets[4], &address, sizeof(address));
        std::memcpy(&octets[10], &port, sizeof(port));

        const std::uint16_t after = delta.applied_to(be16{before}).host();
        const auto expected = static_cast<std::uint16_t>(~naive_sum(octets, 0, octets.size()));
        ASSERT_EQ(after, expected);
    }
}

TEST(ChecksumDelta, KeepsAWrongChecksumWrong) {
    ChecksumDelta delta;
    delta.change(be16{80}, be16{8'080});
    // Off by one before, off by one after: the receiver still sees it.
    EXPECT_EQ(delta.applied_to(be16{0x4001}).host(), delta.applied_to(be16{0x4000}).host() + 1);
}

TEST(ChecksumDelta, LeavesUdpsZeroBecauseThereIsNone) {
    ChecksumDelta delta;
    delta.change(be16{53}, be16{5'353});
    EXPECT_EQ(delta.applied_to_udp(be16{0}).host(), 0);
}

TEST(ChecksumDelta, SendsAComputedZeroOfUdpAsAllOnes) {
    ChecksumDelta delta;
    delta.change(be16{0x5555}, be16{0x3285});
    EXPECT_EQ(delta.applied_to_udp(be16{0xDD2F}).host(), 0xFFFF);
}

TEST(PseudoHeader, IsThatOfRfc768) {
    // 192.168.0.1 to 192.168.0.199, UDP, 95 octets: c0a8 + 0001 + c0a8 + 00c7 + 0011 + 005f.
    const ChecksumSum sum = pseudo_header_sum(Ipv4Address::of(192, 168, 0, 1),
                                              Ipv4Address::of(192, 168, 0, 199), 17, 95);
    EXPECT_EQ(be16::from_wire(sum.folded()).host(), 0x8289);
}

}  // namespace
}  // namespace fulcrum::test
