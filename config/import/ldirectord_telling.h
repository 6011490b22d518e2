// ldirectord's mail and log as ours. Pure.
#pragma once

#include "config/import/ldirectord_file.h"

namespace fulcrum {

// Of the whole file; `sections` are those that may say who gets mail.
void set_telling(Draft& draft, LdirectordFile& file);
// Of the draft's current service.
void set_recipients(Draft& draft, Statements& section);

}  // namespace fulcrum
