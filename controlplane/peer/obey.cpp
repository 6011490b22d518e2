// As the commands "drain" and "undrain" do.
#include "controlplane/peer/obey.h"

#include <chrono>

namespace fulcrum {

void obey(const PeerDrain& drain, Applier& applier) {
    const auto ignored = [](const ApplyResult&) {};
    if (!drain.is_drained) {
        return applier.undrain(drain.service, drain.real, ignored);
    }
    DrainAsked asked{.service = drain.service, .real = drain.real, .deadline = {}};
    asked.then = drain.then;
    if (drain.deadline_s != 0) {
        asked.deadline = std::chrono::seconds{drain.deadline_s};
    }
    applier.drain(asked, ignored);
}

}  // namespace fulcrum
