// The largest segment that a TCP handshake asks for, made no larger than the way allows (its way
// through a tunnel leaves less than the client knows). A SYN that says nothing asks for 536 octets
// over IPv4 and 1,220 over IPv6 (RFC 9293, 3.7.1): it is left as it is. Worker side.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fulcrum {

// `tcp` is a TCP header with its options in `size` contiguous octets. Its checksum follows by
// difference.
void limit_mss(std::uint8_t* tcp, std::size_t size, std::uint16_t mss_max);

}  // namespace fulcrum
