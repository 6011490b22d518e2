// Keys of the file on a command line: "weight=5", "affinity.timeout=10m", "bind=wan,lan", and of a
// list's elements, which are counted from 1: "checks.1.type=http", "checks.2.type=ping". The table
// of keys tells what a value is, so that nothing needs quotes but what the shell wants quoted.
// Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/result.h"

namespace fulcrum {

using Json = nlohmann::ordered_json;

// `of`: where the keys stand in the table, as in "services[]." or "services[].reals[].". A word
// without a value ("affinity=") takes away what it names. What the table does not know is left to
// the director to refuse.
Result<Json> keys_from(const std::vector<std::string>& words, std::string_view of);

}  // namespace fulcrum
