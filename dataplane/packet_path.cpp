// The stages' loops.
#include "dataplane/packet_path.h"

#include <algorithm>
#include <utility>

#include "dataplane/full_nat.h"
#include "dataplane/own_source.h"
#include "dataplane/rewrite.h"
#include "dataplane/rewrite_ipv6.h"
#include "dataplane/rewrite_parts.h"
#include "dataplane/vlan.h"

namespace fulcrum {
namespace {

// Of what goes on now, no octet may have gone before. What is held comes here again.
void refuse_overlap(Burst& burst, std::size_t i, FragmentTable& fragments) {
    Decision& decision = burst.decisions[i];
    const bool goes_on = is_rewritten(decision.verdict) || decision.verdict == Verdict::punt ||
                         (decision.verdict == Verdict::drop &&
                          decision.reason == DropReason::mtu_exceeded);  // perhaps in pieces
    if (!goes_on) {
        return;
    }
    const FragmentPlace place = fragment_place_of(burst.frames[i].octets, burst.packets[i]);
    if (!fragments.cover(place.datagram, place.stretch)) {
        decision.verdict = Verdict::drop;
        decision.reason = DropReason::fragment_overlap;
    }
}

// A whole packet's CRC can follow a translated port; that of a packet in pieces, whose length
// nobody knows yet, cannot.
void refuse_translated_sctp(const ParsedPacket& packet, Decision& decision) {
    const be16 port =
        decision.rewrite == Rewrite::nat_reply ? packet.source_port : packet.destination_port;
    const bool is_at_one_end =
        decision.rewrite == Rewrite::nat_request || decision.rewrite == Rewrite::nat_reply;
    const bool is_at_both =
        decision.rewrite == Rewrite::full_request || decision.rewrite == Rewrite::full_reply;
    const bool is_translated = is_at_both || (is_at_one_end && decision.replacement.port != port);
    const bool leaves = decision.verdict == Verdict::transmit ||
                        decision.verdict == Verdict::refit || decision.verdict == Verdict::hold;
    if (packet.protocol == L4Protocol::sctp && leaves && is_translated) {
        decision.verdict = Verdict::drop;
        decision.reason = DropReason::sctp_fragment;
    }
}

IpAddress client_of(const Burst& burst, std::size_t i) {
    return burst.packets[i].ip_version == 6 ? IpAddress{burst.clients6[i].address}
                                            : IpAddress{burst.classified[i].client};
}

// A stranger's packet.
void send_home(Decision& decision, Origin origin) {
    if (origin == Origin::nic || origin == Origin::kernel) {
        decision.verdict = Verdict::hand_over;
    } else {
        decision.verdict = Verdict::drop;
        decision.reason = DropReason::handed_over_twice;
        decision.tally = limits::tallies_max;
    }
}

// Where it comes from is known here alone.
void send_flow_home(Burst& burst, std::size_t i, const Snapshot& snapshot) {
    Decision& decision = burst.decisions[i];
    if (!snapshot.local_reals.empty() && is_forged_reply(burst, i, snapshot)) [[unlikely]] {
        decision.verdict = Verdict::drop;
        decision.reason =
            burst.packets[i].ip_version == 6 ? DropReason::ipv6_source : DropReason::ipv4_source;
        decision.tally = limits::tallies_max;
        return;
    }
    send_home(decision, burst.origin);
}

}  // namespace

PacketPath::PacketPath(std::vector<PathPort> ports, const Steering& steering, unsigned worker_id,
                       unsigned worker_count, Trackers trackers)
    : ports_{std::move(ports)},
      steering_{steering},
      worker_id_{worker_id},
      worker_count_{worker_count},
      tracker_{trackers.of_v4},
      tracker6_{trackers.of_v6} {}

void PacketPath::carry(Burst& burst, const Snapshot& snapshot, std::uint32_t now_s, Origin origin) {
    burst.origin = origin;
    parse(burst);
    classify(burst, snapshot);
    if (burst.fragment_count != 0) {
        sort_fragments(burst, snapshot, origin);
    }
    steer(burst, snapshot);
    tracker_.decide(burst, snapshot, now_s);
    if (burst.local_reply_count != 0) {
        carry_local_replies(burst, snapshot, now_s, origin);
    }
    if (burst.fragment_count != 0) {
        follow_first_fragments(burst, 4, snapshot, now_s);
    }
    rewrite(burst);
    if (burst.flow6_count + burst.fragment_count > 0) {
        steer_ipv6(burst, snapshot);
        tracker6_.decide(burst, snapshot, now_s);
        follow_first_fragments(burst, 6, snapshot, now_s);
        rewrite_ipv6(burst, snapshot);
    }
}

// Flattened: the descent is one piece with its loop, whatever the compiler thinks of its size.
[[gnu::flatten]] void PacketPath::parse(Burst& burst) const {
    for (std::size_t i = 0; i < burst.count; ++i) {
        parse_one(burst, i);
    }
}

[[gnu::always_inline]] inline void PacketPath::parse_one(Burst& burst, std::size_t i) const {
    const Frame& frame = burst.frames[i];
    const PathPort& port = ports_[frame.port];
    burst.packets[i].port = frame.port;
    fulcrum::parse({frame.octets, frame.segment_length}, frame.length, port.mac, burst.packets[i]);
    if (port.completes_partial_checksums && frame.segment_length == frame.length) {
        complete_partial_checksum(frame.octets, burst.packets[i]);
    }
}

void PacketPath::classify(Burst& burst, const Snapshot& snapshot) {
    std::size_t flow_count = 0;
    burst.fragment_count = 0;
    burst.local_reply_count = 0;
    burst.flow6_count = 0;
    burst.tagged_count = 0;
    burst.untagged_count = 0;
    for (std::size_t i = 0; i < burst.count; ++i) {
        classify_one(burst, i, snapshot, flow_count);
    }
    burst.flow_count = flow_count;
    if (burst.tagged_count != 0) {
        classify_tagged(burst, snapshot);
    }
}

[[gnu::always_inline]] inline void PacketPath::classify_one(Burst& burst, std::size_t i,
                                                            const Snapshot& snapshot,
                                                            std::size_t& flow_count) {
    if (burst.packets[i].ip_version == 6) {
        return classify_ipv6(burst, i, snapshot);
    }
    const Classified& classified = burst.classified[i];
    fulcrum::classify(burst.packets[i], snapshot, burst.classified[i]);
    if (classified.packet_class == PacketClass::request ||
        classified.packet_class == PacketClass::reply) {
        burst.decisions[i].verdict = Verdict::pending;
        burst.flows[flow_count++] = static_cast<std::uint8_t>(i);
        tracker_.expect(burst, i);
    } else if (classified.packet_class == PacketClass::tunnel_error) {
        burst.decisions[i].verdict = Verdict::hear;
    } else if (classified.packet_class == PacketClass::fragment) {
        burst.fragments[burst.fragment_count++] = static_cast<std::uint8_t>(i);
    } else if (classified.packet_class == PacketClass::local_reply) {
        burst.local_replies[burst.local_reply_count++] = static_cast<std::uint8_t>(i);
    } else {
        settle_class(burst, i);
    }
}

// Each that has a port to come by is parsed and classified again without its tag. The others end as
// what nobody carries, and so do those with a second tag behind the first: they are put in the list
// once more, where it has been read already, and are not looked at again.
[[gnu::noinline]] void PacketPath::classify_tagged(Burst& burst, const Snapshot& snapshot) {
    const std::size_t tagged_count = burst.tagged_count;
    burst.tagged_count = 0;
    for (std::size_t n = 0; n < tagged_count; ++n) {
        const std::uint8_t i = burst.tagged[n];
        if (take_tag_out(burst.frames[i])) {
            parse_one(burst, i);
            classify_one(burst, i, snapshot, burst.flow_count);
            burst.untagged[burst.untagged_count++] = i;
        }
    }
}

bool PacketPath::take_tag_out(Frame& frame) const {
    if (frame.segment_length < tagged_header_size) {
        return false;
    }
    const std::uint16_t vlan = vlan_tag_of(frame.octets).vlan();
    if (vlan != 0) {
        const auto& vlans = ports_[frame.port].vlans;
        const auto found = std::ranges::find(vlans, vlan, &PathVlan::vlan);
        if (found == vlans.end()) {
            return false;
        }
        frame.port = found->port;
    }
    frame.octets = fulcrum::take_tag_out(frame.octets);
    frame.length -= std::uint32_t{sizeof(VlanTag)};
    frame.segment_length = static_cast<std::uint16_t>(frame.segment_length - sizeof(VlanTag));
    return true;
}

// Each to the worker of its client. There the first of a datagram becomes a packet like others.
[[gnu::noinline]] void PacketPath::sort_fragments(Burst& burst, const Snapshot& snapshot,
                                                  Origin origin) {
    std::size_t kept = 0;
    for (std::size_t n = 0; n < burst.fragment_count; ++n) {
        const std::uint8_t i = burst.fragments[n];
        if (steering_.owner_of(client_of(burst, i)) != worker_id_) {
            send_home(burst.decisions[i], origin);
            continue;
        }
        burst.fragments[kept++] = i;
        if (!fragment_place_of(burst.frames[i].octets, burst.packets[i]).is_later()) {
            burst.packets[i].kind = PacketKind::flow;
            take_first_fragment(burst, i, snapshot);
        }
    }
    burst.fragment_count = kept;
}

void PacketPath::take_first_fragment(Burst& burst, std::uint8_t i, const Snapshot& snapshot) {
    if (burst.packets[i].ip_version == 6) {
        return classify_ipv6(burst, i, snapshot);
    }
    const Classified& classified = burst.classified[i];
    classify_first_fragment(burst.packets[i], snapshot, burst.classified[i]);
    if (classified.packet_class == PacketClass::request ||
        classified.packet_class == PacketClass::reply) {
        burst.decisions[i].verdict = Verdict::pending;
        burst.flows[burst.flow_count++] = i;
        tracker_.expect(burst, i);
    } else if (classified.packet_class == PacketClass::local_reply) {
        burst.local_replies[burst.local_reply_count++] = i;
    } else {
        settle_class(burst, i);
    }
}

// The first ones of this burst have been decided, like those of earlier bursts.
[[gnu::noinline]] void PacketPath::follow_first_fragments(Burst& burst, std::uint8_t ip_version,
                                                          const Snapshot& snapshot,
                                                          std::uint32_t now_s) {
    for (const bool is_later : {false, true}) {
        for (std::size_t n = 0; n < burst.fragment_count; ++n) {
            const std::uint8_t i = burst.fragments[n];
            const ParsedPacket& packet = burst.packets[i];
            const FragmentPlace place = fragment_place_of(burst.frames[i].octets, packet);
            if (packet.ip_version != ip_version || place.is_later() != is_later) {
                continue;
            }
            if (!is_later) {
                refuse_translated_sctp(packet, burst.decisions[i]);
                fragments_.remember(place, burst.decisions[i], now_s);
            } else {
                follow_first_fragment(burst, i, snapshot, now_s);
            }
            refuse_overlap(burst, i, fragments_);
        }
    }
}

void PacketPath::follow_first_fragment(Burst& burst, std::uint8_t i, const Snapshot& snapshot,
                                       std::uint32_t now_s) {
    const FragmentPlace place = fragment_place_of(burst.frames[i].octets, burst.packets[i]);
    const Decision* const first = fragments_.find(place.datagram, now_s);
    Decision& decision = burst.decisions[i];
    if (first == nullptr) {
        decision.verdict = Verdict::await;
        return;
    }
    decision = *first;
    decide_fragment(burst.packets[i], client_of(burst, i), snapshot, decision);
    // To be rewritten.
    if (burst.packets[i].ip_version == 6) {
        burst.flows6[burst.flow6_count++] = i;
    } else {
        burst.flows[burst.flow_count++] = i;
    }
}

// Each to the worker that leases its local end. There it is a reply of the lease's client; what no
// session in full NAT waits for is the kernel's.
[[gnu::noinline]] void PacketPath::carry_local_replies(Burst& burst, const Snapshot& snapshot,
                                                       std::uint32_t now_s, Origin origin) {
    const Ages ages{snapshot, now_s};
    for (std::size_t n = 0; n < burst.local_reply_count; ++n) {
        const std::uint8_t i = burst.local_replies[n];
        const ParsedPacket& packet = burst.packets[i];
        Decision& decision = burst.decisions[i];
        if (steering_.owner_of_local_port(packet.destination_port) != worker_id_) {
            send_home(decision, origin);
            if (packet.is_fragment) {  // the others of its datagram could not follow
                decision.verdict = Verdict::drop;
                decision.reason = DropReason::local_fragment;
            }
            continue;
        }
        const bool is_v6 = packet.ip_version == 6;
        const bool is_known = is_v6 ? tracker6_.decide_local_reply(burst, i, ages)
                                    : tracker_.decide_local_reply(burst, i, ages);
        if (!is_known) {
            decision.verdict = Verdict::punt;
            decision.punt_class = PuntClass::rest;
            continue;
        }
        if (!is_v6) {
            burst.flows[burst.flow_count++] = i;  // to be rewritten
        } else if (is_rewritten(decision.verdict)) {
            address_frame(burst.frames[i].octets, *decision.hop);
            rewrite_both_ends_ipv6(
                burst.frames[i].octets, packet, decision,
                {snapshot.named_by(decision.replacement.address), burst.clients6[i].address});
        }
    }
}

// Of a packet that is nobody's flow.
inline void PacketPath::settle_class(Burst& burst, std::size_t i) {
    const Classified& classified = burst.classified[i];
    if (classified.packet_class == PacketClass::punt) {
        burst.decisions[i].verdict = Verdict::punt;
        burst.decisions[i].punt_class = classified.punt_class;
    } else {
        burst.decisions[i].verdict = Verdict::drop;
        burst.decisions[i].reason = classified.reason;
        if (classified.reason == DropReason::vlan) {
            burst.tagged[burst.tagged_count++] = static_cast<std::uint8_t>(i);
        }
    }
}

[[gnu::noinline]] void PacketPath::classify_ipv6(Burst& burst, std::size_t i,
                                                 const Snapshot& snapshot) {
    Classified& classified = burst.classified[i];
    if (burst.packets[i].kind == PacketKind::refused) {
        classified.packet_class = PacketClass::refused;
        classified.reason = burst.packets[i].reason;
        return settle_class(burst, i);
    }
    fulcrum::classify_ipv6(burst.frames[i].octets, snapshot, burst.packets[i], classified,
                           burst.clients6[i]);
    if (classified.packet_class == PacketClass::request ||
        classified.packet_class == PacketClass::reply) {
        burst.decisions[i].verdict = Verdict::pending;
        burst.flows6[burst.flow6_count++] = static_cast<std::uint8_t>(i);
        tracker6_.expect(burst, i);
    } else if (classified.packet_class == PacketClass::tunnel_error) {
        burst.decisions[i].verdict = Verdict::hear;
    } else if (classified.packet_class == PacketClass::local_reply) {
        burst.local_replies[burst.local_reply_count++] = static_cast<std::uint8_t>(i);
    } else if (classified.packet_class == PacketClass::fragment) {
        burst.fragments[burst.fragment_count++] = static_cast<std::uint8_t>(i);
    } else {
        settle_class(burst, i);
    }
}

// Strangers' clients go to their worker; what was handed over is at home, or somebody has erred.
void PacketPath::steer(Burst& burst, const Snapshot& snapshot) const {
    if (worker_count_ == 1) {
        return;
    }
    std::size_t kept = 0;
    for (std::size_t n = 0; n < burst.flow_count; ++n) {
        const std::uint8_t i = burst.flows[n];
        if (steering_.owner_of(burst.classified[i].client) == worker_id_) {
            burst.flows[kept++] = i;
        } else {
            send_flow_home(burst, i, snapshot);
        }
    }
    burst.flow_count = kept;
}

void PacketPath::steer_ipv6(Burst& burst, const Snapshot& snapshot) const {
    if (worker_count_ == 1) {
        return;
    }
    std::size_t kept = 0;
    for (std::size_t n = 0; n < burst.flow6_count; ++n) {
        const std::uint8_t i = burst.flows6[n];
        if (steering_.owner_of(burst.clients6[i].address) == worker_id_) {
            burst.flows6[kept++] = i;
        } else {
            send_flow_home(burst, i, snapshot);
        }
    }
    burst.flow6_count = kept;
}

void PacketPath::rewrite(Burst& burst) {
    for (std::size_t n = 0; n < burst.flow_count; ++n) {
        const std::size_t i = burst.flows[n];
        if (is_rewritten(burst.decisions[i].verdict)) {
            fulcrum::rewrite(burst.frames[i].octets, burst.packets[i], burst.decisions[i]);
        }
    }
}

void PacketPath::rewrite_ipv6(Burst& burst, const Snapshot& snapshot) {
    for (std::size_t n = 0; n < burst.flow6_count; ++n) {
        const std::size_t i = burst.flows6[n];
        if (is_rewritten(burst.decisions[i].verdict)) {
            fulcrum::rewrite_ipv6(burst.frames[i].octets, burst.packets[i], burst.decisions[i],
                                  snapshot);
        }
    }
}

}  // namespace fulcrum
