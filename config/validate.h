// The rules that no single key can break: clashes between services, reals, ports and their
// networks. What one key alone can say wrongly (a range, a word, an address that is no host's) the
// schema has refused before; a field that it refused is zero or empty here and takes part in no
// rule. Finds all problems, not the first. Pure; any thread.
#pragma once

#include "config/findings.h"
#include "config/model/service.h"

namespace fulcrum {

void validate(const Config& config, Findings& findings);

}  // namespace fulcrum
