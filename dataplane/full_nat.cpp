// The bytes of both ends.
#include "dataplane/full_nat.h"

#include "dataplane/rewrite_parts.h"

namespace fulcrum {
namespace {

struct NewEnds {
    NamedEndpoint source;
    NamedEndpoint destination;
};

Ipv4Header& ipv4_at(std::uint8_t* frame, std::size_t offset) {
    return *reinterpret_cast<Ipv4Header*>(frame + offset);
}

// Writes the new addresses, and tells what a checksum over them has to follow.
ChecksumDelta change_addresses(Ipv4Header& ip, const NewEnds& ends) {
    ChecksumDelta delta;
    delta.change(ip.source, ends.source.address);
    delta.change(ip.destination, ends.destination.address);
    ip.source = ends.source.address;
    ip.destination = ends.destination.address;
    return delta;
}

void change_ports(std::uint8_t* l4, const NewEnds& ends, ChecksumDelta& delta) {
    auto& ports = *reinterpret_cast<UdpHeader*>(l4);
    delta.change(ports.source_port, ends.source.port);
    delta.change(ports.destination_port, ends.destination.port);
    ports.source_port = ends.source.port;
    ports.destination_port = ends.destination.port;
}

// Of the outer header. The TTL is the upper octet of a checksum word.
ChecksumDelta readdress(std::uint8_t* frame, const NewEnds& ends) {
    Ipv4Header& ip = ipv4_at(frame, sizeof(EthernetHeader));
    const ChecksumDelta addresses = change_addresses(ip, ends);
    ChecksumDelta delta = addresses;
    --ip.time_to_live;
    delta.decrease(be16{0x0100});
    ip.checksum = delta.applied_to(ip.checksum);
    return addresses;
}

void translate(std::uint8_t* frame, const ParsedPacket& packet, const NewEnds& ends) {
    ChecksumDelta delta = readdress(frame, ends);  // by the pseudo-header
    std::uint8_t* const l4 = frame + packet.l4_offset;
    change_ports(l4, ends, delta);
    update_l4_checksum(frame, packet, delta);
}

// Every word that changes within changes the error's own checksum too. The quotation may end before
// its L4 checksum: RFC 792 asks for eight octets.
void translate_quotation(std::uint8_t* frame, const ParsedPacket& packet, const NewEnds& ends) {
    Ipv4Header& quoted = ipv4_at(frame, packet.quotation_offset);
    const std::size_t l4_offset = packet.quotation_offset + quoted.header_length();
    std::uint8_t* const l4 = frame + l4_offset;
    ChecksumDelta delta = change_addresses(quoted, ends);
    const be16 l3_before = quoted.checksum;
    quoted.checksum = delta.applied_to(quoted.checksum);
    change_ports(l4, ends, delta);
    ChecksumDelta error_delta = delta;
    error_delta.change(l3_before, quoted.checksum);
    update_quoted_checksum(l4, sizeof(EthernetHeader) + packet.ip_length - l4_offset,
                           packet.protocol, delta, error_delta);
    auto& icmp = *reinterpret_cast<IcmpHeader*>(frame + packet.l4_offset);
    icmp.checksum = error_delta.applied_to(icmp.checksum);
}

// Who sent the error: a party to the session under its other name, or a router, which stays itself.
NamedEndpoint reporter(const std::uint8_t* frame, const ParsedPacket& packet,
                       const NamedEndpoint& party) {
    const Ipv4Address source = ipv4_header_of(frame).source;
    return source == packet.source ? party : NamedEndpoint{source, be16{}};
}

// --- IPv6, whose header has no checksum
// -----------------------------------------------------------

struct NewEnds6 {
    const Ipv6Address& source;
    be16 source_port;
    const Ipv6Address& destination;
    be16 destination_port;
};

Ipv6Header& ipv6_at(std::uint8_t* frame, std::size_t offset) {
    return *reinterpret_cast<Ipv6Header*>(frame + offset);
}

ChecksumDelta change_addresses(Ipv6Header& ip, const NewEnds6& ends) {
    ChecksumDelta delta;
    delta.change(ip.source, ends.source);
    delta.change(ip.destination, ends.destination);
    ip.source = ends.source;
    ip.destination = ends.destination;
    return delta;
}

void change_ports(std::uint8_t* l4, const NewEnds6& ends, ChecksumDelta& delta) {
    const NewEnds ports{.source = {{}, ends.source_port},
                        .destination = {{}, ends.destination_port}};
    change_ports(l4, ports, delta);
}

void translate_ipv6(std::uint8_t* frame, const ParsedPacket& packet, const NewEnds6& ends) {
    ChecksumDelta delta = change_addresses(ipv6_at(frame, sizeof(EthernetHeader)), ends);
    std::uint8_t* const l4 = frame + packet.l4_offset;
    change_ports(l4, ends, delta);
    update_l4_checksum(frame, packet, delta);
}

void translate_error_ipv6(std::uint8_t* frame, const ParsedPacket& packet, const NewEnds6& quoted,
                          const NewEnds6& outer) {
    Ipv6Header& quoted_ip = ipv6_at(frame, packet.quotation_offset);
    // Who sent the error: the party that got what is quoted, or a router, which stays itself.
    Ipv6Header& ip = ipv6_at(frame, sizeof(EthernetHeader));
    const Ipv6Address reporter = ip.source == quoted_ip.destination ? outer.source : ip.source;
    std::uint8_t* const l4 = frame + packet.quoted_l4_offset;
    ChecksumDelta delta = change_addresses(quoted_ip, quoted);
    change_ports(l4, quoted, delta);
    ChecksumDelta error_delta = delta;
    update_quoted_checksum(l4, sizeof(EthernetHeader) + packet.ip_length - packet.quoted_l4_offset,
                           packet.protocol, delta, error_delta);
    // ICMPv6's checksum covers the outer addresses by its pseudo-header.
    error_delta.change(ip.source, reporter);
    error_delta.change(ip.destination, outer.destination);
    ip.source = reporter;
    ip.destination = outer.destination;
    auto& icmp = *reinterpret_cast<IcmpHeader*>(frame + packet.l4_offset);
    icmp.checksum = error_delta.applied_to(icmp.checksum);
}

}  // namespace

void rewrite_both_ends_ipv6(std::uint8_t* frame, const ParsedPacket& packet,
                            const Decision& decision, const Ipv6BothEnds& ends) {
    --ipv6_at(frame, sizeof(EthernetHeader)).hop_limit;
    const be16 near_port = decision.replacement.port;
    const NewEnds6 onwards{ends.far, decision.far_port, ends.near, near_port};
    const NewEnds6 back{ends.near, near_port, ends.far, decision.far_port};
    switch (decision.rewrite) {
        case Rewrite::full_request:
            return translate_ipv6(frame, packet, onwards);
        case Rewrite::full_reply:
            return translate_ipv6(frame, packet, back);
        case Rewrite::full_icmp_request:
            return translate_error_ipv6(frame, packet, back, onwards);
        case Rewrite::full_icmp_reply:
            return translate_error_ipv6(frame, packet, onwards, back);
        case Rewrite::full_request_fragment:
            change_addresses(ipv6_at(frame, sizeof(EthernetHeader)), onwards);
            return;
        default:
            return;
    }
}

void rewrite_both_ends(std::uint8_t* frame, const ParsedPacket& packet, const Decision& decision) {
    const NamedEndpoint near = decision.replacement;
    const NamedEndpoint far{decision.far_address, decision.far_port};
    switch (decision.rewrite) {
        case Rewrite::full_request:
            return translate(frame, packet, {.source = far, .destination = near});
        case Rewrite::full_reply:
            return translate(frame, packet, {.source = near, .destination = far});
        case Rewrite::full_icmp_request:
            // It quotes what the real sent.
            translate_quotation(frame, packet, {.source = near, .destination = far});
            readdress(frame, {.source = reporter(frame, packet, far), .destination = near});
            return;
        case Rewrite::full_icmp_reply:
            translate_quotation(frame, packet, {.source = far, .destination = near});
            readdress(frame, {.source = reporter(frame, packet, near), .destination = far});
            return;
        case Rewrite::full_request_fragment:
            readdress(frame, {.source = far, .destination = near});
            return;
        case Rewrite::full_reply_fragment:
            readdress(frame, {.source = near, .destination = far});
            return;
        default:
            return;
    }
}

}  // namespace fulcrum
