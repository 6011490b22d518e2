// The other director of a pair, as the file names it, and the links that sessions, health and the
// configuration's checksum take to it. Plain values. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "config/model/address.h"
#include "config/model/source_place.h"

namespace fulcrum {

// A way from an address of this machine's kernel to one of the peer's, by UDP.
struct PairLink {
    Endpoint local;
    Endpoint peer;
    SourcePlace place;

    friend bool operator==(const PairLink&, const PairLink&) = default;
};

struct PairSettings {
    std::string peer;                // its `director.name`
    std::string key_file;            // a line of hexadecimal digits that both directors have
    std::vector<PairLink> links;     // one or two
    bool replicates_config = false;  // the active one's common part goes to the standby
    SourcePlace place;

    friend bool operator==(const PairSettings&, const PairSettings&) = default;
};

}  // namespace fulcrum
