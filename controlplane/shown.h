// A value that the control thread shows and other threads of this floor look at: immutable once
// shown, replaced whole. Not for workers, who never lock; they have their own three doors.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace fulcrum {

template <typename T>
class Shown {
  public:
    explicit Shown(T value = {}) : value_{std::make_shared<const T>(std::move(value))} {}

    void show(T value) {
        auto fresh = std::make_shared<const T>(std::move(value));
        const std::lock_guard lock{mutex_};
        value_.swap(fresh);
    }
    // Never null; what it leads to stays as it is, whatever is shown later.
    std::shared_ptr<const T> look() const {
        const std::lock_guard lock{mutex_};
        return value_;
    }

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const T> value_;  // under mutex_
};

}  // namespace fulcrum
