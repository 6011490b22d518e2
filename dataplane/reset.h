// Resets that we make, over either IP version: for a client whom nobody serves, and for both ends
// of a session that has to end. TCP's, and SCTP's ABORTs. Pure; worker side.
#pragma once

#include <cstdint>

#include "config/model/snapshot.h"
#include "dataplane/decide.h"
#include "dataplane/parse.h"
#include "dataplane/sctp.h"

namespace fulcrum {

// A reset without anything else in it.
struct BareReset {
    Endpoint source;
    Endpoint destination;
    L4Protocol protocol = L4Protocol::tcp;
    be32 sequence_number{};  // TCP
    be32 acknowledgment_number{};
    std::uint8_t flags = 0;
    AbortTag tag;  // SCTP
};
// The frame's length.
std::uint16_t write_reset(std::uint8_t* frame, const BareReset& reset, const NextHop& hop);

struct PacketEnds {
    Endpoint source;
    Endpoint destination;
};
PacketEnds ends_of(const std::uint8_t* frame, const ParsedPacket& packet);
// As they will be where `decision` has the packet go; it has not been rewritten.
PacketEnds ends_onwards(const std::uint8_t* frame, const ParsedPacket& packet,
                        const Decision& decision, const IpAddress& client,
                        const Snapshot& snapshot);

// The reset that goes where a packet was going, which `decision` knows: with the packet's own
// numbers, so that the receiver finds it where it expects the next octet (RFC 9293, 3.5.2).
BareReset reset_onwards(const std::uint8_t* frame, const ParsedPacket& packet,
                        const Decision& decision, const IpAddress& client,
                        const Snapshot& snapshot);

// Turns a packet into the reset that a host without such a port would answer (RFC 9293, 3.10.7.1;
// RFC 9260, 8.4), on its way back by `hop`. The frame's new length. Not of a reset.
std::uint16_t turn_into_reset(std::uint8_t* frame, const ParsedPacket& packet, const NextHop& hop);

}  // namespace fulcrum
