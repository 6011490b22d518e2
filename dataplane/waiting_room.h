// Packets that wait, bounded in number and time, for the MAC address of their next hop: the first
// answer to a client on the link is faster than the kernel's tables are mirrored. They wait
// unchanged and are taken up again from the beginning. One worker's thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "config/model/limits.h"
#include "config/model/paths.h"
#include "config/model/snapshot.h"

struct rte_mbuf;

namespace fulcrum {

class WaitingRoom {
  public:
    WaitingRoom() = default;
    ~WaitingRoom();
    WaitingRoom(const WaitingRoom&) = delete;
    WaitingRoom& operator=(const WaitingRoom&) = delete;

    bool is_empty() const { return count_ == 0; }
    // False: no room.
    bool admit(rte_mbuf* mbuf, const IpAddress& neighbour, std::uint64_t deadline_cycles,
               std::uint16_t service);

    // Calls `released(mbuf)` for up to a burst of those whose neighbour resolves by now,
    // `late(mbuf, service)` for those whose time is over; both leave the room.
    template <typename Released, typename Late>
    void call(const Snapshot& snapshot, std::uint64_t now_cycles, const Released& released,
              const Late& late);

  private:
    struct Guest {
        rte_mbuf* mbuf;
        IpAddress neighbour;
        std::uint64_t deadline_cycles;
        std::uint16_t service;  // its number, for who counts
    };

    std::array<Guest, limits::held_packets_max> guests_;
    std::size_t count_ = 0;
    std::uint64_t asked_epoch_ = 0;
};

template <typename Released, typename Late>
void WaitingRoom::call(const Snapshot& snapshot, std::uint64_t now_cycles, const Released& released,
                       const Late& late) {
    // Paths change with the epoch alone; without a new one there is only time to look at.
    const bool has_news = snapshot.epoch != asked_epoch_;
    asked_epoch_ = snapshot.epoch;
    std::size_t kept = 0;
    std::size_t released_count = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        const Guest guest = guests_[i];
        const bool resolves = has_news && snapshot.paths->to(guest.neighbour).hop->is_resolved;
        if (resolves && released_count < limits::burst_size_max) {
            released(guest.mbuf);
            ++released_count;
            continue;
        }
        if (now_cycles >= guest.deadline_cycles) {
            late(guest.mbuf, guest.service);
            continue;
        }
        asked_epoch_ = resolves ? 0 : asked_epoch_;  // more than a burst: ask again next turn
        guests_[kept++] = guest;
    }
    count_ = kept;
}

}  // namespace fulcrum
