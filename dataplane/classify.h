// What a packet is to this director, asked in a fixed order: a request to a listener; something for
// an address of ours; a reply of a real; transit. Requests and replies are named after the side
// they come from; whether a session exists is found later, by the worker that owns the client. In
// this order health checks, an operator's own connection to a real, and the reals' outbound traffic
// are never mistaken for replies. Pure; worker side.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/model/snapshot.h"
#include "dataplane/parse.h"
#include "dataplane/session_table.h"
#include "dataplane/verdict.h"

namespace fulcrum {

enum class PacketClass : std::uint8_t {
    refused,       // `reason`
    punt,          // to the kernel, in `punt_class`
    request,       // from a client to a listener
    reply,         // from a NAT real's endpoint to somebody who may be a client
    local_reply,   // to an end of `local_place`, perhaps that of a session in full NAT
    tunnel_error,  // from a router between us and a tunnel's real
    fragment,      // of a request, or of something from a real that may be a reply
};

constexpr std::string_view name_of(PacketClass packet_class) {
    constexpr std::string_view names[]{"refused",     "punt",         "request", "reply",
                                       "local_reply", "tunnel_error", "fragment"};
    return names[static_cast<std::size_t>(packet_class)];
}

struct Classified {
    PacketClass packet_class = PacketClass::refused;
    PuntClass punt_class = PuntClass::rest;
    DropReason reason = DropReason::destination;
    // request: the listener. reply: the real endpoint's only listener, or index_none.
    std::uint16_t listener = limits::index_none;
    std::uint16_t local_place = 0;  // local_reply
    Ipv4Address client;             // request, reply, fragment: whose worker it belongs to
    ClientKey client_key;           // request, reply: where its session lies
};

void classify(const ParsedPacket& packet, const Snapshot& snapshot, Classified& classified);

// A first fragment of IPv4 at its client's worker, where it is a packet like others: by its ports.
// (One of IPv6 is given to classify_ipv6() again.)
void classify_first_fragment(const ParsedPacket& packet, const Snapshot& snapshot,
                             Classified& classified);

// The same of an IPv6 packet, whose addresses lie in `frame`. Gives them their names, and tells
// whose client it is (in place of `classified.client` and `client_key`).
void classify_ipv6(const std::uint8_t* frame, const Snapshot& snapshot, ParsedPacket& packet,
                   Classified& classified, ClientKey6& client);

}  // namespace fulcrum
