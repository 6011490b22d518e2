// A worker's clock: the TSC read once a turn, and whole seconds from it without a division. Seconds
// begin at one, so that a session's first stamp is never taken for "never". One thread.
#pragma once

#include <rte_cycles.h>

#include <cstdint>

namespace fulcrum {

class TurnClock {
  public:
    TurnClock()
        : hz_{rte_get_tsc_hz()}, now_cycles_{rte_rdtsc()}, next_second_{now_cycles_ + hz_} {}

    // Reads the TSC; everything below speaks of that moment until the next tick.
    std::uint64_t tick() {
        now_cycles_ = rte_rdtsc();
        while (now_cycles_ >= next_second_) {
            next_second_ += hz_;
            ++now_s_;
        }
        return now_cycles_;
    }
    std::uint64_t now_cycles() const { return now_cycles_; }
    std::uint32_t now_s() const { return now_s_; }
    std::uint64_t cycles_of_ms(std::uint64_t ms) const { return hz_ / 1'000 * ms; }
    std::uint64_t hz() const { return hz_; }

    // For tests: as if so much time had passed.
    void skip_s(std::uint32_t seconds) { now_s_ += seconds; }

  private:
    std::uint64_t hz_;
    std::uint64_t now_cycles_;
    std::uint64_t next_second_;
    std::uint32_t now_s_ = 1;
};

}  // namespace fulcrum
