// On which port's twin a VIP lives: the first whose network contains it, so that ARP for it is
// answered there; else the first port (a VIP that is routed to us). A VIP that is itself a port's
// address is held already and lives nowhere else. A service that is bound to ports has its VIPs on
// one of those. Local addresses are held like VIPs, by the twin of the port that they are of: there
// reals ask for them; so are the other addresses that float with a group, by the twin of the port
// whose network they are in. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "config/model/service.h"

namespace fulcrum {

struct PlacedAddress {
    IpAddress address;
    std::size_t group = GroupsOfAddresses::none;  // of the configuration's; none: held always

    friend bool operator==(const PlacedAddress&, const PlacedAddress&) = default;
};

// By port index: what its twin may come to hold, ascending by address, each once.
std::vector<std::vector<PlacedAddress>> place_vips(const Config& config);

}  // namespace fulcrum
