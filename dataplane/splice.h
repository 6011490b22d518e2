// A TCP connection of two halves: the client's, which the director has accepted in the name of the
// VIP by a SYN cookie, and the real's, which it opens afterwards in the name of the client. From
// then on each side's segments pass, with their numbers as the other side counts them:
//
//        client            director                 real
//          │ SYN  first-1     │                       │
//          │ ◄─── SYN-ACK ────│ cookie, window 0      │
//          │ ACK  cookie+1 ──►│ SYN  first-1 ────────►│
//          │                  │◄─── SYN-ACK  n ───────│
//          │ ◄─── window ─────│───── ACK  n+1 ───────►│
//
//   the client's octets    are counted alike on both sides
//   the real's octets      `shift` = cookie - n further at the client
//   the real's timestamps  `time_shift` further at the client, who has seen one of ours first
//   windows                scaled as each side has been told, which may not be the same
//
// The client's window stays shut until the real has answered: he sends nothing that would have to
// be kept, and a window that is lost on its way to him he asks for. Until then whatever comes from
// him is answered with the SYN for the real once more.
//
// Numbers and times are of 32 bits, and wrap. Pure; worker side.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/headers.h"
#include "dataplane/segment.h"
#include "dataplane/syn_cookie.h"
#include "dataplane/tcp_options.h"

namespace fulcrum {

struct Splice {
    std::uint32_t client_first = 0;  // the client's first octet
    std::uint32_t cookie = 0;
    std::uint32_t shift = 0;        // open: see above
    std::uint32_t time_shift = 0;   // open: see above; before, our timestamp that the client echoes
    std::uint32_t client_time = 0;  // the client's latest timestamp while it is not open
    std::uint16_t client_window = 0;  // likewise, as it was sent
    std::uint16_t mss = 0;            // the client's, as far as the cookie could say
    std::uint16_t agreement = 0;      // bits
    std::int8_t request_scale = 0;    // by so much windows are shifted to the left; open
    std::int8_t reply_scale = 0;
    bool is_open = false;  // the real has answered

    Agreement agreed() const { return Agreement::from_bits(agreement); }
    bool is_answer(const TcpHeader& syn_ack) const {
        return syn_ack.acknowledgment_number.host() == client_first;
    }
};
static_assert(sizeof(Splice) <= 32);

// What the client says while the real has not answered.
void note_client(Splice& splice, const TcpHeader& tcp, const TcpOptions& options);

// The real has answered. False: not as had been promised to the client, who counts on timestamps.
bool open_splice(Splice& splice, const TcpHeader& syn_ack, const TcpOptions& options);

// What goes to either side; the ends are the caller's. `mss_max`: as of the service.
Segment syn_for_real(const Splice& splice, std::uint16_t mss_max);
Segment ack_for_real(const Splice& splice, std::uint32_t real_time);
Segment window_for_client(const Splice& splice, const TcpHeader& syn_ack, std::uint32_t real_time);

// Both change the header in `size` contiguous octets at `tcp`, options included, and its checksum
// by difference. Of an open splice.
void splice_request(const Splice& splice, std::uint8_t* tcp, std::size_t size);
void splice_reply(const Splice& splice, std::uint8_t* tcp, std::size_t size);

}  // namespace fulcrum
