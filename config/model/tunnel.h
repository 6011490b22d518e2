// The outer header of a tunnel to a real, prepared once by the snapshot's compiler, so that a
// worker copies it in front of a packet and patches the few words that differ from packet to
// packet.
//
//   IPIP (RFC 2003, 2473, 4213) | IP, protocol 4 or 41 |                      packet
//   GUE variant 0               | IP, protocol 17 | UDP 8 | GUE 4 |           packet
//   GRE (RFC 2784, 7676)        | IP, protocol 47 | GRE 4, or 8 with checksum | packet
//
// The outer IP version is the real's, the inner one the packet's: either travels within either. The
// real's route has room for so many octets less: `mtu` of a Tunnel is what a packet may measure
// before it is wrapped. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>

#include "config/model/address.h"
#include "config/model/paths.h"
#include "config/model/service.h"

namespace fulcrum {

struct Tunnel : NextHop {  // towards the real, with the MTU that is left within
    static constexpr std::size_t header_size_max = 64;

    ForwardingMode mode = ForwardingMode::ipip;
    bool has_checksum = false;
    bool is_ipv6 = false;               // the outer header
    std::uint8_t header_length = 0;     // from the outer IP header to the packet within
    std::uint8_t l4_offset = 0;         // gue, gre: of the UDP or GRE header in `header`
    be16 port_of_end{};                 // gue: where the real unwraps
    std::uint16_t ip_checksum_sum = 0;  // of IPv4: of the words that are never patched, folded
    // For IPv4 within; what names the protocol within is patched for IPv6.
    std::array<std::uint8_t, header_size_max> header{};
};

struct TunnelEnds {    // of one IP version
    IpAddress source;  // our address on the way to the real
    IpAddress real;
};

// `hop` leads to the real.
Tunnel prepare_tunnel(ForwardingMode mode, const TunnelOptions& options, const NextHop& hop,
                      const TunnelEnds& ends);

}  // namespace fulcrum
