// Building the map: twice as many slots as keys, rounded up to a power of two.
#include "config/model/ipv6_map.h"

#include <algorithm>
#include <bit>

namespace fulcrum {

Ipv6Map::Ipv6Map(std::span<const Pair> pairs) {
    const std::size_t slot_count = std::bit_ceil(std::max<std::size_t>(16, pairs.size() * 2));
    slots_.resize(slot_count, Pair{.address = {}, .tag = 0, .value = absent});
    mask_ = slot_count - 1;
    for (const Pair& pair : pairs) {
        std::size_t at = home_of(pair.address, pair.tag);
        while (slots_[at].value != absent &&
               !(slots_[at].address == pair.address && slots_[at].tag == pair.tag)) {
            at = (at + 1) & mask_;
        }
        if (slots_[at].value == absent) {
            slots_[at] = pair;
        }
    }
}

}  // namespace fulcrum
