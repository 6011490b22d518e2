// What tracking asks the gate of a packet, in the packet's own terms. A packet that is kept out has
// been decided on. Out of line: only services with a gate come here. One worker's thread.
#pragma once

#include "dataplane/burst.h"
#include "dataplane/gate.h"

namespace fulcrum {

inline void refuse(Decision& decision, DropReason reason) {
    decision.verdict = Verdict::drop;
    decision.reason = reason;
    decision.tally = limits::tallies_max;
}

// Of a request that would open a session, whose service has a gate.
template <typename Family>
[[gnu::noinline]] bool is_kept_out(Gate& gate, Burst& burst, std::size_t i,
                                   const Snapshot& snapshot) {
    DropReason reason{};
    const SnapshotService& service = snapshot.service_of(burst.classified[i].listener);
    if (gate.admits_session(service, Family::whole_client_of(burst, i), reason)) {
        return false;
    }
    refuse(burst.decisions[i], reason);
    return true;
}

// Of any packet. A client's own packets count, and nobody's errors.
template <typename Family>
[[gnu::noinline]] bool is_too_much(Gate& gate, Burst& burst, std::size_t i,
                                   const Snapshot& snapshot) {
    const Classified& classified = burst.classified[i];
    if (classified.packet_class != PacketClass::request ||
        burst.packets[i].kind != PacketKind::flow ||
        !snapshot.listeners[classified.listener].has_packet_limits) {
        return false;
    }
    DropReason reason{};
    const SnapshotService& service = snapshot.service_of(classified.listener);
    if (gate.admits_packet(service, Family::whole_client_of(burst, i), reason)) {
        return false;
    }
    refuse(burst.decisions[i], reason);
    return true;
}

}  // namespace fulcrum
