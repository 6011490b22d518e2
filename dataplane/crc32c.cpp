// The processor's own instruction computes the whole; two small tables the powers.
#include "dataplane/crc32c.h"

#include <nmmintrin.h>

#include <cstring>

namespace fulcrum {
namespace {

constexpr std::size_t table_size = 256;
using Powers = std::array<std::uint32_t, table_size>;

// The powers of x^(8 * step), from x^0.
constexpr Powers powers_of(std::size_t step) {
    std::uint32_t factor = crc32c_field::one;
    for (std::size_t i = 0; i < 8 * step; ++i) {
        factor = crc32c_field::times_x(factor);
    }
    Powers powers{};
    std::uint32_t power = crc32c_field::one;
    for (std::uint32_t& entry : powers) {
        entry = power;
        power = crc32c_field::product(power, factor);
    }
    return powers;
}

constexpr Powers past_single = powers_of(1);
constexpr Powers past_tables = powers_of(table_size);

}  // namespace

std::uint32_t crc32c_field::past_octets(std::size_t octets) {
    return product(past_single[octets % table_size], past_tables[octets / table_size % table_size]);
}

void Crc32c::add(std::span<const std::uint8_t> octets) {
    const std::uint8_t* at = octets.data();
    std::size_t left = octets.size();
    for (; left >= sizeof(std::uint64_t); left -= sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof(word));
        state_ = static_cast<std::uint32_t>(_mm_crc32_u64(state_, word));
        at += sizeof(word);
    }
    for (; left > 0; --left) {
        state_ = _mm_crc32_u8(state_, *at++);
    }
}

}  // namespace fulcrum
