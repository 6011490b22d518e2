// The rules of a service's check: times that fit each other, a port that can answer, no key that
// means nothing to its type. Pure; used by `validate`.
#pragma once

#include "config/findings.h"
#include "config/model/service.h"

namespace fulcrum {

void check_checks(const VirtualService& service, Findings& findings);

}  // namespace fulcrum
