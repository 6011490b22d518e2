// What comes from a real's endpoint and finds no session: a reply all the same if it can be no
// other, else the real's own traffic, which the kernel routes; and what the director's kernel sends
// from a Local real's endpoint goes on as it is. And packets of clients that may have no session.
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
    decide_request(packet, real, burst.decisions[i]);
    limit_segments(packet, real, service.mss_max, burst.decisions[i]);
}

template <typename Family>
void TrackerOf<Family>::answer_without_session(Burst& burst, std::size_t i,
                                               const Snapshot& snapshot) {
    const Classified& classified = burst.classified[i];
    if (is_forged_reply(burst, i, snapshot)) {
        return refuse(burst.decisions[i], Family::bad_source);
    }
    if (classified.listener == limits::index_none) {
        const ParsedPacket& packet = burst.packets[i];
        if (is_of_local_real(packet.source, packet.ip_version == 6, snapshot)) {
            return decide_own(burst.packets[i], Family::hop_to_client(burst, i, *snapshot.paths),
                              burst.decisions[i]);
        }
        burst.decisions[i].verdict = Verdict::punt;
        burst.decisions[i].punt_class = PuntClass::transit;
        return;
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
