// The two directions, and what both must respect: TTL, route, MTU, a neighbour that is known.
#include "dataplane/decide.h"

namespace fulcrum {
namespace {

void drop(Decision& decision, DropReason reason) {
    decision.verdict = Verdict::drop;
    decision.reason = reason;
}

// `decision` holds what to do if the packet can leave at all.
void leave_by(const NextHop& hop, const ParsedPacket& packet, Decision& decision) {
    const std::uint8_t ttl = packet.time_to_live;
    if (ttl <= 1) {
        return drop(decision, DropReason::ttl_expired);
    }
    if (hop.port == port_none) {
        return drop(decision, DropReason::no_route);
    }
    if (packet.ip_length > hop.mtu) {
        return drop(decision, DropReason::mtu_exceeded);
    }
    decision.hop = &hop;
    decision.verdict = hop.is_resolved ? Verdict::transmit : Verdict::hold;
}

}  // namespace

void decide_request(const ParsedPacket& packet, const SnapshotReal& real, Decision& decision) {
    decision.is_reply = false;
    decision.tally = real.tally;
    decision.replacement = {real.address, real.port};
    if (real.port.wire() == 0) [[unlikely]] {
        decision.replacement.port = packet.destination_port;  // as port_towards() has it
    }
    if (real.mode == ForwardingMode::direct) {
        decision.rewrite = Rewrite::direct;
    } else {
        decision.rewrite =
            packet.kind == PacketKind::icmp_error ? Rewrite::icmp_request : Rewrite::nat_request;
    }
    leave_by(real.hop, packet, decision);
}

void decide_reply(const ParsedPacket& packet, const Endpoint& vip, std::uint32_t tally,
                  const NextHop& hop, Decision& decision) {
    decision.is_reply = true;
    decision.tally = tally;
    decision.replacement = vip;
    decision.rewrite =
        packet.kind == PacketKind::icmp_error ? Rewrite::icmp_reply : Rewrite::nat_reply;
    leave_by(hop, packet, decision);
}

}  // namespace fulcrum
