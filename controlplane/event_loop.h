// The control thread's loop: asio's io_context on one thread, and nothing else. It only delivers;
// what is decided is decided in rooms without sockets. Everything that runs here runs as a turn:
// a turn has one `now`, the same for everyone who asks during it, and its length is measured,
// because a loop that is late makes every deadline late.
//
// Completions are plain functions, not coroutines: clang 14 cannot compile asio's with this
// standard library, and the fuzzers and the thread annotations need clang.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "config/model/time.h"
#include "dataplane/counters.h"

namespace fulcrum {

// Written by the control thread, read by the metrics server.
struct alignas(limits::cache_line_size) LoopCounters {
    SingleWriterCounter turns;
    SingleWriterCounter busy_ns;
    SingleWriterCounter longest_turn_ns;
};

class EventLoop {
  public:
    EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    // Until stop(); by the control thread.
    void run();
    // As run(), for at most this long; for tests.
    void run_for(Duration length);

    // From any thread.
    void stop();
    void post(std::function<void()> work);

    // From the loop's own thread.
    Instant now() const { return now_; }
    asio::io_context& io() { return io_; }
    const LoopCounters& counters() const { return counters_; }

    // Makes a completion of an asio operation a turn. Every completion is given to asio through it.
    template <typename Completion>
    auto turn(Completion completion) {
        return [this, completion = std::move(completion)](auto... arguments) mutable {
            const Instant begin = begin_turn();
            completion(std::move(arguments)...);  // NOLINT(misc-no-recursion): turn after turn
            end_turn(begin);
        };
    }

  private:
    Instant begin_turn();
    void end_turn(Instant begin);

    asio::io_context io_;
    Instant now_;
    LoopCounters counters_;
};

// One deadline, set anew as often as one likes. Once cancelled, replaced or destroyed it never
// fires.
class Timer {
  public:
    explicit Timer(EventLoop& loop) : loop_{loop}, timer_{loop.io()} {}
    ~Timer() { cancel(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    void at(Instant when, std::function<void()> work);
    void after(Duration delay, std::function<void()> work) {
        at(loop_.now() + delay, std::move(work));
    }
    void cancel();
    bool is_set() const { return armed_ != nullptr; }

  private:
    EventLoop& loop_;
    asio::steady_timer timer_;
    std::shared_ptr<std::function<void()>> armed_;  // the completion holds it weakly
};

// Calls at every turn in which a descriptor, owned by somebody else, is ready. It must be destroyed
// before the descriptor is closed.
class DescriptorWatch {
  public:
    enum class Ready { to_read, to_write };
    using OnReady = std::function<void(Ready)>;

    DescriptorWatch(EventLoop& loop, int descriptor, OnReady on_ready);
    ~DescriptorWatch();
    DescriptorWatch(const DescriptorWatch&) = delete;
    DescriptorWatch& operator=(const DescriptorWatch&) = delete;

    // What is waited for from now on; nothing at first.
    void want(bool to_read, bool to_write);

  private:
    struct Shared;  // outlives the watch while a completion is on its way
    static void wait(const std::shared_ptr<Shared>& shared, Ready ready);

    std::shared_ptr<Shared> shared_;
};

}  // namespace fulcrum
