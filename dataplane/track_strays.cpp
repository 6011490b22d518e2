// What comes from a real's endpoint and finds no session: a reply all the same if it can be nothing
// else, else the real's own traffic, which the kernel routes; and what the director's kernel sends
// from a Local real's endpoint goes on as it is. And packets of clients that may have no session.
//
// A real opens connections of its own from ports that its kernel chooses, and asks some servers
// from the port at which it serves (NTP, DNS, SIP). So a packet that begins a connection is never a
// reply; of TCP and SCTP the others are, if the service has that port alone; those of UDP and of
// ranges only where there are flows without sessions: one-packet services, and while the table had
// no room.
#include "dataplane/gate_check.h"
#include "dataplane/own_source.h"
#include "dataplane/track.h"

namespace fulcrum {
namespace {

// Whether replies of this real find their way without a session: by NAT only if nobody else is
// served by the same endpoint.
bool can_go_untracked(const Snapshot& snapshot, std::uint16_t listener, const SnapshotReal& real,
                      be16 vip_port) {
    if (is_one_way(real.mode)) {
        return true;
    }
    const std::uint32_t source =
        snapshot.reply_source_of({real.address, port_towards(real, vip_port)},
                                 snapshot.listeners[listener].protocol, family_of(real.is_ipv6));
    return source != EndpointMap::absent &&
           snapshot.reply_sources[source].sole_listener == listener;
}

constexpr std::uint32_t untracked_s = 300;  // so long replies of flows without room may come

bool is_surely_reply(const ParsedPacket& packet, const SnapshotListener& listener) {
    return packet.protocol != L4Protocol::udp && listener.port.wire() != 0;
}

}  // namespace

// There was no room. Every packet of the flow comes here then, and all have to find the same real:
// the ring's, whatever the service's scheduler.
template <typename Family>
[[gnu::noinline]] void TrackerOf<Family>::pass_untracked(Newcomer flow, std::uint16_t chosen,
                                                         Burst& burst, std::size_t i,
                                                         const Ages& ages) {
    const ParsedPacket& packet = burst.packets[i];
    const Snapshot& snapshot = ages.snapshot();
    const SnapshotListener& listener = snapshot.listeners[flow.listener];
    const SnapshotService& service = snapshot.services[listener.service];
    bool met_another = false;
    if (service.schedule != nullptr) {
        flow.goes_by_ring = true;
        chosen = choose(flow, burst, i, ages, met_another);
    }
    const bool may_pass =
        chosen != limits::index_none &&
        !wants_local_end(burst, i, snapshot.real_of(listener, chosen), snapshot) &&
        can_go_untracked(snapshot, flow.listener, snapshot.real_of(listener, chosen),
                         packet.destination_port);
    if (!may_pass) {
        return refuse(burst.decisions[i], DropReason::table_full);
    }
    const SnapshotReal& real = snapshot.real_of(listener, chosen);
    board_.worker().sessions_untracked.add(1);
    untracked_until_s_ = ages.now_s() + untracked_s;
    decide_request(packet, real, burst.decisions[i]);
    limit_segments(packet, real, service.mss_max, burst.decisions[i]);
}

// What reads like a reply of the listener's and has no session.
template <typename Family>
bool TrackerOf<Family>::is_reply_without_session(const ParsedPacket& packet,
                                                 std::uint16_t listener_index,
                                                 const Ages& ages) const {
    if (listener_index == limits::index_none ||
        (packet.kind == PacketKind::flow && packet.protocol != L4Protocol::udp &&
         opens_connection(packet))) {
        return false;
    }
    const SnapshotListener& listener = ages.snapshot().listeners[listener_index];
    return is_surely_reply(packet, listener) ||
           ages.snapshot().services[listener.service].is_one_packet ||
           ages.now_s() < untracked_until_s_;
}

template <typename Family>
void TrackerOf<Family>::answer_without_session(Burst& burst, std::size_t i, const Ages& ages) {
    const Snapshot& snapshot = ages.snapshot();
    const Classified& classified = burst.classified[i];
    const ParsedPacket& packet = burst.packets[i];
    if (is_forged_reply(burst, i, snapshot)) {
        return refuse(burst.decisions[i], Family::bad_source);
    }
    if (!is_reply_without_session(packet, classified.listener, ages)) {
        if (is_of_local_real(packet.source, packet.ip_version == 6, snapshot)) {
            return decide_own(burst.packets[i], Family::hop_to_client(burst, i, *snapshot.paths),
                              burst.decisions[i]);
        }
        burst.decisions[i].verdict = Verdict::punt;
        burst.decisions[i].punt_class = PuntClass::transit;
        return;
    }
    // No session vouches for it, and whoever believes strangers who use a real's address carries
    // what they send behind the director.
    if (packet.kind == PacketKind::flow && burst.origin != Origin::kernel &&
        !comes_from_there(packet, snapshot)) {
        return refuse(burst.decisions[i], Family::bad_source);
    }
    const SnapshotListener& listener = snapshot.listeners[classified.listener];
    // Of a range, it is the one that the real has kept: no other has a sole listener.
    const be16 vip_port = listener.port.wire() != 0 ? listener.port : burst.packets[i].source_port;
    const std::uint32_t source =
        snapshot.reply_source_of({burst.packets[i].source, burst.packets[i].source_port},
                                 listener.protocol, family_of(listener.is_ipv6));
    const std::uint32_t tally = source == EndpointMap::absent
                                    ? std::uint32_t{limits::tallies_max}
                                    : snapshot.reply_sources[source].tally;
    decide_reply(burst.packets[i], {listener.vip, vip_port}, tally,
                 Family::hop_to_client(burst, i, *snapshot.paths), burst.decisions[i]);
}

template class TrackerOf<Ipv4Flows>;
template class TrackerOf<Ipv6Flows>;

}  // namespace fulcrum
