// What the stream's messages say: sessions by names that both directors know, where a full transfer
// begins and ends, what operators have drained, and what config_wire.h knows. A service is named by
// a hash of its name, a real by one of its name, endpoint and mode, so a record means nothing to a
// director that has something else under that name.
//
//   message   kind 1, then
//     sessions          records, to the end
//     transfer_begins   number 4
//     transfer_ends     number 4
//     drain             service, real | drained 1 | deadline 4 | what then 1
//   record    what 1 (kind, IPv6, in full NAT, shifted) | service 8 | real 8 | idle 4
//     client            address 4 or 16 | length 1
//     others            protocol 1 | state 1 | client 6 or 18 | VIP 6 or 18
//     in full NAT       local end 6 or 18 | how the real hears of the client 1
//     shifted           first 4 | length 1 | announced, followed, accepted 1 1 1
//
// Pure. A message that is not whole, or says what no director says, is refused as a whole.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/model/replica.h"
#include "config/model/service.h"
#include "controlplane/peer/config_wire.h"
#include "controlplane/peer/octets.h"

namespace fulcrum {

// A Replica with names in the place of numbers.
struct NamedReplica {
    ReplicaKind kind = ReplicaKind::session;  // never all_told
    L4Protocol protocol = L4Protocol::tcp;
    SessionState state = SessionState::vacant;
    ClientAddressBy told_by = ClientAddressBy::none;
    std::uint64_t service = 0;
    std::uint64_t real = 0;
    Endpoint client;
    Endpoint vip;
    Endpoint local;
    std::uint8_t prefix = 0;
    std::uint32_t idle_s = 0;
    ReplicaShift shift;

    friend bool operator==(const NamedReplica&, const NamedReplica&) = default;
};

// An operator's wish for a real, by its names.
struct PeerDrain {
    std::string service;
    std::string real;
    bool is_drained = false;
    std::uint32_t deadline_s = 0;  // from now; 0: there is none
    SessionPolicy then = SessionPolicy::keep;

    friend bool operator==(const PeerDrain&, const PeerDrain&) = default;
};

enum class PeerMessageKind : std::uint8_t {
    sessions = 1,
    transfer_begins = 2,
    transfer_ends = 3,
    drain = 4,
    // Of configurations: see config_wire.h.
    standing = 5,
    part = 6,
    verdict = 7,
};

// The longest record.
inline constexpr std::size_t replica_record_max = 1 + 8 + 8 + 4 + 1 + 1 + 3 * 18 + 1 + 8;

void begin_message(Octets& message, PeerMessageKind kind);
void append(Octets& message, const NamedReplica& replica);
Octets transfer_message(PeerMessageKind kind, std::uint32_t number);
Octets drain_message(const PeerDrain& drain);

struct PeerMessage {
    PeerMessageKind kind = PeerMessageKind::sessions;
    std::vector<NamedReplica> replicas;
    std::uint32_t number = 0;
    PeerDrain drain;
    ConfigStanding standing;
    ConfigPart part;
    ConfigVerdict verdict;
};
std::optional<PeerMessage> read_message(std::span<const std::uint8_t> octets);

}  // namespace fulcrum
