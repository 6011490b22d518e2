// So many a second, and no more than so many at once. Refilled by elapsed cycles when asked. One
// thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace fulcrum {

class TokenBucket {
  public:
    TokenBucket() = default;
    TokenBucket(std::uint64_t cycles_per_token, std::uint64_t burst, std::uint64_t now_cycles)
        : cycles_per_token_{cycles_per_token},
          full_cycles_{cycles_per_token * burst},
          credit_cycles_{full_cycles_},
          refilled_at_{now_cycles} {}

    bool take(std::uint64_t now_cycles) {
        credit_cycles_ = std::min(full_cycles_, credit_cycles_ + (now_cycles - refilled_at_));
        refilled_at_ = now_cycles;
        if (credit_cycles_ < cycles_per_token_) {
            return false;
        }
        credit_cycles_ -= cycles_per_token_;
        return true;
    }

  private:
    std::uint64_t cycles_per_token_ = 0;
    std::uint64_t full_cycles_ = 0;
    std::uint64_t credit_cycles_ = 0;
    std::uint64_t refilled_at_ = 0;
};

}  // namespace fulcrum
