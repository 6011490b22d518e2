// What holds of the pair beyond single keys. Pure; called by `validate`.
#pragma once

#include "config/findings.h"
#include "config/model/service.h"

namespace fulcrum {

void check_pair(const Config& config, Findings& findings);

}  // namespace fulcrum
