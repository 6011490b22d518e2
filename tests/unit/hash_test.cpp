// SipHash against the vectors of its paper and of OpenSSL; the folded multiplication against
// arithmetic done elsewhere.
#include "config/model/hash.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace fulcrum {
namespace {

constexpr HashKey paper_key{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};

std::string bytes_up_to(unsigned count) {
    std::string bytes;
    for (unsigned i = 0; i < count; ++i) {
        bytes.push_back(static_cast<char>(i));
    }
    return bytes;
}

TEST(SipHash, GivesThePapersExample) {
    EXPECT_EQ(siphash_2_4(paper_key, bytes_up_to(15)), 0xa129ca6149be45e5ULL);
}

// openssl mac -macopt hexkey:000102...0f -macopt size:8 SIPHASH, its bytes read as little endian.
TEST(SipHash, AgreesWithOpensslAtEveryKindOfLength) {
    EXPECT_EQ(siphash_2_4(paper_key, bytes_up_to(0)), 0x726fdb47dd0e0e31ULL);
    EXPECT_EQ(siphash_2_4(paper_key, bytes_up_to(1)), 0x74f839c593dc67fdULL);
    EXPECT_EQ(siphash_2_4(paper_key, bytes_up_to(7)), 0xab0200f58b01d137ULL);
    EXPECT_EQ(siphash_2_4(paper_key, bytes_up_to(8)), 0x93f5f5799a932462ULL);
    EXPECT_EQ(siphash_2_4(paper_key, bytes_up_to(63)), 0x958a324ceb064572ULL);
}

TEST(SipHash, ReadsBytesAsUnsigned) {
    EXPECT_NE(siphash_2_4(paper_key, std::string("\xff")),
              siphash_2_4(paper_key, std::string("\x7f")));
    EXPECT_NE(siphash_2_4(paper_key, std::string(1, '\0')), siphash_2_4(paper_key, std::string()));
}

TEST(DerivedKey, DependsOnSeedAndPurposeAlone) {
    EXPECT_EQ(derive_key("fulcrum", "ring"), derive_key("fulcrum", "ring"));
    EXPECT_NE(derive_key("fulcrum", "ring"), derive_key("fulcrum", "owner"));
    EXPECT_NE(derive_key("fulcrum", "ring"), derive_key("fulcrun", "ring"));
    const HashKey key = derive_key("fulcrum", "ring");
    EXPECT_NE(key.low, key.high);
}

// (2^64 - 1)^2 = 2^128 - 2^65 + 1: high word 2^64 - 2, low word 1.
TEST(FoldedMultiply, FoldsTheWholeProduct) {
    EXPECT_EQ(folded_multiply(~0ULL, ~0ULL), 0xffffffffffffffffULL);
    EXPECT_EQ(folded_multiply(0x123456789ABCDEF0ULL, 0x0FEDCBA987654321ULL), 0x2317228f48165bb2ULL);
    EXPECT_EQ(folded_multiply(0, 12345), 0U);
}

TEST(HashWords, GivesWhatPythonComputes) {
    EXPECT_EQ(hash_words(paper_key, 0xC0A80001ULL, 0x5000050ULL), 0xab52dcb7337b0388ULL);
}

// The first operand of the inner product is zero here; the answer must still tell `second` apart.
TEST(HashWords, SurvivesAnOperandThatCancelsTheKey) {
    EXPECT_EQ(hash_words(paper_key, paper_key.low, 0x5000050ULL), 0x69ce3d4ca88aa4fcULL);
    EXPECT_NE(hash_words(paper_key, paper_key.low, 1), hash_words(paper_key, paper_key.low, 2));
}

TEST(Scaled, MapsTheWholeRangeOntoTheBound) {
    EXPECT_EQ(scaled(0, 65'537), 0U);
    EXPECT_EQ(scaled(0xFFFFFFFFU, 65'537), 65'536U);
    EXPECT_EQ(scaled(0x80000000U, 10), 5U);
    EXPECT_EQ(scaled(0xFFFFFFFFU, 1), 0U);
}

// 64,000 client ports in 64 bins: 1,000 each, standard deviation 31; six of them are allowed.
TEST(HashWords, SpreadsConsecutiveClientPortsEvenly) {
    std::map<std::uint32_t, unsigned> bins;
    for (std::uint64_t port = 1'024; port < 65'024; ++port) {
        const std::uint64_t hash =
            hash_words(paper_key, 0xC0A80001ULL | (port << 32), 0x5000050ULL);
        ++bins[scaled(static_cast<std::uint32_t>(hash), 64)];
    }
    ASSERT_EQ(bins.size(), 64U);
    for (const auto& [bin, count] : bins) {
        EXPECT_GT(count, 810U) << "bin " << bin;
        EXPECT_LT(count, 1'190U) << "bin " << bin;
    }
}

}  // namespace
}  // namespace fulcrum
