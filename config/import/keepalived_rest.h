// What keepalived.conf says and ours has no place for: a remark for each line, with the reason.
// Pure.
#pragma once

#include "config/import/keepalived_file.h"

namespace fulcrum {

// Who gets mail, from whom and by which server, as global_defs says it.
void set_mail(Draft& draft, KeepalivedNode& globals);
// Of a virtual server or a real server: what nothing was made of.
void tell_of_rest(Draft& draft, const KeepalivedNode& node);
// The same of global_defs.
void tell_of_globals(Draft& draft, const KeepalivedNode& globals);
// A whole block, or a line outside of any. Virtual servers are services by now.
void tell_of_block(Draft& draft, const KeepalivedNode& block);

}  // namespace fulcrum
