// The helper: one thread that takes the long work off the control loop (reading, parsing,
// validating, compiling, large listings), one job after the other, and hands each result back to
// the loop as a turn. A job sees values that it owns or that are immutable; it shares nothing else
// with the loop.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "controlplane/event_loop.h"

namespace fulcrum {

class HelperThread {
  public:
    explicit HelperThread(EventLoop& loop);
    // Finishes the job in hand, drops the rest.
    ~HelperThread();
    HelperThread(const HelperThread&) = delete;
    HelperThread& operator=(const HelperThread&) = delete;

    // From the loop: `work()` runs on the helper, then `take(result)` on the loop.
    template <typename Work, typename Take>
    void run(Work work, Take take) {
        using Made = decltype(work());
        enqueue([this, work = std::move(work), take = std::move(take)]() mutable {
            auto made = std::make_shared<Made>(work());
            loop_.post([made, take]() mutable { take(std::move(*made)); });
        });
    }

  private:
    void enqueue(std::function<void()> job);
    void work_until_stopped();
    std::function<void()> next_job();

    EventLoop& loop_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> jobs_;  // under mutex_
    bool is_stopping_ = false;                // under mutex_
    std::thread thread_;                      // last: it starts when the rest stands
};

}  // namespace fulcrum
