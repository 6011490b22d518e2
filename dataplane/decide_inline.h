// The bodies of decide.h that are on the path of every request, where a call would cost more than
// what it does.
#pragma once

#include "dataplane/decide.h"

namespace fulcrum {

// `decision` holds what to do if the packet can leave at all.
inline void leave_by(const NextHop& hop, const ParsedPacket& packet, Decision& decision) {
    const auto drop = [&decision](DropReason reason) {
        decision.verdict = Verdict::drop;
        decision.reason = reason;
    };
    if (packet.time_to_live <= 1 || hop.port == port_none) [[unlikely]] {
        decision.hop = nullptr;
        return drop(packet.time_to_live <= 1 ? DropReason::ttl_expired : DropReason::no_route);
    }
    decision.hop = &hop;
    if (packet.ip_length > hop.mtu) {
        return drop(DropReason::mtu_exceeded);
    }
    decision.verdict = hop.is_resolved ? Verdict::transmit : Verdict::hold;
}

// To a tunnel, to the director itself, or in full NAT.
void decide_rare_request(const ParsedPacket& packet, const SnapshotReal& real, Decision& decision);

inline void decide_request(const ParsedPacket& packet, const SnapshotReal& real,
                           Decision& decision) {
    decision.is_reply = false;
    decision.tally = real.tally;
    decision.replacement = {real.address, real.port};
    if (real.port.wire() == 0) [[unlikely]] {
        decision.replacement.port = packet.destination_port;  // as port_towards() has it
    }
    if (real.mode >= ForwardingMode::ipip) [[unlikely]] {
        return decide_rare_request(packet, real, decision);
    }
    if (real.mode == ForwardingMode::direct) {
        decision.rewrite = Rewrite::direct;
    } else {
        decision.rewrite =
            packet.kind == PacketKind::icmp_error ? Rewrite::icmp_request : Rewrite::nat_request;
    }
    leave_by(real.hop, packet, decision);
}

}  // namespace fulcrum
