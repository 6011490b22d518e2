// What reals were by their checks when the director last ran, kept in a file, so that a restart
// finds them in service and asks anew from there. A memory that is old says nothing. Not for the
// loop's thread: it reads and writes files.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/model/address.h"

namespace fulcrum {

struct RememberedReal {
    std::string service;
    std::string real;
    Endpoint endpoint;  // elsewhere it is another real

    friend auto operator<=>(const RememberedReal&, const RememberedReal&) = default;
};
using HealthMemory = std::map<RememberedReal, bool>;  // whether it was up
using HealthNotes = std::vector<std::pair<RememberedReal, bool>>;

// Empty: there is no file, it is older than ten minutes, or it is not such a file.
HealthMemory read_health_memory(const std::string& path);
// In place of the one before, whole or not at all. False: it cannot be written.
bool write_health_memory(const std::string& path, const HealthNotes& notes);

}  // namespace fulcrum
