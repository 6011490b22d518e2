// What comes from a real's endpoint and finds no session: a reply all the same if it can be no
// other, else the real's own traffic, which the kernel routes; and what the director's kernel sends
// from a Local real's endpoint goes on as it is.
#include "dataplane/gate_check.h"
#include "dataplane/own_source.h"
#include "dataplane/track.h"

namespace fulcrum {

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
