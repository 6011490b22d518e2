// What a new configuration changes of the groups that two directors hold in turns; a part of
// config_diff. Pure.
#pragma once

#include <string>
#include <vector>

#include "config/model/service.h"

namespace fulcrum {

// Who takes part in the election, and on which paths, is settled at the start.
bool have_equal_elections(const Config& before, const Config& after);

// Sentences about the rest; of configurations with equal elections.
void compare_groups(const Config& before, const Config& after, std::vector<std::string>& changes);

}  // namespace fulcrum
