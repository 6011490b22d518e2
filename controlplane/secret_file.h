// A small file that the configuration names. A secret that others can read is none, so that is
// refused rather than told. File I/O.
#pragma once

#include <string>

#include "config/model/result.h"

namespace fulcrum {

// Its content; an Error's sentence begins with `key`, which the configuration names it by.
Result<std::string> read_small_file(const std::string& key, const std::string& path,
                                    bool is_secret);

}  // namespace fulcrum
