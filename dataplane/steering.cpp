// Keys and tables of steering, made once at start.
#include "dataplane/steering.h"

#include <cstring>

#include "config/model/hash.h"

namespace fulcrum {

ToeplitzKey owner_key(std::string_view seed) {
    const HashKey base = derive_key(seed, "owner");
    ToeplitzKey key{};
    for (std::size_t i = 0; i < key.size() / 8; ++i) {
        const char block = static_cast<char>('0' + i);
        const std::uint64_t bits = siphash_2_4(base, std::string_view{&block, 1});
        std::memcpy(key.data() + i * 8, &bits, 8);
    }
    return key;
}

std::uint32_t toeplitz(const ToeplitzKey& key, Ipv4Address address) {
    std::uint64_t window = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        window = (window << 8) | key[i];
    }
    const std::uint32_t input = address.host();
    std::uint32_t hash = 0;
    for (unsigned bit = 0; bit < 32; ++bit) {
        if (((input >> (31 - bit)) & 1) != 0) {
            hash ^= static_cast<std::uint32_t>(window >> (32 - bit));
        }
    }
    return hash;
}

Steering::Steering(const ToeplitzKey& key, unsigned worker_count, std::uint8_t owner_prefix) {
    for (unsigned octet = 0; octet < 4; ++octet) {
        for (std::uint32_t value = 0; value < 256; ++value) {
            const Ipv4Address octet_alone{be32::from_wire(value << (8 * octet))};
            const Ipv4Address alone = Ipv4Prefix{octet_alone, owner_prefix}.network();
            slots_by_octet_[octet][value] =
                static_cast<std::uint8_t>(toeplitz(key, alone) % limits::owner_slots_count);
        }
    }
    for (unsigned slot = 0; slot < limits::owner_slots_count; ++slot) {
        worker_of_slot_[slot] = static_cast<std::uint8_t>(slot % worker_count);
    }
}

}  // namespace fulcrum
