// "This address is here now": the frames that make a link's hosts and switches send to us what they
// have sent to another director until now. IPv4 by gratuitous ARP, once as a request and once as a
// reply, because hosts heed one or the other (RFC 5227, 3); IPv6 by an unsolicited neighbour
// advertisement with the override flag (RFC 4861, 7.2.6). Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "config/model/address.h"

namespace fulcrum {

// Ethernet frames to all of a link, in the order of their sending.
std::vector<std::vector<std::uint8_t>> announcement_of(const IpAddress& address,
                                                       const MacAddress& mac);

}  // namespace fulcrum
