// Full NAT: local addresses belong to it alone, reals that need one find one on their port, and
// only its reals are told the client's address.
// Pure; used by `validate`.
#pragma once

#include "config/findings.h"
#include "config/model/service.h"

namespace fulcrum {

void check_full_nat(const Config& config, Findings& findings);

}  // namespace fulcrum
