// What rewriting has in common over both IP versions. For rewrite.cpp and rewrite_ipv6.cpp alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/checksum.h"
#include "dataplane/decide.h"
#include "dataplane/headers.h"

namespace fulcrum {

inline void address_frame(std::uint8_t* frame, const NextHop& hop) {
    // Destination and source lie side by side, in the hop as in the frame.
    static_assert(offsetof(NextHop, source) == sizeof(MacAddress));
    std::memcpy(frame, &hop.destination, 2 * sizeof(MacAddress));
}

inline void update_l4_checksum(std::uint8_t* l4, L4Protocol protocol, const ChecksumDelta& delta) {
    if (protocol == L4Protocol::tcp) {
        be16& checksum = reinterpret_cast<TcpHeader*>(l4)->checksum;
        checksum = delta.applied_to(checksum);
    } else {
        be16& checksum = reinterpret_cast<UdpHeader*>(l4)->checksum;
        checksum = delta.applied_to_udp(checksum);
    }
}

// Where the checksum lies within the L4 header.
constexpr std::size_t checksum_offset_of(L4Protocol protocol) {
    return protocol == L4Protocol::tcp ? offsetof(TcpHeader, checksum)
                                       : offsetof(UdpHeader, checksum);
}

}  // namespace fulcrum
