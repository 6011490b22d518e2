// Where a real and its service stand, and what time alone does to that; a part of director_state.
#include <cstdint>

#include "controlplane/director_state.h"

namespace fulcrum {
namespace {

RealStanding standing_under(SessionPolicy policy, RealStanding if_kept) {
    switch (policy) {
        case SessionPolicy::keep:
            return if_kept;
        case SessionPolicy::reset:
            return RealStanding::resetting;
        case SessionPolicy::move:
            return RealStanding::moving;
    }
    return if_kept;
}

}  // namespace

RealState DirectorState::state_of(const RealServer& asked, const RealRecord& real) {
    if (real.drain || weight_of(asked, real) == 0) {
        return RealState::drained;
    }
    switch (real.health) {
        case Health::unknown:
            return RealState::unknown;
        case Health::up:
            return RealState::up;
        case Health::down:
            return RealState::down;
    }
    return RealState::unknown;
}

RealStanding DirectorState::standing_of(const VirtualService& service, const RealServer& asked,
                                        const RealRecord& real) {
    switch (state_of(asked, real)) {
        case RealState::up:
            return RealStanding::usable;
        case RealState::down:
            return standing_under(service.on_failure, RealStanding::down);
        case RealState::drained:
            return real.drain && real.drain->is_overdue
                       ? standing_under(real.drain->then, RealStanding::draining)
                       : RealStanding::draining;
        case RealState::removed:
        case RealState::unknown:
            break;
    }
    return RealStanding::draining;
}

// Without a quorum the sound ones take no new sessions either: those go to the fallback.
RealStanding DirectorState::standing_within(const ServiceRecord& service, std::size_t real) {
    const RealStanding standing =
        standing_of(*service.asked, service.asked_real(real), service.reals[real]);
    const bool is_withheld = standing == RealStanding::usable && !service.is_served_by(real);
    return is_withheld ? RealStanding::draining : standing;
}

// Drained, sound, and within the drain's deadline.
bool DirectorState::keeps_clients(const RealServer& asked, const RealRecord& real) {
    return state_of(asked, real) == RealState::drained && real.health == Health::up &&
           !(real.drain && real.drain->is_overdue);
}

RealStanding DirectorState::standing_of_removed(std::string_view service) const {
    const auto at = service_by_name_.find(service);
    return at == service_by_name_.end()
               ? RealStanding::draining
               : standing_under(services_[at->second].asked->on_removal, RealStanding::draining);
}

// The sum of the weights in service against two thresholds: between them nothing changes.
std::optional<QuorumChange> DirectorState::review_quorum(ServiceRecord& service) {
    const VirtualService& asked = *service.asked;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < asked.reals.size(); ++i) {
        const bool is_up = state_of(asked.reals[i], service.reals[i]) == RealState::up;
        sum += is_up ? weight_of(asked.reals[i], service.reals[i]) : 0;
    }
    const std::uint64_t gained_from = std::uint64_t{asked.quorum} + asked.hysteresis;
    const std::uint64_t lost_below =
        asked.quorum > asked.hysteresis ? asked.quorum - asked.hysteresis : 1;
    const bool has_quorum =
        asked.enabled && sum > 0 && sum >= (service.has_quorum ? lost_below : gained_from);
    if (has_quorum == service.has_quorum) {
        return std::nullopt;
    }
    service.has_quorum = has_quorum;
    return QuorumChange{asked.name, has_quorum, sum, asked.enabled && asked.fallback};
}

// A real that has been down comes back cold; one that is new, or was not known, is not held back.
void DirectorState::note_start(const VirtualService& service, bool was_down, RealRecord& real,
                               Instant now) {
    if (real.health != Health::up) {
        real.warm_since.reset();
        real.admitted = admitted_all;
    } else if (was_down && service.slow_start_s > 0) {
        real.warm_since = now;
        real.admitted = 1;
    }
}

bool DirectorState::pass_deadlines(Instant now) {
    bool any = false;
    for (ServiceRecord& service : services_) {
        for (RealRecord& real : service.reals) {
            const bool is_due = real.drain && !real.drain->is_overdue && real.drain->deadline &&
                                *real.drain->deadline <= now;
            if (is_due) {
                real.drain->is_overdue = true;
                any = true;
            }
        }
    }
    return any;
}

}  // namespace fulcrum
