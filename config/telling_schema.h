// The part of the table of keys that says how the director tells of what happens; see schema.h.
// Pure; any thread.
#pragma once

#include <span>

#include "config/schema.h"

namespace fulcrum {

std::span<const SchemaKey> telling_keys();

}  // namespace fulcrum
