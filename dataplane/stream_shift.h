// Positions in a TCP stream before which octets of ours stand. The real counts them, the client
// does not know of them:
//
//   the client's count            first ───────────────────────►
//   the real's count   first ── header ── first + length ──────►
//
// So what the client sends lies `length` further at the real, and what the real acknowledges, by
// number or by SACK block, lies as much nearer at the client; what the real sends itself keeps its
// numbers. Nothing has to be remembered of single segments: what is lost comes again from the
// client, with the header where it belongs, for as long as the real has not acknowledged that.
//
// When the header goes, beside what the client sends at `first` or before it:
//
//   an ACK without content (it ends the handshake, and comes again if the real repeats its SYN,ACK;
//   or it is a keep-alive probe)             the header goes instead: a segment, and all that an
//                                            ACK says
//   the first content (octets or FIN)        follows the header that went with the handshake
//   content without a header before it, or   the header goes before it once more
//   that comes again
//
// Once acknowledged, the shift holds for all positions, however often they have come round.
// Numbers are of 32 bits and compared as RFC 9293, 3.4 does. Pure; worker side.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/headers.h"

namespace fulcrum {

// What has to go to the real along with a segment of the client's.
enum class Announcement : std::uint8_t { none, before, instead };

struct StreamShift {
    std::uint32_t first = 0;    // the client's first octet, as the client counts
    std::uint8_t length = 0;    // of what is ours; 0: no SYN has been seen, and nothing is shifted
    bool is_announced = false;  // the header has gone
    bool is_followed = false;   // content has gone behind it
    bool is_accepted = false;   // the real has it

    // Where an octet of the client's lies at the real.
    std::uint32_t octet_at_real(std::uint32_t position) const {
        return is_accepted || distance(position) >= 0 ? position + length : position;
    }
    // Where up to which the client's octets are there.
    std::uint32_t edge_at_real(std::uint32_t position) const {
        return is_accepted || distance(position) > 0 ? position + length : position;
    }
    // What is within the header is the client's first octet.
    std::uint32_t at_client(std::uint32_t position) const {
        if (is_accepted || distance(position) >= length) {
            return position - length;
        }
        return distance(position) > 0 ? first : position;
    }
    // Ahead of `first`, modulo 2^32.
    std::int32_t distance(std::uint32_t position) const {
        return static_cast<std::int32_t>(position - first);
    }
};
static_assert(sizeof(StreamShift) == 8);

// Of a SYN of the client's. One that comes when the header has gone is no beginning.
void note_beginning(StreamShift& shift, const TcpHeader& syn, std::uint8_t header_length);

// Of a segment of the client's without SYN; `has_content`: octets or a FIN. `shift` is as it will
// be when what this says has been done, which is up to the caller.
Announcement announcement_with(StreamShift& shift, const TcpHeader& tcp, bool has_content);

// Both change the header in `size` contiguous octets at `tcp`, options included, and its checksum
// by difference. A reply's acknowledgement is taken note of.
void shift_request(const StreamShift& shift, std::uint8_t* tcp, std::size_t size);
void shift_reply(StreamShift& shift, std::uint8_t* tcp, std::size_t size);

}  // namespace fulcrum
