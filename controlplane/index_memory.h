// What the numbers in sessions mean, kept with the session file, so that whoever takes it up
// gives the same things the same numbers: services, their listeners, their reals, also those that
// are leaving. Written before workers see a snapshot that uses a number, and under the session
// file's own number, so that the two never come from different lives. Not for the loop's thread: it
// reads and writes files.
#pragma once

#include <cstdint>
#include <string>

#include "config/model/result.h"
#include "controlplane/index_registry.h"

namespace fulcrum {

// An error says why it is not to be had or believed.
Result<IndexMemory> read_index_memory(const std::string& path, std::uint64_t session_file);
// In place of the one before, whole or not at all.
Status write_index_memory(const std::string& path, std::uint64_t session_file,
                          const IndexMemory& memory);

}  // namespace fulcrum
