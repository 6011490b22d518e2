// Coming, and the end.
#include "dataplane/fragment_room.h"

#include <rte_mbuf.h>

namespace fulcrum {

FragmentRoom::~FragmentRoom() {
    for (std::size_t n = 0; n < count_; ++n) {
        rte_pktmbuf_free(guests_[n].mbuf);
    }
}

bool FragmentRoom::admit(rte_mbuf* mbuf, const DatagramKey& datagram,
                         std::uint64_t deadline_cycles) {
    if (count_ == guests_.size()) {
        return false;
    }
    guests_[count_++] = {mbuf, datagram, deadline_cycles};
    return true;
}

}  // namespace fulcrum
