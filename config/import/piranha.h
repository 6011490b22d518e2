// Piranha's lvs.cf as a draft: settings of the whole, and a block for each virtual server with a
// block for each of its real servers. Pure.
#pragma once

#include "config/import/draft.h"

namespace fulcrum {

Imported import_piranha(const ImportSource& source);

}  // namespace fulcrum
