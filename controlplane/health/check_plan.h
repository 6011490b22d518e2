// Which probes a configuration asks for, and which real of which service each of them speaks for.
// The same probe wanted by several services appears once. Pure; made on the helper thread, so that
// the loop only has to compare two sorted lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "config/model/service.h"
#include "controlplane/health/health_judge.h"
#include "controlplane/health/probe.h"

namespace fulcrum {

// One real of one service, under one of its checks.
struct CheckSubject {
    std::string service;
    std::string real;
    std::uint16_t ordinal = 0;  // of the check, among those of the real
    Endpoint endpoint;          // a real that moves elsewhere is another real
    HealthThresholds thresholds;
    std::size_t probe = 0;    // index into CheckPlan::probes
    bool is_passive = false;  // failing connections make it due, and are seen here
};

struct CheckPlan {
    std::vector<CheckSubject> subjects;  // ascending by (service, real, ordinal)
    std::vector<ProbeSpec> probes;       // ascending, each once
};

CheckPlan plan_checks(const Config& config);

}  // namespace fulcrum
