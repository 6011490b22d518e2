// What a packet does to its session's state: one table a kind of session, a row a state, a column
// an event. Two-sided TCP sees both directions (NAT); one-sided TCP sees the client's only (direct
// routing). Pure; worker side.
//
// Rules that the rows follow. Unconfirmed stays unconfirmed until the other side has really taken
// part, so that a flood cannot buy itself a confirmed session with a reset. A reset alone does not
// end a session: later data of the same side shows that it was forged, and revives it. A SYN on a
// session that is over is a new connection (see starts_anew); on a living one it changes nothing.
#pragma once

#include <array>
#include <cstdint>

#include "config/model/session.h"
#include "dataplane/headers.h"

namespace fulcrum {

enum class SessionEvent : std::uint8_t {
    client_syn,
    client_data,  // an ACK, with or without data
    client_fin,
    client_reset,
    real_syn,
    real_data,
    real_fin,
    real_reset,
};
inline constexpr std::size_t session_event_count = 8;

enum class Side : std::uint8_t { client, real };

// Which event a TCP packet is. Contradictory flags have been refused by `parse`.
constexpr SessionEvent event_of(std::uint8_t tcp_flags, Side side) {
    unsigned event = 1;
    if ((tcp_flags & tcp_flag::syn) != 0) {
        event = 0;
    } else if ((tcp_flags & tcp_flag::rst) != 0) {
        event = 3;
    } else if ((tcp_flags & tcp_flag::fin) != 0) {
        event = 2;
    }
    return static_cast<SessionEvent>(event + (side == Side::real ? 4 : 0));
}

// TCP of which both directions pass here.
SessionState next_two_sided(SessionState state, SessionEvent event);
// TCP of which only the client's packets pass here. `seconds_seen`: in how many different seconds
// after the first; the second such confirms.
SessionState next_one_sided(SessionState state, SessionEvent event, unsigned seconds_seen);
// UDP. `seconds_seen` as above where only the client's packets pass here; 0 where an answer would.
SessionState next_udp(SessionState state, Side side, unsigned seconds_seen);

// Whether a client's SYN finds its session over, so that it opens a new one at once.
constexpr bool starts_anew(SessionState state, bool is_two_sided) {
    return state == SessionState::closed || state == SessionState::reset_by_client ||
           state == SessionState::reset_by_real ||
           (!is_two_sided && state == SessionState::client_closed);
}

}  // namespace fulcrum
