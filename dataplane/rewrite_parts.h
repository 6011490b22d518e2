// What rewriting has in common over both IP versions. For rewrite.cpp and rewrite_ipv6.cpp alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/checksum.h"
#include "dataplane/decide.h"
#include "dataplane/headers.h"
#include "dataplane/sctp.h"

namespace fulcrum {

inline void address_frame(std::uint8_t* frame, const NextHop& hop) {
    // Destination and source lie side by side, in the hop as in the frame.
    static_assert(offsetof(NextHop, source) == sizeof(MacAddress));
    std::memcpy(frame, &hop.destination, 2 * sizeof(MacAddress));
}

// Once addresses and ports of the frame are those that it leaves with.
inline void update_l4_checksum(std::uint8_t* frame, const ParsedPacket& packet,
                               const ChecksumDelta& delta) {
    std::uint8_t* const l4 = frame + packet.l4_offset;
    if (packet.protocol == L4Protocol::tcp) {
        be16& checksum = reinterpret_cast<TcpHeader*>(l4)->checksum;
        checksum = delta.applied_to(checksum);
    } else if (packet.protocol == L4Protocol::udp) {
        be16& checksum = reinterpret_cast<UdpHeader*>(l4)->checksum;
        checksum = delta.applied_to_udp(checksum);
    } else {
        update_sctp_checksum(frame, packet);
    }
}

// In an error's quotation, of which `length` octets of L4 are there: what the change does to its
// checksum changes the error's, too. SCTP's covers the whole quoted packet, and nobody who quotes
// does so whole: it stays.
inline void update_quoted_checksum(std::uint8_t* l4, std::size_t length, L4Protocol protocol,
                                   const ChecksumDelta& delta, ChecksumDelta& error_delta) {
    const bool is_tcp = protocol == L4Protocol::tcp;
    const std::size_t at = is_tcp ? offsetof(TcpHeader, checksum) : offsetof(UdpHeader, checksum);
    if (protocol == L4Protocol::sctp || at + sizeof(be16) > length) {
        return;
    }
    be16& checksum = *reinterpret_cast<be16*>(l4 + at);
    const be16 before = checksum;
    checksum = is_tcp ? delta.applied_to(before) : delta.applied_to_udp(before);
    error_delta.change(before, checksum);
}

}  // namespace fulcrum
