// The only room where a packet ends: it leaves by a NIC port, to the kernel's twin or to its
// owner's mailbox, or it is dropped for a reason. Every passage is counted here, once. One worker's
// thread.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstdint>

#include "config/model/limits.h"
#include "dataplane/counters.h"
#include "dataplane/token_bucket.h"
#include "dataplane/turn_clock.h"
#include "dataplane/verdict.h"
#include "dataplane/worker_wiring.h"

namespace fulcrum {

class Emitter {
  public:
    Emitter(const WorkerWiring& wiring, const TurnClock& clock);

    void drop(rte_mbuf* mbuf, DropReason reason) {
        count_drop(reason);
        rte_pktmbuf_free(mbuf);
    }
    // For a packet whose buffer lives on.
    void count_drop(DropReason reason) {
        counters_.dropped[static_cast<std::size_t>(reason)].add(1);
    }

    // By the port of this index; on the wire at the latest with flush(), at the end of the turn.
    void transmit(rte_mbuf* mbuf, std::size_t port) {
        Outgoing& outgoing = outgoing_[port];
        outgoing.mbufs[outgoing.count++] = mbuf;
        if (outgoing.count == limits::burst_size_max) {
            flush_port(port);
        }
    }
    void punt(rte_mbuf* mbuf, PuntClass punt_class);
    void hand_over(rte_mbuf* mbuf, unsigned owner);
    void flush();

    std::size_t pending_count() const;

  private:
    struct Outgoing {
        std::array<rte_mbuf*, limits::burst_size_max> mbufs;
        std::size_t count = 0;
    };

    void flush_port(std::size_t port);

    const WorkerWiring& wiring_;
    const TurnClock& clock_;
    WorkerCounters& counters_;
    std::array<TokenBucket, punt_class_count> punt_rates_;
    std::array<Outgoing, limits::ports_max> outgoing_;
};

}  // namespace fulcrum
