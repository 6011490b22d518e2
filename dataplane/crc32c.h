// CRC32c, SCTP's checksum (RFC 9260, appendix A), and its update without the payload: a CRC is
// linear, so what a change of some octets does to it depends on the change and on how many octets
// follow, and on nothing else. What was wrong before stays wrong after, as with checksum.h. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace fulcrum {

// Polynomials over two elements, modulo CRC32c's: the uppermost bit is x^0.
namespace crc32c_field {

constexpr std::uint32_t one = 0x8000'0000;

constexpr std::uint32_t times_x(std::uint32_t value) {
    constexpr std::uint32_t polynomial = 0x82F6'3B78;
    return (value >> 1) ^ ((value & 1) != 0 ? polynomial : 0);
}

constexpr std::uint32_t product(std::uint32_t a, std::uint32_t b) {
    std::uint32_t sum = 0;
    for (int bit = 31; bit >= 0; --bit) {
        sum ^= ((a >> bit) & 1) != 0 ? b : 0;
        b = times_x(b);
    }
    return sum;
}

// x^(8 * octets): what so many octets of zero make of a register.
std::uint32_t past_octets(std::size_t octets);

}  // namespace crc32c_field

// Of pieces in their order; each may have any length.
class Crc32c {
  public:
    void add(std::span<const std::uint8_t> octets);
    std::uint32_t value() const { return ~state_; }

  private:
    std::uint32_t state_ = 0xFFFF'FFFF;
};

// What becomes of the CRC of `length` octets, 4 to 65,535, when the first four of them, as a
// little-endian word, have changed by `difference` (exclusive or).
inline std::uint32_t crc32c_after_change(std::uint32_t crc, std::uint32_t difference,
                                         std::size_t length) {
    return crc ^ crc32c_field::product(difference, crc32c_field::past_octets(length));
}

}  // namespace fulcrum
