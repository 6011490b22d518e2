// A worker's clock: the TSC read once a turn, and whole seconds of the machine's own clock, looked
// at eight times a second. Seconds are those since the machine was switched on, so that stamps mean
// the same to whoever takes up our sessions. One thread.
#pragma once

#include <rte_cycles.h>
#include <time.h>

#include <algorithm>
#include <cstdint>

namespace fulcrum {

// Of a clock that goes on while the machine sleeps; from one on.
inline std::uint32_t boot_seconds() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<std::uint32_t>(now.tv_sec) + 1;
}

class TurnClock {
  public:
    TurnClock()
        : hz_{rte_get_tsc_hz()}, now_cycles_{rte_rdtsc()}, next_look_{now_cycles_ + hz_ / 8} {}

    // Reads the TSC; everything below speaks of that moment until the next tick.
    std::uint64_t tick() {
        now_cycles_ = rte_rdtsc();
        if (now_cycles_ >= next_look_) [[unlikely]] {
            next_look_ = now_cycles_ + hz_ / 8;
            now_s_ = std::max(now_s_, boot_seconds() + skipped_s_);
        }
        return now_cycles_;
    }
    std::uint64_t now_cycles() const { return now_cycles_; }
    std::uint32_t now_s() const { return now_s_; }
    std::uint64_t cycles_of_ms(std::uint64_t ms) const { return hz_ / 1'000 * ms; }
    std::uint64_t hz() const { return hz_; }

    // For tests: as if so much time had passed.
    void skip_s(std::uint32_t seconds) {
        now_s_ += seconds;
        skipped_s_ += seconds;
    }

  private:
    std::uint64_t hz_;
    std::uint64_t now_cycles_;
    std::uint64_t next_look_;  // at the clock of the machine: cycles drift from it
    std::uint32_t now_s_ = boot_seconds();
    std::uint32_t skipped_s_ = 0;
};

}  // namespace fulcrum
