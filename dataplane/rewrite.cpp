// The bytes.
#include "dataplane/rewrite.h"

#include "dataplane/full_nat.h"
#include "dataplane/rewrite_parts.h"

namespace fulcrum {
namespace {

Ipv4Header& ipv4_at(std::uint8_t* frame, std::size_t offset = sizeof(EthernetHeader)) {
    return *reinterpret_cast<Ipv4Header*>(frame + offset);
}

// The TTL is the upper octet of a checksum word.
void age_by_one_hop(Ipv4Header& ip, ChecksumDelta& delta) {
    --ip.time_to_live;
    delta.decrease(be16{0x0100});
}

struct Place {
    Ipv4Address& address;
    be16& port;
};

inline void translate(std::uint8_t* frame, const ParsedPacket& packet, Place place,
                      const NamedEndpoint& replacement) {
    Ipv4Header& ip = ipv4_at(frame);
    ChecksumDelta l3_delta;
    l3_delta.change(place.address, replacement.address);
    ChecksumDelta l4_delta = l3_delta;  // by the pseudo-header
    l4_delta.change(place.port, replacement.port);
    place.address = replacement.address;
    place.port = replacement.port;
    age_by_one_hop(ip, l3_delta);
    ip.checksum = l3_delta.applied_to(ip.checksum);
    update_l4_checksum(frame, packet, l4_delta);
}

inline void translate_request(std::uint8_t* frame, const ParsedPacket& packet,
                              const Decision& decision) {
    auto& ports = *reinterpret_cast<UdpHeader*>(frame + packet.l4_offset);
    translate(frame, packet, {ipv4_at(frame).destination, ports.destination_port},
              decision.replacement);
}

inline void translate_reply(std::uint8_t* frame, const ParsedPacket& packet,
                            const Decision& decision) {
    auto& ports = *reinterpret_cast<UdpHeader*>(frame + packet.l4_offset);
    translate(frame, packet, {ipv4_at(frame).source, ports.source_port}, decision.replacement);
}

// Octets of the quoted L4 header that the error carries, up to the end of the IP packet.
std::size_t quoted_l4_length(const ParsedPacket& packet, std::size_t quoted_l4) {
    return sizeof(EthernetHeader) + packet.ip_length - quoted_l4;
}

// Within the quotation, where its checksums allow: the eight octets of RFC 792 hold UDP's, not
// TCP's. Every word that changes changes the error's own checksum too.
void translate_quotation(std::uint8_t* frame, const ParsedPacket& packet, Place place,
                         const NamedEndpoint& replacement) {
    Ipv4Header& quoted = ipv4_at(frame, packet.quotation_offset);
    const std::size_t l4_offset = packet.quotation_offset + quoted.header_length();
    std::uint8_t* l4 = frame + l4_offset;
    ChecksumDelta l3_delta;
    l3_delta.change(place.address, replacement.address);
    ChecksumDelta l4_delta = l3_delta;
    l4_delta.change(place.port, replacement.port);
    ChecksumDelta error_delta = l4_delta;  // addresses and port are covered once each

    const be16 l3_before = quoted.checksum;
    quoted.checksum = l3_delta.applied_to(quoted.checksum);
    error_delta.change(l3_before, quoted.checksum);

    update_quoted_checksum(l4, quoted_l4_length(packet, l4_offset), packet.protocol, l4_delta,
                           error_delta);
    place.address = replacement.address;
    place.port = replacement.port;
    auto& icmp = *reinterpret_cast<IcmpHeader*>(frame + packet.l4_offset);
    icmp.checksum = error_delta.applied_to(icmp.checksum);
}

void readdress(std::uint8_t* frame, Ipv4Address& place, Ipv4Address replacement) {
    Ipv4Header& ip = ipv4_at(frame);
    ChecksumDelta delta;
    delta.change(place, replacement);
    place = replacement;
    age_by_one_hop(ip, delta);
    ip.checksum = delta.applied_to(ip.checksum);
}

// The real sent what is quoted, under its own endpoint as it believes; the client saw the VIP's.
[[gnu::noinline]] void translate_error_for_real(std::uint8_t* frame, const ParsedPacket& packet,
                                                const Decision& decision) {
    Ipv4Header& quoted = ipv4_at(frame, packet.quotation_offset);
    auto& ports =
        *reinterpret_cast<UdpHeader*>(frame + packet.quotation_offset + quoted.header_length());
    translate_quotation(frame, packet, {quoted.source, ports.source_port}, decision.replacement);
    readdress(frame, ipv4_at(frame).destination, decision.replacement.address);
}

// The client sent what is quoted, to the VIP; the error comes from the real, which must not show,
// or from a router on the way, which stays itself.
[[gnu::noinline]] void translate_error_for_client(std::uint8_t* frame, const ParsedPacket& packet,
                                                  const Decision& decision) {
    Ipv4Header& quoted = ipv4_at(frame, packet.quotation_offset);
    auto& ports =
        *reinterpret_cast<UdpHeader*>(frame + packet.quotation_offset + quoted.header_length());
    translate_quotation(frame, packet, {quoted.destination, ports.destination_port},
                        decision.replacement);
    Ipv4Header& ip = ipv4_at(frame);
    const bool is_from_real = ip.source == packet.source;
    readdress(frame, ip.source, is_from_real ? decision.replacement.address : ip.source);
}

// Out of the way of those that come by the million.
[[gnu::noinline]] void rewrite_rarely(std::uint8_t* frame, const ParsedPacket& packet,
                                      const Decision& decision) {
    switch (decision.rewrite) {
        case Rewrite::icmp_request:
            return translate_error_for_real(frame, packet, decision);
        case Rewrite::icmp_reply:
            return translate_error_for_client(frame, packet, decision);
        case Rewrite::nat_request_fragment:
            return readdress(frame, ipv4_at(frame).destination, decision.replacement.address);
        case Rewrite::nat_reply_fragment:
            return readdress(frame, ipv4_at(frame).source, decision.replacement.address);
        default:
            return rewrite_both_ends(frame, packet, decision);
    }
}

}  // namespace

void rewrite(std::uint8_t* frame, const ParsedPacket& packet, const Decision& decision) {
    address_frame(frame, *decision.hop);
    switch (decision.rewrite) {
        case Rewrite::direct:
        case Rewrite::tunnel: {
            Ipv4Header& ip = ipv4_at(frame);
            ChecksumDelta delta;
            age_by_one_hop(ip, delta);
            ip.checksum = delta.applied_to(ip.checksum);
            break;
        }
        case Rewrite::nat_request:
            translate_request(frame, packet, decision);
            break;
        case Rewrite::nat_reply:
            translate_reply(frame, packet, decision);
            break;
        default:
            rewrite_rarely(frame, packet, decision);
            break;
    }
}

}  // namespace fulcrum
