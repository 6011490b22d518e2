// How much of something that a counter counts has come lately: in the last second, and in the last
// minute. Told a counter that began at zero once a second, by the control thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace fulcrum {

class RecentCount {
  public:
    void note(std::uint64_t count) { past_[noted_++ % past_.size()] = count; }
    std::uint64_t in_last_second() const { return since(1); }
    std::uint64_t in_last_minute() const { return since(past_.size() - 1); }

  private:
    std::uint64_t at(std::size_t seconds_ago) const {
        return past_[(noted_ + 2 * past_.size() - 1 - seconds_ago) % past_.size()];
    }
    std::uint64_t since(std::size_t seconds_ago) const { return at(0) - at(seconds_ago); }

    std::array<std::uint64_t, 61> past_{};  // a ring
    std::size_t noted_ = 0;
};

}  // namespace fulcrum
