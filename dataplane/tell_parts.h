// What telling a real of its client has in common over segments and datagrams, and with splicing.
// For tell_client.cpp, tell_datagram.cpp and worker_splice.cpp alone.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "config/model/snapshot.h"
#include "dataplane/client_address.h"
#include "dataplane/local_ends.h"
#include "dataplane/parse_ipv6.h"
#include "dataplane/rewrite_parts.h"

namespace fulcrum {

// Of the L4 header and all behind it.
inline std::size_t segment_length_of(const ParsedPacket& packet) {
    return packet.ip_length + sizeof(EthernetHeader) - packet.l4_offset;
}

inline void set_length(rte_mbuf* mbuf, std::size_t length) {
    mbuf->data_len = static_cast<std::uint16_t>(length);
    mbuf->pkt_len = static_cast<std::uint32_t>(length);
}

inline void change(ChecksumDelta& delta, be32 before, be32 after) {
    ChecksumSum sum_before;
    ChecksumSum sum_after;
    sum_before.add(before.wire());
    sum_after.add(after.wire());
    delta.change(sum_before.folded(), sum_after.folded());
}

// The IP packet has become longer by `by` octets.
inline void change_ip_length(std::uint8_t* frame, ParsedPacket& packet, int by) {
    packet.ip_length = static_cast<std::uint16_t>(packet.ip_length + by);
    if (packet.ip_version == 6) {
        auto& ip = *reinterpret_cast<Ipv6Header*>(frame + sizeof(EthernetHeader));
        ip.payload_length = be16{static_cast<std::uint16_t>(ip.payload_length.host() + by)};
        return;
    }
    auto& ip = *reinterpret_cast<Ipv4Header*>(frame + sizeof(EthernetHeader));
    const be16 before = ip.total_length;
    ip.total_length = be16{static_cast<std::uint16_t>(before.host() + by)};
    ChecksumDelta delta;
    delta.change(before, ip.total_length);
    ip.checksum = delta.applied_to(ip.checksum);
}

struct Announced {
    std::array<std::uint8_t, proxy_header_length_max> octets;
    std::uint8_t length;
};

inline Announced announced_of(const Telling& telling, const Snapshot& snapshot) {
    const LeasingFlow& flow = *telling.flow;
    const SnapshotListener& listener = snapshot.listeners[flow.listener];
    const Endpoint client{IpAddress{flow.client}, flow.client_port};
    Announced announced;
    announced.length = proxy_header_length(client.address.is_v4());
    write_proxy_header(announced.octets.data(), listener.protocol, client,
                       {snapshot.address_of(listener.vip, listener.is_ipv6), flow.vip_port});
    return announced;
}

inline std::size_t quoted_l4_offset(const std::uint8_t* frame, const ParsedPacket& packet) {
    return packet.ip_version == 6
               ? packet.quoted_l4_offset
               : packet.quotation_offset +
                     reinterpret_cast<const Ipv4Header*>(frame + packet.quotation_offset)
                         ->header_length();
}

// A number `at` octets into the TCP header that an error quotes, if the quotation goes so far; the
// checksums follow.
template <typename Change>
void change_quoted_number(std::uint8_t* frame, const ParsedPacket& packet, std::size_t at,
                          const Change& new_number) {
    const std::size_t l4_offset = quoted_l4_offset(frame, packet);
    const std::size_t length = sizeof(EthernetHeader) + packet.ip_length - l4_offset;
    if (packet.protocol != L4Protocol::tcp || at + sizeof(be32) > length) {
        return;
    }
    std::uint8_t* const l4 = frame + l4_offset;
    auto& number = *reinterpret_cast<be32*>(l4 + at);
    const be32 before = number;
    number = be32{new_number(before.host())};
    ChecksumDelta delta;
    change(delta, before, number);
    ChecksumDelta error_delta = delta;
    update_quoted_checksum(l4, length, packet.protocol, delta, error_delta);
    auto& icmp = *reinterpret_cast<IcmpHeader*>(frame + packet.l4_offset);
    icmp.checksum = error_delta.applied_to(icmp.checksum);
}

}  // namespace fulcrum
