// What becomes of a packet whose real is known: verdict, rewriting, next hop. Values in, values
// out; no buffer, no clock, no table. It is here that the product is tested.
#pragma once

#include <cstdint>

#include "config/model/snapshot.h"
#include "dataplane/parse.h"
#include "dataplane/verdict.h"

namespace fulcrum {

enum class Rewrite : std::uint8_t {
    direct,                // MAC addresses and TTL
    tunnel,                // TTL, and all of it into another packet
    nat_request,           // and the destination, to the real's endpoint
    nat_reply,             // and the source, to the VIP's endpoint
    icmp_request,          // an error for the real about what it sent: also within the quotation
    icmp_reply,            // an error for the client about what it sent
    nat_request_fragment,  // the destination's address alone
    nat_reply_fragment,    // the source's
    // Full NAT: the same, and `far` takes the place of the other end.
    full_request,
    full_reply,
    full_icmp_request,
    full_icmp_reply,
    full_request_fragment,
    full_reply_fragment,
};

struct Decision {
    Verdict verdict = Verdict::pending;
    DropReason reason = DropReason::no_session;  // drop
    PuntClass punt_class = PuntClass::rest;      // punt
    Rewrite rewrite = Rewrite::direct;           // transmit, refit
    bool is_reply = false;
    bool is_told = false;       // full NAT: the real is told the client's address
    std::uint16_t mss_max = 0;  // refit: what a TCP handshake may ask for; 0: anything
    std::uint32_t tally = 0;    // of the real that is concerned; tallies_max: of none
    AddressName far_address;    // full NAT: of the local end, or (IPv4) of the client
    const NextHop* hop =
        nullptr;                // transmit, refit, deliver; hold: the unresolved one; mtu_exceeded
    NamedEndpoint replacement;  // nat, icmp: what takes the place of destination or source
    be16 far_port{};            // full NAT
};
static_assert(sizeof(Decision) <= 32);

// The real that a packet goes to or comes from, if it is the director itself; else null.
const SnapshotReal* local_real_of(const Decision& decision, const Snapshot& snapshot);

// Where a packet goes that is no reply and has been decided on.
IpAddress real_of(const Decision& decision, const ParsedPacket& packet, const Snapshot& snapshot);

// What a session in full NAT makes of a rewriting by NAT.
constexpr Rewrite in_full_nat(Rewrite by_nat) {
    switch (by_nat) {
        case Rewrite::nat_request:
            return Rewrite::full_request;
        case Rewrite::nat_reply:
            return Rewrite::full_reply;
        case Rewrite::icmp_request:
            return Rewrite::full_icmp_request;
        case Rewrite::icmp_reply:
            return Rewrite::full_icmp_reply;
        default:
            return by_nat;
    }
}

// Of a packet with an L4 header, or an error about one, in a session whose real is told the
// client's address: it is refitted (see tell_client.h).
constexpr bool tells_client(const Decision& decision) {
    return decision.rewrite >= Rewrite::full_request &&
           decision.rewrite <= Rewrite::full_icmp_reply && decision.is_told;
}

// A request (or a client's ICMP error) on its way to the real.
inline void decide_request(const ParsedPacket& packet, const SnapshotReal& real,
                           Decision& decision);

// A NAT real's reply (or an ICMP error about a request) on its way by `hop` to the client, who
// knows the service as `vip`.
void decide_reply(const ParsedPacket& packet, const NamedEndpoint& vip, std::uint32_t tally,
                  const NextHop& hop, Decision& decision);

// A packet of our kernel's own that only looked like a reply.
void decide_own(const ParsedPacket& packet, const NextHop& hop, Decision& decision);

// A TCP handshake that leaves is held to `mss_max` (0: anything) and to what its tunnel leaves.
void limit_segments(const ParsedPacket& packet, const SnapshotReal& real, std::uint16_t mss_max,
                    Decision& decision);

// A datagram's further fragment goes the way of its first one, whose decision `decision` holds: by
// the hop that leads there now, if it is fit to. `client` is who sent or gets it.
void decide_fragment(const ParsedPacket& packet, const IpAddress& client, const Snapshot& snapshot,
                     Decision& decision);

}  // namespace fulcrum

#include "dataplane/decide_inline.h"  // IWYU pragma: export
