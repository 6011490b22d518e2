// What a packet may do to sessions: open one, put itself in the place of one that is over, part
// from one whose real has left. Questions of the packet and what is known of the session, without
// table or clock; for the tracker.
#pragma once

#include <cstdint>

#include "config/model/snapshot.h"
#include "dataplane/headers.h"
#include "dataplane/parse.h"
#include "dataplane/session_states.h"

namespace fulcrum {

inline constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;

// Only a packet that carries its flow on may open a session: no reset, no answer, no error about
// something that we do not know.
inline bool may_open(const ParsedPacket& packet) {
    if (packet.kind != PacketKind::flow) {
        return false;
    }
    if (packet.protocol == L4Protocol::udp) {
        return true;
    }
    return (packet.tcp_flags & tcp_flag::rst) == 0 && (packet.tcp_flags & syn_ack) != syn_ack;
}

inline bool opens_connection(const ParsedPacket& tcp) {
    return (tcp.tcp_flags & syn_ack) == tcp_flag::syn;
}

// Of a packet that may open a session: its connection is older than that, and has a real already.
inline bool is_in_mid_course(const ParsedPacket& packet) {
    return packet.protocol != L4Protocol::udp && !opens_connection(packet);
}

// What it means for a packet of a session that the real has more to it than a drain.
enum class Parting : std::uint8_t { not_yet, make_way, reset };

inline Parting parting_from(const SnapshotReal& real, const ParsedPacket& packet,
                            bool is_from_client) {
    if (real.standing == RealStanding::absent) {
        return Parting::make_way;
    }
    if (packet.kind != PacketKind::flow) {
        return Parting::not_yet;
    }
    const bool is_reset = (packet.tcp_flags & tcp_flag::rst) != 0;
    const bool is_udp = packet.protocol == L4Protocol::udp;
    const bool moves = is_udp || real.standing == RealStanding::moving;
    if (moves) {
        // A reply still belongs to the old session; a reset has nothing to open elsewhere.
        return is_from_client && (is_udp || may_open(packet)) ? Parting::make_way
                                                              : Parting::not_yet;
    }
    if (real.standing != RealStanding::resetting || is_reset) {
        return Parting::not_yet;
    }
    return is_from_client && opens_connection(packet) ? Parting::make_way : Parting::reset;
}

inline SessionState first_state(const ParsedPacket& packet, ForwardingMode mode) {
    if (packet.protocol == L4Protocol::udp) {
        return SessionState::one_way;
    }
    const bool is_syn = (packet.tcp_flags & tcp_flag::syn) != 0;
    return is_one_way(mode) ? SessionState::direct_opening
           : is_syn         ? SessionState::syn_seen
                            : SessionState::picked_up;
}

// Whether a request is the SYN of a new connection, and finds its session over or without a real
// that would take it. A reset is not yet the end, for anybody may have sent it: the SYN goes to the
// same real, which knows whether there still is a connection. (Where octets are counted anew for
// each side, a session is for one connection.)
template <typename Session>
bool must_make_way(const Session& session, const ParsedPacket& packet, const SnapshotReal& real) {
    if (packet.kind != PacketKind::flow || packet.protocol == L4Protocol::udp ||
        !opens_connection(packet)) {
        return false;
    }
    const SessionState state = session.tag.state();
    const bool has_lost_its_real = real.standing == RealStanding::down ||
                                   (!is_confirmed(state) && real.standing != RealStanding::usable);
    const bool is_by_hearsay =
        (state == SessionState::reset_by_client || state == SessionState::reset_by_real) &&
        real.standing == RealStanding::usable && session.tag.is_plain();
    return has_lost_its_real || (starts_anew(state, !is_one_way(real.mode)) && !is_by_hearsay);
}

}  // namespace fulcrum
