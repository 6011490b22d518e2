// What runs, written back into the file that the director reads, so that edits outlive a reload.
// The new text stands beside the old file first, is read again and has to say what runs; then it
// takes the old one's place by one rename, and the old one stays under the same name with ".old".
// File I/O; the helper thread.
#pragma once

#include <string>

#include "config/model/result.h"
#include "config/model/service.h"

namespace fulcrum {

// The name that the old file has now. `of_file`: what the file said when it was read; refused when
// it says something else by now, as that would be lost.
Result<std::string> write_config_file(const Config& running, const Config& of_file);

}  // namespace fulcrum
