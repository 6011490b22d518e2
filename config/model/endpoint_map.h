// An immutable map from (address, port, protocol) to a 32-bit value: which listener a packet is
// addressed to, which real it comes from. Addresses are named by 32 bits, so one map serves both IP
// families. Open addressing at half load, one 16-byte slot a key, so
// a look-up is one multiplication and mostly one cache line. Built off the workers, read by them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config/model/address.h"

namespace fulcrum {

constexpr IpFamily family_of(bool is_ipv6) { return is_ipv6 ? IpFamily::v6 : IpFamily::v4; }

// What stands in a key in the place of an L4 protocol where something else is looked up.
namespace endpoint_kind {
inline constexpr std::uint8_t local_address = 252;
inline constexpr std::uint8_t tunnel_end = 253;
inline constexpr std::uint8_t neighbour = 254;
inline constexpr std::uint8_t address = 255;
}  // namespace endpoint_kind

class EndpointMap {
  public:
    static constexpr std::uint32_t absent = 0xFFFF'FFFF;

    // Never zero: the protocol is not. Zero marks a free slot.
    static constexpr std::uint64_t key_of(AddressName address, be16 port, std::uint8_t protocol,
                                          IpFamily family = IpFamily::v4) {
        return address.value.wire() | (std::uint64_t{port.wire()} << 32) |
               (std::uint64_t{protocol} << 48) |
               (std::uint64_t{static_cast<std::uint8_t>(family)} << 56);
    }

    static constexpr be16 port_of(std::uint64_t key) {
        return be16::from_wire(static_cast<std::uint16_t>(key >> 32));
    }
    static constexpr std::uint64_t without_port(std::uint64_t key) {
        return key & ~(std::uint64_t{0xFFFF} << 32);
    }

    struct Pair {
        std::uint64_t key;
        std::uint32_t value;  // not `absent`
    };

    EndpointMap() : EndpointMap(std::span<const Pair>{}) {}
    // Keys are unique; a repeated key keeps its first value.
    explicit EndpointMap(std::span<const Pair> pairs);

    std::uint32_t find(std::uint64_t key) const {
        for (std::size_t at = home_of(key);; at = (at + 1) & mask_) {
            if (slots_[at].key == key) {
                return slots_[at].value;
            }
            if (slots_[at].key == 0) {
                return absent;
            }
        }
    }

    void prefetch(std::uint64_t key) const { __builtin_prefetch(&slots_[home_of(key)]); }

  private:
    std::size_t home_of(std::uint64_t key) const { return (key * 0x9E3779B97F4A7C15ULL) >> shift_; }

    struct Slot {
        std::uint64_t key = 0;
        std::uint32_t value = absent;
    };

    std::vector<Slot> slots_;
    std::size_t mask_ = 0;
    unsigned shift_ = 0;
};

}  // namespace fulcrum
