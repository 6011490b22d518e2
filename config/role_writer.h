// The groups of the roles as the file says them; a part of writer. Pure.
#pragma once

#include "config/group_writer.h"
#include "config/model/service.h"

namespace fulcrum {

void write_role_groups(GroupWriter& out, const Config& config);

}  // namespace fulcrum
