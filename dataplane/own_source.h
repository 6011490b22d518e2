// Sources that no packet from outside can have: addresses of ours, VIPs and the broadcast addresses
// of our links among them, and networks that are nobody's (RFC 1122, 3.2.1.3; RFC 1112, 4). Asked
// of packets that would open a session and of replies that belong to none, because whoever believes
// such a source lets strangers speak in our name: towards reals, to other services, and to the
// kernel. Worker side.
#pragma once

#include <algorithm>

#include "config/model/snapshot.h"
#include "dataplane/burst.h"

namespace fulcrum {

[[gnu::noinline]] inline bool is_impossible_outside(const IpAddress& source,
                                                    const Snapshot& snapshot) {
    if (!source.is_v4()) {
        return snapshot.paths->is_ours(source.v6()) || snapshot.is_vip(source);
    }
    const Ipv4Address address = source.v4();
    const bool is_nobodys = (address.host() >> 24) == 0 || (address.host() >> 28) == 0xF;
    return is_nobodys || snapshot.paths->is_ours(address) || snapshot.is_vip(source);
}

// Whether the source is that of a program of the director's own that serves clients.
inline bool is_of_local_real(AddressName source, bool is_ipv6, const Snapshot& snapshot) {
    return std::ranges::any_of(snapshot.local_reals, [&](std::uint32_t real) {
        return snapshot.reals[real].address == source && snapshot.reals[real].is_ipv6 == is_ipv6;
    });
}

// Whether a packet came by the port that leads to its source.
inline bool comes_from_there(const ParsedPacket& packet, const Snapshot& snapshot) {
    const IpAddress source = snapshot.address_of(packet.source, packet.ip_version == 6);
    return snapshot.paths->to(source).hop->port == packet.port;
}

// A reply in the name of such a program that did not come from the kernel.
inline bool is_forged_reply(const Burst& burst, std::size_t i, const Snapshot& snapshot) {
    const ParsedPacket& packet = burst.packets[i];
    return burst.origin == Origin::nic && burst.classified[i].packet_class == PacketClass::reply &&
           is_of_local_real(packet.source, packet.ip_version == 6, snapshot);
}

}  // namespace fulcrum
