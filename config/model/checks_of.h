// Which checks a real has to pass. Pure; any thread.
#pragma once

#include "config/model/service.h"

namespace fulcrum {

// What a real of the service is asked: its own checks, else those of the service.
template <typename Visit>
void visit_checks(const VirtualService& service, const RealServer& real, const Visit& visit) {
    if (real.checks.empty()) {
        visit(service.check);
        for (const Check& check : service.further_checks) {
            visit(check);
        }
    }
    for (const Check& check : real.checks) {
        visit(check);
    }
}
// Whether there is anything to ask it.
inline bool is_checked(const VirtualService& service, const RealServer& real) {
    bool any = false;
    visit_checks(service, real, [&any](const Check& check) { any |= is_asked(check.type); });
    return any;
}

}  // namespace fulcrum
