// Look up, open, decide.
#include "dataplane/track.h"

#include "dataplane/choose.h"

namespace fulcrum {
namespace {

// A session of the client that this packet belongs to.
struct RequestMatches {
    std::uint16_t listener;
    be16 vip_port;

    bool operator()(const Session& session) const {
        return session.listener == listener && session.vip_port == vip_port;
    }
};

struct ReplyMatches {
    const Snapshot& snapshot;
    Endpoint source;

    bool operator()(const Session& session) const {
        if (session.listener >= snapshot.listeners.size()) {
            return false;
        }
        const SnapshotListener& listener = snapshot.listeners[session.listener];
        if (!listener.is_present || session.real >= listener.real_count) {
            return false;
        }
        const SnapshotReal& real = snapshot.real_of(listener, session.real);
        return real.address == source.address && real.port == source.port &&
               real.mode == ForwardingMode::nat && real.standing != RealStanding::absent;
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

// Only a packet that carries its flow on may open a session: no reset, no answer, no error about
// something that we do not know.
bool may_open(const ParsedPacket& packet) {
    if (packet.kind != PacketKind::flow) {
        return false;
    }
    if (packet.protocol == L4Protocol::udp) {
        return true;
    }
    constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;
    return (packet.tcp_flags & tcp_flag::rst) == 0 && (packet.tcp_flags & syn_ack) != syn_ack;
}

SessionState first_state(const ParsedPacket& packet, ForwardingMode mode) {
    if (packet.protocol == L4Protocol::udp) {
        return SessionState::one_way;
    }
    if (mode == ForwardingMode::direct) {
        return SessionState::direct_opening;
    }
    return (packet.tcp_flags & tcp_flag::syn) != 0 ? SessionState::syn_seen
                                                   : SessionState::picked_up;
}

void refuse(Decision& decision, DropReason reason) {
    decision.verdict = Verdict::drop;
    decision.reason = reason;
}

// Whether a session must make way for a new one: its real is no more, or it is over and this is the
// SYN of another.
bool must_make_way(const Session& session, const ParsedPacket& packet, const Snapshot& snapshot) {
    const SnapshotListener& listener = snapshot.listeners[session.listener];
    if (session.real >= listener.real_count) {
        return true;
    }
    const SnapshotReal& real = snapshot.real_of(listener, session.real);
    if (real.standing == RealStanding::absent) {
        return true;
    }
    constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;
    const bool is_opening_syn = (packet.tcp_flags & syn_ack) == tcp_flag::syn;
    if (!is_opening_syn || packet.protocol != L4Protocol::tcp || packet.kind != PacketKind::flow) {
        return false;
    }
    const SessionState state = session.tag.state();
    const bool has_lost_its_real = !is_confirmed(state) && real.standing != RealStanding::usable;
    return has_lost_its_real || starts_anew(state, real.mode == ForwardingMode::nat);
}

// Whether replies of this real find their way without a session: by NAT only if nobody else is
// served by the same endpoint.
bool can_go_untracked(const Snapshot& snapshot, std::uint16_t listener, const SnapshotReal& real) {
    if (real.mode == ForwardingMode::direct) {
        return true;
    }
    const auto protocol = static_cast<std::uint8_t>(snapshot.listeners[listener].protocol);
    const std::uint32_t source =
        snapshot.real_endpoints.find(EndpointMap::key_of(real.address, real.port, protocol));
    return source != EndpointMap::absent &&
           snapshot.reply_sources[source].sole_listener == listener;
}

}  // namespace

void Tracker::look_up(Burst& burst, const Snapshot& snapshot) {
    for (std::size_t n = 0; n < burst.flow_count; ++n) {
        const std::size_t i = burst.flows[n];
        burst.homes[i] = table_.home_of(burst.classified[i].client_key);
        table_.prefetch_first(burst.homes[i]);
    }
    std::array<std::uint8_t, limits::burst_size_max> elsewhere;
    std::size_t elsewhere_count = 0;
    for (std::size_t n = 0; n < burst.flow_count; ++n) {
        const std::size_t i = burst.flows[n];
        const ClientKey client = burst.classified[i].client_key;
        burst.sessions[i] =
            is_request(burst, i)
                ? table_.find_in_first(burst.homes[i], client, request_matches(burst, i))
                : table_.find_in_first(burst.homes[i], client, reply_matches(burst, i, snapshot));
        if (burst.sessions[i] == nullptr) {
            table_.prefetch_second(burst.homes[i]);
            elsewhere[elsewhere_count++] = static_cast<std::uint8_t>(i);
        }
    }
    for (std::size_t n = 0; n < elsewhere_count; ++n) {
        const std::size_t i = elsewhere[n];
        const ClientKey client = burst.classified[i].client_key;
        burst.sessions[i] =
            is_request(burst, i)
                ? table_.find_elsewhere(burst.homes[i], client, request_matches(burst, i))
                : table_.find_elsewhere(burst.homes[i], client, reply_matches(burst, i, snapshot));
    }
}

void Tracker::find(Burst& burst, std::size_t i, const Snapshot& snapshot) {
    const ClientKey client = burst.classified[i].client_key;
    burst.sessions[i] =
        is_request(burst, i)
            ? table_.find(burst.homes[i], client, request_matches(burst, i))
            : table_.find(burst.homes[i], client, reply_matches(burst, i, snapshot));
}

void Tracker::open(Burst& burst, const Snapshot& snapshot, std::uint32_t now_s) {
    const Ages ages{snapshot, now_s};
    const std::uint64_t disturbances_before = table_.disturbances();
    bool has_opened = false;
    for (std::size_t n = 0; n < burst.flow_count; ++n) {
        const std::size_t i = burst.flows[n];
        // An earlier packet of this burst may have moved or ended the session that this one has
        // found, or opened the one that it has missed.
        const bool is_stale = table_.disturbances() != disturbances_before;
        if (is_stale || (has_opened && burst.sessions[i] == nullptr)) {
            find(burst, i, snapshot);
        }
        if (Session* session = burst.sessions[i]) {
            // Only a request finds a session that is over: replies go on belonging to it.
            if (!is_request(burst, i) || !must_make_way(*session, burst.packets[i], snapshot)) {
                burst.decisions[i].verdict = Verdict::pending;
                continue;
            }
            note_gone(*session, snapshot);
            table_.remove(*session);
            burst.sessions[i] = nullptr;
        }
        if (is_request(burst, i)) {
            open_for_request(burst, i, ages);
            has_opened = true;
        } else {
            answer_without_session(burst, i, snapshot);
        }
    }
    if (table_.disturbances() != disturbances_before) {
        find_again(burst, snapshot);
    }
}

// Newcomers of this burst may have taken the places of sessions that earlier packets have found.
void Tracker::find_again(Burst& burst, const Snapshot& snapshot) {
    for (std::size_t n = 0; n < burst.flow_count; ++n) {
        const std::size_t i = burst.flows[n];
        find(burst, i, snapshot);
        if (burst.sessions[i] == nullptr && burst.decisions[i].verdict == Verdict::pending) {
            refuse(burst.decisions[i], DropReason::table_full);
        }
    }
}

void Tracker::open_for_request(Burst& burst, std::size_t i, const Ages& ages) {
    const ParsedPacket& packet = burst.packets[i];
    const Classified& classified = burst.classified[i];
    const Snapshot& snapshot = ages.snapshot();
    if (!may_open(packet)) {
        return refuse(burst.decisions[i], DropReason::no_session);
    }
    bool met_another = false;
    const std::uint16_t index = choose(classified, burst.homes[i], ages, met_another);
    if (index == limits::index_none) {
        return refuse(burst.decisions[i],
                      met_another ? DropReason::client_port_in_use : DropReason::no_real);
    }
    const SnapshotListener& listener = snapshot.listeners[classified.listener];
    const SnapshotReal& real = snapshot.real_of(listener, index);
    Session newcomer;
    newcomer.client_address = packet.source;
    newcomer.client_port = packet.source_port;
    newcomer.listener = classified.listener;
    newcomer.vip_port = packet.destination_port;
    newcomer.real = index;
    newcomer.tag = SessionTag{first_state(packet, real.mode), packet.protocol};
    newcomer.tag.set_coarse(listener.timeouts_are_coarse);
    newcomer.last_seen = ages.stamp(newcomer.tag.is_coarse());

    const SessionTable::Insertion insertion = table_.insert(newcomer, burst.homes[i], ages);
    if (insertion.removed_expired || insertion.removed_evicted) {
        note_gone(insertion.removed, snapshot);
        (insertion.removed_expired ? board_.worker().sessions_expired
                                   : board_.worker().sessions_evicted)
            .add(1);
    }
    burst.sessions[i] = insertion.placed;
    RealTally& tally = board_.tally(real.tally);
    if (insertion.placed == nullptr) {
        if (!can_go_untracked(snapshot, classified.listener, real)) {
            return refuse(burst.decisions[i], DropReason::table_full);
        }
        board_.worker().sessions_untracked.add(1);
    } else {
        board_.worker().sessions_opened.add(1);
        tally.sessions_opened.add(1);
        tally.sessions_live.add(1);
    }
    decide_request(packet, {classified.listener, index, packet.destination_port}, snapshot,
                   burst.decisions[i]);
}

std::uint16_t Tracker::choose(const Classified& classified, SessionTable::Home home,
                              const Ages& ages, bool& met_another) {
    const Snapshot& snapshot = ages.snapshot();
    const SnapshotListener& listener = snapshot.listeners[classified.listener];
    // Another session of this client port at the same real endpoint: replies could not be told
    // apart. One that is over makes way.
    const auto meets_another = [&](std::uint16_t index) {
        const SnapshotReal& real = snapshot.real_of(listener, index);
        if (real.mode != ForwardingMode::nat) {
            return false;
        }
        const ReplyMatches same_endpoint{snapshot, {real.address, real.port}};
        Session* other = table_.find(home, classified.client_key, same_endpoint);
        if (other == nullptr) {
            return false;
        }
        if (ages.is_expired(*other) || starts_anew(other->tag.state(), true)) {
            note_gone(*other, snapshot);
            table_.remove(*other);
            return false;
        }
        met_another = true;
        return true;
    };
    return choose_real(snapshot, listener, classified.client_key, meets_another);
}

void Tracker::answer_without_session(Burst& burst, std::size_t i, const Snapshot& snapshot) {
    const Classified& classified = burst.classified[i];
    if (classified.listener == limits::index_none) {
        burst.decisions[i].verdict = Verdict::punt;
        burst.decisions[i].punt_class = PuntClass::transit;
        return;
    }
    const Binding binding{classified.listener, limits::index_none,
                          snapshot.listeners[classified.listener].port};
    decide_reply(burst.packets[i], binding, snapshot, burst.decisions[i]);
}

void Tracker::decide(Burst& burst, const Snapshot& snapshot, std::uint32_t now_s) {
    const Ages ages{snapshot, now_s};
    for (std::size_t n = 0; n < burst.flow_count; ++n) {
        const std::size_t i = burst.flows[n];
        Session* session = burst.sessions[i];
        if (session == nullptr) {
            continue;
        }
        const ParsedPacket& packet = burst.packets[i];
        const bool is_reply = !is_request(burst, i);
        const Binding binding{session->listener, session->real, session->vip_port};
        if (is_reply) {
            decide_reply(packet, binding, snapshot, burst.decisions[i]);
        } else {
            decide_request(packet, binding, snapshot, burst.decisions[i]);
        }
        // An error speaks about a session; it does not keep it alive.
        if (packet.kind == PacketKind::flow) {
            touch(*session, packet, is_reply, ages);
        }
    }
}

void Tracker::touch(Session& session, const ParsedPacket& packet, bool is_reply, const Ages& ages) {
    const SnapshotListener& listener = ages.snapshot().listeners[session.listener];
    const SessionState state = session.tag.state();
    const std::uint16_t stamp = ages.stamp(listener.timeouts_are_coarse);
    if (!is_confirmed(state) && stamp != session.last_seen && session.tag.seconds_seen() < 3) {
        session.tag.set_seconds_seen(session.tag.seconds_seen() + 1);
    }
    session.last_seen = stamp;
    session.tag.set_coarse(listener.timeouts_are_coarse);

    const Side side = is_reply ? Side::real : Side::client;
    SessionState next = state;
    if (packet.protocol == L4Protocol::udp) {
        next = next_udp(state, side, session.tag.seconds_seen());
    } else {
        const SessionEvent event = event_of(packet.tcp_flags, side);
        const SnapshotReal& real = ages.snapshot().real_of(listener, session.real);
        next = real.mode == ForwardingMode::nat
                   ? next_two_sided(state, event)
                   : next_one_sided(state, event, session.tag.seconds_seen());
    }
    if (next != state) {
        table_.set_state(session, next);
        if (!is_confirmed(state) && is_confirmed(next)) {
            if (RealTally* tally = tally_of(session, ages.snapshot())) {
                tally->sessions_confirmed.add(1);
            }
        }
    }
}

bool Tracker::sweep(std::size_t bucket_count, const Snapshot& snapshot, std::uint32_t now_s) {
    return table_.sweep(bucket_count, Ages{snapshot, now_s}, [&](const Session& session) {
        note_gone(session, snapshot);
        board_.worker().sessions_expired.add(1);
    });
}

void Tracker::note_gone(const Session& session, const Snapshot& snapshot) {
    if (RealTally* tally = tally_of(session, snapshot)) {
        tally->sessions_live.subtract(1);
        if (is_confirmed(session.tag.state())) {
            tally->sessions_confirmed.subtract(1);
        }
    }
}

// Null for a session whose listener or real the snapshot no longer has: its tally went with it.
RealTally* Tracker::tally_of(const Session& session, const Snapshot& snapshot) {
    if (Ages{snapshot, 0}.is_nameless(session)) {
        return nullptr;
    }
    const SnapshotListener& listener = snapshot.listeners[session.listener];
    return &board_.tally(snapshot.real_of(listener, session.real).tally);
}

}  // namespace fulcrum
