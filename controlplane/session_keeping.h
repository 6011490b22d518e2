// Sessions over the end of the process: the session file and what its numbers mean are taken up
// together or not at all, and kept together. For main alone.
#pragma once

#include <functional>
#include <string>

#include "config/model/service.h"
#include "controlplane/director_state.h"
#include "controlplane/log.h"
#include "dataplane/memory_plan.h"
#include "dataplane/session_file.h"

namespace fulcrum {

struct WhoTakesUp {
    DirectorState& state;  // before its first event
    Log& log;
};
// `indexes`: the path of the numbers' meaning. Not beside the session file: on a hugetlbfs nothing
// can be written but by mapping it. An error: there is no memory, or the file is not to be had.
Result<SessionFile> open_sessions(const Config& config, const MemoryPlan& plan,
                                  const std::string& indexes, const WhoTakesUp& who);

// See Applier::Parts; null when nothing is kept.
std::function<Status(const IndexMemory&)> keeper_of(const Config& config,
                                                    const SessionFile& sessions,
                                                    const std::string& indexes);

}  // namespace fulcrum
