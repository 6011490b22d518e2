// The way to the kernel and back. Each NIC port has a twin interface there, a TAP whose descriptor
// is handed to us; one thread, `twin`, moves frames between the descriptors and the workers' rings,
// most precious class first. Workers never touch a descriptor.
//
//   worker 0..n ──► ring per worker and class ──► twin thread ──► TAP of the frame's port ──►
//   kernel worker 0    ◄── one ring                  ◄── twin thread ◄── TAPs ◄── kernel
//
// The twin sleeps in epoll. A worker that posts to a sleeping twin wakes it through an eventfd: one
// system call for the first frame after a silence, none while frames flow.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/model/limits.h"
#include "config/model/result.h"
#include "dataplane/counters.h"
#include "dataplane/mailbox.h"
#include "dataplane/verdict.h"

struct rte_mbuf;
struct rte_mempool;

namespace fulcrum {

// What of the twin its callers share: whether it sleeps, and how to wake it.
class TwinBell {
  public:
    TwinBell();
    ~TwinBell();
    TwinBell(const TwinBell&) = delete;
    TwinBell& operator=(const TwinBell&) = delete;

    // Worker side, after posting.
    void ring_if_asleep() {
        // Pairs with the fence in the twin's fall_asleep(): either we see it asleep, or it sees
        // what we have posted.
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (is_asleep_.load(std::memory_order_relaxed)) {
            ring();
        }
    }
    void ring();
    int fd() const { return fd_; }

  private:
    friend class Twin;
    int fd_;
    alignas(limits::cache_line_size) std::atomic<bool> is_asleep_{false};
};

// One worker's half of the way to the kernel.
class TwinDoor {
  public:
    // Null when memory is short. `worker` makes the rings' names unique.
    static std::unique_ptr<TwinDoor> create(unsigned worker, TwinBell& bell);

    // The mbuf is the twin's from here on, if true. Its `port` says whose twin it goes to.
    bool post(rte_mbuf* mbuf, PuntClass punt_class) {
        return rings_[static_cast<std::size_t>(punt_class)]->post(mbuf);
    }
    void ring_if_asleep() { bell_.ring_if_asleep(); }

    // The twin's half.
    Mailbox<rte_mbuf*>& ring(std::size_t punt_class) { return *rings_[punt_class]; }

  private:
    explicit TwinDoor(TwinBell& bell) : bell_{bell} {}

    TwinBell& bell_;
    std::array<std::unique_ptr<Mailbox<rte_mbuf*>>, punt_class_count> rings_;
};

struct TwinWiring {
    std::vector<int> tap_fds;             // by port index; non-blocking, IFF_NO_PI
    std::vector<std::uint16_t> port_ids;  // DPDK's, by port index
    std::vector<TwinDoor*> doors;         // one a worker
    Mailbox<rte_mbuf*>* to_worker = nullptr;
    rte_mempool* pool = nullptr;
    TwinBell* bell = nullptr;
    std::vector<TwinCounters>* counters = nullptr;  // by port index
    // Nanoseconds of the monotonic clock until which what the kernel says may leave; 0: always. Set
    // anew by the control thread while it is well: a director whose control thread hangs must not
    // answer for addresses that another one has taken over.
    const SingleWriterCounter* speaks_until_ns = nullptr;
};

class Twin {
  public:
    // The epoll descriptor, or why there is none.
    static Result<std::unique_ptr<Twin>> create(const TwinWiring& wiring);
    ~Twin();
    Twin(const Twin&) = delete;
    Twin& operator=(const Twin&) = delete;

    // Until `stop` is set and the bell rung. On the twin's own thread.
    void run(const std::atomic<bool>& stop);
    // One round; whether any frame moved.
    bool run_once();

  private:
    Twin(const TwinWiring& wiring, int epoll_fd);
    bool to_kernel();
    bool from_kernel();
    bool read_one(std::size_t port, bool is_silenced);
    bool is_mute() const;
    void write_one(rte_mbuf* mbuf);
    void sleep();
    bool has_posted_frames() const;

    TwinWiring wiring_;
    int epoll_fd_;
};

}  // namespace fulcrum
