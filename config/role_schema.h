// The part of the table of keys that says what two directors hold in turns; see schema.h. Pure; any
// thread.
#pragma once

#include <span>

#include "config/schema.h"

namespace fulcrum {

std::span<const SchemaKey> role_keys();

}  // namespace fulcrum
