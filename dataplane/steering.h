// Which worker a client belongs to. One pure function of the client's address, in every mode and
// both directions, so that sessions, affinity and ICMP errors of a client meet at one worker
// without a lock: the Toeplitz hash of the address (of IPv6, of its first 64 bits) under a key from
// the ring's seed, its low six bits (the slot), and a fixed table from slots to workers. Toeplitz
// because network cards compute it too and can be asked to agree (rss.h); where they do not,
// packets are handed over. A peer with the same seed agrees about slots whatever its number of
// workers. Any thread.
//
// What bit i of the hashed octets adds to the low six bits of the hash are the bits i + 26 to i +
// 31 of the key. So under a key of which only the bits 31 to 25 + n are set the first n bits decide
// alone, whatever else a card hashes after them (addresses, ports). That is how a prefix is cut,
// too. With the outermost two of those bits always set, addresses alike in all but their last six
// bits, or in all but their first six, never share a slot.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "config/model/address.h"
#include "config/model/limits.h"
#include "config/model/owner_prefix.h"

namespace fulcrum {

// The key as a network card takes it. (Microsoft, "RSS hashing functions": the reference vectors.)
using ToeplitzKey = std::array<std::uint8_t, 40>;

ToeplitzKey owner_key(std::string_view seed);
// Of at most 36 octets in wire order; for tables and tests, not for the packet path.
std::uint32_t toeplitz(const ToeplitzKey& key, std::span<const std::uint8_t> octets);
std::uint32_t toeplitz(const ToeplitzKey& key, Ipv4Address address);
// What is left of `key` when the first `prefix` bits of the hashed octets shall decide alone. With
// fewer than six, bits 26 to 25 + n are kept instead of those above.
ToeplitzKey bounded_key(const ToeplitzKey& key, unsigned prefix);
inline constexpr unsigned bounded_prefix_min = 6;

class Steering {
  public:
    explicit Steering(const Config& config)
        : Steering{owner_key(config.director.seed),
                   static_cast<unsigned>(config.director.workers.size()), owner_prefix_of(config)} {
    }
    // Clients alike in the first `owner_prefix` bits have one owner.
    Steering(const ToeplitzKey& key, unsigned worker_count, OwnerPrefix owner_prefix = {});

    // The keys themselves, which a card may get.
    const ToeplitzKey& key_v4() const { return key_v4_; }
    const ToeplitzKey& key_v6() const { return key_v6_; }
    OwnerPrefix owner_prefix() const { return owner_prefix_; }
    unsigned worker_of_slot(unsigned slot) const { return worker_of_slot_[slot]; }

    unsigned slot_of(Ipv4Address client) const {
        const std::uint32_t wire = client.value.wire();
        return slots_by_octet_[0][wire & 255] ^ slots_by_octet_[1][(wire >> 8) & 255] ^
               slots_by_octet_[2][(wire >> 16) & 255] ^ slots_by_octet_[3][wire >> 24];
    }
    // Of the network that a host or a site has, so that a client who changes his address within it
    // stays with his worker.
    unsigned slot_of(const Ipv6Address& client) const {
        unsigned slot = 0;
        for (std::size_t octet = 0; octet < ipv6_octets; ++octet) {
            slot ^= slots6_by_octet_[octet][client.octets[octet]];
        }
        return slot;
    }
    unsigned owner_of(Ipv4Address client) const { return worker_of_slot_[slot_of(client)]; }
    unsigned owner_of(const Ipv6Address& client) const { return worker_of_slot_[slot_of(client)]; }
    unsigned owner_of(const IpAddress& client) const {
        return client.is_v4() ? owner_of(client.v4()) : owner_of(client.v6());
    }

    // Of a local port's slot, its low six bits: who leases it, and is owed what comes to it.
    unsigned owner_of_local_port(be16 port) const {
        return port.host() % limits::owner_slots_count % worker_count_;
    }

  private:
    static constexpr std::size_t ipv6_octets = 8;

    // Toeplitz is linear: the hash of an address is the XOR of the hashes of its octets.
    std::array<std::array<std::uint8_t, 256>, 4> slots_by_octet_;
    std::array<std::array<std::uint8_t, 256>, ipv6_octets> slots6_by_octet_;
    std::array<std::uint8_t, limits::owner_slots_count> worker_of_slot_;
    ToeplitzKey key_v4_;
    ToeplitzKey key_v6_;
    OwnerPrefix owner_prefix_;
    unsigned worker_count_;
};

}  // namespace fulcrum
