// The commands that ipvsadm-save prints, or a script of ipvsadm commands, as a draft: one command a
// line, with its short or long options, with or without the program's name before it. Pure.
#pragma once

#include "config/import/draft.h"

namespace fulcrum {

Imported import_ipvsadm(const ImportSource& source);

}  // namespace fulcrum
