// The director's state as an operator sees it; a part of director_state.
#include <algorithm>
#include <span>

#include "controlplane/director_state.h"

namespace fulcrum {
namespace {

using RealRemnants = std::vector<IndexRegistry::RealRemnant>;

// Those of one service: remnants come ordered by service.
std::span<const IndexRegistry::RealRemnant> of_service(const RealRemnants& remnants,
                                                       std::string_view service) {
    const auto [first, last] = std::equal_range(
        remnants.begin(), remnants.end(), IndexRegistry::RealRemnant{.service = service},
        [](const auto& a, const auto& b) { return a.service < b.service; });
    return {first, last};
}

}  // namespace

std::string_view to_string(RealState state) {
    switch (state) {
        case RealState::up:
            return "up";
        case RealState::down:
            return "down";
        case RealState::drained:
            return "drained";
        case RealState::removed:
            return "removed";
        case RealState::unknown:
            return "unknown";
    }
    return "unknown";
}

std::vector<ServiceView> DirectorState::services() const {
    const RealRemnants remnants = registry_.real_remnants();
    std::vector<ServiceView> views;
    views.reserve(services_.size());
    for (const ServiceRecord& service : services_) {
        views.push_back(view_of(service, remnants));
    }
    return views;
}

std::optional<ServiceView> DirectorState::service(std::string_view name) const {
    const auto at = service_by_name_.find(name);
    if (at == service_by_name_.end()) {
        return std::nullopt;
    }
    return view_of(services_[at->second], registry_.real_remnants(name));
}

ServiceView DirectorState::view_of(const ServiceRecord& service,
                                   const RealRemnants& remnants) const {
    ServiceView view{service.asked,     service.id, service.number, service.listeners, {}, 0,
                     service.has_quorum};
    for (std::size_t i = 0; i < service.reals.size(); ++i) {
        const RealRecord& real = service.reals[i];
        const RealServer& asked = service.asked_real(i);
        const RealState state = state_of(asked, real);
        const bool is_in_use = state == RealState::up && service.is_served_by(i);
        view.reals.push_back({.service = service.asked->name,
                              .name = asked.name,
                              .endpoint = asked.endpoint,
                              .forward = asked.forward,
                              .client_address = asked.client_address,
                              .weight = is_in_use ? weight_of(asked, real) : 0,
                              .weight_configured = asked.weight,
                              .state = state,
                              .check = real.check,
                              .since = real.since,
                              .index = real.place.index,
                              .tally = real.place.tally,
                              .connections = asked.connections,
                              .is_fallback = service.is_fallback(i),
                              .drain = real.drain,
                              .admitted = real.admitted,
                              .path_mtu = path_mtus_.of(asked)});
        view.usable_count += is_in_use && !service.is_fallback(i) ? 1U : 0U;
    }
    for (const IndexRegistry::RealRemnant& remnant : of_service(remnants, service.asked->name)) {
        if (!remnant.is_gone) {
            view.reals.push_back({.service = service.asked->name,
                                  .name = remnant.name,
                                  .endpoint = remnant.endpoint,
                                  .forward = remnant.mode,
                                  .state = RealState::removed,
                                  .check = "no longer in the configuration",
                                  .since = removed_since_.at(remnant.place.tally),
                                  .index = remnant.place.index,
                                  .tally = remnant.place.tally});
        }
    }
    return view;
}

Health DirectorState::health_of(std::string_view service, std::string_view real) const {
    const auto at = service_by_name_.find(service);
    if (at == service_by_name_.end()) {
        return Health::unknown;
    }
    const ServiceRecord& record = services_[at->second];
    const std::optional<std::size_t> real_at = record.position_of(real);
    return real_at ? record.reals[*real_at].health : Health::unknown;
}

HealthNotes DirectorState::health_notes() const {
    HealthNotes notes;
    for (const ServiceRecord& service : services_) {
        for (std::size_t i = 0; i < service.reals.size(); ++i) {
            const RealServer& asked = service.asked_real(i);
            if (service.is_checked(i) && service.reals[i].health != Health::unknown) {
                notes.push_back({{service.asked->name, asked.name, asked.endpoint},
                                 service.reals[i].health == Health::up});
            }
        }
    }
    return notes;
}

}  // namespace fulcrum
