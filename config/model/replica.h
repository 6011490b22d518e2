// What two directors tell each other of sessions, as it crosses between a worker and the control
// thread: the numbers in it are those of this director's own snapshot. What goes over the wire
// names things by what both sides know (see controlplane/peer/peer_wire.h). Fixed size, trivially
// copyable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "config/model/address.h"
#include "config/model/client_address.h"
#include "config/model/limits.h"
#include "config/model/session.h"

namespace fulcrum {

enum class ReplicaKind : std::uint8_t {
    session,   // a confirmed session, as it is now
    gone,      // one that ended before its time
    client,    // which real a network of clients is bound to
    all_told,  // the end of a full transfer of a worker's
};

// Where octets of ours stand in a session's stream; as StreamShift has it.
struct ReplicaShift {
    std::uint32_t first = 0;
    std::uint8_t length = 0;  // 0: nothing is shifted
    bool is_announced = false;
    bool is_followed = false;
    bool is_accepted = false;

    friend bool operator==(const ReplicaShift&, const ReplicaShift&) = default;
};

struct Replica {
    ReplicaKind kind = ReplicaKind::session;
    L4Protocol protocol = L4Protocol::tcp;
    SessionState state = SessionState::vacant;
    ClientAddressBy told_by = ClientAddressBy::none;  // how its real hears of the client
    IpAddress client;                                 // of kind client: the network's address
    IpAddress local;  // in full NAT, as whom the real knows the client
    be16 client_port{};
    be16 vip_port{};
    be16 local_port{};                            // 0: it is in no full NAT
    std::uint16_t listener = limits::index_none;  // of kind client: any of the service's
    std::uint16_t real = limits::index_none;
    std::uint8_t prefix = 0;   // of kind client: length of 128, as a ClientPrefix has it
    std::uint32_t idle_s = 0;  // since its last packet; of kind client: since its last session
    std::uint32_t number =
        0;  // of kind client, as told: its service's id; all_told: the transfer's
    ReplicaShift shift;

    friend bool operator==(const Replica&, const Replica&) = default;
};
static_assert(std::is_trivially_copyable_v<Replica> && sizeof(Replica) == 64);

// Why a worker had no use for one that it was told of.
enum class ReplicaRefusal : std::uint8_t {
    unknown,    // its listener or real is not, or no longer, in this snapshot
    expired,    // it had idled for too long on its way
    kept,       // the worker has its own word on that session
    conflict,   // another session has its client port at the same real
    no_room,    // the table is full of the living
    local_end,  // its local address is not ours, or the port serves another
};
inline constexpr std::size_t replica_refusal_count = 6;
constexpr std::string_view to_string(ReplicaRefusal refusal) {
    constexpr std::string_view words[replica_refusal_count] = {"unknown",  "expired", "kept",
                                                               "conflict", "no_room", "local_end"};
    return words[static_cast<std::size_t>(refusal)];
}

}  // namespace fulcrum
