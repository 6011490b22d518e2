// The last thing that happens to a packet which needs more than new addresses: a handshake is held
// to a segment size, and what leaves in a frame of another size than it came in is cut, when its
// next hop cannot carry it whole, and wrapped, when its real lives behind a tunnel. What the burst
// path has decided and rewritten is not touched again. One worker's thread.
#pragma once

#include <cstdint>

#include "config/model/snapshot.h"
#include "dataplane/decide.h"
#include "dataplane/emitter.h"
#include "dataplane/parse.h"

struct rte_mbuf;

namespace fulcrum {

// The same for all packets of a flow, so that routers on the way keep them in order. Fragments but
// the first do not know their ports, so none of a datagram's asks for them.
std::uint32_t flow_hash_of(const std::uint8_t* frame, const ParsedPacket& packet);

class Refitter {
  public:
    Refitter(Emitter& emitter, WorkerCounters& counters, unsigned worker_id, unsigned worker_count);

    // Sends a packet whose decision says where to, and which has been rewritten for it.
    void send(rte_mbuf* mbuf, const ParsedPacket& packet, const Decision& decision,
              const Snapshot& snapshot);

  private:
    void send_piece(rte_mbuf* mbuf, std::uint32_t flow_hash, const Decision& decision,
                    const Snapshot& snapshot);
    void wrap(rte_mbuf* mbuf, std::uint32_t flow_hash, const Tunnel& tunnel);

    Emitter& emitter_;
    WorkerCounters& counters_;
    // Of outer headers that may be fragmented; workers share the numbers by taking turns.
    std::uint16_t identification_;
    std::uint16_t identification_step_;
};

}  // namespace fulcrum
