// Rare ways to end: what is dropped and its sender told of, what is too long, what waits for its
// first fragment, what a router has to say about a tunnel.
#include <rte_mbuf.h>

#include <algorithm>

#include "dataplane/client_address.h"
#include "dataplane/parse_ipv6.h"
#include "dataplane/reset.h"
#include "dataplane/rewrite.h"
#include "dataplane/tunnel_errors.h"
#include "dataplane/worker.h"

namespace fulcrum {

// Most end here in silence. A few have something to be made of them.
void Worker::refuse(std::size_t i, const Snapshot& snapshot) {
    // A fragment without ports was told of with its first one.
    const DropReason reason = burst_->decisions[i].reason;
    const bool is_answered = burst_->packets[i].kind == PacketKind::fragment;
    switch (reason) {
        case DropReason::no_real:
        case DropReason::no_local_port:
            return is_answered ? drop(i, reason, snapshot) : refuse_no_real(i, snapshot);
        case DropReason::no_service_reset:
            return refuse_at_vip(i, snapshot);
        case DropReason::mtu_exceeded:
            return refuse_too_long(i, snapshot);
        case DropReason::ttl_expired:
            return refuse_and_tell(i, icmp_error::time_exceeded, snapshot);
        default:
            return drop(i, reason, snapshot);
    }
}

// The service has nobody to serve it. Its clients are told at once, if it wants them told.
void Worker::refuse_no_real(std::size_t i, const Snapshot& snapshot) {
    const bool is_udp = burst_->packets[i].protocol == L4Protocol::udp;
    Refusal refusal = Refusal::silence;
    switch (snapshot.service_of(burst_->classified[i].listener).no_real) {
        case NoReal::reset:
            refusal = is_udp ? Refusal::silence : Refusal::reset;
            break;
        case NoReal::silent:
            break;
        case NoReal::unreachable:
            refusal = Refusal::unreachable;
            break;
    }
    answer_refused(i, refusal, snapshot);
}

// Nobody listens, and the VIP says so as a host would: but to no group, and not about a reset. Any
// number of ports can be asked for, so the answers have a rate.
void Worker::refuse_at_vip(std::size_t i, const Snapshot& snapshot) {
    const ParsedPacket& packet = burst_->packets[i];
    if (packet.is_broadcast) {
        return answer_refused(i, Refusal::silence, snapshot);
    }
    if (packet.protocol == L4Protocol::udp) {
        return answer_refused(i, Refusal::unreachable, snapshot);
    }
    const bool is_told =
        (packet.tcp_flags & tcp_flag::rst) == 0 && reset_rate_.take(clock_.now_cycles());
    answer_refused(i, is_told ? Refusal::reset : Refusal::silence, snapshot);
}

// The packet is dropped, and in its buffer the answer is made.
void Worker::answer_refused(std::size_t i, Refusal refusal, const Snapshot& snapshot) {
    rte_mbuf* mbuf = burst_->mbufs[i];
    const ParsedPacket& packet = burst_->packets[i];
    const DropCause cause{burst_->decisions[i].reason, service_of(i, snapshot)};
    auto* const frame = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
    const IpAddress sender =
        packet.ip_version == 6 ? IpAddress{ipv6_header_of(frame).source} : IpAddress{packet.source};
    const NextHop& hop = *snapshot.paths->to(sender).hop;
    const bool can_answer =
        refusal != Refusal::silence && hop.port != port_none && mbuf->nb_segs == 1;
    if (!can_answer) {
        return emitter_.drop(mbuf, cause);
    }
    if (!hop.is_resolved) {
        return hold(i, sender, snapshot);
    }
    if (refusal == Refusal::unreachable) {
        return icmp_.refuse_port(mbuf, packet, cause, hop);
    }
    emitter_.count_drop(cause);
    counters_.originated.add(1);
    const std::uint16_t length = turn_into_reset(frame, packet, hop);
    mbuf->data_len = length;
    mbuf->pkt_len = length;
    emitter_.transmit(mbuf, hop.port);
}

// A packet whose sender allows it is cut and goes on its way in pieces; the others' senders hear
// what would have passed. What a client sends before its real has answered is no matter of size: it
// comes again when that has.
void Worker::refuse_too_long(std::size_t i, const Snapshot& snapshot) {
    Decision& decision = burst_->decisions[i];
    if (burst_->spliced[i].step == SpliceStep::open) {
        return drop(i, decision.reason, snapshot);
    }
    decision.mss_max = 0;
    const ParsedPacket& packet = burst_->packets[i];
    std::uint8_t* const frame = burst_->frames[i].octets;
    const bool is_ipv6 = packet.ip_version == 6;
    if (is_ipv6 || ipv4_header_of(frame).forbids_fragments()) {
        IcmpError error = icmp_error::too_long;
        // IPv6 asks so much of every way, and its senders do not believe in less (RFC 8201, 4).
        constexpr std::uint16_t ipv6_mtu_least = 1'280;
        const std::uint8_t growth =
            tells_client(decision) && !decision.is_reply
                ? datagram_growth(burst_->tellings[i].by, packet.protocol, !is_ipv6)
                : std::uint8_t{0};
        const auto left = static_cast<std::uint16_t>(decision.hop->mtu - growth);
        error.next_mtu = is_ipv6 ? std::max(left, ipv6_mtu_least) : left;
        return refuse_and_tell(i, error, snapshot);
    }
    if (!decision.hop->is_resolved) {
        return hold(i, destination_of(i, snapshot), snapshot);
    }
    rewrite(frame, packet, decision);
    count_forwarded(decision, packet);
    burst_->spliced[i].step == SpliceStep::translate ? splice(i, snapshot) : refit(i, snapshot);
}

void Worker::refit(std::size_t i, const Snapshot& snapshot) {
    rte_mbuf* const mbuf = burst_->mbufs[i];
    ParsedPacket& packet = burst_->packets[i];
    const Decision& decision = burst_->decisions[i];
    if (!tells_client(decision) ||
        teller_.tell(mbuf, packet, decision, burst_->tellings[i], snapshot)) {
        refitter_.send(mbuf, packet, decision, snapshot);
    }
}

void Worker::refuse_and_tell(std::size_t i, IcmpError error, const Snapshot& snapshot) {
    const ParsedPacket& packet = burst_->packets[i];
    const bool is_from_client = burst_->classified[i].packet_class == PacketClass::request;
    const IpAddress sender = source_of(i, snapshot);
    error.source = is_from_client ? snapshot.address_of(packet.destination, packet.ip_version == 6)
                                  : snapshot.paths->source_to(sender);
    icmp_.refuse(burst_->mbufs[i], packet, {burst_->decisions[i].reason, service_of(i, snapshot)},
                 error, *snapshot.paths->to(sender).hop);
}

// A packet of our own, on the way of packet i.
void Worker::send_in_tunnel(rte_mbuf* mbuf, std::uint16_t length, std::size_t i,
                            const Snapshot& snapshot) {
    mbuf->data_len = length;
    mbuf->pkt_len = length;
    Decision decision = burst_->decisions[i];
    decision.mss_max = 0;
    ParsedPacket packet = burst_->packets[i];
    packet.ip_length = static_cast<std::uint16_t>(length - sizeof(EthernetHeader));
    counters_.originated.add(1);
    refitter_.send(mbuf, packet, decision, snapshot);
}

// Untouched as well, until the first fragment of its datagram has been seen.
void Worker::await_first(std::size_t i) {
    const DatagramKey datagram =
        fragment_place_of(burst_->frames[i].octets, burst_->packets[i]).datagram;
    const std::uint64_t deadline =
        clock_.now_cycles() + clock_.cycles_of_ms(limits::early_fragment_ms_max);
    if (early_fragments_.admit(burst_->mbufs[i], datagram, deadline)) {
        counters_.held_back.add(1);
    } else {
        emitter_.drop(burst_->mbufs[i], {DropReason::fragment_unmatched});
    }
}

// What it says of the path goes to the control thread, and comes back with a snapshot to all.
void Worker::hear_tunnel_error(std::size_t i, const Snapshot& snapshot) {
    const ParsedPacket& packet = burst_->packets[i];
    const bool is_ipv6 = packet.ip_version == 6;
    const Tunnel& tunnel =
        *snapshot.tunnel_to({packet.source, packet.source_port}, family_of(is_ipv6));
    const TunnelNews news = read_tunnel_error(burst_->frames[i].octets, packet);
    const bool is_for_client = news.inner_offset != 0 && snapshot.is_vip(news.error.source);
    const bool is_from_there =
        packet.port == tunnel.port && (is_for_client || news.inner_offset == 0);
    if (is_from_there && news.path_mtu != 0 && news.path_mtu < tunnel.mtu + tunnel.header_length) {
        WorkerReport found;
        found.kind = ReportKind::path_mtu;
        found.neighbour = snapshot.address_of(packet.source, is_ipv6);
        found.mtu = news.path_mtu;
        report(found);
    }
    if (!is_for_client) {
        return emitter_.drop(burst_->mbufs[i], {DropReason::tunnel_error});
    }
    const std::uint8_t* const inner = burst_->frames[i].octets + news.inner_offset;
    const IpAddress client = *inner >> 4 == 6
                                 ? IpAddress{reinterpret_cast<const Ipv6Header*>(inner)->source}
                                 : IpAddress{reinterpret_cast<const Ipv4Header*>(inner)->source};
    icmp_.pass_on(burst_->mbufs[i], news.inner_offset, news.inner_length, news.error,
                  *snapshot.paths->to(client).hop);
}

void Worker::release_fragments(const Snapshot& snapshot) {
    if (early_fragments_.is_empty()) {
        return;
    }
    burst_->count = 0;
    early_fragments_.call(
        clock_.now_s(), clock_.now_cycles(),
        [this](rte_mbuf* mbuf) { burst_->mbufs[burst_->count++] = mbuf; },
        [this](rte_mbuf* mbuf) {
            counters_.released.add(1);
            emitter_.drop(mbuf, {DropReason::fragment_unmatched});
        });
    if (burst_->count > 0) {
        counters_.released.add(burst_->count);
        carry(snapshot, Origin::held);
    }
}

}  // namespace fulcrum
