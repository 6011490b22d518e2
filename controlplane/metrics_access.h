// Who may ask for metrics, and under which certificate: what the files say that the configuration
// names. Reads files, at start alone; comparing is pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/model/result.h"
#include "config/model/service.h"

namespace fulcrum {

struct MetricsAccess {
    std::vector<std::string> logins;  // "NAME:PASSWORD"; none: anybody may ask
    std::string certificate;          // in PEM; empty: no TLS
    std::string key;

    // In a time that does not tell how much of a password is right.
    bool admits(std::string_view name, std::string_view password) const;
};

// Refused where a file is missing or empty, and where others could read what is secret in it.
Result<MetricsAccess> read_metrics_access(const Metrics& metrics);

}  // namespace fulcrum
