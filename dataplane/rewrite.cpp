// The bytes.
#include "dataplane/rewrite.h"

#include <cstring>

#include "dataplane/checksum.h"

namespace fulcrum {
namespace {

Ipv4Header& ipv4_at(std::uint8_t* frame, std::size_t offset = sizeof(EthernetHeader)) {
    return *reinterpret_cast<Ipv4Header*>(frame + offset);
}

void address_frame(std::uint8_t* frame, const NextHop& hop) {
    // Destination and source lie side by side, in the hop as in the frame.
    static_assert(offsetof(NextHop, source) == sizeof(MacAddress));
    std::memcpy(frame, &hop.destination, 2 * sizeof(MacAddress));
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

inline void update_l4_checksum(std::uint8_t* l4, L4Protocol protocol, const ChecksumDelta& delta) {
    if (protocol == L4Protocol::tcp) {
        be16& checksum = reinterpret_cast<TcpHeader*>(l4)->checksum;
        checksum = delta.applied_to(checksum);
    } else {
        be16& checksum = reinterpret_cast<UdpHeader*>(l4)->checksum;
        checksum = delta.applied_to_udp(checksum);
    }
}

inline void translate(std::uint8_t* frame, const ParsedPacket& packet, Place place,
                      const Endpoint& replacement) {
    Ipv4Header& ip = ipv4_at(frame);
    ChecksumDelta l3_delta;
    l3_delta.change(place.address, replacement.address);
    ChecksumDelta l4_delta = l3_delta;  // by the pseudo-header
    l4_delta.change(place.port, replacement.port);
    place.address = replacement.address;
    place.port = replacement.port;
    age_by_one_hop(ip, l3_delta);
    ip.checksum = l3_delta.applied_to(ip.checksum);
    update_l4_checksum(frame + packet.l4_offset, packet.protocol, l4_delta);
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
                         const Endpoint& replacement) {
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

    const std::size_t checksum_at = packet.protocol == L4Protocol::tcp
                                        ? offsetof(TcpHeader, checksum)
                                        : offsetof(UdpHeader, checksum);
    if (checksum_at + sizeof(be16) <= quoted_l4_length(packet, l4_offset)) {
        auto& checksum = *reinterpret_cast<be16*>(l4 + checksum_at);
        const be16 l4_before = checksum;
        update_l4_checksum(l4, packet.protocol, l4_delta);
        error_delta.change(l4_before, checksum);
    }
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
            break;
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

std::uint16_t turn_into_reset(std::uint8_t* frame, const ParsedPacket& packet, const NextHop& hop) {
    const auto& asked_tcp = *reinterpret_cast<const TcpHeader*>(frame + packet.l4_offset);
    const std::uint32_t headers_length =
        packet.l4_offset + asked_tcp.header_length() - std::uint32_t{sizeof(EthernetHeader)};
    const std::uint32_t payload_length = packet.ip_length - headers_length;
    const std::uint32_t asked_length = payload_length +
                                       ((asked_tcp.flags & tcp_flag::syn) != 0 ? 1 : 0) +
                                       ((asked_tcp.flags & tcp_flag::fin) != 0 ? 1 : 0);
    BareReset reset{.source = {packet.destination, packet.destination_port},
                    .destination = {packet.source, packet.source_port}};
    if ((asked_tcp.flags & tcp_flag::ack) != 0) {
        reset.sequence_number = asked_tcp.acknowledgment_number;
        reset.flags = tcp_flag::rst;
    } else {
        reset.acknowledgment_number = be32{asked_tcp.sequence_number.host() + asked_length};
        reset.flags = tcp_flag::rst | tcp_flag::ack;
    }
    return write_reset(frame, reset, hop);
}

BareReset reset_onwards(const std::uint8_t* frame, const ParsedPacket& packet,
                        const Decision& decision) {
    const auto& tcp = *reinterpret_cast<const TcpHeader*>(frame + packet.l4_offset);
    BareReset reset{
        .source = {packet.source, packet.source_port},
        .destination = {packet.destination, packet.destination_port},
        .sequence_number = tcp.sequence_number,
        .acknowledgment_number = tcp.acknowledgment_number,
        .flags = static_cast<std::uint8_t>(tcp_flag::rst | (tcp.flags & tcp_flag::ack))};
    if (decision.rewrite == Rewrite::nat_request) {
        reset.destination = decision.replacement;
    } else if (decision.rewrite == Rewrite::nat_reply) {
        reset.source = decision.replacement;
    }
    return reset;
}

std::uint16_t write_reset(std::uint8_t* frame, const BareReset& reset, const NextHop& hop) {
    TcpHeader tcp{};
    tcp.source_port = reset.source.port;
    tcp.destination_port = reset.destination.port;
    tcp.sequence_number = reset.sequence_number;
    tcp.acknowledgment_number = reset.acknowledgment_number;
    tcp.data_offset_and_reserved = 5 << 4;
    tcp.flags = reset.flags;
    constexpr std::uint16_t ip_length = sizeof(Ipv4Header) + sizeof(TcpHeader);
    Ipv4Header ip{};
    ip.version_and_length = 0x45;
    ip.total_length = be16{ip_length};
    ip.flags_and_fragment_offset = be16{0x4000};
    ip.time_to_live = 64;
    ip.protocol = static_cast<std::uint8_t>(L4Protocol::tcp);
    ip.source = reset.source.address;
    ip.destination = reset.destination.address;
    ip.checksum = checksum_of(&ip, sizeof(ip));
    ChecksumSum sum = pseudo_header_sum(ip.source, ip.destination, ip.protocol, sizeof(TcpHeader));
    sum.add(&tcp, sizeof(tcp));
    tcp.checksum = be16::from_wire(static_cast<std::uint16_t>(~sum.folded()));

    address_frame(frame, hop);
    reinterpret_cast<EthernetHeader*>(frame)->ethertype = ethertype::ipv4;
    std::memcpy(frame + sizeof(EthernetHeader), &ip, sizeof(ip));
    std::memcpy(frame + sizeof(EthernetHeader) + sizeof(ip), &tcp, sizeof(tcp));
    return sizeof(EthernetHeader) + ip_length;
}

}  // namespace fulcrum
