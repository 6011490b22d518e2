// Sessions in full NAT: which ones are, the local end that each of them leases from its first
// packet until it is gone, and how a reply to that end finds its session. Apart from track.cpp,
// because nobody else's packets come here.
#include "dataplane/track.h"

#include <algorithm>

#include "dataplane/client_address.h"

namespace fulcrum {
namespace {

// Leases that a newcomer may ask, when no port is free, to make way for it: each is another
// session's cache line.
constexpr int leases_asked_max = 64;
// For so long a late answer to a datagram, or to a SYN, may still come to its old port.
constexpr std::uint32_t late_answer_s = 4;

// Who may lose a port, and its session with it: nobody knows whether there was a client at all.
template <typename Session>
bool may_lose_its_end(const Session& session, const Ages& ages) {
    return session.tag.protocol() == L4Protocol::udp ? ages.age_s(session) >= late_answer_s
                                                     : !is_confirmed(session.tag.state());
}

template <typename Session>
Endpoint local_end_as_told(const Session& session, const LocalEnds& ends,
                           const Snapshot& snapshot) {
    const std::optional<LocalEnd> end = session.tag.is_full_nat()
                                            ? ends.end_of(flow_of(session), session.tag.protocol())
                                            : std::nullopt;
    const AddressName address = end ? snapshot.local_address(end->place) : name_none;
    if (address == name_none) {
        return {};
    }
    return {snapshot.address_of(address, snapshot.listeners[session.listener].is_ipv6), end->port};
}

// A datagram grows by its header. One in pieces does not: what it grows by is no multiple of eight,
// in which its later pieces count.
void make_room(const ParsedPacket& packet, ClientAddressBy way, Decision& decision) {
    const unsigned growth = datagram_growth(way, packet.protocol, packet.ip_version == 4);
    const bool leaves = decision.verdict == Verdict::transmit || decision.verdict == Verdict::hold;
    if (growth == 0 || decision.is_reply || packet.kind != PacketKind::flow || !leaves) {
        return;
    }
    if (packet.is_fragment) {
        decision.verdict = Verdict::drop;
        decision.reason = DropReason::local_fragment;
    } else if (packet.ip_length + growth > decision.hop->mtu) {
        decision.verdict = Verdict::drop;
        decision.reason = DropReason::mtu_exceeded;
    }
}

}  // namespace

Endpoint local_end_of(const Session& session, const LocalEnds& ends, const Snapshot& snapshot) {
    return local_end_as_told(session, ends, snapshot);
}
Endpoint local_end_of(const Session6& session, const LocalEnds& ends, const Snapshot& snapshot) {
    return local_end_as_told(session, ends, snapshot);
}

// Whether the client is in a network of ours that the real is in too, or is the real itself; and
// there is a local address to present it under. Where there is none, NAT has to do: the real may
// know a way back through us.
template <typename Family>
bool TrackerOf<Family>::is_beside(const Burst& burst, std::size_t i, const SnapshotReal& real,
                                  const Snapshot& snapshot) {
    const auto is_towards_real = [&](const LocalAddress& local) {
        return local.port == real.hop.port && local.is_ipv6 == real.is_ipv6;
    };
    if (std::ranges::none_of(snapshot.local_addresses, is_towards_real)) {
        return false;
    }
    const Paths& paths = *snapshot.paths;
    const IpAddress client = Family::address_of_client(burst, i);
    const IpAddress address = snapshot.address_of(real.address, real.is_ipv6);
    const Paths::Answer to_client = paths.to(client);
    // Each network of ours has an address of ours, which the kernel uses there.
    return to_client.neighbour == client && to_client.hop->port == real.hop.port &&
           paths.to(address).neighbour == address &&
           paths.source_to(client) == paths.source_to(address);
}

// What `open` does where NAT at one end will not do.
template <typename Family>
void TrackerOf<Family>::open_in_full_nat(Session& newcomer, const Newcomer& flow, Burst& burst,
                                         std::size_t i, const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    const SnapshotListener& listener = snapshot.listeners[newcomer.listener];
    const SnapshotReal& real = snapshot.real_of(listener, newcomer.real);
    const L4Protocol protocol = newcomer.tag.protocol();
    Decision& decision = burst.decisions[i];
    decision.verdict = Verdict::drop;
    newcomer.tag.set_full_nat();
    const LocalEnds::Wish wish{family_of(real.is_ipv6), real.hop.port, protocol,
                               real.client_address};
    const auto take = [&] {
        return ends_.take(flow_of(newcomer), wish, snapshot.local_addresses, ages.now_s());
    };
    if (!take() && !(free_a_local_end(wish, ages) && take())) {
        decision.reason = DropReason::no_local_port;
        return;
    }
    Session* const session = admit(newcomer, real, burst.homes[i], ages);
    if (session == nullptr) {
        ends_.give_back(flow_of(newcomer), protocol, ages.now_s(), ages.now_s());  // nobody used it
        decision.reason = DropReason::table_full;
        return;
    }
    const SnapshotService& service = snapshot.services[listener.service];
    if (service.schedule != nullptr) {
        session->tag.set_affine(chooser_.note_opened(snapshot, flow, newcomer.real));
    }
    decide_request(burst.packets[i], real, decision);
    speak_from_local_end(*session, burst, i, snapshot);
    limit_segments(burst.packets[i], real, service.mss_max, decision);
    if (newcomer.tag.is_spliced()) {
        splice_newcomer(*session, burst, i, ages);
    }
}

// All ports are taken or rest. A session that may be nobody's makes way: those in the order in
// which they came, so that a handshake has as long as a flood takes to fill all ports once.
template <typename Family>
[[gnu::noinline]] bool TrackerOf<Family>::free_a_local_end(const LocalEnds::Wish& wish,
                                                           const Ages& ages) {
    for (int n = 0; n < leases_asked_max; ++n) {
        const LeasingFlow* const asked = ends_.next_to_ask(wish, ages.snapshot().local_addresses);
        if (asked == nullptr) {
            continue;
        }
        const LeasingFlow flow = *asked;
        const auto client = Family::client_of(flow, wish.protocol);
        Session* const session =
            table_.find(table_.home_of(client), client, [&](const Session& candidate) {
                return candidate.tag.is_full_nat() && flow_of(candidate) == flow;
            });
        if (session != nullptr && may_lose_its_end(*session, ages)) {
            ends_.give_back(flow, wish.protocol, ages.now_s(), ages.now_s());
            note_gone(*session, ages);
            table_.remove(*session);
            board_.worker().sessions_evicted.add(1);
            return true;
        }
    }
    return false;
}

// The request has been decided on as NAT would have it. False: its local address has been taken
// from the director.
template <typename Family>
bool TrackerOf<Family>::speak_from_local_end(const Session& session, Burst& burst, std::size_t i,
                                             const Snapshot& snapshot) const {
    const std::optional<LocalEnd> end = ends_.end_of(flow_of(session), session.tag.protocol());
    const AddressName address = end ? snapshot.local_address(end->place) : name_none;
    if (address == name_none) {
        return false;
    }
    Decision& decision = burst.decisions[i];
    decision.rewrite = in_full_nat(decision.rewrite);
    decision.far_address = address;
    decision.far_port = end->port;
    note_telling(burst, i, *end);
    return true;
}

// How its real is told of the client is the session's own, whatever the configuration has become.
template <typename Family>
void TrackerOf<Family>::note_telling(Burst& burst, std::size_t i, LocalEnd end) const {
    Decision& decision = burst.decisions[i];
    const Telling telling = ends_.telling_of(end, burst.packets[i].protocol);
    decision.is_told = telling.by != ClientAddressBy::none;
    if (!decision.is_told) {
        return;
    }
    burst.tellings[i] = telling;
    make_room(burst.packets[i], telling.by, decision);
    if (decision.verdict == Verdict::transmit) {
        decision.verdict = Verdict::refit;
        decision.mss_max = 0;
    }
}

// It rests from the session's last packet on, whenever the session was found to be over: for a few
// seconds where there never was a connection that the real could hold on to.
template <typename Family>
void TrackerOf<Family>::let_end_rest(const Session& session, const Ages& ages) {
    const std::uint32_t last_packet_s = ages.now_s() - ages.age_s(session);
    const bool was_connection =
        is_confirmed(session.tag.state()) || session.tag.protocol() == L4Protocol::udp;
    ends_.give_back(flow_of(session), session.tag.protocol(),
                    last_packet_s + (was_connection ? limits::local_port_rest_s : late_answer_s),
                    ages.now_s());
}

template <typename Family>
bool TrackerOf<Family>::decide_local_reply(Burst& burst, std::size_t i, const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    const ParsedPacket& packet = burst.packets[i];
    Classified& classified = burst.classified[i];
    const LeasingFlow* const flow =
        ends_.holder_of({classified.local_place, packet.destination_port}, packet.protocol);
    if (flow == nullptr) {
        return false;
    }
    const be16 vip_port = flow->vip_port;
    const std::uint16_t listener_index = flow->listener;
    Family::name_client(burst, i, *flow);
    const auto client = Family::client_of(burst, i);
    const auto is_its_session = [&](const Session& session) {
        if (session.listener != listener_index || session.vip_port != vip_port ||
            !session.tag.is_full_nat() || ages.is_nameless(session)) {
            return false;
        }
        const SnapshotReal& real =
            snapshot.real_of(snapshot.listeners[session.listener], session.real);
        return real.address == packet.source &&
               port_towards(real, session.vip_port) == packet.source_port;
    };
    Session* const session = table_.find(table_.home_of(client), client, is_its_session);
    if (session == nullptr) {
        return false;
    }
    classified.packet_class = PacketClass::reply;
    classified.listener = listener_index;
    if (!serve(*session, burst, i, ages)) {
        note_gone(*session, ages);
        table_.remove(*session);
        burst.decisions[i].verdict = Verdict::drop;
        burst.decisions[i].reason = DropReason::no_session;
    }
    burst.decisions[i].rewrite = in_full_nat(burst.decisions[i].rewrite);
    note_telling(burst, i, {classified.local_place, packet.destination_port});
    return true;
}

// What track.cpp asks for, of either family.
template class TrackerOf<Ipv4Flows>;
template class TrackerOf<Ipv6Flows>;

}  // namespace fulcrum
