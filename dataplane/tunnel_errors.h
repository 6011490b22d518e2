// What routers on the way to a tunnel's real have to say: ICMP errors to us about our own outer
// packets. "Fragmentation needed" is news for all packets of that way, and is reported so that the
// next snapshot knows the path's MTU. Anybody can say it, and all clients would suffer, so it is
// believed only of a packet that may have been ours and was longer than that, and where it comes by
// the port that leads to the real. And whose packet it was that travelled within is told, where
// the quotation reaches that far (RFC 2003, 4; RFC 2473, 8): too long with what the outer header
// leaves, any other trouble as "host unreachable", because the way behind us is none of a client's
// business. Outer and inner packet may be of different IP versions.
// One worker's thread.
#pragma once

#include <cstdint>

#include "config/model/snapshot.h"
#include "dataplane/icmp_origin.h"
#include "dataplane/parse.h"

namespace fulcrum {

// What an error about a tunnel says, as far as it can be read.
struct TunnelNews {
    std::uint16_t path_mtu = 0;  // of the outer packet; 0: not said, or of no packet of ours
    std::uint16_t inner_offset =
        0;  // of the packet within, from the start of the frame; 0: cut off
    std::uint16_t inner_length = 0;  // octets of it that are quoted
    IcmpError error;                 // for the sender of the packet within
};

// `packet` is an error about one of our outer packets, whole in one segment.
TunnelNews read_tunnel_error(const std::uint8_t* frame, const ParsedPacket& packet);

}  // namespace fulcrum
