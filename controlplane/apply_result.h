// What became of a change that somebody asked for, and how many of them there were. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dataplane/counters.h"

namespace fulcrum {

// A change that workers have seen (or had a second to see).
struct Applied {
    std::uint64_t epoch = 0;
    std::vector<std::string> changes;   // reload, edit: what the new configuration changes
    std::vector<std::string> warnings;  // reload, edit: what works and is probably not meant
    std::vector<std::string> dropped;   // reload: what edits had changed and is no more
    std::string old_file;               // save: where the old file is now
    std::map<std::string, std::uint32_t> slots_moved;    // by service
    std::map<std::string, std::uint64_t> sessions_left;  // plan: live ones of reals that would go
};
struct Refused {
    std::string code;
    std::vector<std::string> sentences;    // at least one
    std::optional<std::size_t> operation;  // edit: which one of them
};
using ApplyResult = std::variant<Applied, Refused>;

// Read by the metrics server.
struct ReloadCounters {
    SingleWriterCounter applied;
    SingleWriterCounter invalid;     // the file was refused
    SingleWriterCounter refused;     // the file was sound, and not possible for what runs
    SingleWriterCounter taken_back;  // applied, and found to do harm
};

}  // namespace fulcrum
