// What a session is, seen from outside the table that stores it: the states it passes through, and
// the plain record that crosses to the operator (and to a peer). Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/model/address.h"

namespace fulcrum {

// Stored in four bits of a session's entry; `vacant` is zero because zero means free there. The
// order carries meaning: all unconfirmed states come first (see is_confirmed). Which sessions make
// room for others is told in dataplane/session_table.h.
enum class SessionState : std::uint8_t {
    vacant = 0,
    syn_seen = 1,        // TCP: the client's SYN has passed; SCTP: its INIT
    syn_answered = 2,    // TCP: the real's SYN,ACK has passed; SCTP: its INIT ACK
    picked_up = 3,       // TCP in mid-flow, before a reply that is no RST
    one_way = 4,         // UDP, before a reply
    direct_opening = 5,  // TCP by direct routing, before packets in three different seconds
    established = 6,
    client_closed = 7,     // the client's FIN has passed, the real's has not
    real_closed = 8,       // the other way round
    two_way = 9,           // UDP with an answer, or by direct routing in three different seconds
    reset_by_client = 10,  // an RST passed; later data of the same side revives the session
    reset_by_real = 11,
    closed = 12,  // both FINs have passed
};
inline constexpr std::size_t session_state_count = 13;

// Where a session's timeout stands among its service's: SCTP has TCP's states and its own times.
inline constexpr std::size_t session_timeout_count = 2 * session_state_count;
constexpr std::size_t timeout_place(SessionState state, L4Protocol protocol) {
    return static_cast<std::size_t>(state) +
           (protocol == L4Protocol::sctp ? session_state_count : 0);
}

constexpr bool is_confirmed(SessionState state) { return state >= SessionState::established; }

// Whether schedulers count it as active, as IPVS does: TCP from its first packet until a side
// closes or resets. Datagrams never are.
constexpr bool is_active(SessionState state) {
    switch (state) {
        case SessionState::syn_seen:
        case SessionState::syn_answered:
        case SessionState::picked_up:
        case SessionState::direct_opening:
        case SessionState::established:
            return true;
        default:
            return false;
    }
}

std::string_view to_string(SessionState state);
// In the protocol's own words.
std::string_view to_string(SessionState state, L4Protocol protocol);

// One session, copied out of a worker's table.
struct SessionRecord {
    Endpoint client;
    Endpoint vip;
    Endpoint local;  // in full NAT, as whom the real knows the client; port 0: there is none
    std::uint16_t listener = 0;
    std::uint16_t real = 0;  // local to the listener's service
    L4Protocol protocol = L4Protocol::tcp;
    SessionState state = SessionState::vacant;
    std::uint8_t worker = 0;
    std::uint32_t idle_s = 0;
    std::uint32_t timeout_s = 0;
};

}  // namespace fulcrum
