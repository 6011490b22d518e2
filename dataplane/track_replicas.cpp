// Sessions that two directors share: what the tracker tells the peer of its own, and how it takes
// the peer's; and those that an earlier process has left. All of it is off the path of packets:
// told of is what becomes of a session (enter, note_gone) and what goes on (the sweep), never a
// packet.
//
// The peer's word counts as far as its role goes. Where a listener is standby here, the peer's
// session takes the place of ours; where it is active here, ours is the living one, and the peer's
// only fills a vacancy. By the table's law for newcomers no confirmed session makes way for either.
#include <algorithm>

#include "dataplane/track.h"

namespace fulcrum {
namespace {

// A round of the sweep takes half its period, and a turn may be late.
constexpr std::uint32_t sweep_round_s = limits::sweep_period_s / 2 + 1;

void name_client(const IpAddress& client, Session& session) {
    session.client_address = client.v4();
}
void name_client(const IpAddress& client, Session6& session) {
    session.client_address = client.v6();
}

LeasingFlow flow_of(const Replica& replica) {
    return {.client = replica.client.v6(),
            .client_port = replica.client_port,
            .vip_port = replica.vip_port,
            .listener = replica.listener};
}

// Whether the header and what follows it have left is not known for sure where the other director
// takes over: then they go once more, which does no harm, and are never left out.
ReplicaShift as_replica(const StreamShift& shift) {
    return {.first = shift.first,
            .length = shift.length,
            .is_announced = shift.length != 0,
            .is_followed = shift.length != 0,
            .is_accepted = shift.is_accepted};
}

StreamShift as_stream(const ReplicaShift& shift) {
    return {.first = shift.first,
            .length = shift.length,
            .is_announced = shift.is_announced,
            .is_followed = shift.is_followed,
            .is_accepted = shift.is_accepted};
}

// As if its last packet had come by here.
template <typename Session>
Session session_of(const Replica& replica, const Ages& ages) {
    Session session;
    name_client(replica.client, session);
    session.client_port = replica.client_port;
    session.listener = replica.listener;
    session.vip_port = replica.vip_port;
    session.real = replica.real;
    session.tag = SessionTag{replica.state, replica.protocol};
    const bool is_coarse = ages.snapshot().listeners[replica.listener].timeouts_are_coarse;
    session.tag.set_coarse(is_coarse);
    const std::uint32_t idle = is_coarse ? replica.idle_s / limits::coarse_unit_s : replica.idle_s;
    // What does not fit is beyond every timeout.
    session.last_seen =
        static_cast<std::uint16_t>(ages.stamp(is_coarse) - std::min(idle, std::uint32_t{0x7FFF}));
    if (replica.local_port.wire() != 0) {
        session.tag.set_full_nat();
    }
    return session;
}

}  // namespace

// --- ours, told ------------------------------------------------------------------------------

template <typename Family>
[[gnu::noinline]] void TrackerOf<Family>::tell_peer(const Session& session, ReplicaKind kind,
                                                    const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    // What a spliced session's numbers differ by stays here: the other director could not carry it.
    if (ages.is_nameless(session) || session.tag.is_spliced() ||
        snapshot.listeners[session.listener].is_standby) {
        return;
    }
    Replica replica{.kind = kind,
                    .protocol = session.tag.protocol(),
                    .state = session.tag.state(),
                    .client = session.client_address,
                    .client_port = session.client_port,
                    .vip_port = session.vip_port,
                    .listener = session.listener,
                    .real = session.real,
                    .idle_s = ages.age_s(session)};
    if (session.tag.is_full_nat() && kind == ReplicaKind::session) {
        const auto end = ends_.end_of(flow_of(session), replica.protocol);
        const Endpoint local = local_end_of(session, ends_, snapshot);
        if (!end || local.port.wire() == 0) {
            return;  // its local address has been taken from us: it serves no more
        }
        const Telling telling = ends_.telling_of(*end, replica.protocol);
        replica.local = local.address;
        replica.local_port = local.port;
        replica.told_by = telling.by;
        replica.shift = telling.by == ClientAddressBy::none || replica.protocol == L4Protocol::udp
                            ? ReplicaShift{}
                            : as_replica(*telling.shift);
    }
    WorkerCounters& counters = board_.worker();
    (peer_->post(replica) ? counters.replicas_told : counters.replicas_lost).add(1);
}

// By the sweep: once in each of the parts that its time is cut into, if it was seen since the last
// such moment. Which moments these are follows from the client, or all would come together. A sweep
// that comes too late for one leaves it to the next.
template <typename Family>
void TrackerOf<Family>::renew_at_peer(const Session& session, const Ages& ages) {
    if (!is_confirmed(session.tag.state())) {
        return;
    }
    const std::uint32_t part_s =
        std::max<std::uint32_t>(1, ages.timeout_s(session) / limits::replica_renewals);
    const std::uint32_t phase_s =
        scaled(table_.home_of(client_key_of(session)).first * 0x9E37'79B9U, part_s);
    const std::uint32_t since_moment_s = (ages.now_s() + phase_s) % part_s;
    if (since_moment_s < sweep_round_s && ages.age_s(session) <= part_s + since_moment_s) {
        tell_peer(session, ReplicaKind::session, ages);
    }
}

template <typename Family>
bool TrackerOf<Family>::tell_some(std::size_t from, std::size_t count, const Ages& ages) {
    return table_.walk(from, count, [&](const Session& session) {
        if (is_confirmed(session.tag.state()) && !ages.is_expired(session)) {
            tell_peer(session, ReplicaKind::session, ages);
        }
    });
}

// --- the peer's, taken -----------------------------------------------------------------------

template <typename Family>
SessionHome TrackerOf<Family>::home_of(const Replica& replica) const {
    return table_.home_of(Family::client_of(flow_of(replica), replica.protocol));
}

template <typename Family>
std::optional<ReplicaRefusal> TrackerOf<Family>::adopt(const Replica& replica, const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    if (replica.listener >= snapshot.listeners.size()) {
        return ReplicaRefusal::unknown;
    }
    const auto told = session_of<Session>(replica, ages);
    const SnapshotListener& listener = snapshot.listeners[replica.listener];
    const bool is_of_family = listener.is_ipv6 == !replica.client.is_v4();
    if (ages.is_nameless(told) || !is_of_family || listener.protocol != replica.protocol ||
        !is_confirmed(replica.state)) {
        return ReplicaRefusal::unknown;
    }
    Session* const own = table_.find(
        home_of(replica), Family::client_of(flow_of(replica), replica.protocol),
        [&](const Session& session) {
            return session.listener == replica.listener && session.vip_port == replica.vip_port;
        });
    if (replica.kind == ReplicaKind::gone) {
        if (own == nullptr || !listener.is_standby) {
            return ReplicaRefusal::kept;
        }
        note_gone(*own, ages);
        table_.remove(*own);
        return std::nullopt;
    }
    if (ages.is_expired(told)) {
        return ReplicaRefusal::expired;
    }
    if (own != nullptr && !ages.is_expired(*own)) {
        const bool is_the_same = own->real == told.real &&
                                 own->tag.is_full_nat() == told.tag.is_full_nat() &&
                                 !own->tag.is_spliced();  // a replica never is
        if (is_the_same || !listener.is_standby) {
            return renew(*own, replica, ages);
        }
    }
    if (own != nullptr) {
        note_gone(*own, ages);
        table_.remove(*own);
    }
    return admit_replica(replica, ages);
}

// It is there already. A standby follows the peer in all; who is active has the last word, but
// learns that the peer has seen the session since.
template <typename Family>
std::optional<ReplicaRefusal> TrackerOf<Family>::renew(Session& own, const Replica& replica,
                                                       const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    const SnapshotListener& listener = snapshot.listeners[own.listener];
    const auto told = session_of<Session>(replica, ages);
    if (listener.is_standby) {
        if (own.tag.is_full_nat() && !claim_local_end(replica, ages)) {
            return ReplicaRefusal::local_end;
        }
        own.tag.set_coarse(told.tag.is_coarse());
        own.last_seen = told.last_seen;
        if (own.tag.state() != replica.state) {
            enter(own, replica.state, snapshot.real_of(listener, own.real), ages);
        }
        return std::nullopt;
    }
    const bool is_younger = own.real == replica.real && own.tag.state() == replica.state &&
                            ages.age_s(told) < ages.age_s(own);
    if (!is_younger) {
        return ReplicaRefusal::kept;
    }
    own.tag.set_coarse(told.tag.is_coarse());
    own.last_seen = told.last_seen;
    return std::nullopt;
}

template <typename Family>
std::optional<ReplicaRefusal> TrackerOf<Family>::admit_replica(const Replica& replica,
                                                               const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    const SnapshotListener& listener = snapshot.listeners[replica.listener];
    const SnapshotReal& real = snapshot.real_of(listener, replica.real);
    const bool needs_end = replica.local_port.wire() != 0;
    if (real.mode == ForwardingMode::full_nat && !needs_end) {
        return ReplicaRefusal::local_end;
    }
    // Replies of two sessions of one client port at one real endpoint could not be told apart.
    const auto is_at_its_real = [&](const Session& other) {
        if (ages.is_nameless(other)) {
            return false;
        }
        const SnapshotReal& its = snapshot.real_of(snapshot.listeners[other.listener], other.real);
        return its.is_known_by_endpoint && its.address == real.address &&
               port_towards(its, other.vip_port) == port_towards(real, replica.vip_port);
    };
    const SessionHome home = home_of(replica);
    const auto client = Family::client_of(flow_of(replica), replica.protocol);
    Session* const other =
        real.is_known_by_endpoint ? table_.find(home, client, is_at_its_real) : nullptr;
    if (other != nullptr) {
        if (!listener.is_standby && !ages.is_expired(*other)) {
            return ReplicaRefusal::conflict;
        }
        note_gone(*other, ages);
        table_.remove(*other);
    }
    if (needs_end && !claim_local_end(replica, ages)) {
        return ReplicaRefusal::local_end;
    }
    const typename Table::Insertion insertion =
        table_.insert(session_of<Session>(replica, ages), home, ages);
    if (insertion.removed_expired || insertion.removed_evicted) {
        WorkerCounters& counters = board_.worker();
        note_gone(insertion.removed, ages);
        (insertion.removed_expired ? counters.sessions_expired : counters.sessions_evicted).add(1);
    }
    if (insertion.placed == nullptr) {
        if (needs_end) {
            ends_.give_back(flow_of(replica), replica.protocol, ages.now_s(), ages.now_s());
        }
        return ReplicaRefusal::no_room;
    }
    count_replica(*insertion.placed, ages);
    return std::nullopt;
}

// The very port by which the real knows the client, with what has become of its stream.
template <typename Family>
bool TrackerOf<Family>::claim_local_end(const Replica& replica, const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    // A standby has it too, though it does not hold it yet.
    const auto local =
        std::ranges::find(snapshot.local_addresses, replica.local, &LocalAddress::on_the_wire);
    if (local == snapshot.local_addresses.end()) {
        return false;
    }
    const LocalEnd end{local->place, replica.local_port};
    const LeasingFlow* const holder = ends_.holder_of(end, replica.protocol);
    if (holder != nullptr && *holder != flow_of(replica)) {
        return false;
    }
    // While the two were parted, both may have opened the flow: the other's end is the true one.
    const auto held = ends_.end_of(flow_of(replica), replica.protocol);
    if (held && *held != end) {
        ends_.give_back(flow_of(replica), replica.protocol,
                        ages.now_s() + limits::local_port_rest_s, ages.now_s());
    }
    if (!ends_.claim(end, flow_of(replica), replica.protocol, replica.told_by)) {
        return false;
    }
    if (replica.told_by != ClientAddressBy::none && replica.protocol == L4Protocol::tcp) {
        *ends_.telling_of(end, replica.protocol).shift = as_stream(replica.shift);
    }
    return true;
}

// It counts as any session of this real does, but was not opened here.
template <typename Family>
void TrackerOf<Family>::count_replica(Session& session, const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    const SnapshotListener& listener = snapshot.listeners[session.listener];
    RealTally& tally = board_.tally(snapshot.real_of(listener, session.real).tally);
    tally.sessions_live.add(1);
    tally.sessions_confirmed.add(1);
    if (is_active(session.tag.state())) {
        tally.sessions_active.add(1);
    }
    if (snapshot.services[listener.service].schedule == nullptr) {
        return;
    }
    const Newcomer opened{
        .listener = session.listener, .client = Family::client_of(session), .now_s = ages.now_s()};
    session.tag.set_affine(chooser_.note_opened(snapshot, opened, session.real));
    if (listener.has_affinity) {
        chooser_.note_state(holder_of(session, snapshot), SessionState::vacant,
                            {snapshot, ages.now_s()});
    }
}

// --- an earlier process's, taken up ----------------------------------------------------------

template <typename Family>
void TrackerOf<Family>::take_up(const Snapshot& snapshot, std::uint32_t now_s) {
    const Ages ages{snapshot, now_s};
    table_.take_up(ages, [&](Session& session) {
        if (session.tag.is_full_nat()) {
            return false;  // the ends that it speaks from are not in the file
        }
        RealTally& tally = *tally_of(session, snapshot);
        tally.sessions_live.add(1);
        tally.sessions_confirmed.add(is_confirmed(session.tag.state()) ? 1 : 0);
        tally.sessions_active.add(is_active(session.tag.state()) ? 1 : 0);
        chooser_.note_taken_up(holder_of(session, snapshot), {snapshot, now_s});
        return true;
    });
}

template class TrackerOf<Ipv4Flows>;
template class TrackerOf<Ipv6Flows>;

}  // namespace fulcrum
