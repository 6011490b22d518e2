// The bytes of IPv6.
#include "dataplane/rewrite_ipv6.h"

#include "dataplane/full_nat.h"
#include "dataplane/rewrite_parts.h"

namespace fulcrum {
namespace {

Ipv6Header& ipv6_at(std::uint8_t* frame, std::size_t offset = sizeof(EthernetHeader)) {
    return *reinterpret_cast<Ipv6Header*>(frame + offset);
}

// What takes the place of an endpoint, its name looked up.
struct Ipv6Endpoint {
    Ipv6Address address;
    be16 port;
};

struct Ipv6Place {
    Ipv6Address& address;
    be16& port;
};

// What the change does to a checksum that covers both once.
ChecksumDelta put_in_place(Ipv6Place place, const Ipv6Endpoint& replacement) {
    ChecksumDelta delta;
    delta.change(place.address, replacement.address);
    delta.change(place.port, replacement.port);
    place.address = replacement.address;
    place.port = replacement.port;
    return delta;
}

void translate_quotation_ipv6(std::uint8_t* frame, const ParsedPacket& packet, Ipv6Place place,
                              const Ipv6Endpoint& replacement) {
    const ChecksumDelta delta = put_in_place(place, replacement);
    ChecksumDelta error_delta = delta;
    std::uint8_t* quoted_l4 = frame + packet.quoted_l4_offset;
    const std::size_t quoted_length =
        sizeof(EthernetHeader) + packet.ip_length - packet.quoted_l4_offset;
    update_quoted_checksum(quoted_l4, quoted_length, packet.protocol, delta, error_delta);
    auto& icmp = *reinterpret_cast<IcmpHeader*>(frame + packet.l4_offset);
    icmp.checksum = error_delta.applied_to(icmp.checksum);
}

// Of an error's outer header, which its checksum covers through the pseudo-header.
void readdress_ipv6(std::uint8_t* frame, const ParsedPacket& packet, Ipv6Address& place,
                    const Ipv6Address& replacement) {
    ChecksumDelta delta;
    delta.change(place, replacement);
    place = replacement;
    auto& icmp = *reinterpret_cast<IcmpHeader*>(frame + packet.l4_offset);
    icmp.checksum = delta.applied_to(icmp.checksum);
}

// See translate_error_for_real() and translate_error_for_client() in rewrite.cpp.
void translate_error_for_real_ipv6(std::uint8_t* frame, const ParsedPacket& packet,
                                   const Ipv6Endpoint& real) {
    Ipv6Header& quoted = ipv6_at(frame, packet.quotation_offset);
    auto& ports = *reinterpret_cast<UdpHeader*>(frame + packet.quoted_l4_offset);
    translate_quotation_ipv6(frame, packet, {quoted.source, ports.source_port}, real);
    readdress_ipv6(frame, packet, ipv6_at(frame).destination, real.address);
}

void translate_error_for_client_ipv6(std::uint8_t* frame, const ParsedPacket& packet,
                                     const Ipv6Endpoint& vip) {
    Ipv6Header& quoted = ipv6_at(frame, packet.quotation_offset);
    auto& ports = *reinterpret_cast<UdpHeader*>(frame + packet.quoted_l4_offset);
    const bool is_from_real = ipv6_at(frame).source == quoted.destination;
    translate_quotation_ipv6(frame, packet, {quoted.destination, ports.destination_port}, vip);
    if (is_from_real) {
        readdress_ipv6(frame, packet, ipv6_at(frame).source, vip.address);
    }
}

// The checksum lies in the first one, and there is no other.
void readdress_fragment(Ipv6Header& ip, const Decision& decision, const Snapshot& snapshot) {
    const bool is_request = decision.rewrite == Rewrite::nat_request_fragment;
    (is_request ? ip.destination : ip.source) = snapshot.named_by(decision.replacement.address);
}

}  // namespace

void rewrite_ipv6(std::uint8_t* frame, const ParsedPacket& packet, const Decision& decision,
                  const Snapshot& snapshot) {
    address_frame(frame, *decision.hop);
    if (decision.rewrite >= Rewrite::full_request) [[unlikely]] {  // a reply is not rewritten here
        return rewrite_both_ends_ipv6(frame, packet, decision,
                                      {snapshot.named_by(decision.replacement.address),
                                       snapshot.named_by(decision.far_address)});
    }
    Ipv6Header& ip = ipv6_at(frame);
    --ip.hop_limit;
    if (decision.rewrite == Rewrite::direct || decision.rewrite == Rewrite::tunnel) {
        return;
    }
    if (decision.rewrite == Rewrite::nat_request_fragment ||
        decision.rewrite == Rewrite::nat_reply_fragment) {
        return readdress_fragment(ip, decision, snapshot);
    }
    const Ipv6Endpoint replacement{snapshot.named_by(decision.replacement.address),
                                   decision.replacement.port};
    std::uint8_t* l4 = frame + packet.l4_offset;
    auto& ports = *reinterpret_cast<UdpHeader*>(l4);
    switch (decision.rewrite) {
        case Rewrite::direct:
        case Rewrite::tunnel:
        case Rewrite::nat_request_fragment:
        case Rewrite::nat_reply_fragment:
        default:
            break;  // done
        case Rewrite::nat_request:
            update_l4_checksum(frame, packet,
                               put_in_place({ip.destination, ports.destination_port}, replacement));
            break;
        case Rewrite::nat_reply:
            update_l4_checksum(frame, packet,
                               put_in_place({ip.source, ports.source_port}, replacement));
            break;
        case Rewrite::icmp_request:
            translate_error_for_real_ipv6(frame, packet, replacement);
            break;
        case Rewrite::icmp_reply:
            translate_error_for_client_ipv6(frame, packet, replacement);
            break;
    }
}

}  // namespace fulcrum
