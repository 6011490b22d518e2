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

// Index of the real within the listener's service, or limits::index_none: nobody, not even a
// fallback. `is_refused(index)` says no to a real for this flow alone (its client port meets
// another session there); the next draw follows.
template <typename IsRefused>
std::uint16_t choose_real(const Snapshot& snapshot, const SnapshotListener& listener,
                          ClientKey client, const IsRefused& is_refused) {
    const SnapshotService& service = snapshot.services[listener.service];
    const auto takes_new = [&](std::uint16_t index) {
        return snapshot.real_of(listener, index).standing == RealStanding::usable;
    };
    const auto is_usable = [&](std::uint16_t index) {
        return takes_new(index) && !is_refused(index);
    };
    if (service.has_usable_real) {
        const Ring& ring = *service.ring;
        const auto ring_size = static_cast<std::uint32_t>(ring.size());
        std::uint64_t draw = draw_of(snapshot, listener, client);
        for (std::uint32_t i = 0; i < limits::ring_draws_max; ++i) {
            const std::uint16_t index = ring[scaled(static_cast<std::uint32_t>(draw), ring_size)];
            if (is_usable(index)) {
                return index;
            }
            draw = folded_multiply(draw ^ snapshot.ring_key.high, 0x9E3779B97F4A7C15ULL);
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
    }
    if (service.fallback != limits::index_none && is_usable(service.fallback)) {
        return service.fallback;
    }
    return limits::index_none;
}

}  // namespace fulcrum
