// A director's VIPs as routes that a routing daemon beside it announces: configurations for BIRD 2
// and FRR, by BGP, with BFD so that a dead director is missed within 300 ms.
//
// What is announced follows the twins: the daemon takes host routes from the addresses that the
// twins hold, and the director takes a VIP off its twin when it hands over, leaves, or is not fit.
// What the director dies of, the daemon's own packets die of, too, as they pass its ports: the
// neighbour's BFD then withdraws for it. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/model/result.h"
#include "config/model/service.h"

namespace fulcrum {

// What no configuration of ours knows.
struct RouteWords {
    std::string file;                     // empty: what the director runs
    std::uint32_t as = 0;                 // the director's autonomous system; 0: not said
    std::vector<std::string> neighbours;  // "ADDRESS=AS"
    std::string router_id;                // an IPv4 address; empty: a port's first
};

struct RoutePlan {
    struct Neighbour {
        IpAddress address;
        std::uint32_t as = 0;
        IpAddress local;   // a port's address in the same network
        std::string port;  // of that name is the twin, too
    };

    std::uint32_t as = 0;
    std::string router_id;
    std::vector<Neighbour> neighbours;
    std::vector<std::string> ports;
    // Blocks of which each address is a route; local addresses of full NAT beyond the ports'
    // networks among them.
    std::vector<IpPrefix> blocks4;
    std::vector<IpPrefix> blocks6;
    std::vector<IpAddress> left_out;  // VIPs that are a port's own address: they never leave it
};

// The error says which word is missing or does not fit.
Result<RoutePlan> plan_routes(const Config& config, const RouteWords& words);

std::string bird_text(const RoutePlan& plan);
std::string frr_text(const RoutePlan& plan);

}  // namespace fulcrum
