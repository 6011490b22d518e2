// An operator's wish that was said to the other director. The control thread.
#pragma once

#include "controlplane/apply.h"
#include "controlplane/peer/replica_wire.h"

namespace fulcrum {

// Drains a real, or ends that, as if we had been asked.
void obey(const PeerDrain& drain, Applier& applier);

}  // namespace fulcrum
