// Coming and going of those who wait.
#include "dataplane/waiting_room.h"

#include <rte_mbuf.h>

namespace fulcrum {

WaitingRoom::~WaitingRoom() {
    for (std::size_t i = 0; i < count_; ++i) {
        rte_pktmbuf_free(guests_[i].mbuf);
    }
}

bool WaitingRoom::admit(rte_mbuf* mbuf, const IpAddress& neighbour, std::uint64_t deadline_cycles,
                        std::uint16_t service) {
    if (count_ == guests_.size()) {
        return false;
    }
    guests_[count_++] = {mbuf, neighbour, deadline_cycles, service};
    asked_epoch_ = 0;  // the snapshot in force may be newer than the one that it was judged by
    return true;
}

}  // namespace fulcrum
