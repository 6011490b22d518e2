// Which probes a configuration asks for, and which real of which service each of them speaks for.
// The same probe wanted by several services appears once. Pure; made on the helper thread, so that
// the loop only has to compare two sorted lists.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/model/service.h"
#include "controlplane/health/health_judge.h"
#include "controlplane/health/probe.h"

namespace fulcrum {

// One real of one service, under a check.
struct CheckSubject {
    std::string service;
    std::string real;
    Endpoint endpoint;  // a real that moves elsewhere is another real
    HealthThresholds thresholds;
    std::size_t probe = 0;  // index into CheckPlan::probes
};

struct CheckPlan {
    std::vector<CheckSubject> subjects;  // ascending by (service, real)
    std::vector<ProbeSpec> probes;       // ascending, each once
};

CheckPlan plan_checks(const Config& config);

}  // namespace fulcrum
