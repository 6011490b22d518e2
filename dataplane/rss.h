// What a network card is told so that its receive queues agree with `owner_of`: a key and a table
// of queues for its receive-side scaling. Requests carry their client as source, replies as
// destination, and the key of steering.h, moved to where that address lies among the hashed octets,
// makes it decide alone: the other address and the ports lie behind or before all bits of the key
// that are set.
//
//        hashed octets of IPv4:   source 0..31      destination 32..63   ports 64..95
//        set bits of the key:     31..57            63..89
//        they reach bits:         0..31, not 32     32..63, not 31, not 64
//
// To a local end of full NAT the destination is the local address: a worker takes its ends at those
// of which a card says the same, as far as there are any (local_ends.h).
//
// A port has one key, so it agrees about one IP version, and about requests or replies: what it
// hears more of by the file. The rest is handed over between workers, and counted. Pure; main
// thread, at start.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/model/service.h"
#include "dataplane/steering.h"

namespace fulcrum {

// The longest key that a card takes.
inline constexpr std::size_t rss_key_octets_max = 52;

struct RssPlan {
    enum class ClientsAre : std::uint8_t { sources, destinations };

    ClientsAre clients_are = ClientsAre::sources;
    IpFamily family = IpFamily::v4;
    alignas(4) std::array<std::uint8_t, rss_key_octets_max> key{};  // read in words
};

// Destinations: a port in whose networks NAT reals lie, or with local addresses for those in full
// NAT, if another port has none. IPv6: if no VIP is of IPv4.
RssPlan plan_rss(const Config& config, std::size_t port, const Steering& steering);

// The queue for each entry of a card's table. `entry_count` is a power of two and no less than
// limits::owner_slots_count; a worker beyond the last queue shares one with another.
std::vector<std::uint16_t> rss_queues(const Steering& steering, std::size_t entry_count,
                                      unsigned queue_count);

}  // namespace fulcrum
