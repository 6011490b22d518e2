// The Internet checksum (RFC 1071), and its update without the payload (RFC 1624): what was wrong
// before stays wrong after, so that the ends still detect what went bad on the way. Sums are over
// 16-bit words as they lie in memory; the arithmetic is indifferent to byte order. Pure.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "config/model/address.h"

namespace fulcrum {

// A one's-complement sum not yet folded. Room for 2^16 words of each of 2^32 additions' carries.
class ChecksumSum {
  public:
    constexpr ChecksumSum() = default;

    constexpr void add(std::uint16_t word) { sum_ += word; }
    constexpr void add(std::uint32_t two_words) { sum_ += two_words; }
    constexpr void add(be16 value) { sum_ += value.wire(); }
    constexpr void add(Ipv4Address address) { sum_ += address.value.wire(); }
    void add(const void* bytes, std::size_t length) {
        const auto* at = static_cast<const std::uint8_t*>(bytes);
        for (; length >= 4; length -= 4, at += 4) {
            std::uint32_t word = 0;
            std::memcpy(&word, at, 4);
            sum_ += word;
        }
        if (length > 0) {
            std::uint32_t last = 0;
            std::memcpy(&last, at, length);
            sum_ += last;
        }
    }

    void add(const Ipv6Address& address) { add(address.octets.data(), address.octets.size()); }

    // A word added to itself, turned by half, has the sum of its halves in the upper one, with the
    // carry that came round from the lower.
    constexpr std::uint16_t folded() const {
        const auto sum = static_cast<std::uint32_t>((sum_ + std::rotl(sum_, 32)) >> 32);
        return static_cast<std::uint16_t>((sum + std::rotl(sum, 16)) >> 16);
    }

  private:
    std::uint64_t sum_ = 0;
};

// What a change of some words does to every checksum that covers them: ~old + new of each.
class ChecksumDelta {
  public:
    constexpr void change(std::uint16_t before, std::uint16_t after) {
        sum_.add(static_cast<std::uint16_t>(~before));
        sum_.add(after);
    }
    constexpr void change(be16 before, be16 after) { change(before.wire(), after.wire()); }
    constexpr void change(Ipv4Address before, Ipv4Address after) {
        sum_.add(std::uint32_t{~before.value.wire()});
        sum_.add(after.value.wire());
    }
    void change(const Ipv6Address& before, const Ipv6Address& after) {
        for (std::size_t octet = 0; octet < before.octets.size(); octet += 4) {
            std::uint32_t word = 0;
            std::memcpy(&word, before.octets.data() + octet, sizeof(word));
            sum_.add(~word);
        }
        sum_.add(after);
    }
    // A word has become smaller by that much, whatever it was.
    constexpr void decrease(be16 by) { sum_.add(static_cast<std::uint16_t>(~by.wire())); }

    // HC' = ~(~HC + ~m + m'), RFC 1624 equation 3.
    constexpr be16 applied_to(be16 checksum) const {
        ChecksumSum sum = sum_;
        sum.add(static_cast<std::uint16_t>(~checksum.wire()));
        return be16::from_wire(static_cast<std::uint16_t>(~sum.folded()));
    }
    // UDP's: zero means that there is none and stays; a computed zero is sent as all ones.
    constexpr be16 applied_to_udp(be16 checksum) const {
        if (checksum.wire() == 0) {
            return checksum;
        }
        const be16 updated = applied_to(checksum);
        return updated.wire() == 0 ? be16::from_wire(0xFFFF) : updated;
    }

  private:
    ChecksumSum sum_;
};

// The checksum of `length` octets with the checksum field among them set to zero.
inline be16 checksum_of(const void* bytes, std::size_t length) {
    ChecksumSum sum;
    sum.add(bytes, length);
    return be16::from_wire(static_cast<std::uint16_t>(~sum.folded()));
}

// The pseudo-header's share of a TCP or UDP checksum, and of ICMPv6's.
template <typename Address>
ChecksumSum pseudo_header_sum(const Address& source, const Address& destination,
                              std::uint8_t protocol, std::uint16_t l4_length) {
    ChecksumSum sum;
    sum.add(source);
    sum.add(destination);
    sum.add(be16{protocol});
    sum.add(be16{l4_length});
    return sum;
}

}  // namespace fulcrum
