// A queue, and the thread that empties it.
#include "controlplane/telling/errand_thread.h"

#include <utility>

namespace fulcrum {

ErrandThread::ErrandThread() : thread_{[this] { work_until_stopped(); }} {}

ErrandThread::~ErrandThread() {
    is_stopping_ = true;
    {
        const std::lock_guard lock{mutex_};
        errands_.clear();
    }
    wake_.notify_all();
    thread_.join();
}

bool ErrandThread::run(Errand errand) {
    {
        const std::lock_guard lock{mutex_};
        if (errands_.size() >= waiting_most) {
            return false;
        }
        errands_.push_back(std::move(errand));
    }
    wake_.notify_one();
    return true;
}

void ErrandThread::work_until_stopped() {
    for (;;) {
        Errand errand;
        {
            std::unique_lock lock{mutex_};
            wake_.wait(lock, [this] { return is_stopping_.load() || !errands_.empty(); });
            if (is_stopping_.load()) {
                return;
            }
            errand = std::move(errands_.front());
            errands_.pop_front();
        }
        errand(is_stopping_);
    }
}

}  // namespace fulcrum
