// What rewrite.h does to IPv4 packets, done to IPv6's: addresses of sixteen octets, a hop limit
// that no checksum covers, and an ICMPv6 checksum that covers the addresses. What a name in the
// decision stands for is read from the snapshot, here alone. Worker side.
#pragma once

#include <cstdint>

#include "config/model/snapshot.h"
#include "dataplane/decide.h"
#include "dataplane/parse.h"

namespace fulcrum {

// `decision.verdict` is transmit or refit, `frame` the packet's first octet.
void rewrite_ipv6(std::uint8_t* frame, const ParsedPacket& packet, const Decision& decision,
                  const Snapshot& snapshot);

}  // namespace fulcrum
