// The lives of sessions as the rules tell them, told packet by packet.
#include "dataplane/session_states.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace fulcrum {

static void PrintTo(SessionState state, std::ostream* out) { *out << to_string(state); }

namespace {

using enum SessionEvent;
using enum SessionState;

SessionState after(SessionState state, std::initializer_list<SessionEvent> events) {
    for (const SessionEvent event : events) {
        state = next_two_sided(state, event);
    }
    return state;
}

constexpr std::initializer_list<SessionEvent> all_events{
    client_syn, client_data, client_fin, client_reset, real_syn, real_data, real_fin, real_reset};

// --- which event a packet is -----------------------------------------------------------------

TEST(SessionEvent, IsReadFromFlagsAndSide) {
    EXPECT_EQ(event_of(tcp_flag::syn, Side::client), client_syn);
    EXPECT_EQ(event_of(tcp_flag::syn | tcp_flag::ack, Side::real), real_syn);
    EXPECT_EQ(event_of(tcp_flag::ack, Side::client), client_data);
    EXPECT_EQ(event_of(tcp_flag::psh | tcp_flag::ack, Side::real), real_data);
    EXPECT_EQ(event_of(tcp_flag::fin | tcp_flag::ack, Side::client), client_fin);
    EXPECT_EQ(event_of(tcp_flag::rst, Side::client), client_reset);
    EXPECT_EQ(event_of(tcp_flag::rst | tcp_flag::ack, Side::real), real_reset);
}

// --- TCP of which both sides pass ------------------------------------------------------------

TEST(TwoSided, AHandshakeEstablishes) {
    EXPECT_EQ(after(syn_seen, {real_syn}), syn_answered);
    EXPECT_EQ(after(syn_seen, {real_syn, client_data}), established);
}

TEST(TwoSided, TheClientClosesFirst) {
    EXPECT_EQ(after(established, {client_fin}), client_closed);
    EXPECT_EQ(after(established, {client_fin, real_data, client_data}), client_closed);
    EXPECT_EQ(after(established, {client_fin, real_fin}), closed);
}

TEST(TwoSided, TheRealClosesFirst) {
    EXPECT_EQ(after(established, {real_fin}), real_closed);
    EXPECT_EQ(after(established, {real_fin, client_data, real_data}), real_closed);
    EXPECT_EQ(after(established, {real_fin, client_fin}), closed);
}

TEST(TwoSided, AClosedSessionStaysClosed) {
    for (const SessionEvent event : all_events) {
        EXPECT_EQ(after(closed, {event}), closed);
    }
}

TEST(TwoSided, ASynOnALivingSessionChangesNothing) {
    for (const SessionState state : {established, client_closed, real_closed}) {
        EXPECT_EQ(after(state, {client_syn}), state);
        EXPECT_EQ(after(state, {real_syn}), state);
    }
}

TEST(TwoSided, OneSideAloneCannotConfirm) {
    for (const SessionState start : {syn_seen, picked_up}) {
        SessionState state = start;
        for (unsigned round = 0; round < 3; ++round) {
            for (const SessionEvent event : {client_syn, client_data, client_fin, client_reset}) {
                state = after(state, {event});
                EXPECT_FALSE(is_confirmed(state));
            }
        }
    }
}

TEST(TwoSided, ARealsResetCannotConfirm) {
    for (const SessionState state : {syn_seen, syn_answered, picked_up}) {
        EXPECT_FALSE(is_confirmed(after(state, {real_reset})));
        EXPECT_FALSE(is_confirmed(after(state, {real_reset, client_reset, real_reset})));
    }
}

TEST(TwoSided, AFlowPickedUpIsConfirmedByTheRealsDataOrFin) {
    EXPECT_EQ(after(picked_up, {real_data}), established);
    EXPECT_EQ(after(picked_up, {real_fin}), real_closed);
    EXPECT_EQ(after(picked_up, {client_syn}), syn_seen);
    EXPECT_EQ(after(picked_up, {real_syn}), syn_answered);
}

TEST(TwoSided, DataOfTheSameSideRevivesAResetSession) {
    EXPECT_EQ(after(established, {client_reset, client_data}), established);
    EXPECT_EQ(after(established, {real_reset, real_data}), established);
    EXPECT_EQ(after(established, {client_reset, client_fin}), client_closed);
    EXPECT_EQ(after(established, {real_reset, real_fin}), real_closed);
}

TEST(TwoSided, DataOfTheOtherSideDoesNotRevive) {
    EXPECT_EQ(after(established, {client_reset, real_data}), reset_by_client);
    EXPECT_EQ(after(established, {real_reset, client_data}), reset_by_real);
}

TEST(TwoSided, AConfirmedSessionStaysConfirmedWhateverComes) {
    for (const SessionState state :
         {established, client_closed, real_closed, reset_by_client, reset_by_real, closed}) {
        for (const SessionEvent event : all_events) {
            EXPECT_TRUE(is_confirmed(after(state, {event})));
        }
    }
}

TEST(TwoSided, NothingBecomesVacant) {
    for (std::size_t state = 1; state < session_state_count; ++state) {
        for (const SessionEvent event : all_events) {
            EXPECT_NE(after(static_cast<SessionState>(state), {event}), vacant);
        }
    }
}

// --- TCP of which the client's side alone passes ---------------------------------------------

TEST(OneSided, ThreeDifferentSecondsConfirm) {
    EXPECT_EQ(next_one_sided(direct_opening, client_data, 0), direct_opening);
    EXPECT_EQ(next_one_sided(direct_opening, client_data, 1), direct_opening);
    EXPECT_EQ(next_one_sided(direct_opening, client_data, 2), established);
}

TEST(OneSided, ThePacketThatConfirmsMayBeTheOneThatCloses) {
    EXPECT_EQ(next_one_sided(direct_opening, client_fin, 2), client_closed);
    EXPECT_EQ(next_one_sided(direct_opening, client_reset, 2), reset_by_client);
}

TEST(OneSided, TheClientsFinAndResetEndIt) {
    EXPECT_EQ(next_one_sided(established, client_fin, 3), client_closed);
    EXPECT_EQ(next_one_sided(established, client_reset, 3), reset_by_client);
    EXPECT_EQ(next_one_sided(reset_by_client, client_data, 3), established);
}

TEST(OneSided, ASessionBegunUnderNatGoesOnAsAnOpeningOne) {
    EXPECT_EQ(next_one_sided(syn_seen, client_data, 0), direct_opening);
}

// --- UDP -------------------------------------------------------------------------------------

TEST(Udp, AnAnswerConfirms) {
    EXPECT_EQ(next_udp(one_way, Side::client, 0), one_way);
    EXPECT_EQ(next_udp(one_way, Side::real, 0), two_way);
}

TEST(Udp, ThreeDifferentSecondsConfirm) {
    EXPECT_EQ(next_udp(one_way, Side::client, 1), one_way);
    EXPECT_EQ(next_udp(one_way, Side::client, 2), two_way);
}

TEST(Udp, WhatIsConfirmedStaysSo) {
    EXPECT_EQ(next_udp(two_way, Side::client, 0), two_way);
    EXPECT_EQ(next_udp(two_way, Side::real, 0), two_way);
}

// --- a port used again -----------------------------------------------------------------------

TEST(StartsAnew, WhenBothSidesHaveClosedOrOneHasReset) {
    EXPECT_TRUE(starts_anew(closed, true));
    EXPECT_TRUE(starts_anew(reset_by_client, true));
    EXPECT_TRUE(starts_anew(reset_by_real, true));
}

TEST(StartsAnew, NotWhileOneSideMayStillSpeak) {
    for (const SessionState state :
         {syn_seen, syn_answered, picked_up, established, client_closed, real_closed}) {
        EXPECT_FALSE(starts_anew(state, true));
    }
}

TEST(StartsAnew, AfterTheClientsFinWhereTheRealsIsNeverSeen) {
    EXPECT_TRUE(starts_anew(client_closed, false));
    EXPECT_FALSE(starts_anew(established, false));
    EXPECT_FALSE(starts_anew(direct_opening, false));
}

}  // namespace
}  // namespace fulcrum
