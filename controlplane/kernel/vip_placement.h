// On which port's twin a VIP lives: the first whose network contains it, so that ARP for it is
// answered there; else the first port (a VIP that is routed to us). A VIP that is itself a port's
// address is held already and lives nowhere else. A service that is bound to ports has its VIPs on
// one of those. Local addresses are held like VIPs, by the twin of the port that they are of: there
// reals ask for them. Pure.
#pragma once

#include <span>
#include <vector>

#include "config/model/service.h"

namespace fulcrum {

// By port index: the VIPs and local addresses of its twin, ascending, each once.
std::vector<std::vector<IpAddress>> place_vips(std::span<const VirtualService> services,
                                               std::span<const NicPort> ports);

}  // namespace fulcrum
