// The command "peer".
#include "controlplane/commands.h"

namespace fulcrum {

void Commands::peer(const Json& /*arguments*/, const Answer& answer) {
    if (!facts_.peer) {
        return answer(Reply::refusal("no_peer", "this director is alone: its file has no pair"));
    }
    answer(Reply::of(report_peer(facts_.peer(), applier_.boards())));
}

}  // namespace fulcrum
