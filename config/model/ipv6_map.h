// An immutable map from an IPv6 address, with a small number beside it, to a 32-bit value: the name
// of an address that the snapshot knows, the next hop of a neighbour on a port. The greater sister
// of EndpointMap, for keys that no word holds. Built off the workers, read by them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config/model/address.h"
#include "config/model/hash.h"

namespace fulcrum {

class Ipv6Map {
  public:
    static constexpr std::uint32_t absent = 0xFFFF'FFFF;

    struct Pair {
        Ipv6Address address;
        std::uint32_t tag = 0;
        std::uint32_t value = 0;  // not `absent`
    };

    Ipv6Map() : Ipv6Map(std::span<const Pair>{}) {}
    // A repeated key keeps its first value.
    explicit Ipv6Map(std::span<const Pair> pairs);

    std::uint32_t find(const Ipv6Address& address, std::uint32_t tag = 0) const {
        for (std::size_t at = home_of(address, tag);; at = (at + 1) & mask_) {
            const Pair& slot = slots_[at];
            if (slot.value == absent || (slot.address == address && slot.tag == tag)) {
                return slot.value;
            }
        }
    }

  private:
    std::size_t home_of(const Ipv6Address& address, std::uint32_t tag) const {
        return folded_multiply(address.word(0) ^ 0x9E3779B97F4A7C15ULL ^ tag,
                               address.word(1) ^ 0xD1B54A32D192ED03ULL) &
               mask_;
    }

    std::vector<Pair> slots_;  // free: its value is `absent`
    std::size_t mask_ = 0;
};

}  // namespace fulcrum
