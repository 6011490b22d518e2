// Reads a tree by the schema: every key that the table knows goes to its place, every other one is
// refused with the nearest known name. Pure; any thread.
#pragma once

#include "config/findings.h"
#include "config/node.h"
#include "config/source_text.h"

namespace fulcrum {

Config read_by_schema(const Node& root, const SourceText& source, Findings& findings);

}  // namespace fulcrum
