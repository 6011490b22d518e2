// Slow start: a real that comes back from being down gets its share of new sessions step by step.
// On a ring it is admitted to some of its slots at first; schedulers see a part of its weight. Both
// are a snapshot's matter alone, and cost the workers nothing. Pure.
#pragma once

#include <cstdint>
#include <memory>

#include "config/model/hash.h"
#include "config/model/snapshot.h"
#include "controlplane/snapshot_compiler.h"

namespace fulcrum {

// The ring while reals start slowly: of their slots those that do not admit yet are another's.
// Which these are is drawn slot by slot, so that nobody else's change and each step only adds to
// the real's. The ring is as it was if nobody is there to take them.
std::shared_ptr<const Ring> warming(const std::shared_ptr<const Ring>& ring,
                                    const ServicePlan& service, HashKey key);

// What a weight of 1 becomes while a real of the service starts slowly, so that a part of it is a
// whole number still; schedulers that set weights against sessions know no such parts.
std::uint32_t weight_unit(const ServicePlan& plan);
std::uint32_t warm_weight(const RealPlan& real, std::uint32_t unit);

}  // namespace fulcrum
