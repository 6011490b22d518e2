// The tables.
#include "dataplane/session_states.h"

namespace fulcrum {
namespace {

using enum SessionState;
using Row = std::array<SessionState, session_event_count>;
using Table = std::array<Row, session_state_count>;

constexpr unsigned confirming_seconds = 2;

// clang-format off
constexpr Table two_sided{{
    //                  client_syn       client_data      client_fin       client_reset     real_syn         real_data        real_fin         real_reset
    /* vacant        */ {vacant,          vacant,          vacant,          vacant,          vacant,          vacant,          vacant,          vacant},
    /* syn_seen      */ {syn_seen,        syn_seen,        syn_seen,        syn_seen,        syn_answered,    syn_seen,        syn_seen,        syn_seen},
    /* syn_answered  */ {syn_answered,    established,     client_closed,   syn_answered,    syn_answered,    syn_answered,    syn_answered,    syn_answered},
    /* picked_up     */ {syn_seen,        picked_up,       picked_up,       picked_up,       syn_answered,    established,     real_closed,     picked_up},
    /* one_way       */ {one_way,         one_way,         one_way,         one_way,         one_way,         one_way,         one_way,         one_way},
    /* direct_opening*/ {direct_opening,  direct_opening,  direct_opening,  direct_opening,  direct_opening,  direct_opening,  direct_opening,  direct_opening},
    /* established   */ {established,     established,     client_closed,   reset_by_client, established,     established,     real_closed,     reset_by_real},
    /* client_closed */ {client_closed,   client_closed,   client_closed,   reset_by_client, client_closed,   client_closed,   closed,          reset_by_real},
    /* real_closed   */ {real_closed,     real_closed,     closed,          reset_by_client, real_closed,     real_closed,     real_closed,     reset_by_real},
    /* two_way       */ {two_way,         two_way,         two_way,         two_way,         two_way,         two_way,         two_way,         two_way},
    /* reset_by_client*/{reset_by_client, established,     client_closed,   reset_by_client, reset_by_client, reset_by_client, reset_by_client, reset_by_client},
    /* reset_by_real */ {reset_by_real,   reset_by_real,   reset_by_real,   reset_by_real,   reset_by_real,   established,     real_closed,     reset_by_real},
    /* closed        */ {closed,          closed,          closed,          closed,          closed,          closed,          closed,          closed},
}};
// clang-format on

}  // namespace

SessionState next_two_sided(SessionState state, SessionEvent event) {
    return two_sided[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

SessionState next_one_sided(SessionState state, SessionEvent event, unsigned seconds_seen) {
    if (is_confirmed(state)) {
        return next_two_sided(state, event);
    }
    // The packet that confirms may be the one that closes.
    return seconds_seen >= confirming_seconds ? next_two_sided(established, event) : direct_opening;
}

SessionState next_udp(SessionState state, Side side, unsigned seconds_seen) {
    const bool confirms = side == Side::real || seconds_seen >= confirming_seconds;
    return state == one_way && confirms ? two_way : state;
}

}  // namespace fulcrum
