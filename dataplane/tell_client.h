// Full NAT hides the client from its real; here the real is told. By a PROXY header: a segment of
// ours at the beginning of the client's stream, and from then on every position is shifted (see
// stream_shift.h). Or by TOA: an option in the client's SYN and in what follows until the real has
// left the handshake, where header and next hop have room for it; the others are counted and go
// without. A datagram carries the PROXY header itself, each one: there the next hop's MTU is less
// by that (see note_telling in track_full_nat.cpp), and the client hears so.
//
// The header is a segment of its own, so that no segment of the client's grows: what fits the way
// without it fits with it. Octets in a SYN (TCP Fast Open) are taken out, and come again behind the
// header.
//
// Comes after rewriting: the packet has its new ends. One worker's thread.
#pragma once

#include <cstdint>

#include "config/model/snapshot.h"
#include "dataplane/decide.h"
#include "dataplane/emitter.h"
#include "dataplane/local_ends.h"
#include "dataplane/parse.h"
#include "dataplane/reset.h"

struct rte_mbuf;

namespace fulcrum {

class ClientTeller {
  public:
    ClientTeller(Emitter& emitter, WorkerCounters& counters)
        : emitter_{emitter}, counters_{counters} {}

    // Of a packet whose decision tells_client(); its length in `packet` follows. False: it has been
    // dropped.
    bool tell(rte_mbuf* mbuf, ParsedPacket& packet, const Decision& decision,
              const Telling& telling, const Snapshot& snapshot);

  private:
    bool tell_by_header(rte_mbuf* mbuf, ParsedPacket& packet, const Decision& decision,
                        const Telling& telling, const Snapshot& snapshot);
    bool tell_by_datagram(rte_mbuf* mbuf, ParsedPacket& packet, const Decision& decision,
                          const Telling& telling, const Snapshot& snapshot);
    void tell_by_option(rte_mbuf* mbuf, ParsedPacket& packet, const Decision& decision,
                        const Telling& telling);
    bool announce_before(rte_mbuf* mbuf, const ParsedPacket& packet, const Decision& decision,
                         const Telling& telling, const Snapshot& snapshot);

    Emitter& emitter_;
    WorkerCounters& counters_;
};

// A reset that goes on in the place of a packet, with that packet's own numbers.
void shift_reset(const StreamShift& shift, bool is_reply, BareReset& reset);

}  // namespace fulcrum
