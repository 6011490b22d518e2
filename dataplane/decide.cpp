// The two directions, and what both must respect: TTL, route, MTU, a neighbour that is known.
#include "dataplane/decide.h"

#include <algorithm>

#include "dataplane/client_address.h"
#include "dataplane/headers.h"

namespace fulcrum {
namespace {

void drop(Decision& decision, DropReason reason) {
    decision.verdict = Verdict::drop;
    decision.reason = reason;
}

// The packet itself stays as it is, and leaves within another one.
[[gnu::noinline]] void decide_tunnelled(const ParsedPacket& packet, const NextHop& hop,
                                        Decision& decision) {
    decision.rewrite = Rewrite::tunnel;
    decision.mss_max = 0;
    leave_by(hop, packet, decision);
    if (decision.verdict == Verdict::transmit) {
        decision.verdict = Verdict::refit;
    }
}

void decide_translated(const ParsedPacket& packet, const NextHop& hop, Decision& decision) {
    decision.rewrite =
        packet.kind == PacketKind::icmp_error ? Rewrite::icmp_request : Rewrite::nat_request;
    leave_by(hop, packet, decision);
}

// For the kernel as for a NIC, but that it is asked for no neighbour and leaves by the twin.
void decide_delivered(const ParsedPacket& packet, const NextHop& hop, Decision& decision) {
    decide_translated(packet, hop, decision);
    decision.mss_max = 0;
    if (decision.verdict == Verdict::transmit) {
        decision.verdict = Verdict::deliver;
    }
}

}  // namespace

// They are few.
const SnapshotReal* local_real_of(const Decision& decision, const Snapshot& snapshot) {
    for (const std::uint32_t index : snapshot.local_reals) {
        if (snapshot.reals[index].tally == decision.tally) {
            return &snapshot.reals[index];
        }
    }
    return nullptr;
}

// A tunnel leads to reals of either IP version.
IpAddress real_of(const Decision& decision, const ParsedPacket& packet, const Snapshot& snapshot) {
    const bool is_ipv6 = decision.rewrite == Rewrite::tunnel
                             ? snapshot.tunnel_of(decision.tally).is_ipv6
                             : packet.ip_version == 6;
    return snapshot.address_of(decision.replacement.address, is_ipv6);
}

void decide_rare_request(const ParsedPacket& packet, const SnapshotReal& real, Decision& decision) {
    if (is_tunnel(real.mode)) {
        decide_tunnelled(packet, real.hop, decision);
    } else if (real.mode == ForwardingMode::local) {
        decide_delivered(packet, real.hop, decision);
    } else {
        decide_translated(packet, real.hop, decision);
    }
}

void decide_reply(const ParsedPacket& packet, const NamedEndpoint& vip, std::uint32_t tally,
                  const NextHop& hop, Decision& decision) {
    decision.is_reply = true;
    decision.tally = tally;
    decision.replacement = vip;
    decision.rewrite =
        packet.kind == PacketKind::icmp_error ? Rewrite::icmp_reply : Rewrite::nat_reply;
    leave_by(hop, packet, decision);
}

void decide_own(const ParsedPacket& packet, const NextHop& hop, Decision& decision) {
    decision.is_reply = true;
    decision.tally = limits::tallies_max;
    decision.rewrite = Rewrite::direct;
    leave_by(hop, packet, decision);
}

// Handshakes alone, which are no business of a confirmed session's packets: those pay nothing.
[[gnu::noinline]] void limit_segments(const ParsedPacket& packet, const SnapshotReal& real,
                                      std::uint16_t mss_max, Decision& decision) {
    const bool is_ipv6 = packet.ip_version == 6;
    const unsigned headers_size =
        (is_ipv6 ? sizeof(Ipv6Header) : sizeof(Ipv4Header)) + sizeof(TcpHeader);
    const unsigned mss_least = is_ipv6 ? 1'220 : 536;  // RFC 9293, 3.7.1
    const bool leaves = is_rewritten(decision.verdict);
    const bool is_handshake =
        packet.protocol == L4Protocol::tcp && (packet.tcp_flags & tcp_flag::syn) != 0;
    if (!leaves || !is_handshake) {
        return;
    }
    unsigned limit = mss_max;
    if (is_tunnel(real.mode)) {
        const unsigned left = std::max<unsigned>(real.hop.mtu, mss_least + headers_size);
        limit = limit == 0 ? left - headers_size : std::min(limit, left - headers_size);
    }
    if (real.client_address == ClientAddressBy::toa && decision.is_reply) {
        // The client's first segments have room for the option.
        const unsigned left = std::max<unsigned>(real.hop.mtu, mss_least + headers_size) -
                              toa_option_length(!is_ipv6);
        limit = limit == 0 ? left - headers_size : std::min(limit, left - headers_size);
    }
    if (limit != 0) {
        decision.mss_max = static_cast<std::uint16_t>(limit);
        decision.verdict = decision.verdict == Verdict::deliver ? Verdict::deliver : Verdict::refit;
    }
}

void decide_fragment(const ParsedPacket& packet, const IpAddress& client, const Snapshot& snapshot,
                     Decision& decision) {
    // Whether the first one could go on was a matter of its own length, age and moment.
    const bool has_way =
        is_rewritten(decision.verdict) || decision.verdict == Verdict::hold ||
        (decision.verdict == Verdict::drop &&
         (decision.reason == DropReason::mtu_exceeded ||
          decision.reason == DropReason::ttl_expired || decision.reason == DropReason::no_route));
    if (!has_way) {
        // The session's end was told with the first one, and that one was answered.
        const bool is_done =
            decision.verdict == Verdict::reset || decision.verdict == Verdict::answer;
        decision.verdict = is_done ? Verdict::drop : decision.verdict;
        return;
    }
    if (decision.rewrite == Rewrite::nat_request) {
        decision.rewrite = Rewrite::nat_request_fragment;
    } else if (decision.rewrite == Rewrite::nat_reply) {
        decision.rewrite = Rewrite::nat_reply_fragment;
    } else if (decision.rewrite == Rewrite::full_request) {
        decision.rewrite = Rewrite::full_request_fragment;
    } else if (decision.rewrite == Rewrite::full_reply) {
        decision.rewrite = Rewrite::full_reply_fragment;
    }
    if (decision.rewrite == Rewrite::tunnel) {
        if (decision.tally >= snapshot.tunnel_by_tally.size()) {
            return drop(decision, DropReason::no_real);  // it has left meanwhile
        }
        return decide_tunnelled(packet, snapshot.tunnel_of(decision.tally), decision);
    }
    const SnapshotReal* const real = local_real_of(decision, snapshot);
    if (real != nullptr && !decision.is_reply) {
        decision.mss_max = 0;
        leave_by(real->hop, packet, decision);
        decision.verdict =
            decision.verdict == Verdict::transmit ? Verdict::deliver : decision.verdict;
        return;
    }
    const IpAddress towards = decision.rewrite == Rewrite::full_reply_fragment
                                  ? IpAddress{decision.far_address}
                              : decision.is_reply ? client
                                                  : real_of(decision, packet, snapshot);
    leave_by(*snapshot.paths->to(towards).hop, packet, decision);
}

}  // namespace fulcrum
