// What operators have asked the other director for. The control thread.
#pragma once

#include "controlplane/apply.h"
#include "controlplane/peer/config_sync.h"
#include "controlplane/peer/replica_wire.h"

namespace fulcrum {

// Drains a real, or ends that, as if we had been asked.
void obey(const PeerDrain& drain, Applier& applier);

// Serves what the other director serves, and writes that into the file. `judged` is called when it
// is there, or refused.
void obey(CommonPart theirs, Applier& applier, ConfigSync::Doors::Judged judged);

}  // namespace fulcrum
