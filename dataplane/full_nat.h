// Rewriting both ends of a packet: destination and source of a request become the real's endpoint
// and a local end, those of a reply the client's and the VIP's; and the same the other way round
// within the quotation of an ICMP error. Out of the way of packets that change at one end alone.
// Worker side.
#pragma once

#include <cstdint>

#include "dataplane/decide.h"
#include "dataplane/parse.h"

namespace fulcrum {

// `decision.rewrite` is one of full NAT; MAC addresses are the caller's.
void rewrite_both_ends(std::uint8_t* frame, const ParsedPacket& packet, const Decision& decision);

// The same of IPv6. `near` stands for the decision's replacement, `far` for its local end or
// client.
struct Ipv6BothEnds {
    Ipv6Address near;
    Ipv6Address far;
};
void rewrite_both_ends_ipv6(std::uint8_t* frame, const ParsedPacket& packet,
                            const Decision& decision, const Ipv6BothEnds& ends);

}  // namespace fulcrum
