// The helper's queue and its thread.
#include "controlplane/helper_thread.h"

#include <pthread.h>

namespace fulcrum {

HelperThread::HelperThread(EventLoop& loop)
    : loop_{loop}, thread_{[this] { work_until_stopped(); }} {
    pthread_setname_np(thread_.native_handle(), "helper");
}

HelperThread::~HelperThread() {
    {
        const std::lock_guard lock{mutex_};
        is_stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void HelperThread::enqueue(std::function<void()> job) {
    {
        const std::lock_guard lock{mutex_};
        jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
}

void HelperThread::work_until_stopped() {
    while (const std::function<void()> job = next_job()) {
        job();
    }
}

// Nothing once the thread is to stop.
std::function<void()> HelperThread::next_job() {
    std::unique_lock lock{mutex_};
    wake_.wait(lock, [this] { return is_stopping_ || !jobs_.empty(); });
    if (is_stopping_) {
        return nullptr;
    }
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
}

}  // namespace fulcrum
