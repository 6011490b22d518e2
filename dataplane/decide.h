// What becomes of a packet whose real is known: verdict, rewriting, next hop. Values in, values
// out; no buffer, no clock, no table. It is here that the product is tested.
#pragma once

#include <cstdint>

#include "config/model/snapshot.h"
#include "dataplane/parse.h"
#include "dataplane/verdict.h"

namespace fulcrum {

enum class Rewrite : std::uint8_t {
    direct,        // MAC addresses and TTL
    nat_request,   // and the destination, to the real's endpoint
    nat_reply,     // and the source, to the VIP's endpoint
    icmp_request,  // an error for the real about what it sent: also within the quotation
    icmp_reply,    // an error for the client about what it sent
};

struct Decision {
    Verdict verdict = Verdict::pending;
    DropReason reason = DropReason::no_session;  // drop
    PuntClass punt_class = PuntClass::rest;      // punt
    Rewrite rewrite = Rewrite::direct;           // transmit
    bool is_reply = false;
    std::uint32_t tally = 0;       // of the real that is concerned; tallies_max: of none
    const NextHop* hop = nullptr;  // transmit; hold: the unresolved one
    Endpoint replacement;          // nat, icmp: what takes the place of destination or source
};
static_assert(sizeof(Decision) <= 32);

// A request (or a client's ICMP error) on its way to the real.
void decide_request(const ParsedPacket& packet, const SnapshotReal& real, Decision& decision);

// A NAT real's reply (or an ICMP error about a request) on its way by `hop` to the client, who
// knows the service as `vip`.
void decide_reply(const ParsedPacket& packet, const Endpoint& vip, std::uint32_t tally,
                  const NextHop& hop, Decision& decision);

}  // namespace fulcrum
