// What a worker sends for SYN cookies and spliced sessions: segments of its own in the place of
// those that came, and the octets of those that pass.
#include <rte_mbuf.h>

#include "dataplane/reset.h"
#include "dataplane/splice.h"
#include "dataplane/tell_parts.h"
#include "dataplane/worker.h"

namespace fulcrum {
namespace {

static_assert(segment_frame_size_max <= limits::frame_size_max);

// An error for the client quotes a segment as the real was to get it, one for the real a segment as
// the client was to get it: the one's acknowledgement is turned back, the other's position.
void splice_quotation(const Splice& splice, std::uint8_t* frame, const ParsedPacket& packet,
                      bool is_for_client) {
    const std::size_t at = is_for_client ? offsetof(TcpHeader, acknowledgment_number)
                                         : offsetof(TcpHeader, sequence_number);
    change_quoted_number(frame, packet, at, [&](std::uint32_t number) {
        return is_for_client ? number + splice.shift : number - splice.shift;
    });
}

// What a frame of `length` octets says of itself that holds nothing but a segment of ours.
void note_segment(ParsedPacket& packet, std::uint16_t length) {
    packet.ip_length = static_cast<std::uint16_t>(length - sizeof(EthernetHeader));
    packet.l4_offset = static_cast<std::uint8_t>(
        sizeof(EthernetHeader) +
        (packet.ip_version == 6 ? sizeof(Ipv6Header) : sizeof(Ipv4Header)));
}

}  // namespace

void Worker::splice(std::size_t i, const Snapshot& snapshot) {
    rte_mbuf* const mbuf = burst_->mbufs[i];
    const ParsedPacket& packet = burst_->packets[i];
    const bool is_reply = burst_->decisions[i].is_reply;
    const Splice& splice = burst_->spliced[i].splice;
    auto* const frame = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
    const std::size_t size = mbuf->data_len - std::size_t{packet.l4_offset};
    if (!splice.is_open) {
        // There are no two counts yet.
    } else if (packet.kind == PacketKind::icmp_error) {
        splice_quotation(splice, frame, packet, is_reply);
    } else if (is_reply) {
        splice_reply(splice, frame + packet.l4_offset, size);
    } else {
        splice_request(splice, frame + packet.l4_offset, size);
    }
    refit(i, snapshot);
}

// A reset that goes on in the place of packet i, with that packet's own numbers.
void Worker::splice_reset(std::size_t i, BareReset& reset) const {
    const SplicedPacket& spliced = burst_->spliced[i];
    if (spliced.step == SpliceStep::none || !spliced.splice.is_open) {
        return;
    }
    const std::uint32_t shift = spliced.splice.shift;
    if (burst_->decisions[i].is_reply) {
        reset.sequence_number = be32{reset.sequence_number.host() + shift};
    } else {
        reset.acknowledgment_number = be32{reset.acknowledgment_number.host() - shift};
    }
}

void Worker::answer(std::size_t i, const Snapshot& snapshot) {
    switch (burst_->spliced[i].step) {
        case SpliceStep::offer:
            return offer_cookie(i, snapshot);
        case SpliceStep::open:
            return open_at_real(i, snapshot);
        case SpliceStep::close_up:
            return close_up(i, snapshot);
        case SpliceStep::rebuff:
            return rebuff(i, snapshot);
        case SpliceStep::none:
        case SpliceStep::translate:
            std::abort();  // nobody asked for an answer
    }
}

// Of packet i nothing is left but a segment of ours at the beginning of its buffer.
void Worker::put_in_place(std::size_t i, std::uint16_t length) {
    rte_mbuf* const mbuf = burst_->mbufs[i];
    if (mbuf->next != nullptr) {
        rte_pktmbuf_free(mbuf->next);
        mbuf->next = nullptr;
        mbuf->nb_segs = 1;
    }
    set_length(mbuf, length);
    note_segment(burst_->packets[i], length);
}

// The SYN goes back as its own answer.
void Worker::offer_cookie(std::size_t i, const Snapshot& snapshot) {
    rte_mbuf* const mbuf = burst_->mbufs[i];
    const ParsedPacket& packet = burst_->packets[i];
    auto* const frame = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
    const std::uint8_t* const l4 = frame + packet.l4_offset;
    const PacketEnds ends = ends_of(frame, packet);
    const NextHop& hop = *snapshot.paths->to(ends.source.address).hop;
    if (hop.port == port_none) {
        return drop(i, DropReason::no_route, snapshot);
    }
    if (!hop.is_resolved) {
        return hold(i, ends.source.address, snapshot);
    }
    const SynOfClient syn{
        .client = ends.source,
        .vip = ends.destination,
        .sequence = reinterpret_cast<const TcpHeader*>(l4)->sequence_number.host(),
        .options = read_tcp_options(l4, mbuf->data_len - std::size_t{packet.l4_offset})};
    const SnapshotService& service = snapshot.service_of(burst_->classified[i].listener);
    const Segment segment = wiring_.cookies->answer(syn, service, clock_.now_s());
    put_in_place(i, write_segment(frame, segment, hop));
    counters_.cookies_sent.add(1);
    if (service.number < board_.service_count()) {
        board_.drops(service.number).cookies_sent.add(1);
    }
    emitter_.transmit(mbuf, hop.port);
}

// Told of its client, where it is to be, as by any SYN.
void Worker::open_at_real(std::size_t i, const Snapshot& snapshot) {
    ParsedPacket& packet = burst_->packets[i];
    Decision& decision = burst_->decisions[i];
    auto* const frame = rte_pktmbuf_mtod(burst_->mbufs[i], std::uint8_t*);
    const PacketEnds ends = ends_onwards(frame, packet, decision, client_of(i), snapshot);
    const SnapshotService& service = snapshot.service_of(burst_->classified[i].listener);
    Segment syn = syn_for_real(burst_->spliced[i].splice, service.mss_max);
    syn.source = ends.source;
    syn.destination = ends.destination;
    put_in_place(i, write_segment(frame, syn, *decision.hop));
    packet.tcp_flags = tcp_flag::syn;
    decision.mss_max = 0;
    pool_ = burst_->mbufs[i]->pool;
    count_forwarded(decision, packet);
    refit(i, snapshot);
}

// The real's SYN-ACK is acknowledged, and the client's window opened. Whichever of the two is lost
// is asked for again: the one by the SYN-ACK, the other by the client's probes.
void Worker::close_up(std::size_t i, const Snapshot& snapshot) {
    rte_mbuf* const mbuf = burst_->mbufs[i];
    ParsedPacket& packet = burst_->packets[i];
    const Decision& decision = burst_->decisions[i];
    auto* const frame = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
    const TcpHeader answered = *reinterpret_cast<const TcpHeader*>(frame + packet.l4_offset);
    const std::uint32_t real_time =
        read_tcp_options(frame + packet.l4_offset, mbuf->data_len - std::size_t{packet.l4_offset})
            .timestamp;
    acknowledge_real(i, real_time, snapshot);
    Segment window = window_for_client(burst_->spliced[i].splice, answered, real_time);
    const PacketEnds onwards = ends_onwards(frame, packet, decision, client_of(i), snapshot);
    window.source = onwards.source;
    window.destination = onwards.destination;
    put_in_place(i, write_segment(frame, window, *decision.hop));
    count_forwarded(decision, packet);
    emitter_.transmit(mbuf, decision.hop->port);
}

// It is told of its client with that, as it would be with the client's own: who speaks first waits
// for nothing else.
void Worker::acknowledge_real(std::size_t i, std::uint32_t real_time, const Snapshot& snapshot) {
    rte_mbuf* const theirs = burst_->mbufs[i];
    ParsedPacket packet = burst_->packets[i];
    Decision decision = burst_->decisions[i];
    const PacketEnds ends = ends_of(rte_pktmbuf_mtod(theirs, std::uint8_t*), packet);
    const NextHop& back = *snapshot.paths->to(ends.source.address).hop;
    rte_mbuf* const ours = back.is_resolved ? rte_pktmbuf_alloc(theirs->pool) : nullptr;
    if (ours == nullptr) {
        return;
    }
    Segment ack = ack_for_real(burst_->spliced[i].splice, real_time);
    ack.source = ends.destination;
    ack.destination = ends.source;
    const std::uint16_t length = write_segment(rte_pktmbuf_mtod(ours, std::uint8_t*), ack, back);
    ours->port = theirs->port;
    set_length(ours, length);
    counters_.originated.add(1);
    note_segment(packet, length);
    packet.tcp_flags = tcp_flag::ack;
    decision.is_reply = false;
    decision.hop = &back;
    if (!tells_client(decision) ||
        teller_.tell(ours, packet, decision, burst_->tellings[i], snapshot)) {
        emitter_.transmit(ours, back.port);
    }
}

// Reals that have been silent for a while are asked again, as if their clients had asked; those who
// stay silent are given up, and their clients told.
[[gnu::noinline]] void Worker::retry_half_open(const Snapshot& snapshot) {
    CookieDesk& desk = *wiring_.cookies;
    burst_->count = 0;
    for (std::size_t n = 0; n < limits::burst_size_max && desk.has_due(clock_.now_s()); ++n) {
        const CookieDesk::HalfOpen due = desk.take_due();
        const Splice* const splice = desk.splices().find(due.flow);
        const bool is_waiting = splice != nullptr && !splice->is_open &&
                                due.flow.listener < snapshot.listeners.size() &&
                                snapshot.listeners[due.flow.listener].is_present;
        if (!is_waiting) {
            continue;
        }
        if (due.attempt_count == CookieDesk::attempts_max) {
            give_up(*splice, due.flow, snapshot);
            continue;
        }
        desk.expect_real(due.flow, clock_.now_s(),
                         static_cast<std::uint8_t>(due.attempt_count + 1));
        if (rte_mbuf* const mbuf = segment_of_client(*splice, due.flow, snapshot)) {
            burst_->mbufs[burst_->count++] = mbuf;
            counters_.originated.add(1);
        }
    }
    if (burst_->count > 0) {
        carry(snapshot, Origin::held);
    }
}

// What the client has sent, as far as it is still known. Null: there is no buffer, or no way by
// which it could come.
rte_mbuf* Worker::segment_of_client(const Splice& splice, const LeasingFlow& flow,
                                    const Snapshot& snapshot) {
    const SnapshotListener& listener = snapshot.listeners[flow.listener];
    const NextHop& hop = *snapshot.paths->to(IpAddress{flow.client}).hop;
    rte_mbuf* const mbuf =
        hop.port != port_none && pool_ != nullptr ? rte_pktmbuf_alloc(pool_) : nullptr;
    if (mbuf == nullptr) {
        return nullptr;
    }
    Segment segment{
        .source = {IpAddress{flow.client}, flow.client_port},
        .destination = {snapshot.address_of(listener.vip, listener.is_ipv6), flow.vip_port}};
    segment.sequence = splice.client_first;
    segment.acknowledged = splice.cookie + 1;
    segment.flags = tcp_flag::ack;
    segment.window = splice.client_window;
    segment.options.has_timestamps = splice.agreed().has_timestamps;
    segment.options.timestamp = splice.client_time;
    segment.options.timestamp_echo = splice.time_shift;
    NextHop from_there = hop;
    from_there.destination = hop.source;
    from_there.source = hop.destination;
    set_length(mbuf, write_segment(rte_pktmbuf_mtod(mbuf, std::uint8_t*), segment, from_there));
    mbuf->port = wiring_.ports[hop.port].port_id;
    return mbuf;
}

void Worker::give_up(const Splice& splice, const LeasingFlow& flow, const Snapshot& snapshot) {
    const SnapshotListener& listener = snapshot.listeners[flow.listener];
    const NextHop& hop = *snapshot.paths->to(IpAddress{flow.client}).hop;
    rte_mbuf* const mbuf = hop.is_resolved && pool_ != nullptr ? rte_pktmbuf_alloc(pool_) : nullptr;
    if (mbuf == nullptr) {
        return;
    }
    Segment reset{.source = {snapshot.address_of(listener.vip, listener.is_ipv6), flow.vip_port},
                  .destination = {IpAddress{flow.client}, flow.client_port}};
    reset.sequence = splice.cookie + 1;
    reset.acknowledged = splice.client_first;
    reset.flags = tcp_flag::rst | tcp_flag::ack;
    set_length(mbuf, write_segment(rte_pktmbuf_mtod(mbuf, std::uint8_t*), reset, hop));
    mbuf->port = wiring_.ports[hop.port].port_id;
    counters_.originated.add(1);
    emitter_.transmit(mbuf, hop.port);
}

// As the client would have answered it, who knows of no such connection (RFC 9293, 3.10.7.3).
void Worker::rebuff(std::size_t i, const Snapshot& snapshot) {
    rte_mbuf* const mbuf = burst_->mbufs[i];
    auto* const frame = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
    const NextHop& back = *snapshot.paths->to(source_of(i, snapshot)).hop;
    if (!back.is_resolved) {
        return drop(i, DropReason::no_session, snapshot);
    }
    put_in_place(i, turn_into_reset(frame, burst_->packets[i], back));
    emitter_.transmit(mbuf, back.port);
}

}  // namespace fulcrum
