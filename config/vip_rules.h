// What may be said of a VIP beyond its services: once for each address, and nothing that takes from
// the director what is its own. Pure; used by `validate`.
#pragma once

#include "config/findings.h"
#include "config/model/service.h"

namespace fulcrum {

void check_vips(const Config& config, Findings& findings);

}  // namespace fulcrum
