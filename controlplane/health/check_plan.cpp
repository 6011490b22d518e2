// From services and reals to subjects and probes.
#include "controlplane/health/check_plan.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "config/model/checks_of.h"

namespace fulcrum {
namespace {

struct Wanted {
    CheckSubject subject;
    ProbeSpec spec;
};

std::vector<Wanted> wanted_by(const Config& config) {
    std::vector<Wanted> wanted;
    for (const VirtualService& service : config.services) {
        for (const RealServer& real : service.reals) {
            std::uint16_t ordinal = 0;
            visit_checks(service, real, [&](const Check& check) {
                if (is_asked(check.type)) {
                    wanted.push_back({{service.name,
                                       real.name,
                                       ordinal++,
                                       real.endpoint,
                                       {check.rise, check.fall},
                                       0,
                                       check.passive && !is_one_way(real.forward)},
                                      probe_spec_of(service, real, check)});
                }
            });
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
        return std::tie(a.service, a.real, a.ordinal) < std::tie(b.service, b.real, b.ordinal);
    });
    return plan;
}

}  // namespace fulcrum
