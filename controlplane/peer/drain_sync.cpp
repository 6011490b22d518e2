// What differs from what both know is told.
#include "controlplane/peer/drain_sync.h"

#include <optional>

namespace fulcrum {

bool DrainSync::look() {
    for (const Real& real : doors_.reals()) {
        bool& known = known_[{real.service, real.name}];
        if (known == real.is_drained) {
            continue;
        }
        if (channel_.free_count() == 0) {
            return false;  // the next look goes on
        }
        known = real.is_drained;
        channel_.send(drain_message({.service = real.service,
                                     .real = real.name,
                                     .is_drained = real.is_drained,
                                     .deadline_s = real.deadline_s,
                                     .then = real.then}));
    }
    return true;
}

void DrainSync::hear(const PeerDrain& drain) {
    const std::optional<Real> real = doors_.find(drain.service, drain.real);
    if (!real) {
        return;
    }
    known_[{drain.service, drain.real}] = drain.is_drained;
    if (real->is_drained != drain.is_drained) {
        doors_.set_drain(drain);
    }
}

}  // namespace fulcrum
