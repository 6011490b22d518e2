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

std::uint32_t toeplitz(const ToeplitzKey& key, std::span<const std::uint8_t> octets) {
    std::uint32_t hash = 0;
    for (std::size_t octet = 0; octet < octets.size(); ++octet) {
        // The key's window at each bit: 32 bits of five octets.
        std::uint64_t window = 0;
        for (std::size_t i = 0; i < 5; ++i) {
            window = (window << 8) | key[octet + i];
        }
        for (unsigned bit = 0; bit < 8; ++bit) {
            if (((octets[octet] >> (7 - bit)) & 1) != 0) {
                hash ^= static_cast<std::uint32_t>(window >> (8 - bit));
            }
        }
    }
    return hash;
}

std::uint32_t toeplitz(const ToeplitzKey& key, Ipv4Address address) {
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &address, octets.size());
    return toeplitz(key, octets);
}

ToeplitzKey bounded_key(const ToeplitzKey& key, unsigned prefix) {
    const unsigned first = prefix < bounded_prefix_min ? 26 : 31;
    const unsigned end = prefix + 26;
    ToeplitzKey bounded{};
    for (unsigned bit = first; bit < end; ++bit) {
        const auto place = static_cast<std::uint8_t>(0x80 >> (bit % 8));
        const bool is_outermost = bit == first || bit + 1 == end;
        if (is_outermost || (key[bit / 8] & place) != 0) {
            bounded[bit / 8] |= place;
        }
    }
    return bounded;
}

namespace {

// Six bits.
unsigned reversed(unsigned slot) {
    unsigned result = 0;
    for (unsigned bit = 0; bit < 6; ++bit) {
        result |= ((slot >> bit) & 1) << (5 - bit);
    }
    return result;
}
static_assert(limits::owner_slots_count == 64);

}  // namespace

Steering::Steering(const ToeplitzKey& key, unsigned worker_count, OwnerPrefix owner_prefix)
    : key_v4_{bounded_key(key, owner_prefix.v4)},
      key_v6_{bounded_key(key, owner_prefix.v6)},
      owner_prefix_{owner_prefix},
      worker_count_{worker_count} {
    for (std::size_t octet = 0; octet < slots_by_octet_.size(); ++octet) {
        for (unsigned value = 0; value < 256; ++value) {
            const Ipv4Address alone{be32::from_wire(value << (8 * octet))};
            slots_by_octet_[octet][value] =
                static_cast<std::uint8_t>(toeplitz(key_v4_, alone) % limits::owner_slots_count);
        }
    }
    for (std::size_t octet = 0; octet < slots6_by_octet_.size(); ++octet) {
        for (unsigned value = 0; value < 256; ++value) {
            std::array<std::uint8_t, ipv6_octets> alone{};
            alone[octet] = static_cast<std::uint8_t>(value);
            slots6_by_octet_[octet][value] =
                static_cast<std::uint8_t>(toeplitz(key_v6_, alone) % limits::owner_slots_count);
        }
    }
    for (unsigned slot = 0; slot < limits::owner_slots_count; ++slot) {
        worker_of_slot_[slot] = static_cast<std::uint8_t>(reversed(slot) % worker_count);
    }
}

}  // namespace fulcrum
