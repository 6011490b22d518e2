// The two passes, and what opening a session takes.
#include "dataplane/track.h"

#include <algorithm>

#include "dataplane/gate_check.h"
#include "dataplane/opening.h"
#include "dataplane/own_source.h"

namespace fulcrum {
namespace {

// A session of the client that this packet belongs to.
struct RequestMatches {
    std::uint16_t listener;
    be16 vip_port;

    template <typename Session>
    bool operator()(const Session& session) const {
        return session.vip_port == vip_port;
    }
};

struct ReplyMatches {
    const Snapshot& snapshot;
    NamedEndpoint source;

    template <typename Session>
    bool operator()(const Session& session) const {
        if (session.listener >= snapshot.listeners.size()) {
            return false;
        }
        const SnapshotListener& listener = snapshot.listeners[session.listener];
        if (!listener.is_present || session.real >= listener.real_count) {
            return false;
        }
        const SnapshotReal& real = snapshot.real_of(listener, session.real);
        const bool is_its_port =
            real.port == source.port || (real.port.wire() == 0 && session.vip_port == source.port);
        return real.address == source.address && is_its_port && real.is_known_by_endpoint &&
               real.standing != RealStanding::absent;
    }
};

RequestMatches request_matches(const Burst& burst, std::size_t i) {
    return {burst.classified[i].listener, burst.packets[i].destination_port};
}

ReplyMatches reply_matches(const Burst& burst, std::size_t i, const Snapshot& snapshot) {
    return {snapshot, {burst.packets[i].source, burst.packets[i].source_port}};
}

bool is_request(const Burst& burst, std::size_t i) {
    return burst.classified[i].packet_class == PacketClass::request;
}

}  // namespace

// First all that lie in their first bucket are found, then served: that loop knows no misses. In
// one loop, a nanosecond a packet more.
template <typename Family>
void TrackerOf<Family>::decide(Burst& burst, const Snapshot& snapshot, std::uint32_t now_s) {
    const Ages ages{snapshot, now_s};
    std::array<Found, limits::burst_size_max> found;
    std::array<std::uint8_t, limits::burst_size_max> strays;
    std::size_t found_count = 0;
    std::size_t stray_count = 0;
    for (const std::uint8_t i : Family::flows_of(burst)) {
        Session* const session = find_in_first(burst, i, snapshot);
        found[found_count] = {session, i};
        strays[stray_count] = i;
        found_count += session != nullptr ? 1 : 0;
        stray_count += session != nullptr ? 0 : 1;
    }
    for (std::size_t n = 0; n < stray_count; ++n) {
        table_.prefetch_second(burst.homes[strays[n]]);
    }
    for (std::size_t n = 0; n < found_count; ++n) {
        if (!serve_in_line(*found[n].session, burst, found[n].index, ages)) {
            strays[stray_count++] = found[n].index;
        }
    }
    for (std::size_t n = 0; n < stray_count; ++n) {
        settle(burst, strays[n], ages);
    }
}

template <typename Family>
[[gnu::always_inline]] inline auto TrackerOf<Family>::find_in_first(const Burst& burst,
                                                                    std::size_t i,
                                                                    const Snapshot& snapshot)
    -> Session* {
    const auto client = Family::client_of(burst, i);
    return is_request(burst, i)
               ? table_.find_in_first(burst.homes[i], client, request_matches(burst, i))
               : table_.find_in_first(burst.homes[i], client, reply_matches(burst, i, snapshot));
}

// Looks in the first line again too: an earlier stray may have opened what this one is looking for.
template <typename Family>
void TrackerOf<Family>::settle(Burst& burst, std::size_t i, const Ages& ages) {
    const auto client = Family::client_of(burst, i);
    Session* session =
        is_request(burst, i)
            ? table_.find(burst.homes[i], client, request_matches(burst, i))
            : table_.find(burst.homes[i], client, reply_matches(burst, i, ages.snapshot()));
    if (session != nullptr) {
        if (serve(*session, burst, i, ages)) {
            return;
        }
        note_gone(*session, ages);
        table_.remove(*session);
    } else if (is_too_much<Family>(chooser_.gate(), burst, i, ages.snapshot())) {
        return;
    }
    if (is_request(burst, i)) {
        open(burst, i, ages);
    } else {
        answer_without_session(burst, i, ages);
    }
}

// False: the session must make way for a new one.
template <typename Family>
bool TrackerOf<Family>::serve(Session& session, Burst& burst, std::size_t i, const Ages& ages) {
    return serve_in_line(session, burst, i, ages);
}

template <typename Family>
[[gnu::always_inline]] inline bool TrackerOf<Family>::serve_in_line(Session& session, Burst& burst,
                                                                    std::size_t i,
                                                                    const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    const SnapshotListener& listener = snapshot.listeners[session.listener];
    if (session.real >= listener.real_count) {
        return false;
    }
    const SnapshotReal& real = snapshot.real_of(listener, session.real);
    const bool is_plain = real.standing <= RealStanding::draining && !listener.has_packet_limits &&
                          session.tag.is_plain();
    if (!is_plain) [[unlikely]] {
        return serve_with_care(session, burst, i, ages);
    }
    return carry_on(session, burst, i, ages, real);
}

// What `serve` does for a service that counts packets, at a real whose sessions meet a fate, in
// full NAT, and between two sides that count differently; out of line, for all are rare.
template <typename Family>
[[gnu::noinline]] bool TrackerOf<Family>::serve_with_care(Session& session, Burst& burst,
                                                          std::size_t i, const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    if (is_too_much<Family>(chooser_.gate(), burst, i, snapshot)) {
        return true;
    }
    if (session.tag.is_spliced() && opens_another(session, burst, i)) {
        return false;
    }
    const SnapshotReal& real = snapshot.real_of(snapshot.listeners[session.listener], session.real);
    const bool is_served = real.standing > RealStanding::draining
                               ? part(session, burst, i, ages)
                               : carry_on(session, burst, i, ages, real);
    const bool needs_local_end = session.tag.is_full_nat() && is_request(burst, i);
    if (!is_served || (needs_local_end && !speak_from_local_end(session, burst, i, snapshot))) {
        return false;
    }
    if (session.tag.is_spliced()) {
        carry_spliced(session, burst, i, ages);
    }
    return true;
}

template <typename Family>
bool TrackerOf<Family>::part(Session& session, Burst& burst, std::size_t i, const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    const SnapshotReal& real = snapshot.real_of(snapshot.listeners[session.listener], session.real);
    const Parting parting = parting_from(real, burst.packets[i], is_request(burst, i));
    if (parting == Parting::make_way) {
        return false;
    }
    Decision& decision = burst.decisions[i];
    decision.hop = nullptr;
    if (!carry_on(session, burst, i, ages, real)) {
        return false;
    }
    if (parting == Parting::reset) {
        decision.verdict = Verdict::reset;
        decision.reason = DropReason::session_ended;
        // Told once, it may be told again, until its time as a closed one is over.
        if (is_confirmed(session.tag.state())) {
            enter(session, SessionState::closed, real, ages);
        }
    }
    return true;
}

template <typename Family>
inline bool TrackerOf<Family>::carry_on(Session& session, Burst& burst, std::size_t i,
                                        const Ages& ages, const SnapshotReal& real) {
    const Snapshot& snapshot = ages.snapshot();
    const ParsedPacket& packet = burst.packets[i];
    const SnapshotListener& listener = snapshot.listeners[session.listener];
    const bool is_from_client = is_request(burst, i);
    if (is_from_client) {
        // Only a request finds a session that is over: replies go on belonging to it.
        if (must_make_way(session, packet, real)) {
            return false;
        }
        decide_request(packet, real, burst.decisions[i]);
    } else {
        decide_reply(packet, {listener.vip, session.vip_port}, real.tally,
                     Family::hop_to_client(burst, i, *snapshot.paths), burst.decisions[i]);
    }
    // An error speaks about a session; it does not keep it alive.
    if (packet.kind == PacketKind::flow) {
        const Side side = is_from_client ? Side::client : Side::real;
        session.tag.set_coarse(listener.timeouts_are_coarse);
        if (!is_confirmed(session.tag.state())) {
            note_handshake(session, real, burst, i, ages);
        }
        touch(session, packet, side, real, ages);
    }
    return true;
}

template <typename Family>
inline void TrackerOf<Family>::touch(Session& session, const ParsedPacket& packet, Side side,
                                     const SnapshotReal& real, const Ages& ages) {
    const std::uint16_t stamp = ages.stamp(session.tag.is_coarse());
    const SessionState state = session.tag.state();
    if (!is_confirmed(state) && stamp != session.last_seen && session.tag.seconds_seen() < 3) {
        session.tag.set_seconds_seen(session.tag.seconds_seen() + 1);
    }
    session.last_seen = stamp;

    SessionState next = state;
    if (packet.protocol == L4Protocol::udp) {
        if (!is_confirmed(state)) {
            next = next_udp(state, side, is_one_way(real.mode) ? session.tag.seconds_seen() : 0);
        }
    } else {
        const SessionEvent event = event_of(packet.tcp_flags, side);
        next = is_one_way(real.mode) ? next_one_sided(state, event, session.tag.seconds_seen())
                                     : next_two_sided(state, event);
    }
    if (next != state) {
        enter(session, next, real, ages);
    }
}

template <typename Family>
void TrackerOf<Family>::enter(Session& session, SessionState next, const SnapshotReal& real,
                              const Ages& ages) {
    const SessionState before = session.tag.state();
    table_.set_state(session, next);
    RealTally& tally = board_.tally(real.tally);
    if (!is_confirmed(before) && is_confirmed(next)) {
        tally.sessions_confirmed.add(1);
    }
    if (is_active(before) && !is_active(next)) {
        tally.sessions_active.subtract(1);
    } else if (!is_active(before) && is_active(next)) {
        tally.sessions_active.add(1);
    }
    const Snapshot& snapshot = ages.snapshot();
    if (snapshot.listeners[session.listener].has_affinity) {
        chooser_.note_state(holder_of(session, snapshot), before, {snapshot, ages.now_s()});
    }
    if (peer_ != nullptr && is_confirmed(next)) {
        tell_peer(session, ReplicaKind::session, ages);
    }
}

template <typename Family>
void TrackerOf<Family>::open(Burst& burst, std::size_t i, const Ages& ages) {
    const ParsedPacket& packet = burst.packets[i];
    const Classified& classified = burst.classified[i];
    const Snapshot& snapshot = ages.snapshot();
    if (!may_open(packet)) {
        return refuse(burst.decisions[i], DropReason::no_session);
    }
    if (is_impossible_outside(Family::address_of_client(burst, i), snapshot)) {
        return refuse(burst.decisions[i], Family::bad_source);
    }
    Entrance entrance = Entrance::usual;
    if (snapshot.service_of(classified.listener).syn_cookies != SynCookies::never) {
        entrance = entrance_of(burst, i, ages);
        if (entrance == Entrance::settled) {
            return;
        }
    }
    if (snapshot.service_of(classified.listener).gate != nullptr &&
        is_kept_out<Family>(chooser_.gate(), burst, i, snapshot)) {
        return;
    }
    Newcomer flow = newcomer_of(burst, i, ages);
    flow.goes_by_ring = flow.goes_by_ring && entrance != Entrance::proven;
    bool met_another = false;
    const std::uint16_t index = choose(flow, burst, i, ages, met_another);
    if (index == limits::index_none) {
        return refuse(burst.decisions[i],
                      met_another ? DropReason::client_port_in_use : DropReason::no_real);
    }
    const SnapshotListener& listener = snapshot.listeners[classified.listener];
    const SnapshotReal& real = snapshot.real_of(listener, index);
    if (snapshot.services[listener.service].is_one_packet) {
        board_.tally(real.tally).sessions_opened.add(1);
        if (snapshot.listeners[classified.listener].has_affinity) {
            chooser_.note_passed(snapshot, flow, index);
        }
        return decide_request(packet, real, burst.decisions[i]);
    }
    if (entrance == Entrance::unproven) {
        return pass_untracked(flow, index, burst, i, ages);
    }
    open_session(flow, index, burst, i, ages);
}

template <typename Family>
void TrackerOf<Family>::open_session(const Newcomer& flow, std::uint16_t index, Burst& burst,
                                     std::size_t i, const Ages& ages) {
    const ParsedPacket& packet = burst.packets[i];
    const Classified& classified = burst.classified[i];
    const Snapshot& snapshot = ages.snapshot();
    const SnapshotListener& listener = snapshot.listeners[classified.listener];
    const SnapshotReal& real = snapshot.real_of(listener, index);
    const bool is_proven_by_cookie = burst.spliced[i].step == SpliceStep::open;
    Session newcomer;
    Family::name_client(burst, i, newcomer);
    newcomer.listener = classified.listener;
    newcomer.vip_port = packet.destination_port;
    newcomer.real = index;
    newcomer.tag = SessionTag{first_state(packet, real.mode), packet.protocol};
    if (is_proven_by_cookie) {
        newcomer.tag.set_state(SessionState::syn_seen);
        newcomer.tag.set_spliced();
    }
    newcomer.tag.set_coarse(listener.timeouts_are_coarse);
    newcomer.last_seen = ages.stamp(newcomer.tag.is_coarse());
    if (wants_local_end(burst, i, real, snapshot)) {
        return open_in_full_nat(newcomer, flow, burst, i, ages);
    }
    Session* const session = admit(newcomer, real, burst.homes[i], ages);
    if (session == nullptr) {
        return is_proven_by_cookie ? refuse(burst.decisions[i], DropReason::table_full)
                                   : pass_untracked(flow, index, burst, i, ages);
    }
    if (snapshot.services[listener.service].schedule != nullptr) {
        session->tag.set_affine(chooser_.note_opened(snapshot, flow, index));
    }
    decide_request(packet, real, burst.decisions[i]);
    limit_segments(packet, real, snapshot.services[listener.service].mss_max, burst.decisions[i]);
    if (is_proven_by_cookie) {
        splice_newcomer(*session, burst, i, ages);
    }
}

// Null: no room.
template <typename Family>
auto TrackerOf<Family>::admit(const Session& newcomer, const SnapshotReal& real, SessionHome home,
                              const Ages& ages) -> Session* {
    const typename Table::Insertion insertion = table_.insert(newcomer, home, ages);
    WorkerCounters& counters = board_.worker();
    if (insertion.removed_expired || insertion.removed_evicted) {
        note_gone(insertion.removed, ages);
        (insertion.removed_expired ? counters.sessions_expired : counters.sessions_evicted).add(1);
    }
    if (insertion.placed == nullptr) {
        return nullptr;
    }
    RealTally& tally = board_.tally(real.tally);
    counters.sessions_opened.add(1);
    tally.sessions_opened.add(1);
    tally.sessions_live.add(1);
    if (is_active(newcomer.tag.state())) {
        tally.sessions_active.add(1);
    }
    if (newcomer.tag.state() == SessionState::syn_seen) {
        board_.opening(real.tally).asked.add(1);
    }
    return insertion.placed;
}

template <typename Family>
std::uint16_t TrackerOf<Family>::choose(const Newcomer& newcomer, const Burst& burst, std::size_t i,
                                        const Ages& ages, bool& met_another) {
    const auto client = Family::client_of(burst, i);
    const Snapshot& snapshot = ages.snapshot();
    const Classified& classified = burst.classified[i];
    const be16 vip_port = burst.packets[i].destination_port;
    const SnapshotListener& listener = snapshot.listeners[classified.listener];
    // Another session of this client port at the same real endpoint: replies could not be told
    // apart. One that is over makes way.
    const auto meets_another = [&](std::uint16_t index) {
        const SnapshotReal& real = snapshot.real_of(listener, index);
        if (!real.is_known_by_endpoint) {
            return false;
        }
        const ReplyMatches same_endpoint{snapshot, {real.address, port_towards(real, vip_port)}};
        Session* other = table_.find(burst.homes[i], client, same_endpoint);
        if (other == nullptr) {
            return false;
        }
        if (ages.is_expired(*other) || starts_anew(other->tag.state(), true)) {
            note_gone(*other, ages);
            table_.remove(*other);
            return false;
        }
        met_another = true;
        return true;
    };
    return snapshot.services[listener.service].schedule == nullptr
               ? choose_real(snapshot, listener, newcomer.draw, meets_another)
               : chooser_.choose(snapshot, newcomer, Objection{meets_another});
}

template <typename Family>
bool TrackerOf<Family>::sweep(std::size_t bucket_count, const Snapshot& snapshot,
                              std::uint32_t now_s) {
    const Ages ages{snapshot, now_s};
    const auto removed = [&](const Session& session) {
        note_gone(session, ages);
        board_.worker().sessions_expired.add(1);
    };
    return peer_ == nullptr
               ? table_.sweep(bucket_count, ages, removed)
               : table_.sweep(bucket_count, ages, removed,
                              [&](const Session& session) { renew_at_peer(session, ages); });
}

template <typename Family>
void TrackerOf<Family>::note_gone(const Session& session, const Ages& ages) {
    if (peer_ != nullptr && is_confirmed(session.tag.state()) && !ages.is_expired(session)) {
        tell_peer(session, ReplicaKind::gone, ages);
    }
    give_end_back(session, ages);
    if (RealTally* tally = tally_of(session, ages.snapshot())) {
        tally->sessions_live.subtract(1);
        if (is_confirmed(session.tag.state())) {
            tally->sessions_confirmed.subtract(1);
        }
        if (is_active(session.tag.state())) {
            tally->sessions_active.subtract(1);
        }
        if (session.tag.is_affine()) {
            note_client_left(session, ages);
        }
    }
}

// A session that has timed out ended then, and not when somebody came by to see it.
template <typename Family>
void TrackerOf<Family>::note_client_left(Session session, const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    if (snapshot.listeners[session.listener].has_affinity) {
        const std::uint32_t timeout_s = ages.timeout_s(session);
        const std::uint32_t overdue_s = std::max(ages.age_s(session), timeout_s) - timeout_s;
        chooser_.note_gone(holder_of(session, snapshot), ages.now_s() - overdue_s);
    }
}

// A hole keeps its tally until nobody can name it. Null for a session that names nothing at all.
template <typename Family>
RealTally* TrackerOf<Family>::tally_of(const Session& session, const Snapshot& snapshot) {
    if (session.listener >= snapshot.listeners.size()) {
        return nullptr;
    }
    const SnapshotListener& listener = snapshot.listeners[session.listener];
    if (session.real >= listener.real_count) {
        return nullptr;
    }
    return &board_.tally(snapshot.real_of(listener, session.real).tally);
}

template class TrackerOf<Ipv4Flows>;
template class TrackerOf<Ipv6Flows>;

}  // namespace fulcrum
