// Against published vectors (RFC 3720, B.4) and a CRC that goes bit by bit.
#include "dataplane/crc32c.h"

#include <gtest/gtest.h>

#include <random>
#include <string_view>
#include <vector>

namespace fulcrum {
namespace {

using Octets = std::vector<std::uint8_t>;

std::uint32_t crc_of(const Octets& octets) {
    Crc32c crc;
    crc.add(octets);
    return crc.value();
}

std::uint32_t naive_crc(const Octets& octets) {
    std::uint32_t crc = 0xFFFF'FFFF;
    for (const std::uint8_t octet : octets) {
        crc ^= octet;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F6'3B78 : crc >> 1;
        }
    }
    return ~crc;
}

Octets random_octets(std::size_t length) {
    static std::mt19937 random{7};
    Octets octets(length);
    for (std::uint8_t& octet : octets) {
        octet = static_cast<std::uint8_t>(random());
    }
    return octets;
}

TEST(Crc32c, IsThePublishedOne) {
    constexpr std::string_view digits = "123456789";
    EXPECT_EQ(crc_of(Octets(32, 0x00)), 0x8A91'36AAU);
    EXPECT_EQ(crc_of(Octets(32, 0xFF)), 0x62A8'AB43U);
    EXPECT_EQ(crc_of(Octets(digits.begin(), digits.end())), 0xE306'9283U);
}

TEST(Crc32c, IsTheSameInPieces) {
    for (std::size_t length = 0; length < 40; ++length) {
        const Octets octets = random_octets(length);
        EXPECT_EQ(crc_of(octets), naive_crc(octets)) << length;
        Crc32c in_pieces;
        in_pieces.add(std::span{octets}.first(length / 3));
        in_pieces.add(std::span{octets}.subspan(length / 3));
        EXPECT_EQ(in_pieces.value(), naive_crc(octets)) << length;
    }
}

// Around the sizes of its tables, and at both ends.
TEST(Crc32c, FollowsAChangeOfTheFirstFourOctets) {
    for (const std::size_t length :
         {4U, 5U, 12U, 255U, 256U, 257U, 511U, 512U, 1'480U, 9'000U, 65'535U}) {
        Octets octets = random_octets(length);
        const std::uint32_t before = naive_crc(octets);
        const Octets difference = random_octets(4);
        std::uint32_t word = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            octets[i] ^= difference[i];
            word |= std::uint32_t{difference[i]} << (8 * i);
        }
        EXPECT_EQ(crc32c_after_change(before, word, length), naive_crc(octets)) << length;
    }
}

TEST(Crc32c, KeepsAnErrorOfThePayloadWrong) {
    Octets octets = random_octets(100);
    const std::uint32_t before = naive_crc(octets);
    octets[60] ^= 4;  // on the way to us
    octets[0] ^= 1;   // by us
    EXPECT_NE(crc32c_after_change(before, 1, octets.size()), naive_crc(octets));
}

}  // namespace
}  // namespace fulcrum
