// Lists of clients that stand in files of their own, a prefix a line, because there may be a
// million of them. Read after the configuration, beside which they lie; what is wrong with a line
// is found like anything else. Comments begin with #.
#pragma once

#include "config/findings.h"
#include "config/model/service.h"
#include "config/source_text.h"

namespace fulcrum {

// A regular file that may be larger than a configuration.
Result<std::string> read_list_file(const std::string& path);

// The rules of every service, from its own keys and from its files. Services that say the same
// share them.
void gather_access_rules(Config& config, const FileReader& read_file, Findings& findings);

}  // namespace fulcrum
