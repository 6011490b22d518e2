// Reads a tree by the schema: every key that the table knows goes to its place, every other one is
// refused with the nearest known name. Pure; any thread.
#pragma once

#include "config/findings.h"
#include "config/node.h"
#include "config/schema.h"
#include "config/source_text.h"

namespace fulcrum {

Config read_by_schema(const Node& root, const SourceText& source, Findings& findings);

// For edits of a configuration that is there already; `target` names the element that is meant,
// what is said has no place.
//
// One more element of the list "services" or "services[].reals", as a file would say it.
void read_element(const Node& group, std::string_view list, SchemaTarget& target,
                  Findings& findings);
// The keys that `group` holds, of an element of that list or of the group "timeouts"; all other
// keys stay what they are. Texts and numbers replace, elements of arrays are added.
void read_onto(const Node& group, std::string_view of, SchemaTarget& target, Findings& findings);

}  // namespace fulcrum
