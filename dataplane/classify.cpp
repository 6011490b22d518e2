// The order of questions.
#include "dataplane/classify.h"

namespace fulcrum {
namespace {

constexpr std::uint8_t protocol_vrrp = 112;
constexpr std::uint8_t any_protocol = 255;

void refuse(Classified& classified, DropReason reason) {
    classified.packet_class = PacketClass::refused;
    classified.reason = reason;
}

void punt(Classified& classified, PuntClass punt_class) {
    classified.packet_class = PacketClass::punt;
    classified.punt_class = punt_class;
}

bool holds(const EndpointMap& addresses, Ipv4Address address) {
    return addresses.find(EndpointMap::key_of(address, be16{}, any_protocol)) !=
           EndpointMap::absent;
}

bool is_routing_or_login(const ParsedPacket& packet) {
    constexpr be16 ssh{22};
    constexpr be16 bgp{179};
    constexpr be16 bfd{3784};
    constexpr be16 bfd_echo{3785};
    if (packet.protocol == L4Protocol::udp) {
        return packet.destination_port == bfd || packet.destination_port == bfd_echo;
    }
    return packet.destination_port == bgp || packet.source_port == bgp ||
           packet.destination_port == ssh || packet.source_port == ssh;
}

void punt_to_ourselves(const ParsedPacket& packet, const Snapshot& snapshot,
                       Classified& classified) {
    if (packet.ip_protocol == protocol_vrrp) {
        return punt(classified, PuntClass::keepalive);
    }
    const bool is_about_ours =
        packet.kind == PacketKind::tunnel_error || packet.kind == PacketKind::icmp_error;
    if (is_about_ours && snapshot.tunnel_to({packet.source, packet.source_port}) != nullptr) {
        classified.packet_class = PacketClass::tunnel_error;
        return;
    }
    if (holds(snapshot.real_addresses, packet.source)) {
        return punt(classified, PuntClass::check);
    }
    if (packet.kind == PacketKind::flow && is_routing_or_login(packet)) {
        return punt(classified, PuntClass::routing);
    }
    return punt(classified, PuntClass::rest);
}

// Nobody's whom we serve. The kernel routes for the reals; for strangers nobody does.
void transit_or_refuse(const ParsedPacket& packet, const Snapshot& snapshot,
                       Classified& classified) {
    if (packet.is_broadcast || packet.destination.is_multicast() ||
        packet.destination.is_broadcast()) {
        return punt(classified,
                    packet.ip_protocol == protocol_vrrp ? PuntClass::keepalive : PuntClass::rest);
    }
    const bool concerns_real = holds(snapshot.real_addresses, packet.source) ||
                               holds(snapshot.real_addresses, packet.destination);
    if (concerns_real) {
        punt(classified, PuntClass::transit);
    } else {
        refuse(classified, DropReason::destination);
    }
}

inline void take_for_request(const ParsedPacket& packet, std::uint32_t listener,
                             Classified& classified) {
    if (packet.is_broadcast) {
        return refuse(classified, DropReason::destination);
    }
    classified.packet_class = PacketClass::request;
    classified.listener = static_cast<std::uint16_t>(listener);
    classified.client = packet.source;
    classified.client_key = client_key_of(packet.source, packet.source_port, packet.protocol);
}

// To a port of a VIP that no listener has to itself: one of a range, or nobody's.
void classify_at_vip(const ParsedPacket& packet, const Snapshot& snapshot, Classified& classified) {
    const std::uint64_t address =
        EndpointMap::key_of(packet.destination, be16{}, static_cast<std::uint8_t>(packet.protocol));
    const std::uint32_t listener =
        snapshot.listener_ranges.find(address, packet.destination_port.host());
    if (listener != PortRangeMap::absent) {
        return take_for_request(packet, listener, classified);
    }
    return punt_to_ourselves(packet, snapshot, classified);
}

// To nobody's listener: ours, or perhaps a real's reply. Out of line, like all but requests, which
// would otherwise save registers for them.
[[gnu::noinline]] void classify_non_request(const ParsedPacket& packet, const Snapshot& snapshot,
                                            Classified& classified) {
    if (holds(snapshot.vips, packet.destination)) {
        return classify_at_vip(packet, snapshot, classified);
    }
    if (snapshot.paths->is_ours(packet.destination)) {
        return punt_to_ourselves(packet, snapshot, classified);
    }
    const std::uint32_t source =
        snapshot.reply_source_of(packet.source, packet.source_port, packet.protocol);
    if (source != EndpointMap::absent && !packet.is_broadcast) {
        classified.packet_class = PacketClass::reply;
        classified.listener = snapshot.reply_sources[source].sole_listener;
        classified.client = packet.destination;
        classified.client_key =
            client_key_of(packet.destination, packet.destination_port, packet.protocol);
        return;
    }
    return transit_or_refuse(packet, snapshot, classified);
}

// Whole TCP and UDP packets, and errors about them, whose ports are known.
inline void classify_flow(const ParsedPacket& packet, const Snapshot& snapshot,
                          Classified& classified) {
    const std::uint32_t listener = snapshot.listener_by_endpoint.find(EndpointMap::key_of(
        packet.destination, packet.destination_port, static_cast<std::uint8_t>(packet.protocol)));
    if (listener == EndpointMap::absent) {
        return classify_non_request(packet, snapshot, classified);
    }
    take_for_request(packet, listener, classified);
}

[[gnu::noinline]] void classify_other_ipv4(const ParsedPacket& packet, const Snapshot& snapshot,
                                           Classified& classified) {
    const bool is_tcp_or_udp = packet.ip_protocol == static_cast<std::uint8_t>(L4Protocol::tcp) ||
                               packet.ip_protocol == static_cast<std::uint8_t>(L4Protocol::udp);
    // From nobody in particular; must not reach the kernel, which would answer for the service.
    if (is_tcp_or_udp && holds(snapshot.vips, packet.destination)) {
        return refuse(classified, DropReason::ipv4_source);
    }
    if (snapshot.paths->is_ours(packet.destination) || holds(snapshot.vips, packet.destination)) {
        return punt_to_ourselves(packet, snapshot, classified);
    }
    return transit_or_refuse(packet, snapshot, classified);
}

// Only the first one has ports, so all of them are sent to where their datagram is known: to the
// worker of who would be the client.
[[gnu::noinline]] void classify_fragment(const ParsedPacket& packet, const Snapshot& snapshot,
                                         Classified& classified) {
    const bool is_to_vip = holds(snapshot.vips, packet.destination);
    const bool may_be_reply = !is_to_vip && !packet.is_broadcast &&
                              holds(snapshot.real_addresses, packet.source) &&
                              !snapshot.paths->is_ours(packet.destination);
    if (is_to_vip || may_be_reply) {
        if (packet.is_broadcast) {
            return refuse(classified, DropReason::destination);
        }
        classified.packet_class = PacketClass::fragment;
        classified.client = is_to_vip ? packet.source : packet.destination;
        return;
    }
    if (snapshot.paths->is_ours(packet.destination)) {
        return punt_to_ourselves(packet, snapshot, classified);
    }
    return transit_or_refuse(packet, snapshot, classified);
}

}  // namespace

void classify_first_fragment(const ParsedPacket& packet, const Snapshot& snapshot,
                             Classified& classified) {
    classify_flow(packet, snapshot, classified);
}

void classify(const ParsedPacket& packet, const Snapshot& snapshot, Classified& classified) {
    if (packet.kind == PacketKind::flow || packet.kind == PacketKind::icmp_error) {
        classify_flow(packet, snapshot, classified);
    } else if (packet.kind == PacketKind::other_ipv4 || packet.kind == PacketKind::tunnel_error) {
        classify_other_ipv4(packet, snapshot, classified);
    } else if (packet.kind == PacketKind::fragment) {
        classify_fragment(packet, snapshot, classified);
    } else if (packet.kind == PacketKind::not_ip) {
        punt(classified, PuntClass::link);
    } else {
        refuse(classified, packet.reason);
    }
}

}  // namespace fulcrum
