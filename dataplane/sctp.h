// SCTP (RFC 9260), as far as it goes its own way. What a packet does to its association is said in
// TCP's flags: INIT is a SYN, INIT ACK a SYN with ACK, the three chunks of a shutdown are FINs,
// ABORT is an RST, and all others carry an association on. So the rooms behind `parse` know one
// kind of connection. Verification tags are the ends' business and are not judged here. The
// checksum covers ports, and no addresses.
//
//   ┌───────────────┬──────────────────┬───────────────────┬──────────┬──────────┬ chunks
//   │ source port 2 │ destination p. 2 │ verification tag 4│ CRC32c 4 │type flags│ length ...
//   └───────────────┴──────────────────┴───────────────────┴──────────┴──────────┴───────
//
// Pure; worker side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/headers.h"
#include "dataplane/parse.h"

namespace fulcrum {

// `ip_packet` is what of the packet lies in the first segment, `l4` where SCTP begins in it.
void parse_sctp(std::span<const std::uint8_t> ip_packet, std::size_t l4, ParsedPacket& packet);

// A kernel that leaves the checksum to the NIC leaves it zero. Completes it in a frame that lies in
// one piece; true if there was one to complete.
bool complete_sctp_checksum(std::uint8_t* frame, const ParsedPacket& packet);

// After the frame's ports have been changed from those that were parsed.
void update_sctp_checksum(std::uint8_t* frame, const ParsedPacket& packet);

// Whose tag an ABORT carries (RFC 9260, 8.5.1): its receiver's, or, by the T bit, the one that the
// receiver itself has sent.
struct AbortTag {
    be32 tag{};
    bool is_reflected = false;
};
// Of the ABORT for the sender of a packet, which `l4` holds (RFC 9260, 8.4).
AbortTag abort_tag_back(const std::uint8_t* l4);
inline AbortTag abort_tag_onwards(const std::uint8_t* l4) {
    return {reinterpret_cast<const SctpHeader*>(l4)->verification_tag, false};
}

inline constexpr std::size_t sctp_abort_size = sizeof(SctpHeader) + sizeof(SctpChunkHeader);
// Nothing else in it.
void write_abort(std::uint8_t* l4, be16 source_port, be16 destination_port, AbortTag tag);

}  // namespace fulcrum
