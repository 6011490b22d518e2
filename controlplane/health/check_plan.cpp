// From services and reals to subjects and probes.
#include "controlplane/health/check_plan.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace fulcrum {
namespace {

struct Wanted {
    CheckSubject subject;
    ProbeSpec spec;
};

std::vector<Wanted> wanted_by(const Config& config) {
    std::vector<Wanted> wanted;
    for (const VirtualService& service : config.services) {
        if (!is_asked(service.check.type)) {
            continue;
        }
        for (const RealServer& real : service.reals) {
            wanted.push_back({{service.name,
                               real.name,
                               real.endpoint,
                               {service.check.rise, service.check.fall},
                               0},
                              probe_spec_of(service, real)});
        }
    }
    return wanted;
}

}  // namespace

CheckPlan plan_checks(const Config& config) {
    std::vector<Wanted> wanted = wanted_by(config);
    CheckPlan plan;
    std::ranges::sort(wanted, {}, &Wanted::spec);
    for (Wanted& want : wanted) {
        if (plan.probes.empty() || plan.probes.back() != want.spec) {
            plan.probes.push_back(std::move(want.spec));
        }
        want.subject.probe = plan.probes.size() - 1;
        plan.subjects.push_back(std::move(want.subject));
    }
    std::ranges::sort(plan.subjects, [](const CheckSubject& a, const CheckSubject& b) {
        return std::tie(a.service, a.real) < std::tie(b.service, b.real);
    });
    return plan;
}

}  // namespace fulcrum
