// Wraps a packet for a tunnel's real: the prepared outer header is copied in front of it, and what
// differs from packet to packet is patched. By the RFCs: the TTL is the inner one, after this hop
// (RFC 2003, 3.1); the type of service is copied whole, congestion marks included (RFC 6040, 4.1).
//
// An outer header of IPv4 may be fragmented where the inner one may, and then gets an
// identification of its own, the others none (RFC 6864, 4.1). Around IPv6 it may not, unless the
// way carries less than IPv6 asks of every way (RFC 4213, 3.2.2). An outer header of IPv6 is
// labelled by the flow (RFC 6438), and its UDP header may go without a checksum, because what is
// within has one (RFC 6935). Octets alone, no buffer. Worker side.
#pragma once

#include <cstdint>

#include "config/model/tunnel.h"
#include "dataplane/checksum.h"

namespace fulcrum {

// GUE's source ports begin here, and go up to the last: one a flow (RFC 6335, 6).
inline constexpr std::uint16_t flow_port_first = 49'152;

struct WrapFields {
    std::uint16_t inner_length = 0;    // octets of the packet within
    std::uint32_t flow_hash = 0;       // gue: which source port; IPv6: which flow label
    std::uint16_t identification = 0;  // for a header of IPv4 that may be fragmented
    ChecksumSum inner_sum;             // of the packet within, where the tunnel has a checksum
};

// `frame` is the first octet of an Ethernet frame with `tunnel.header_length` octets of room before
// it; its packet has been aged by this hop. Where the grown frame begins.
std::uint8_t* encapsulate(std::uint8_t* frame, const Tunnel& tunnel, const WrapFields& fields);

}  // namespace fulcrum
