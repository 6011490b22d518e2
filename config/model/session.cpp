// The operator's words for session states.
#include "config/model/session.h"

namespace fulcrum {

std::string_view to_string(SessionState state) {
    switch (state) {
        case SessionState::vacant:
            return "vacant";
        case SessionState::syn_seen:
            return "syn_seen";
        case SessionState::syn_answered:
            return "syn_answered";
        case SessionState::picked_up:
            return "picked_up";
        case SessionState::one_way:
            return "one_way";
        case SessionState::direct_opening:
            return "direct_opening";
        case SessionState::established:
            return "established";
        case SessionState::client_closed:
            return "client_closed";
        case SessionState::real_closed:
            return "real_closed";
        case SessionState::two_way:
            return "two_way";
        case SessionState::reset_by_client:
            return "reset_by_client";
        case SessionState::reset_by_real:
            return "reset_by_real";
        case SessionState::closed:
            return "closed";
    }
    return "unknown";
}

std::string_view to_string(SessionState state, L4Protocol protocol) {
    if (protocol == L4Protocol::sctp && state == SessionState::syn_seen) {
        return "init_seen";
    }
    if (protocol == L4Protocol::sctp && state == SessionState::syn_answered) {
        return "init_answered";
    }
    return to_string(state);
}

}  // namespace fulcrum
