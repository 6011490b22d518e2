// ldirectord.cf as a draft: its global settings, and its virtual sections with what they override.
// Indentation makes a section, as in ldirectord; an empty line does not end one, as it does there.
// Where ldirectord's manual and ldirectord differ, ldirectord decides. Pure.
#pragma once

#include "config/import/draft.h"

namespace fulcrum {

Imported import_ldirectord(const ImportSource& source);

}  // namespace fulcrum
