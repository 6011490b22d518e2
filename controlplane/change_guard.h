// Whether a change of the configuration has done harm: a service that was up before it has lost
// every real since, by their checks. What an operator has drained, or the file says is without
// weight, is his wish and no harm; a real that has not been checked yet is waited for. Pure; the
// control thread.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "controlplane/director_state.h"

namespace fulcrum {

class ChangeGuard {
  public:
    // `before`: as it stood when the change came; watched until `until`.
    void watch(const std::vector<ServiceView>& before, Instant until) {
        was_up_.clear();
        for (const ServiceView& service : before) {
            if (service.usable_count > 0) {
                was_up_.insert(service.asked->name);
            }
        }
        until_ = until;
    }
    void forget() { was_up_.clear(); }

    // To be asked after every verdict of a check.
    bool is_harmed(const ServiceView& service, Instant now) const {
        if (now > until_ || !was_up_.contains(service.asked->name) || service.usable_count > 0) {
            return false;
        }
        const auto is_in = [&](RealState state) {
            return std::ranges::any_of(service.reals, [state](const RealView& real) {
                return !real.is_fallback && real.state == state;
            });
        };
        return is_in(RealState::down) && !is_in(RealState::unknown);
    }

  private:
    std::set<std::string> was_up_;
    Instant until_{};
};

}  // namespace fulcrum
