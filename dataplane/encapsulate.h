// Wraps a packet for a tunnel's real: the prepared outer header is copied in front of it, and what
// differs from packet to packet is patched. By the RFCs: the TTL is the inner one, after this hop
// (RFC 2003, 3.1); the type of service is copied whole, congestion marks included (RFC 6040, 4.1);
// so is "don't fragment". A header that may be fragmented gets an identification of its own, the
// others none (RFC 6864, 4.1). Octets alone, no buffer. Worker side.
#pragma once

#include <cstdint>

#include "config/model/tunnel.h"
#include "dataplane/checksum.h"

namespace fulcrum {

struct WrapFields {
    std::uint16_t inner_length = 0;    // octets of the packet within
    std::uint16_t flow_hash = 0;       // gue: which source port
    std::uint16_t identification = 0;  // for a header that may be fragmented
    ChecksumSum inner_sum;             // of the packet within, where the tunnel has a checksum
};

// `frame` is the first octet of an Ethernet frame with `tunnel.header_length` octets of room before
// it; its packet has been aged by this hop. Where the grown frame begins.
std::uint8_t* encapsulate(std::uint8_t* frame, const Tunnel& tunnel, const WrapFields& fields);

}  // namespace fulcrum
