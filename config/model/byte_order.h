// Integers as they lie on the wire. They never turn into host integers unless asked, so that a
// port compared in the wrong order does not compile. The bytes are stored, not an integer: the
// type then has alignment 1 and a wire struct needs no packing. Pure; any thread.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace fulcrum {

template <std::unsigned_integral T>
class BigEndian {
  public:
    BigEndian() = default;
    constexpr explicit BigEndian(T host) : bytes_{std::bit_cast<Bytes>(swapped(host))} {}

    // The value that a human means.
    constexpr T host() const { return swapped(wire()); }
    // The bytes reread in this machine's order: for comparing, hashing and summing only.
    constexpr T wire() const { return std::bit_cast<T>(bytes_); }

    static constexpr BigEndian from_wire(T wire) {
        BigEndian value{};
        value.bytes_ = std::bit_cast<Bytes>(wire);
        return value;
    }

    // Through the integer: a defaulted comparison of the array makes g++ 12 call memcmp.
    friend constexpr bool operator==(BigEndian a, BigEndian b) { return a.wire() == b.wire(); }
    friend constexpr auto operator<=>(BigEndian a, BigEndian b) { return a.host() <=> b.host(); }

  private:
    using Bytes = std::array<std::uint8_t, sizeof(T)>;

    static constexpr T swapped(T value) {
        static_assert(std::endian::native == std::endian::little);
        if constexpr (sizeof(T) == 2) {
            return __builtin_bswap16(value);
        } else if constexpr (sizeof(T) == 4) {
            return __builtin_bswap32(value);
        } else {
            return __builtin_bswap64(value);
        }
    }

    Bytes bytes_;
};

using be16 = BigEndian<std::uint16_t>;
using be32 = BigEndian<std::uint32_t>;

static_assert(std::is_trivial_v<be32> && alignof(be32) == 1 && sizeof(be32) == 4);

}  // namespace fulcrum
