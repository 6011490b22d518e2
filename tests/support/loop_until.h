// Runs a loop until something has become true, or a deadline has passed. Never a sleep for luck.
#pragma once

#include <chrono>
#include <functional>

#include "controlplane/event_loop.h"

namespace fulcrum {

inline bool loop_until(EventLoop& loop, const std::function<bool()>& is_true,
                       Duration deadline = 10s) {
    const Instant end = std::chrono::steady_clock::now() + deadline;
    while (!is_true()) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        loop.run_for(2ms);
    }
    return true;
}

}  // namespace fulcrum
