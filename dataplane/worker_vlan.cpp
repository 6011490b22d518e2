// What the packet path has done to frames with tags, done to their buffers.
#include <rte_mbuf.h>

#include "dataplane/vlan.h"
#include "dataplane/worker.h"

namespace fulcrum {

// Their buffers begin where their frames do now, and know the VLAN's port: whoever meets them
// later, another worker or the kernel, sees a frame of that port.
[[gnu::noinline]] void Worker::trim_untagged() {
    for (std::size_t n = 0; n < burst_->untagged_count; ++n) {
        const std::uint8_t i = burst_->untagged[n];
        const Frame& frame = burst_->frames[i];
        rte_pktmbuf_adj(burst_->mbufs[i], sizeof(VlanTag));
        burst_->mbufs[i]->port = wiring_.ports[frame.port].port_id;
        if (wiring_.ports[frame.port].vlan != 0) {
            VlanCounters& counters = board_.vlan(frame.port);
            counters.received_packets.add(1);
            counters.received_bytes.add(frame.length);
        }
    }
}

}  // namespace fulcrum
