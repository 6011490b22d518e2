// The part of the table of keys that says how reals are checked; see schema.h. Pure; any thread.
#pragma once

#include <span>

#include "config/schema.h"

namespace fulcrum {

std::span<const SchemaKey> check_keys();
// The same of checks that stand in a list, or with a real.
std::span<const SchemaKey> check_keys_elsewhere();

}  // namespace fulcrum
