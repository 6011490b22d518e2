// keepalived's checkers as the one check that a service of ours has: that of its first real server;
// those that differ from it are lost. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "config/import/keepalived_file.h"

namespace fulcrum {

bool is_checker(std::string_view key);

// Of the draft's current service: `server` is a virtual server, `reals` its real servers.
void set_check(Draft& draft, KeepalivedNode& server, const std::vector<KeepalivedNode*>& reals);

}  // namespace fulcrum
