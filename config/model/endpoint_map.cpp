// Building the map: twice as many slots as keys, rounded up to a power of two.
#include "config/model/endpoint_map.h"

#include <algorithm>
#include <bit>

namespace fulcrum {

EndpointMap::EndpointMap(std::span<const Pair> pairs) {
    const std::size_t slot_count = std::bit_ceil(std::max<std::size_t>(16, pairs.size() * 2));
    slots_.resize(slot_count);
    mask_ = slot_count - 1;
    shift_ = 64U - static_cast<unsigned>(std::countr_zero(slot_count));
    for (const Pair& pair : pairs) {
        std::size_t at = home_of(pair.key);
        while (slots_[at].key != 0 && slots_[at].key != pair.key) {
            at = (at + 1) & mask_;
        }
        if (slots_[at].key == 0) {
            slots_[at] = {pair.key, pair.value};
        }
    }
}

}  // namespace fulcrum
