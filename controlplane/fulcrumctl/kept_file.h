// What the director runs, as a file of the caller's: there whole or not at all.
#pragma once

#include <string>

#include "config/model/result.h"

namespace fulcrum {

// Asks the director at `socket`. Written beside `path` first, then given its name; "-": printed.
Status keep_config(const std::string& socket, const std::string& path);

}  // namespace fulcrum
