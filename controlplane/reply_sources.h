// From whom replies may come: the endpoints of NAT reals, each with the one listener that it
// serves, where that is one. Workers find replies' sessions without this; it tells them what may be
// a reply at all, and what to make of one that has no session. Part of the compiler; pure.
#pragma once

#include <vector>

#include "config/model/snapshot.h"
#include "controlplane/snapshot_compiler.h"

namespace fulcrum {

// Fills in `reply_sources`, `real_endpoints` and `real_ranges`. Services, reals and listeners are
// there already; `listeners` is what these were laid from.
void lay_reply_sources(const std::vector<ListenerPlan>& listeners, Snapshot& snapshot);

}  // namespace fulcrum
