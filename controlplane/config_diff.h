// What a new configuration changes, in sentences for the operator who asked for it: by the stable
// names of services and reals, not by lines. And what it must not change, because threads, ports
// and memory are given for the life of the process. Pure.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/model/service.h"

namespace fulcrum {

struct ConfigDiff {
    std::vector<std::string> changes;         // in the new file's order; then what is gone
    std::vector<std::string> restart_needed;  // each names a key that only a start can change
};

ConfigDiff compare(const Config& before, const Config& after);

// The same made beforehand, where there is time for it.
struct KnownDiff {
    std::shared_ptr<const Config> before;
    bool is_none = false;  // they are equal
    ConfigDiff diff;
};
KnownDiff know_diff(std::shared_ptr<const Config> before, const Config& after);

}  // namespace fulcrum
