// The two keyed hashes of the product. SipHash-2-4 (Aumasson and Bernstein, 2012) turns names and
// seeds into keys and permutations: slow, and equal on every machine, so that two directors agree.
// The folded multiplication turns one packet's few words into 64 bits in about five cycles: it
// places sessions in buckets and draws slots of a ring. Its key is secret, because who can compute
// it can fill one bucket at will. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace fulcrum {

struct HashKey {
    std::uint64_t low = 0;
    std::uint64_t high = 0;

    friend constexpr bool operator==(HashKey, HashKey) = default;
};

std::uint64_t siphash_2_4(HashKey key, std::string_view bytes);

// A key for one purpose ("ring", "owner"), the same wherever `seed` is the same.
HashKey derive_key(std::string_view seed, std::string_view purpose);

constexpr std::uint64_t folded_multiply(std::uint64_t a, std::uint64_t b) {
    __extension__ using uint128 = unsigned __int128;
    const uint128 product = static_cast<uint128>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Two words under a key. The second round keeps an operand that happens to be zero from erasing
// the other.
constexpr std::uint64_t hash_words(HashKey key, std::uint64_t first, std::uint64_t second) {
    const std::uint64_t mixed = folded_multiply(first ^ key.low, second ^ key.high);
    return folded_multiply(mixed ^ 0x9E3779B97F4A7C15ULL, key.low ^ (first + second));
}

// A number below `bound`, spread evenly, from 32 random bits: Lemire's multiplication in place of a
// division, and the reason why no table of ours needs a power of two.
constexpr std::uint32_t scaled(std::uint32_t random, std::uint32_t bound) {
    return static_cast<std::uint32_t>((std::uint64_t{random} * bound) >> 32);
}

}  // namespace fulcrum
