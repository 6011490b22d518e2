// What the ports must be among themselves: names that can be interfaces of the kernel, nothing held
// twice, VLANs of ports that are there. Pure; used by `validate`.
#pragma once

#include <string>

#include "config/findings.h"
#include "config/model/service.h"

namespace fulcrum {

void check_ports(const Config& config, Findings& findings);

// Why no host can have `address` if it lies in the network of `prefix`; empty: it can.
std::string objection_in_network(const IpPrefix& prefix, const IpAddress& address);

}  // namespace fulcrum
