// Which worker a client belongs to. One pure function of the client's address, in every mode and
// both directions, so that sessions, affinity and ICMP errors of a client meet at one worker
// without a lock: the Toeplitz hash of the address under a key from the ring's seed, its low six
// bits (the slot), and a fixed table from slots to workers. Toeplitz because network cards compute
// it too and can be asked to agree; where they do not, packets are handed over. A peer with the
// same seed agrees about slots whatever its number of workers. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "config/model/address.h"
#include "config/model/limits.h"

namespace fulcrum {

// The key as a network card takes it. (Microsoft, "RSS hashing functions": the reference vectors.)
using ToeplitzKey = std::array<std::uint8_t, 40>;

ToeplitzKey owner_key(std::string_view seed);
// Of four octets in wire order; for tables and tests, not for the packet path.
std::uint32_t toeplitz(const ToeplitzKey& key, Ipv4Address address);

class Steering {
  public:
    // Clients alike in the first `owner_prefix` bits have one owner.
    Steering(const ToeplitzKey& key, unsigned worker_count, std::uint8_t owner_prefix = 32);

    unsigned slot_of(Ipv4Address client) const {
        const std::uint32_t wire = client.value.wire();
        return slots_by_octet_[0][wire & 255] ^ slots_by_octet_[1][(wire >> 8) & 255] ^
               slots_by_octet_[2][(wire >> 16) & 255] ^ slots_by_octet_[3][wire >> 24];
    }
    unsigned owner_of(Ipv4Address client) const { return worker_of_slot_[slot_of(client)]; }

  private:
    // Toeplitz is linear: the hash of an address is the XOR of the hashes of its octets.
    std::array<std::array<std::uint8_t, 256>, 4> slots_by_octet_;
    std::array<std::uint8_t, limits::owner_slots_count> worker_of_slot_;
};

}  // namespace fulcrum
