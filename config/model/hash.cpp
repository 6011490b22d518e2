// SipHash-2-4 from its paper: four words of state, two rounds a block, four at the end.
#include "config/model/hash.h"

#include <bit>
#include <cstring>

namespace fulcrum {
namespace {

struct SipState {
    std::uint64_t v0, v1, v2, v3;

    void round() {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    }

    void absorb(std::uint64_t block) {
        v3 ^= block;
        round();
        round();
        v0 ^= block;
    }
};

}  // namespace

std::uint64_t siphash_2_4(HashKey key, std::string_view bytes) {
    SipState state{key.low ^ 0x736f6d6570736575ULL, key.high ^ 0x646f72616e646f6dULL,
                   key.low ^ 0x6c7967656e657261ULL, key.high ^ 0x7465646279746573ULL};
    const std::uint64_t length_byte = std::uint64_t{bytes.size()} << 56;
    while (bytes.size() >= 8) {
        std::uint64_t block = 0;
        std::memcpy(&block, bytes.data(), 8);
        state.absorb(block);
        bytes.remove_prefix(8);
    }
    std::uint64_t last = 0;
    std::memcpy(&last, bytes.data(), bytes.size());
    state.absorb(last | length_byte);
    state.v2 ^= 0xFF;
    for (int i = 0; i < 4; ++i) {
        state.round();
    }
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

HashKey derive_key(std::string_view seed, std::string_view purpose) {
    const HashKey seed_key{siphash_2_4({}, seed), siphash_2_4({1, 0}, seed)};
    return {siphash_2_4(seed_key, purpose), siphash_2_4({seed_key.high, seed_key.low}, purpose)};
}

}  // namespace fulcrum
