// A thread for what may wait for others: mail servers, and the operator's programs. Errands run one
// after the other, in the order in which they came; too many at once are refused. An errand looks
// at the flag that it is given, and ends soon once that is set.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace fulcrum {

class ErrandThread {
  public:
    using Errand = std::function<void(const std::atomic<bool>& is_stopping)>;
    static constexpr std::size_t waiting_most = 1'000;

    ErrandThread();
    // Ends the errand in hand, drops the rest.
    ~ErrandThread();
    ErrandThread(const ErrandThread&) = delete;
    ErrandThread& operator=(const ErrandThread&) = delete;

    // From any thread. False: too many wait already, and this one is dropped.
    bool run(Errand errand);

  private:
    void work_until_stopped();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Errand> errands_;  // under mutex_
    std::atomic<bool> is_stopping_ = false;
    std::thread thread_;  // last: it starts when the rest stands
};

}  // namespace fulcrum
