// The twin's rounds: a bounded number of frames each way, then sleep if there were none.
#include "dataplane/twin.h"

#include <rte_mbuf.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace fulcrum {
namespace {

constexpr unsigned frames_per_ring_max = 32;
constexpr int sleep_ms_max = 100;

std::uint16_t index_of_port(const std::vector<std::uint16_t>& port_ids, std::uint16_t port_id) {
    for (std::size_t i = 0; i < port_ids.size(); ++i) {
        if (port_ids[i] == port_id) {
            return static_cast<std::uint16_t>(i);
        }
    }
    return 0;
}

}  // namespace

TwinBell::TwinBell() : fd_{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} {}

TwinBell::~TwinBell() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

void TwinBell::ring() {
    const std::uint64_t one = 1;
    // Full means that it has been rung already.
    [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof(one));
}

std::unique_ptr<TwinDoor> TwinDoor::create(unsigned worker, TwinBell& bell) {
    std::unique_ptr<TwinDoor> door{new TwinDoor{bell}};
    for (std::size_t i = 0; i < punt_class_count; ++i) {
        const std::string name = "punt_" + std::to_string(worker) + "_" + std::to_string(i);
        door->rings_[i] = Mailbox<rte_mbuf*>::create(name, limits::punt_ring_length);
        if (door->rings_[i] == nullptr) {
            return nullptr;
        }
    }
    return door;
}

Result<std::unique_ptr<Twin>> Twin::create(const TwinWiring& wiring) {
    const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0 || wiring.bell->fd() < 0) {
        return Error{std::string{"cannot wait for the kernel's twin interfaces: "} +
                     std::strerror(errno)};
    }
    std::unique_ptr<Twin> twin{new Twin{wiring, epoll_fd}};
    std::vector<int> fds = wiring.tap_fds;
    fds.push_back(wiring.bell->fd());
    for (const int fd : fds) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
            return Error{std::string{"cannot wait for a twin interface: "} + std::strerror(errno)};
        }
    }
    return twin;
}

Twin::Twin(const TwinWiring& wiring, int epoll_fd) : wiring_{wiring}, epoll_fd_{epoll_fd} {}

Twin::~Twin() { close(epoll_fd_); }

void Twin::run(const std::atomic<bool>& stop) {
    while (!stop.load(std::memory_order_relaxed)) {
        if (!run_once()) {
            sleep();
        }
    }
    while (to_kernel()) {
    }
}

bool Twin::run_once() {
    const bool moved_down = to_kernel();
    const bool moved_up = from_kernel();
    return moved_down || moved_up;
}

bool Twin::to_kernel() {
    bool has_moved = false;
    std::array<rte_mbuf*, frames_per_ring_max> mbufs;
    for (std::size_t punt_class = 0; punt_class < punt_class_count; ++punt_class) {
        for (TwinDoor* door : wiring_.doors) {
            const unsigned count =
                door->ring(punt_class).collect(mbufs.data(), frames_per_ring_max);
            for (unsigned i = 0; i < count; ++i) {
                write_one(mbufs[i]);
            }
            has_moved |= count > 0;
        }
    }
    return has_moved;
}

void Twin::write_one(rte_mbuf* mbuf) {
    const std::uint16_t port = index_of_port(wiring_.port_ids, mbuf->port);
    TwinCounters& counters = (*wiring_.counters)[port];
    const bool is_whole = mbuf->nb_segs == 1;
    const ssize_t written =
        is_whole ? write(wiring_.tap_fds[port], rte_pktmbuf_mtod(mbuf, void*), mbuf->data_len) : -1;
    (written == mbuf->data_len ? counters.to_kernel : counters.to_kernel_failed).add(1);
    rte_pktmbuf_free(mbuf);
}

bool Twin::is_mute() const {
    const std::uint64_t until_ns =
        wiring_.speaks_until_ns == nullptr ? 0 : wiring_.speaks_until_ns->read();
    return until_ns != 0 &&
           static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) >
               until_ns;
}

bool Twin::from_kernel() {
    const bool is_silenced = is_mute();
    bool has_moved = false;
    for (std::size_t port = 0; port < wiring_.tap_fds.size(); ++port) {
        for (unsigned i = 0; i < frames_per_ring_max && read_one(port, is_silenced); ++i) {
            has_moved = true;
        }
    }
    return has_moved;
}

bool Twin::read_one(std::size_t port, bool is_silenced) {
    TwinCounters& counters = (*wiring_.counters)[port];
    rte_mbuf* mbuf = is_silenced ? nullptr : rte_pktmbuf_alloc(wiring_.pool);
    if (mbuf == nullptr) {
        // The frame is taken all the same, or the descriptor would stay readable for ever.
        std::array<char, limits::frame_size_max> nowhere;
        const bool was_there = read(wiring_.tap_fds[port], nowhere.data(), nowhere.size()) > 0;
        counters.from_kernel_lost.add(was_there ? 1 : 0);
        return was_there;
    }
    const ssize_t length =
        read(wiring_.tap_fds[port], rte_pktmbuf_mtod(mbuf, void*), rte_pktmbuf_tailroom(mbuf));
    if (length <= 0) {
        rte_pktmbuf_free(mbuf);
        return false;
    }
    mbuf->data_len = static_cast<std::uint16_t>(length);
    mbuf->pkt_len = static_cast<std::uint32_t>(length);
    mbuf->port = wiring_.port_ids[port];
    if (wiring_.to_worker->post(mbuf)) {
        counters.from_kernel.add(1);
    } else {
        counters.from_kernel_lost.add(1);
        rte_pktmbuf_free(mbuf);
    }
    return true;
}

bool Twin::has_posted_frames() const {
    for (TwinDoor* door : wiring_.doors) {
        for (std::size_t punt_class = 0; punt_class < punt_class_count; ++punt_class) {
            if (!door->ring(punt_class).is_empty()) {
                return true;
            }
        }
    }
    return false;
}

void Twin::sleep() {
    wiring_.bell->is_asleep_.store(true, std::memory_order_relaxed);
    // Pairs with the fence in ring_if_asleep().
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!has_posted_frames()) {
        std::array<epoll_event, limits::ports_max + 1> events;
        const int count =
            epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), sleep_ms_max);
        for (int i = 0; i < count; ++i) {
            // Somebody deleted the interface: its descriptor would be ready for ever.
            if ((events[static_cast<std::size_t>(i)].events & (EPOLLERR | EPOLLHUP)) != 0) {
                epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, events[static_cast<std::size_t>(i)].data.fd,
                          nullptr);
            }
        }
    }
    wiring_.bell->is_asleep_.store(false, std::memory_order_relaxed);
    std::uint64_t rung = 0;
    [[maybe_unused]] const ssize_t drained = read(wiring_.bell->fd(), &rung, sizeof(rung));
}

}  // namespace fulcrum
