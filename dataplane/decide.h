// What becomes of a packet whose service and real are known: verdict, rewriting, next hop. Values
// in, values out; no buffer, no clock, no table. It is here that the product is tested.
#pragma once

#include <cstdint>

#include "config/model/snapshot.h"
#include "dataplane/classify.h"
#include "dataplane/parse.h"
#include "dataplane/verdict.h"

namespace fulcrum {

enum class Rewrite : std::uint8_t {
    none,
    direct,        // MAC addresses and TTL
    nat_request,   // and the destination, to the real's endpoint
    nat_reply,     // and the source, to the VIP's endpoint
    icmp_request,  // an error for the real about what it sent: also within the quotation
    icmp_reply,    // an error for the client about what it sent
};

struct Decision {
    Verdict verdict = Verdict::drop;
    DropReason reason = DropReason::no_session;
    PuntClass punt_class = PuntClass::rest;
    Rewrite rewrite = Rewrite::none;
    bool is_reply = false;
    std::uint32_t tally = 0;       // of the real that is concerned
    const NextHop* hop = nullptr;  // transmit; hold: the unresolved one
    Endpoint replacement;          // nat, icmp: what takes the place of destination or source
    Endpoint replaced;             // icmp_reply: the real's endpoint
    Ipv4Address neighbour;         // hold: whose MAC address is wanted
};

// Who serves the packet: from its session, or chosen just now.
struct Binding {
    std::uint16_t listener = limits::index_none;
    std::uint16_t real = limits::index_none;
    be16 vip_port;
};

// A request (or a client's ICMP error) on its way to the real.
void decide_request(const ParsedPacket& packet, const Binding& binding, const Snapshot& snapshot,
                    Decision& decision);
// A NAT real's reply (or an ICMP error about a request) on its way to the client. Without a session
// `binding.real` is index_none and only the listener is known.
void decide_reply(const ParsedPacket& packet, const Binding& binding, const Snapshot& snapshot,
                  Decision& decision);

}  // namespace fulcrum
