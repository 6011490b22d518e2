// From a Config back to a file: text that the loader reads as an equal Config, and that a careful
// operator could have written. Keys stand in the order of the schema; what is at its default is
// left out; the same Config gives the same text. What only the old file knew, its comments and how
// it was split into files, is not there. Pure; any thread.
#pragma once

#include <string>

#include "config/model/service.h"

namespace fulcrum {

// Relative paths in it begin beside `config.source_file`, so the text belongs there. Without ports
// the place for them is a comment, and the loader will ask for them.
std::string write_config(const Config& config);

// Of that, what a director says in common with another one: `vips`, `timeouts`, `marks`,
// `services`. See common_part.h.
std::string write_common_part(const Config& config);

}  // namespace fulcrum
