// The two directions, and what both must respect: TTL, route, MTU, a neighbour that is known.
#include "dataplane/decide.h"

namespace fulcrum {
namespace {

void drop(Decision& decision, DropReason reason) {
    decision.verdict = Verdict::drop;
    decision.reason = reason;
}

// `decision` holds what to do if the packet can leave at all.
void leave_by(const NextHop& hop, Ipv4Address neighbour, const ParsedPacket& packet,
              Decision& decision) {
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
    decision.neighbour = neighbour;
    decision.verdict = hop.is_resolved ? Verdict::transmit : Verdict::hold;
}

}  // namespace

void decide_request(const ParsedPacket& packet, const Binding& binding, const Snapshot& snapshot,
                    Decision& decision) {
    const SnapshotListener& listener = snapshot.listeners[binding.listener];
    const SnapshotReal& real = snapshot.real_of(listener, binding.real);
    decision.is_reply = false;
    decision.tally = real.tally;
    decision.replacement = {real.address, real.port};
    if (real.mode == ForwardingMode::direct) {
        decision.rewrite = Rewrite::direct;
    } else if (packet.kind == PacketKind::icmp_error) {
        decision.rewrite = Rewrite::icmp_request;
    } else {
        decision.rewrite = Rewrite::nat_request;
    }
    if (real.hop.is_resolved) {
        return leave_by(real.hop, real.address, packet, decision);
    }
    const Paths::Answer path = snapshot.paths->to(real.address);
    return leave_by(*path.hop, path.neighbour, packet, decision);
}

void decide_reply(const ParsedPacket& packet, const Binding& binding, const Snapshot& snapshot,
                  Decision& decision) {
    const SnapshotListener& listener = snapshot.listeners[binding.listener];
    decision.is_reply = true;
    decision.replacement = {listener.vip, binding.vip_port};
    decision.replaced = {packet.source, packet.source_port};
    decision.rewrite =
        packet.kind == PacketKind::icmp_error ? Rewrite::icmp_reply : Rewrite::nat_reply;
    decision.tally = binding.real < listener.real_count
                         ? snapshot.real_of(listener, binding.real).tally
                         : static_cast<std::uint32_t>(limits::tallies_max);
    const Paths::Answer path = snapshot.paths->to(packet.destination);
    return leave_by(*path.hop, path.neighbour, packet, decision);
}

}  // namespace fulcrum
