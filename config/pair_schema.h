// The part of the table of keys that names the other director; see schema.h. Pure; any thread.
#pragma once

#include <span>

#include "config/schema.h"

namespace fulcrum {

std::span<const SchemaKey> pair_keys();

}  // namespace fulcrum
