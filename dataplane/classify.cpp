// The order of questions.
#include "dataplane/classify.h"

#include "dataplane/own_source.h"
#include "dataplane/parse_ipv6.h"
#include "dataplane/parse_l4.h"

namespace fulcrum {
namespace {

constexpr std::uint8_t protocol_vrrp = 112;
// As it leaves its sender: who has it is on the link, for each router takes one off (RFC 5082).
constexpr std::uint8_t hops_of_neighbour = 255;

void refuse(Classified& classified, DropReason reason) {
    classified.packet_class = PacketClass::refused;
    classified.reason = reason;
}

void punt(Classified& classified, PuntClass punt_class) {
    classified.packet_class = PacketClass::punt;
    classified.punt_class = punt_class;
}

// What the questions are asked of: a packet, and what only its family knows.
struct Ipv4Asked {
    static constexpr IpFamily family = IpFamily::v4;
    struct Ends {};  // are in the packet

    static bool is_ours(const ParsedPacket& packet, const Snapshot& snapshot, Ends) {
        return snapshot.paths->is_ours(packet.destination);
    }
    static bool is_to_group(const ParsedPacket& packet) {
        return packet.is_broadcast || packet.destination.is_multicast() ||
               packet.destination.is_broadcast();
    }
    static bool is_of_link(const ParsedPacket&) { return false; }
    static constexpr DropReason bad_source = DropReason::ipv4_source;
    static std::uint64_t destination_key(const ParsedPacket& packet) {
        return packet.destination_key();
    }
    static void name_source(const ParsedPacket& packet, Classified& classified) {
        classified.client = packet.source;
        classified.client_key = packet.source_key();
    }
    static void name_destination(const ParsedPacket& packet, Classified& classified) {
        classified.client = packet.destination;
        classified.client_key = packet.destination_key();
    }
};

struct Ipv6Asked {
    static constexpr IpFamily family = IpFamily::v6;
    using Ends = const Ipv6Ends&;

    static bool is_ours(const ParsedPacket&, const Snapshot& snapshot, Ends ends) {
        return snapshot.paths->is_ours(ends.destination);
    }
    static bool is_to_group(const ParsedPacket& packet) { return packet.is_broadcast; }
    // Neighbour and router discovery, and multicast listeners: what ARP is to IPv4. From beyond a
    // router neither means anything (RFC 4861, 6.1 and 7.1; RFC 3810, 5).
    static bool is_of_link(const ParsedPacket& packet) {
        const std::uint8_t type = packet.icmp_type;
        const bool is_discovery = type >= 133 && type <= 137;
        const bool is_of_listeners = (type >= 130 && type <= 132) || type == 143;
        return packet.ip_protocol == protocol_icmpv6 &&
               ((is_discovery && packet.time_to_live == hops_of_neighbour) ||
                (is_of_listeners && packet.time_to_live == 1));
    }
    static constexpr DropReason bad_source = DropReason::ipv6_source;
    static std::uint64_t destination_key(const ParsedPacket& packet) {
        return EndpointMap::key_of(packet.destination, packet.destination_port,
                                   static_cast<std::uint8_t>(packet.protocol), family);
    }
    static void name_source(const ParsedPacket&, Classified&) {}
    static void name_destination(const ParsedPacket&, Classified&) {}
};

template <typename Asked>
bool holds(const EndpointMap& addresses, AddressName address) {
    return addresses.find(EndpointMap::key_of(address, be16{}, endpoint_kind::address,
                                              Asked::family)) != EndpointMap::absent;
}

bool is_routing_or_login(const ParsedPacket& packet) {
    constexpr be16 ssh{22};
    constexpr be16 bgp{179};
    constexpr be16 bfd{3784};
    constexpr be16 bfd_echo{3785};
    constexpr be16 bfd_multihop{4784};
    if (packet.protocol == L4Protocol::udp) {
        const bool is_of_neighbour =
            packet.destination_port == bfd || packet.destination_port == bfd_echo;
        return packet.destination_port == bfd_multihop ||
               (is_of_neighbour && packet.time_to_live == hops_of_neighbour);
    }
    if (packet.protocol != L4Protocol::tcp) {
        return false;
    }
    return packet.destination_port == bgp || packet.source_port == bgp ||
           packet.destination_port == ssh;
}

// What others send in a real's or a peer's name must not take the place of its own.
template <typename Asked>
bool is_of(const EndpointMap& addresses, const ParsedPacket& packet, const Snapshot& snapshot) {
    return holds<Asked>(addresses, packet.source) && comes_from_there(packet, snapshot);
}

template <typename Asked>
PuntClass class_of_vrrp(const ParsedPacket& packet, const Snapshot& snapshot) {
    const bool is_believable = packet.time_to_live == hops_of_neighbour ||
                               is_of<Asked>(snapshot.peer_addresses, packet, snapshot);
    return is_believable ? PuntClass::keepalive : PuntClass::rest;
}

template <typename Asked>
void punt_to_ourselves(const ParsedPacket& packet, const Snapshot& snapshot,
                       Classified& classified) {
    if (packet.ip_protocol == protocol_vrrp) {
        return punt(classified, class_of_vrrp<Asked>(packet, snapshot));
    }
    const bool is_about_ours =
        packet.kind == PacketKind::tunnel_error || packet.kind == PacketKind::icmp_error;
    if (is_about_ours &&
        snapshot.tunnel_to({packet.source, packet.source_port}, Asked::family) != nullptr) {
        classified.packet_class = PacketClass::tunnel_error;
        return;
    }
    if (Asked::is_of_link(packet)) {
        return punt(classified, PuntClass::link);
    }
    if (is_of<Asked>(snapshot.real_addresses, packet, snapshot)) {
        return punt(classified, PuntClass::check);
    }
    if (packet.kind == PacketKind::flow && packet.protocol == L4Protocol::udp &&
        is_of<Asked>(snapshot.peer_addresses, packet, snapshot)) {
        return punt(classified, PuntClass::peer);
    }
    if (packet.kind == PacketKind::flow && is_routing_or_login(packet)) {
        return punt(classified, PuntClass::routing);
    }
    return punt(classified, PuntClass::rest);
}

// To an address of ours that clients do not know: from reals to the local ends of their sessions,
// or the kernel's.
template <typename Asked>
void classify_at_ours(const ParsedPacket& packet, const Snapshot& snapshot,
                      Classified& classified) {
    const std::uint32_t place = snapshot.local_places.find(EndpointMap::key_of(
        packet.destination, be16{}, endpoint_kind::local_address, Asked::family));
    if (place == EndpointMap::absent || packet.is_broadcast) {
        return punt_to_ourselves<Asked>(packet, snapshot, classified);
    }
    classified.packet_class = PacketClass::local_reply;
    classified.local_place = static_cast<std::uint16_t>(place);
}

// Nobody's whom we serve. The kernel routes for the reals; for strangers nobody does.
template <typename Asked>
void transit_or_refuse(const ParsedPacket& packet, const Snapshot& snapshot,
                       Classified& classified) {
    if (Asked::is_to_group(packet)) {
        return punt(classified, packet.ip_protocol == protocol_vrrp
                                    ? class_of_vrrp<Asked>(packet, snapshot)
                                : Asked::is_of_link(packet) ? PuntClass::link
                                                            : PuntClass::rest);
    }
    const bool concerns_real = holds<Asked>(snapshot.real_addresses, packet.source) ||
                               holds<Asked>(snapshot.real_addresses, packet.destination);
    if (concerns_real) {
        punt(classified, PuntClass::transit);
    } else {
        refuse(classified, DropReason::destination);
    }
}

template <typename Asked>
inline std::uint32_t find_listener(const ParsedPacket& packet, const Snapshot& snapshot) {
    return snapshot.listener_by_endpoint.find(Asked::destination_key(packet));
}

template <typename Asked>
inline void take_for_request(const ParsedPacket& packet, std::uint32_t listener,
                             Classified& classified) {
    if (packet.is_broadcast) {
        return refuse(classified, DropReason::destination);
    }
    classified.packet_class = PacketClass::request;
    classified.listener = static_cast<std::uint16_t>(listener);
    Asked::name_source(packet, classified);
}

// Whether its service is there for who comes by this port. An error comes by whatever port the
// router that sends it is near.
bool is_reached(std::uint32_t listener, const ParsedPacket& packet, const Snapshot& snapshot) {
    const SnapshotService& service = snapshot.service_of(static_cast<std::uint16_t>(listener));
    return packet.kind != PacketKind::flow || ((service.ports >> packet.port) & 1) != 0;
}

// To a port of a VIP that no listener has to itself for all: one of a range, one that is bound to
// NIC ports, or nobody's.
template <typename Asked>
void classify_at_vip(const ParsedPacket& packet, const Snapshot& snapshot, Classified& classified) {
    const std::uint64_t address = EndpointMap::key_of(
        packet.destination, be16{}, static_cast<std::uint8_t>(packet.protocol), Asked::family);
    std::uint32_t listener = find_listener<Asked>(packet, snapshot);
    if (listener == EndpointMap::absent) {
        listener = snapshot.listener_ranges.find(address, packet.destination_port.host());
    }
    if (listener != PortRangeMap::absent && is_reached(listener, packet, snapshot)) {
        return take_for_request<Asked>(packet, listener, classified);
    }
    const auto other = static_cast<OtherTraffic>(snapshot.vips.find(
        EndpointMap::key_of(packet.destination, be16{}, endpoint_kind::address, Asked::family)));
    if (packet.kind == PacketKind::flow && other != OtherTraffic::punt) {
        return refuse(classified, other == OtherTraffic::reset ? DropReason::no_service_reset
                                                               : DropReason::no_service_drop);
    }
    return punt_to_ourselves<Asked>(packet, snapshot, classified);
}

// To nobody's listener: ours, or perhaps a real's reply. Out of line, like all but requests, which
// would otherwise save registers for them.
template <typename Asked>
[[gnu::noinline]] void classify_non_request(const ParsedPacket& packet, const Snapshot& snapshot,
                                            Classified& classified, typename Asked::Ends ends) {
    if (holds<Asked>(snapshot.vips, packet.destination)) {
        return classify_at_vip<Asked>(packet, snapshot, classified);
    }
    if (Asked::is_ours(packet, snapshot, ends)) {
        return classify_at_ours<Asked>(packet, snapshot, classified);
    }
    const std::uint32_t source = snapshot.reply_source_of({packet.source, packet.source_port},
                                                          packet.protocol, Asked::family);
    if (source != EndpointMap::absent && !packet.is_broadcast) {
        classified.packet_class = PacketClass::reply;
        classified.listener = snapshot.reply_sources[source].sole_listener;
        Asked::name_destination(packet, classified);
        return;
    }
    return transit_or_refuse<Asked>(packet, snapshot, classified);
}

// Whole TCP, UDP and SCTP packets, and errors about them, whose ports are known.
template <typename Asked>
inline void classify_flow(const ParsedPacket& packet, const Snapshot& snapshot,
                          Classified& classified, typename Asked::Ends ends) {
    const std::uint32_t listener = find_listener<Asked>(packet, snapshot);
    static_assert(EndpointMap::absent >= bound_listener);
    if (listener >= bound_listener) {
        return classify_non_request<Asked>(packet, snapshot, classified, ends);
    }
    take_for_request<Asked>(packet, listener, classified);
}

template <typename Asked>
[[gnu::noinline]] void classify_other_ip(const ParsedPacket& packet, const Snapshot& snapshot,
                                         Classified& classified, typename Asked::Ends ends) {
    // From nobody in particular, or a fragment that hides where its L4 header lies; must not reach
    // the kernel, which would answer for the service.
    if (has_flows(packet.ip_protocol) && holds<Asked>(snapshot.vips, packet.destination)) {
        return refuse(classified,
                      packet.is_fragment ? DropReason::ipv6_fragment : Asked::bad_source);
    }
    if (Asked::is_ours(packet, snapshot, ends) || holds<Asked>(snapshot.vips, packet.destination)) {
        return punt_to_ourselves<Asked>(packet, snapshot, classified);
    }
    return transit_or_refuse<Asked>(packet, snapshot, classified);
}

// The port that would tell a local end's owner is in the first fragment alone.
template <typename Asked>
bool is_to_local_end(const ParsedPacket& packet, const Snapshot& snapshot) {
    return !packet.is_broadcast && snapshot.local_places.find(EndpointMap::key_of(
                                       packet.destination, be16{}, endpoint_kind::local_address,
                                       Asked::family)) != EndpointMap::absent;
}

// Only the first one has ports, so all of them are sent to where their datagram is known: to the
// worker of who would be the client, or, to a local end, of the sender.
template <typename Asked>
[[gnu::noinline]] void classify_fragment(const ParsedPacket& packet, const Snapshot& snapshot,
                                         Classified& classified, typename Asked::Ends ends) {
    if (Asked::family == IpFamily::v6 && is_to_local_end<Asked>(packet, snapshot)) {
        return refuse(classified, DropReason::local_fragment);
    }
    const bool is_from_client =
        holds<Asked>(snapshot.vips, packet.destination) || is_to_local_end<Asked>(packet, snapshot);
    const bool may_be_reply = !is_from_client && !packet.is_broadcast &&
                              holds<Asked>(snapshot.real_addresses, packet.source) &&
                              !Asked::is_ours(packet, snapshot, ends);
    if (is_from_client || may_be_reply) {
        if (packet.is_broadcast) {
            return refuse(classified, DropReason::destination);
        }
        classified.packet_class = PacketClass::fragment;
        is_from_client ? Asked::name_source(packet, classified)
                       : Asked::name_destination(packet, classified);
        return;
    }
    if (Asked::is_ours(packet, snapshot, ends)) {
        return punt_to_ourselves<Asked>(packet, snapshot, classified);
    }
    return transit_or_refuse<Asked>(packet, snapshot, classified);
}

// Of a request, a reply, or a piece of what may be either. Nobody could tell the link on which to
// answer a client of a link-local address.
void name_client(const Ipv6Ends& ends, const ParsedPacket& packet, bool is_from_client,
                 Classified& classified, ClientKey6& client) {
    if (!is_from_client) {
        client = {ends.destination, packet.destination_port, packet.protocol};
        return;
    }
    client = {ends.source, packet.source_port, packet.protocol};
    if (ends.source.is_link_local()) {
        refuse(classified, DropReason::ipv6_source);
    }
}

}  // namespace

void classify_first_fragment(const ParsedPacket& packet, const Snapshot& snapshot,
                             Classified& classified) {
    classify_flow<Ipv4Asked>(packet, snapshot, classified, {});
}

void classify(const ParsedPacket& packet, const Snapshot& snapshot, Classified& classified) {
    if (packet.kind == PacketKind::flow || packet.kind == PacketKind::icmp_error) {
        classify_flow<Ipv4Asked>(packet, snapshot, classified, {});
    } else if (packet.kind == PacketKind::other_ip || packet.kind == PacketKind::tunnel_error) {
        classify_other_ip<Ipv4Asked>(packet, snapshot, classified, {});
    } else if (packet.kind == PacketKind::fragment) {
        classify_fragment<Ipv4Asked>(packet, snapshot, classified, {});
    } else if (packet.kind == PacketKind::not_ip) {
        punt(classified, PuntClass::link);
    } else {
        refuse(classified, packet.reason);
    }
}

void classify_ipv6(const std::uint8_t* frame, const Snapshot& snapshot, ParsedPacket& packet,
                   Classified& classified, ClientKey6& client) {
    const Ipv6Ends ends = ipv6_ends_of(frame, packet);
    packet.source = snapshot.name_of(ends.source);
    packet.destination = snapshot.name_of(ends.destination);
    if (packet.kind == PacketKind::other_ip || packet.kind == PacketKind::tunnel_error) {
        return classify_other_ip<Ipv6Asked>(packet, snapshot, classified, ends);
    }
    if (packet.kind == PacketKind::fragment) {
        classify_fragment<Ipv6Asked>(packet, snapshot, classified, ends);
        if (classified.packet_class == PacketClass::fragment) {
            const bool is_from_client = holds<Ipv6Asked>(snapshot.vips, packet.destination);
            name_client(ends, packet, is_from_client, classified, client);
        }
        return;
    }
    classify_flow<Ipv6Asked>(packet, snapshot, classified, ends);
    if (classified.packet_class == PacketClass::request ||
        classified.packet_class == PacketClass::reply) {
        name_client(ends, packet, classified.packet_class == PacketClass::request, classified,
                    client);
    }
}

}  // namespace fulcrum
