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

// Why, and of which service: its number, as far as it is known.
struct DropCause {
    DropReason reason;
    std::uint16_t service = limits::index_none;
};

class Emitter {
  public:
    Emitter(const WorkerWiring& wiring, const TurnClock& clock);

    void drop(rte_mbuf* mbuf, DropCause cause) {
        count_drop(cause);
        rte_pktmbuf_free(mbuf);
    }
    // For a packet whose buffer lives on.
    void count_drop(DropCause cause) {
        const auto reason = static_cast<std::size_t>(cause.reason);
        counters_.dropped[reason].add(1);
        if (cause.service < board_.service_count()) {
            board_.drops(cause.service).by_reason[reason].add(1);
        }
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
    // False: the owner's mailbox is full, and the packet is still the caller's.
    [[nodiscard]] bool hand_over(rte_mbuf* mbuf, unsigned owner);
    void flush();

    std::size_t pending_count() const;

    // For who wants to see what leaves: what is transmitted after a mark, and lies here until the
    // next flush. There will be none by itself for `count` frames behind make_room(count).
    using Mark = std::array<std::size_t, limits::ports_max>;
    void make_room(std::size_t count);
    Mark mark() const;
    template <typename Visit>
    void visit_since(const Mark& mark, const Visit& visit) const {
        for (std::size_t port = 0; port < outgoing_.size(); ++port) {
            for (std::size_t n = mark[port]; n < outgoing_[port].count; ++n) {
                visit(outgoing_[port].mbufs[n], port);
            }
        }
    }

  private:
    struct Outgoing {
        std::array<rte_mbuf*, limits::burst_size_max> mbufs;
        std::size_t count = 0;
    };

    void flush_port(std::size_t port);
    void tag_all(std::size_t port);

    const WorkerWiring& wiring_;
    const TurnClock& clock_;
    CounterBoard& board_;
    WorkerCounters& counters_;
    std::array<TokenBucket, punt_class_count> punt_rates_;
    std::array<Outgoing, limits::ports_max> outgoing_;
};

}  // namespace fulcrum
