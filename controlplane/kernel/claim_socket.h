// A packet socket at a port's twin that hears who claims which address (ARP packets and neighbour
// advertisements, nothing else, and nothing of ours), and by which the link can be asked. The
// control thread.
#pragma once

#include <string>

#include "config/model/result.h"
#include "controlplane/kernel/file_descriptor.h"

namespace fulcrum {

Result<FileDescriptor> open_claim_socket(const std::string& port);

}  // namespace fulcrum
