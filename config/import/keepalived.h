// keepalived.conf as a draft: its virtual servers. What it says of VRRP has no counterpart as long
// as the director has no second one beside it. Pure but for reading what it includes.
#pragma once

#include "config/import/draft.h"

namespace fulcrum {

Imported import_keepalived(const ImportSource& source);

}  // namespace fulcrum
