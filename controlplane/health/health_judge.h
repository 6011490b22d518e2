// Damping: when a row of probe outcomes makes a real up or down. The first outcome of all decides
// at once, since it is all that is known; from then on `rise` successes or `fall` failures in a row
// are needed, and one outcome of the other kind begins the row anew. Pure.
#pragma once

#include <cstdint>

#include "config/model/time.h"

namespace fulcrum {

enum class Health : std::uint8_t { unknown, up, down };

struct HealthState {
    Health health = Health::unknown;
    std::uint32_t against_count = 0;  // outcomes in a row that contradict `health`
    Instant since{};                  // when `health` was last changed
};

struct HealthThresholds {
    std::uint32_t rise = 1;
    std::uint32_t fall = 1;
};

constexpr HealthState judge(const HealthState& state, bool is_success,
                            const HealthThresholds& thresholds, Instant now) {
    const Health seen = is_success ? Health::up : Health::down;
    if (state.health == Health::unknown) {
        return {seen, 0, now};
    }
    if (state.health == seen) {
        return {state.health, 0, state.since};
    }
    const std::uint32_t needed = is_success ? thresholds.rise : thresholds.fall;
    if (state.against_count + 1 < needed) {
        return {state.health, state.against_count + 1, state.since};
    }
    return {seen, 0, now};
}

}  // namespace fulcrum
