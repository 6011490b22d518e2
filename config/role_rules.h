// What groups of roles must be: on ports that are there, with addresses that nobody else has, and
// with a word about fencing. Pure; used by `validate`.
#pragma once

#include "config/findings.h"
#include "config/model/service.h"

namespace fulcrum {

void check_role_groups(const Config& config, Findings& findings);

}  // namespace fulcrum
