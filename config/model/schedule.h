// What the schedulers ask of a service, as one immutable part of a snapshot: its reals in the order
// of the file, each with its effective weight, its limits and where its sessions are counted; and
// what follows from these alone (the weights' common divisor, the buckets of the hashing
// schedulers). A service that is placed by the ring alone, without limits and affinity, has none.
// Pure; built on the helper thread, read by workers.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "config/model/limits.h"
#include "config/model/placing.h"

namespace fulcrum {

struct ScheduledReal {
    std::uint32_t weight = 0;           // effective: 0 takes no new sessions
    std::uint32_t lasting_weight = 0;   // the last one that was not 0: buckets outlive a drain
    std::uint32_t tally = 0;            // where its sessions are counted
    std::uint32_t overloaded_from = 0;  // so many sessions make it overloaded; 0: none do
    std::uint32_t relieved_below = 0;   // with fewer it takes new sessions again
    std::uint16_t index = 0;            // within its service
    bool keeps_clients = false;         // drained and sound: affinity may still send to it
};

struct Schedule {
    static constexpr std::size_t bucket_count = 256;  // IPVS's, of sh and dh

    Scheduler scheduler = Scheduler::maglev;
    SchedulerFlags flags;
    std::vector<ScheduledReal> reals;        // as in the file
    std::vector<std::uint16_t> position_of;  // by index: where in `reals`, or index_none
    std::vector<std::uint16_t> buckets;      // of sh and dh: positions; empty for the others
    std::uint32_t weight_greatest = 0;       // effective
    std::uint32_t weight_divisor = 1;        // of all effective weights but 0

    const ScheduledReal* find(std::uint16_t index) const {
        const std::uint16_t position =
            index < position_of.size() ? position_of[index] : limits::index_none;
        return position == limits::index_none ? nullptr : &reals[position];
    }
};

// From scheduler, flags and reals: all the rest.
Schedule make_schedule(Scheduler scheduler, SchedulerFlags flags, std::vector<ScheduledReal> reals);

// The sessions with fewer than which an overloaded real is relieved.
constexpr std::uint32_t relieved_below(ConnectionLimits connections) {
    return connections.lower > 0 ? connections.lower : connections.upper - connections.upper / 4;
}

}  // namespace fulcrum
