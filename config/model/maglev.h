// Maglev's ring (Eisenbud et al., NSDI 2016): each member walks the slots in an order of its own
// and takes the first free one in its turn, so that every member gets its share and the change of
// one member moves few slots of others. Weights by an accumulator: a member's turn comes when its
// weight, summed over the rounds, has reached the greatest weight; a change from 100 to 99 on a
// hundred members then moves about 0.1 % of the slots, where whole turns by quotient move a tenth.
// Members are ordered by name, so two directors that list them differently build the same ring.
// Pure; called on the helper thread: a ring of 65,537 slots takes a millisecond.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "config/model/hash.h"

namespace fulcrum {

struct RingMember {
    std::string_view name;     // unique within the ring
    std::uint32_t weight = 1;  // 0: no slots
    std::uint16_t index = 0;   // what the slots say
};

// `size` is a prime of at least the number of members with weight. Empty when nobody has weight.
std::vector<std::uint16_t> build_ring(std::span<const RingMember> members, std::uint32_t size,
                                      HashKey key);

// How many slots differ between two rings of one size, compared by name of what they say.
std::uint32_t slots_moved(std::span<const std::uint16_t> before,
                          std::span<const std::uint16_t> after);

bool is_prime(std::uint32_t number);

}  // namespace fulcrum
