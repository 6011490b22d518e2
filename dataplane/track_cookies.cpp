// SYN cookies and the sessions that come of them: who is answered instead of being let in, who
// proves by a cookie that he has heard the answer, and what both sides of a spliced session send.
// Apart from track.cpp, because few packets come here.
//
// While cookies are in use a SYN leaves nothing behind. A segment without SYN and without a session
// brings a cookie, or it is of a connection that began before: of a service that is answered for
// always there can be none; else it goes by the ring, as all such do, but without a session, so
// that forged ones fill the table no more than forged SYNs do.
#include "dataplane/gate_check.h"
#include "dataplane/track.h"

namespace fulcrum {
namespace {

const std::uint8_t* tcp_of(const Burst& burst, std::size_t i) {
    return burst.frames[i].octets + burst.packets[i].l4_offset;
}

const TcpHeader& tcp_header_of(const Burst& burst, std::size_t i) {
    return *reinterpret_cast<const TcpHeader*>(tcp_of(burst, i));
}

TcpOptions options_of(const Burst& burst, std::size_t i) {
    const std::size_t seen =
        burst.frames[i].segment_length - std::size_t{burst.packets[i].l4_offset};
    return read_tcp_options(tcp_of(burst, i), seen);
}

// Whether its numbers may be repeated in a segment of ours; who lies in several buffers brings
// content, and is believed.
bool is_sound(const Burst& burst, std::size_t i) {
    const Frame& frame = burst.frames[i];
    return !burst.packets[i].is_fragment && (frame.length != frame.segment_length ||
                                             has_sound_checksum(frame.octets, burst.packets[i]));
}

bool has_somebody(const SnapshotService& service, const Snapshot& snapshot) {
    return service.has_usable_real ||
           (service.fallback != limits::index_none &&
            snapshot.reals[service.first_real + service.fallback].standing == RealStanding::usable);
}

// A segment of ours goes, now or when the neighbour is known.
void answer(Burst& burst, std::size_t i, SpliceStep step) {
    burst.note_step(i, step);
    Decision& decision = burst.decisions[i];
    if (is_rewritten(decision.verdict)) {
        decision.verdict = Verdict::answer;
    }
}

void translate(Burst& burst, std::size_t i) {
    burst.note_step(i, SpliceStep::translate);
    Decision& decision = burst.decisions[i];
    if (is_rewritten(decision.verdict)) {
        decision.verdict = Verdict::splice;
        decision.mss_max = 0;
    }
}

}  // namespace

template <typename Family>
[[gnu::noinline]] auto TrackerOf<Family>::entrance_of(Burst& burst, std::size_t i, const Ages& ages)
    -> Entrance {
    const Snapshot& snapshot = ages.snapshot();
    const ParsedPacket& packet = burst.packets[i];
    const SnapshotService& service = snapshot.service_of(burst.classified[i].listener);
    Decision& decision = burst.decisions[i];
    const bool is_in_use = service.syn_cookies == SynCookies::always || table_.is_flooded();
    const auto settled = [&](DropReason reason) {
        refuse(decision, reason);
        return Entrance::settled;
    };
    if (opens_connection(packet)) {
        // Without a place for what would come of it, it goes by the ring alone, from its beginning.
        if (!is_in_use || !has_somebody(service, snapshot) || !has_place(burst.homes[i], ages)) {
            return Entrance::usual;
        }
        if (service.gate != nullptr && !Gate::lists(service, Family::whole_client_of(burst, i))) {
            return settled(DropReason::denied);
        }
        const Entrance entrance = settled(DropReason::cookie_refused);  // of pieces that follow
        if (!packet.is_fragment) {
            decision.verdict = Verdict::answer;
            burst.note_step(i, SpliceStep::offer);
        }
        return entrance;
    }
    const bool is_awaited = cookies_.is_awaited(ages.now_s());
    if (is_awaited && is_proven(burst, i, ages)) {
        burst.note_step(i, SpliceStep::open);
        return cookies_.splices().has_room() ? Entrance::proven : settled(DropReason::table_full);
    }
    if (service.syn_cookies == SynCookies::always && has_place(burst.homes[i], ages)) {
        return settled(DropReason::cookie_refused);
    }
    return is_awaited && is_in_use ? Entrance::unproven : Entrance::usual;
}

// Whether one of the slots where a session would lie first is vacant, or can be made so.
template <typename Family>
bool TrackerOf<Family>::has_place(SessionHome home, const Ages& ages) const {
    std::size_t kept_count = 0;
    for (const std::uint32_t bucket : {home.first, home.second}) {
        table_.walk(bucket, 1, [&](const Session& session) {
            const SessionState state = session.tag.state();
            kept_count +=
                is_confirmed(state) && state != SessionState::closed && !ages.is_expired(session)
                    ? 1
                    : 0;
        });
    }
    return kept_count < 2 * Table::slots_per_bucket;
}

template <typename Family>
bool TrackerOf<Family>::is_proven(Burst& burst, std::size_t i, const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    const ParsedPacket& packet = burst.packets[i];
    const SnapshotListener& listener = snapshot.listeners[burst.classified[i].listener];
    const TcpHeader& tcp = tcp_header_of(burst, i);
    const SynOfClient from_client{
        .client = {Family::address_of_client(burst, i), packet.source_port},
        .vip = {snapshot.address_of(listener.vip, listener.is_ipv6), packet.destination_port},
        .sequence = tcp.sequence_number.host(),
        .options = options_of(burst, i)};
    Splice& splice = burst.spliced[i].splice;
    if (!cookies_.admit(from_client, tcp.acknowledgment_number.host(), ages.now_s(), splice) ||
        !is_sound(burst, i)) {
        return false;
    }
    note_client(splice, tcp, from_client.options);
    return true;
}

template <typename Family>
void TrackerOf<Family>::splice_newcomer(const Session& session, Burst& burst, std::size_t i,
                                        const Ages& ages) {
    if (!cookies_.is_rehearsal()) {
        cookies_.splices().add(flow_of(session), burst.spliced[i].splice);
        cookies_.expect_real(flow_of(session), ages.now_s(), 0);
    }
    board_.worker().cookies_accepted.add(1);
    answer(burst, i, SpliceStep::open);
}

template <typename Family>
void TrackerOf<Family>::forget_splice(const Session& session) {
    if (!cookies_.is_rehearsal()) {
        cookies_.splices().remove(flow_of(session));
    }
}

// The client has given up one attempt, and begins another.
template <typename Family>
bool TrackerOf<Family>::opens_another(const Session& session, const Burst& burst, std::size_t i) {
    if (burst.classified[i].packet_class != PacketClass::request ||
        burst.packets[i].kind != PacketKind::flow || !opens_connection(burst.packets[i])) {
        return false;
    }
    const Splice* const splice = cookies_.splices().find(flow_of(session));
    const std::uint32_t first = tcp_header_of(burst, i).sequence_number.host() + 1;
    return splice == nullptr || (!splice->is_open && first != splice->client_first);
}

// The packet has been decided on as NAT would have it.
template <typename Family>
void TrackerOf<Family>::carry_spliced(Session& session, Burst& burst, std::size_t i,
                                      const Ages& ages) {
    Splice* const kept = cookies_.splices().find(flow_of(session));
    if (kept == nullptr) {
        // Left by a director before this one, with whom its counts have gone: whoever speaks next
        // is told.
        if (burst.packets[i].kind != PacketKind::flow) {
            return refuse(burst.decisions[i], DropReason::session_ended);
        }
        if ((burst.packets[i].tcp_flags & tcp_flag::rst) == 0) {
            burst.decisions[i].verdict = Verdict::reset;
            burst.decisions[i].reason = DropReason::session_ended;
        }
        return;
    }
    Splice played = *kept;
    Splice& splice = cookies_.is_rehearsal() ? played : *kept;
    const ParsedPacket& packet = burst.packets[i];
    SplicedPacket& spliced = burst.spliced[i];
    if (packet.kind == PacketKind::flow && !splice.is_open) {
        return carry_half_open(session, splice, burst, i, ages);
    }
    spliced.splice = splice;
    const TcpHeader& tcp = tcp_header_of(burst, i);
    const bool is_repeated_answer =
        packet.kind == PacketKind::flow && burst.decisions[i].is_reply &&
        (packet.tcp_flags & syn_ack) == syn_ack &&
        tcp.sequence_number.host() + splice.shift == splice.cookie && is_sound(burst, i);
    if (is_repeated_answer) {  // what we acknowledged it with has been lost
        answer(burst, i, SpliceStep::close_up);
    } else {
        translate(burst, i);
    }
}

template <typename Family>
void TrackerOf<Family>::carry_half_open(Session& session, Splice& splice, Burst& burst,
                                        std::size_t i, const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    const ParsedPacket& packet = burst.packets[i];
    const TcpHeader& tcp = tcp_header_of(burst, i);
    Decision& decision = burst.decisions[i];
    SplicedPacket& spliced = burst.spliced[i];
    const bool is_reset = (packet.tcp_flags & tcp_flag::rst) != 0;
    const bool is_answer = (packet.tcp_flags & syn_ack) == syn_ack && splice.is_answer(tcp);
    spliced.splice = splice;
    if (!decision.is_reply) {
        if (is_reset || packet.is_fragment) {  // the real knows nothing but the client's numbers
            return translate(burst, i);
        }
        if (!opens_connection(packet) && is_sound(burst, i) &&
            tcp.acknowledgment_number.host() == splice.cookie + 1) {
            note_client(splice, tcp, options_of(burst, i));
        }
        spliced.splice = splice;
        return answer(burst, i, SpliceStep::open);
    }
    // Where the client expects the real's next octet, whatever that calls it.
    spliced.splice.shift = splice.cookie + 1 - tcp.sequence_number.host();
    spliced.splice.is_open = true;
    if (is_reset) {
        return translate(burst, i);
    }
    if (!is_answer) {
        return answer(burst, i, SpliceStep::rebuff);
    }
    if (!is_sound(burst, i)) {
        return refuse(decision, DropReason::cookie_refused);
    }
    if (decision.verdict == Verdict::reset) {  // its real is leaving: nothing begins any more
        return burst.note_step(i, SpliceStep::translate);
    }
    const TcpOptions options = options_of(burst, i);
    if (!open_splice(splice, tcp, options)) {
        cookies_.learn_lack_of_timestamps(snapshot.service_of(session.listener), ages.now_s());
        burst.note_step(i, SpliceStep::translate);
        decision.verdict = Verdict::reset;
        decision.reason = DropReason::cookie_refused;
        return;
    }
    spliced.splice = splice;
    // The client has taken part already.
    enter(session, SessionState::established,
          snapshot.real_of(snapshot.listeners[session.listener], session.real), ages);
    answer(burst, i, SpliceStep::close_up);
}

// Of a session that is not confirmed. What the real answers is what may be promised in its name.
template <typename Family>
[[gnu::noinline]] void TrackerOf<Family>::note_handshake(const Session& session,
                                                         const SnapshotReal& real, Burst& burst,
                                                         std::size_t i, const Ages& ages) {
    const ParsedPacket& packet = burst.packets[i];
    const SnapshotService& service = ages.snapshot().service_of(session.listener);
    if (session.tag.state() == SessionState::syn_seen) {
        const Side side = burst.decisions[i].is_reply ? Side::real : Side::client;
        count_opening(real, event_of(packet.tcp_flags, side));
    }
    if (service.syn_cookies != SynCookies::never && packet.protocol == L4Protocol::tcp &&
        burst.decisions[i].is_reply && (packet.tcp_flags & syn_ack) == syn_ack) {
        cookies_.learn(service, options_of(burst, i), ages.now_s());
    }
    limit_segments(packet, real, service.mss_max, burst.decisions[i]);
}

// The real has not answered yet; where its answers do not pass here there is no such session.
template <typename Family>
void TrackerOf<Family>::count_opening(const SnapshotReal& real, SessionEvent event) {
    OpeningTally& opening = board_.opening(real.tally);
    switch (event) {
        case SessionEvent::client_syn:
            return opening.asked.add(1);
        case SessionEvent::real_syn:
            return opening.answered.add(1);
        case SessionEvent::real_reset:
            return opening.refused.add(1);
        default:
            return;
    }
}

template class TrackerOf<Ipv4Flows>;
template class TrackerOf<Ipv6Flows>;

}  // namespace fulcrum
