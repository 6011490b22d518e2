// Which IPv6 addresses a snapshot knows by name, so that packets can be asked about in 32 bits:
// VIPs, reals, local ends, and other directors. Pure; for the compiler.
#pragma once

#include <vector>

#include "config/model/service.h"
#include "config/model/snapshot.h"
#include "controlplane/snapshot_compiler.h"

namespace fulcrum {

// Of the pair's other director, and of those that groups reach by unicast.
std::vector<IpAddress> peers_of(const Config& config);

void lay_names(const CompileInput& input, Snapshot& snapshot);
// An IPv6 address without a name: name_none.
AddressName name_of(const Snapshot& snapshot, const IpAddress& address);

}  // namespace fulcrum
