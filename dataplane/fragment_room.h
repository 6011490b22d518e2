// Fragments that came before the first one of their datagram wait here, bounded in number and time,
// unchanged, and are taken up again from the beginning when it has been seen. One worker's thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "config/model/limits.h"
#include "dataplane/fragments.h"

struct rte_mbuf;

namespace fulcrum {

class FragmentRoom {
  public:
    explicit FragmentRoom(const FragmentTable& fragments) : fragments_{fragments} {}
    ~FragmentRoom();
    FragmentRoom(const FragmentRoom&) = delete;
    FragmentRoom& operator=(const FragmentRoom&) = delete;

    bool is_empty() const { return count_ == 0; }
    // False: no room.
    bool admit(rte_mbuf* mbuf, const DatagramKey& datagram, std::uint64_t deadline_cycles);

    // Calls `released(mbuf)` for up to a burst of those whose first fragment has been seen,
    // `late(mbuf)` for those whose time is over; both leave the room.
    template <typename Released, typename Late>
    void call(std::uint32_t now_s, std::uint64_t now_cycles, const Released& released,
              const Late& late);

  private:
    struct Guest {
        rte_mbuf* mbuf;
        DatagramKey datagram;
        std::uint64_t deadline_cycles;
    };

    const FragmentTable& fragments_;
    std::array<Guest, limits::early_fragments_max> guests_;
    std::size_t count_ = 0;
    std::uint64_t news_heard_ = 0;
};

template <typename Released, typename Late>
void FragmentRoom::call(std::uint32_t now_s, std::uint64_t now_cycles, const Released& released,
                        const Late& late) {
    const bool has_news = fragments_.news_count() != news_heard_;
    std::uint64_t heard = fragments_.news_count();
    std::size_t kept = 0;
    std::size_t released_count = 0;
    for (std::size_t n = 0; n < count_; ++n) {
        const Guest guest = guests_[n];
        const bool may_go = has_news && fragments_.find(guest.datagram, now_s) != nullptr;
        if (may_go && released_count < limits::burst_size_max) {
            released(guest.mbuf);
            ++released_count;
        } else if (now_cycles >= guest.deadline_cycles) {
            late(guest.mbuf);
        } else {
            heard = may_go ? news_heard_ : heard;  // more than a burst: ask again next turn
            guests_[kept++] = guest;
        }
    }
    count_ = kept;
    news_heard_ = heard;
}

}  // namespace fulcrum
