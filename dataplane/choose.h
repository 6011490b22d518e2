// A real for a new session: this is where a packet's real is chosen. A draw on the service's ring
// by the flow's addresses and ports; a slot whose real takes no new sessions is followed by further
// draws of the same flow, so that while one real is drained or down nobody else's flows move, and
// its own spread over the others by weight. Two directors draw alike. Pure; worker side.
#pragma once

#include <cstdint>

#include "config/model/snapshot.h"
#include "dataplane/session_table.h"

namespace fulcrum {

// Random bits that are this flow's own. The first draw's slot is scaled() from the lower half.
inline std::uint64_t draw_of(const Snapshot& snapshot, const SnapshotListener& listener,
                             ClientKey client) {
    return hash_words(snapshot.ring_key, client,
                      EndpointMap::key_of(listener.vip, listener.port, 0));
}

// IPv6's: of the addresses themselves, because names are this director's own.
inline std::uint64_t draw_of(const Snapshot& snapshot, const SnapshotListener& listener,
                             const ClientKey6& client) {
    const HashKey key = snapshot.ring_key;
    const auto folded = [key](const Ipv6Address& address) {
        return hash_words(key, address.word(0), address.word(1));
    };
    const std::uint64_t ports = client.port.wire() | (std::uint64_t{listener.port.wire()} << 16) |
                                (std::uint64_t{static_cast<std::uint8_t>(client.protocol)} << 32);
    return hash_words(key, folded(client.address) ^ ports, folded(snapshot.named_by(listener.vip)));
}

// Index of the real, or limits::index_none. `takes_new(index)` says whether a real takes new
// sessions at all, and somebody on the ring does; `is_refused(index)` says no for this flow alone.
template <typename TakesNew, typename IsRefused>
std::uint16_t draw_from_ring(const Ring& ring, HashKey ring_key, std::uint64_t draw,
                             const TakesNew& takes_new, const IsRefused& is_refused) {
    const auto ring_size = static_cast<std::uint32_t>(ring.size());
    for (std::uint32_t i = 0; i < limits::ring_draws_max; ++i) {
        const std::uint16_t index = ring[scaled(static_cast<std::uint32_t>(draw), ring_size)];
        if (takes_new(index) && !is_refused(index)) {
            return index;
        }
        draw = folded_multiply(draw ^ ring_key.high, 0x9E3779B97F4A7C15ULL);
    }
    // Few of many are usable: walk on from a slot of the flow's own. Refusals have a bound of
    // their own, or a client whose port is in use everywhere would cost a whole walk a packet.
    const std::uint32_t start = scaled(static_cast<std::uint32_t>(draw), ring_size);
    std::uint32_t refusals_left = limits::ring_refusals_max;
    for (std::uint32_t step = 0; step < ring_size && refusals_left > 0; ++step) {
        const std::uint32_t slot = start + step;
        const std::uint16_t index = ring[slot < ring_size ? slot : slot - ring_size];
        if (takes_new(index)) {
            if (!is_refused(index)) {
                return index;
            }
            --refusals_left;
        }
    }
    return limits::index_none;
}

// Index of the real within the listener's service, or limits::index_none: nobody, not even a
// fallback. `draw` is draw_of's. `is_refused(index)` says no to a real for this flow alone (its
// client port meets another session there); the next draw follows.
template <typename IsRefused>
std::uint16_t choose_real(const Snapshot& snapshot, const SnapshotListener& listener,
                          std::uint64_t draw, const IsRefused& is_refused) {
    const SnapshotService& service = snapshot.services[listener.service];
    const auto takes_new = [&](std::uint16_t index) {
        return snapshot.real_of(listener, index).standing == RealStanding::usable;
    };
    if (service.has_usable_real) {
        const std::uint16_t index =
            draw_from_ring(*service.ring, snapshot.ring_key, draw, takes_new, is_refused);
        if (index != limits::index_none) {
            return index;
        }
    }
    const bool may_fall_back = service.fallback != limits::index_none &&
                               takes_new(service.fallback) && !is_refused(service.fallback);
    return may_fall_back ? service.fallback : limits::index_none;
}

}  // namespace fulcrum
