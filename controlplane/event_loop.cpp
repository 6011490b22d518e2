// The loop, its timers and its watches over asio.
#include "controlplane/event_loop.h"

#include <algorithm>
#include <array>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <system_error>

namespace fulcrum {

EventLoop::EventLoop() : io_{1}, now_{std::chrono::steady_clock::now()} {}

void EventLoop::run() {
    const auto guard = asio::make_work_guard(io_);
    io_.restart();
    io_.run();
}

void EventLoop::run_for(Duration length) {
    const auto guard = asio::make_work_guard(io_);
    now_ = std::chrono::steady_clock::now();
    io_.restart();
    io_.run_for(length);
}

void EventLoop::stop() { io_.stop(); }

void EventLoop::post(std::function<void()> work) { asio::post(io_, turn(std::move(work))); }

Instant EventLoop::begin_turn() {
    now_ = std::chrono::steady_clock::now();
    return now_;
}

void EventLoop::end_turn(Instant begin) {
    const Duration length = std::chrono::steady_clock::now() - begin;
    const auto length_ns = static_cast<std::uint64_t>(length.count());
    counters_.turns.add(1);
    counters_.busy_ns.add(length_ns);
    counters_.longest_turn_ns.set(std::max(counters_.longest_turn_ns.read(), length_ns));
}

void Timer::at(Instant when, std::function<void()> work) {
    armed_ = std::make_shared<std::function<void()>>(std::move(work));
    timer_.expires_at(when);
    timer_.async_wait(loop_.turn([this, weak = std::weak_ptr{armed_}](const std::error_code&) {
        const auto armed = weak.lock();
        if (armed == nullptr) {
            return;  // cancelled, replaced or destroyed meanwhile: `this` may be gone
        }
        armed_.reset();  // the work may set the timer anew, or destroy it
        (*armed)();
    }));
}

void Timer::cancel() {
    armed_.reset();
    timer_.cancel();
}

struct DescriptorWatch::Shared {
    EventLoop& loop;
    asio::posix::stream_descriptor descriptor;
    OnReady on_ready;
    std::array<bool, 2> is_wanted{};   // by Ready
    std::array<bool, 2> is_waiting{};  // a completion is on its way
    bool is_gone = false;
};

DescriptorWatch::DescriptorWatch(EventLoop& loop, int descriptor, OnReady on_ready)
    : shared_{std::make_shared<Shared>(Shared{
          loop, asio::posix::stream_descriptor{loop.io(), descriptor}, std::move(on_ready)})} {}

DescriptorWatch::~DescriptorWatch() {
    shared_->is_gone = true;
    shared_->descriptor.release();
}

void DescriptorWatch::want(bool to_read, bool to_write) {
    shared_->is_wanted = {to_read, to_write};
    wait(shared_, Ready::to_read);
    wait(shared_, Ready::to_write);
}

void DescriptorWatch::wait(const std::shared_ptr<Shared>& shared, Ready ready) {
    const auto side = static_cast<std::size_t>(ready);
    if (!shared->is_wanted[side] || shared->is_waiting[side] || shared->is_gone) {
        return;
    }
    shared->is_waiting[side] = true;
    const auto kind = ready == Ready::to_read ? asio::posix::stream_descriptor::wait_read
                                              : asio::posix::stream_descriptor::wait_write;
    shared->descriptor.async_wait(
        kind, shared->loop.turn([shared, ready, side](const std::error_code& error) {
            shared->is_waiting[side] = false;
            if (error || shared->is_gone) {
                return;
            }
            if (shared->is_wanted[side]) {
                shared->on_ready(ready);
            }
            wait(shared, ready);
        }));
}

}  // namespace fulcrum
