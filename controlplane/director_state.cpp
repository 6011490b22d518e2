// The switch first, then its cases, then what follows from the state: plans for the compiler, views
// for the operator.
#include "controlplane/director_state.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <numeric>
#include <utility>

#include "config/mark_rules.h"
#include "controlplane/config_diff.h"
#include "controlplane/switch.h"

namespace fulcrum {
namespace {

Outcome refused(std::string_view code, std::vector<std::string> sentences) {
    return {.refusal = Refusal{code, std::move(sentences)}};
}

}  // namespace

Outcome DirectorState::on_event(const Event& event, Instant now) {
    return std::visit(
        Switch{
            [&](const ConfigLoaded& loaded) { return adopt(loaded, now); },
            [&](const HealthChanged& change) { return set_health(change, now); },
            [&](const HealthRemembered& remembered) {
                memory_ = remembered.memory;
                return Outcome{};
            },
            [&](const DrainAsked& asked) {
                return set_drained({asked.service, asked.real}, drain_of(asked, now), now);
            },
            [&](const UndrainAsked& asked) {
                return set_drained({asked.service, asked.real}, std::nullopt, now);
            },
            [&](const KernelChanged& change) { return set_kernel(change.tables); },
            [&](const PathMtuHeard& heard) { return note(heard, now); },
            [&](const CaptureChanged& change) { return set_capture(change); },
            [&](const RolesChanged& change) { return set_roles(change.roles); },
            [&](const WorkersSeen& seen) { return review(seen, now); },
        },
        event);
}

// --- a new configuration ---------------------------------------------------------------------

Outcome DirectorState::adopt(const ConfigLoaded& loaded, Instant now) {
    const std::shared_ptr<const Config>& config = loaded.config;
    Outcome outcome;
    if (config_ != nullptr) {
        const bool is_known = loaded.diff != nullptr && loaded.diff->before == config_;
        const auto known =
            is_known ? loaded.diff : std::make_shared<const KnownDiff>(know_diff(config_, *config));
        if (known->is_none) {
            return outcome;
        }
        std::vector<std::string> restart_needed = known->diff.restart_needed;
        std::ranges::move(needs_shorter_owner_prefix(*config, owner_prefix_),
                          std::back_inserter(restart_needed));
        if (!restart_needed.empty()) {
            return refused("restart_needed", std::move(restart_needed));
        }
        outcome.changes = known->diff.changes;
    }
    if (const Status placed = local_places_.adopt(*config); !placed) {
        return refused("indexes_exhausted", {placed.error().sentence});
    }
    Result<std::vector<IndexRegistry::ServicePlaces>> places = registry_.adopt(*config, epoch_ + 1);
    if (!places) {
        return refused("indexes_exhausted", {places.error().sentence});
    }

    if (config_ == nullptr) {
        owner_prefix_ = owner_prefix_of(*config);
    }
    std::vector<ServiceRecord> services;
    services.reserve(config->services.size());
    for (std::size_t i = 0; i < config->services.size(); ++i) {
        services.push_back(migrated(config->services[i], std::move((*places)[i]), now));
    }
    note_removed(now);
    services_ = std::move(services);
    service_by_name_.clear();
    for (std::size_t i = 0; i < services_.size(); ++i) {
        service_by_name_.emplace(services_[i].asked->name, i);
    }
    for (ServiceRecord& service : services_) {
        if (auto change = review_quorum(service)) {
            outcome.quorums.push_back(std::move(*change));
        }
    }
    memory_.clear();
    config_ = config;  // last: the views of the old one were in use until here
    outcome.needs_snapshot = true;
    return outcome;
}

// What is known of a real goes over to the new configuration: its drain and ring weight by name,
// its health while it stays where it is.
DirectorState::ServiceRecord DirectorState::migrated(const VirtualService& asked,
                                                     IndexRegistry::ServicePlaces places,
                                                     Instant now) const {
    const auto found = service_by_name_.find(places.formerly);
    const ServiceRecord* before =
        found == service_by_name_.end() ? nullptr : &services_[found->second];
    ServiceRecord service{.asked = &asked,
                          .id = places.id,
                          .number = places.number,
                          .listeners = std::move(places.listeners)};
    service.reals.reserve(places.reals.size());
    for (std::size_t i = 0; i < places.reals.size(); ++i) {
        RealRecord real = first_record(service, i, now);
        real.place = places.reals[i];
        if (before != nullptr) {
            take_over(*before, service, i, real);
        }
        service.reals.push_back(std::move(real));
    }
    service.sort_by_name();
    service.has_quorum = before != nullptr && before->has_quorum;
    return service;
}

// A sorted list where a map would do: with 50,000 reals it halves the time of a reload.
void DirectorState::ServiceRecord::sort_by_name() {
    real_by_name.resize(reals.size());
    std::iota(real_by_name.begin(), real_by_name.end(), 0U);
    std::sort(real_by_name.begin(), real_by_name.end(), [this](std::uint32_t a, std::uint32_t b) {
        return asked_real(a).name < asked_real(b).name;
    });
}

std::optional<std::size_t> DirectorState::ServiceRecord::position_of(std::string_view real) const {
    const auto at = std::lower_bound(
        real_by_name.begin(), real_by_name.end(), real,
        [this](std::uint32_t a, std::string_view name) { return asked_real(a).name < name; });
    const bool is_found = at != real_by_name.end() && asked_real(*at).name == real;
    return is_found ? std::optional<std::size_t>{*at} : std::nullopt;
}

DirectorState::RealRecord DirectorState::first_record(const ServiceRecord& service,
                                                      std::size_t real, Instant now) const {
    RealRecord record{.health = Health::up, .check = "not checked", .since = now};
    if (service.is_fallback(real)) {
        return record;
    }
    const RealServer& asked = service.asked_real(real);
    bool is_off = false;
    const Check* first = nullptr;  // that asks something
    visit_checks(*service.asked, asked, [&](const Check& check) {
        is_off |= check.type == CheckType::off;
        first = first == nullptr && is_asked(check.type) ? &check : first;
    });
    record.ring_weight = asked.weight;
    if (is_off) {
        record.health = Health::down;
        record.check = "switched off in the configuration";
    } else if (first != nullptr) {
        const Check& check = *first;
        record.check = "not checked yet";
        const auto known = memory_.find({service.asked->name, asked.name, asked.endpoint});
        const bool is_known = check.initial == InitialHealth::inherit && known != memory_.end();
        const bool is_up = is_known ? known->second : check.initial == InitialHealth::up;
        record.health = is_up                                              ? Health::up
                        : is_known || check.initial == InitialHealth::down ? Health::down
                                                                           : Health::unknown;
    }
    return record;
}

void DirectorState::take_over(const ServiceRecord& before, const ServiceRecord& service,
                              std::size_t at, RealRecord& real) {
    const RealServer& asked = service.asked_real(at);
    const std::optional<std::size_t> old_at = before.position_of(asked.name);
    if (!old_at) {
        return;
    }
    const RealRecord& old = before.reals[*old_at];
    const RealServer& old_asked = before.asked_real(*old_at);
    real.drain = old.drain;
    if (asked.weight == 0 && !service.is_fallback(at)) {
        real.ring_weight = old.ring_weight;
    }
    if (asked.endpoint == old_asked.endpoint && service.is_checked(at)) {
        real.health = old.health;
        real.check = old.check;
        bool is_advised = false;
        visit_checks(*service.asked, asked,
                     [&](const Check& check) { is_advised |= check.exit_weight; });
        if (old.advised_weight && is_advised) {
            real.advised_weight = old.advised_weight;
            real.ring_weight = old.ring_weight;
        }
    }
    if (real.health == Health::up && service.asked->slow_start_s > 0) {
        real.warm_since = old.warm_since;
        real.admitted = old.admitted;
    }
    if (state_of(asked, real) == state_of(old_asked, old)) {
        real.since = old.since;
    }
}

void DirectorState::note_removed(Instant now) {
    std::unordered_map<std::uint32_t, Instant> removed_since;
    for (const IndexRegistry::RealRemnant& remnant : registry_.real_remnants()) {
        const auto known = removed_since_.find(remnant.place.tally);
        removed_since.emplace(remnant.place.tally,
                              known == removed_since_.end() ? now : known->second);
    }
    removed_since_ = std::move(removed_since);
}

// --- what happens to a real ------------------------------------------------------------------

DirectorState::Found DirectorState::find(std::string_view service, std::string_view real) {
    const auto at = service_by_name_.find(service);
    if (at == service_by_name_.end()) {
        return {};
    }
    ServiceRecord& record = services_[at->second];
    const std::optional<std::size_t> real_at = record.position_of(real);
    return real_at ? Found{&record, &record.reals[*real_at], *real_at} : Found{.service = &record};
}

Outcome DirectorState::set_health(const HealthChanged& change, Instant now) {
    const Found found = find(change.service, change.real);
    if (found.real == nullptr || !found.service->is_checked(found.at)) {
        return {};  // a verdict that was under way when the file changed
    }
    return change_real(found, now, [&](RealRecord& real) {
        const bool was_down = real.health == Health::down;
        real.health = change.is_up ? Health::up : Health::down;
        note_start(*found.service->asked, was_down, real, now);
        real.check = change.sentence;
        real.advised_weight = change.weight;
        const std::uint32_t weight = weight_of(found.service->asked_real(found.at), real);
        real.ring_weight = weight > 0 ? weight : real.ring_weight;
    });
}

Outcome DirectorState::set_drained(const RealName& name, const std::optional<Drain>& drain,
                                   Instant now) {
    const Found found = find(name.service, name.real);
    if (found.service == nullptr) {
        return refused("unknown_service", {"there is no service \"" + name.service + "\""});
    }
    if (found.real == nullptr) {
        return refused("unknown_real",
                       {"service \"" + name.service + "\" has no real \"" + name.real + "\""});
    }
    return change_real(found, now, [&](RealRecord& real) { real.drain = drain; });
}

// The workers care for the standing; the reasons are for people.
template <typename Change>
Outcome DirectorState::change_real(const Found& found, Instant now, const Change& change) {
    const RealServer& asked = found.service->asked_real(found.at);
    const RealState state_before = state_of(asked, *found.real);
    const RealStanding standing_before = standing_within(*found.service, found.at);
    const std::uint32_t weight_before = weight_of(asked, *found.real);
    change(*found.real);
    if (state_of(asked, *found.real) != state_before) {
        found.real->since = now;
    }
    Outcome outcome;
    if (auto quorum = review_quorum(*found.service)) {
        outcome.quorums.push_back(std::move(*quorum));
    }
    outcome.needs_snapshot = !outcome.quorums.empty() ||
                             standing_within(*found.service, found.at) != standing_before ||
                             weight_of(asked, *found.real) != weight_before;
    return outcome;
}

// --- what happens around -----------------------------------------------------------------------

Outcome DirectorState::set_kernel(const std::shared_ptr<const KernelTables>& tables) {
    if (*tables == *kernel_) {
        return {};
    }
    kernel_ = tables;
    return {.needs_snapshot = config_ != nullptr};
}

Outcome DirectorState::review(const WorkersSeen& seen, Instant now) {
    const bool any_gone = registry_.on_idle(seen.idle_tallies, seen.epoch_seen, epoch_ + 1);
    registry_.on_swept(seen.epoch_swept);
    const bool any_overdue = pass_deadlines(now);
    const bool any_warmer = warm_up(now);
    return {.needs_snapshot = any_gone || any_overdue || any_warmer || path_mtus_.forget_old(now)};
}

// Step by step, so that few snapshots carry a real from nothing to all.
bool DirectorState::warm_up(Instant now) {
    bool any = false;
    for (ServiceRecord& service : services_) {
        if (service.asked->slow_start_s == 0) {
            continue;
        }
        const Duration length = std::chrono::seconds{service.asked->slow_start_s};
        for (RealRecord& real : service.reals) {
            if (!real.warm_since) {
                continue;
            }
            const Duration warm = now - *real.warm_since;
            const auto step = warm >= length ? std::int64_t{admitted_all}
                                             : 1 + warm * (admitted_all - 1) / length;
            any = any || step != real.admitted;
            real.admitted = static_cast<std::uint16_t>(step);
            if (real.admitted == admitted_all) {
                real.warm_since.reset();
            }
        }
    }
    return any;
}

// --- for the compiler ------------------------------------------------------------------------

CompileInput DirectorState::compile_input() {
    assert(config_ != nullptr);
    CompileInput input{.epoch = ++epoch_, .config = config_, .kernel = kernel_};
    input.services.reserve(services_.size());
    const MarkedPoints marked{*config_};
    const GroupsOfAddresses groups{*config_};
    for (const ServiceRecord& service : services_) {
        const std::vector<ListenPoint> points = listen_points(*service.asked);
        assert(points.size() == service.listeners.size());
        for (std::size_t i = 0; i < points.size(); ++i) {
            const std::size_t group = groups.group_of_vip(points[i].vip);
            input.listeners.push_back(
                {.point = points[i],
                 .index = service.listeners[i],
                 .is_present = !marked.have(*service.asked, points[i]),
                 .is_standby = is_standby(group),
                 .is_elsewhere = is_elsewhere(group),
                 .service = static_cast<std::uint32_t>(input.services.size())});
        }
        input.services.push_back(plan_of(service));
    }
    input.local_addresses = local_places_.plan_of(*config_);
    for (LocalAddressPlan& local : input.local_addresses) {
        local.is_standby = is_standby(groups.group_of_local_address());
    }
    input.path_mtus = path_mtus_.all();
    add_remnants(input);
    input.capture = capture_;
    return input;
}

ServicePlan DirectorState::plan_of(const ServiceRecord& service) {
    ServicePlan plan{.asked = service.asked, .id = service.id, .number = service.number};
    plan.reals.reserve(service.reals.size());
    for (std::size_t i = 0; i < service.reals.size(); ++i) {
        const RealRecord& real = service.reals[i];
        const RealServer& asked = service.asked_real(i);
        const bool is_in_use = state_of(asked, real) == RealState::up && service.is_served_by(i);
        plan.reals.push_back({.name = asked.name,
                              .endpoint = asked.endpoint,
                              .mode = asked.forward,
                              .client_address = asked.client_address,
                              .tunnel = asked.tunnel,
                              .standing = standing_within(service, i),
                              .index = real.place.index,
                              .ring_weight = real.ring_weight,
                              .weight = is_in_use ? weight_of(asked, real) : 0,
                              .admitted = real.admitted,
                              .connections = asked.connections,
                              .keeps_clients = keeps_clients(asked, real),
                              .is_scheduled = !service.is_fallback(i),
                              .tally = real.place.tally});
        if (service.is_fallback(i)) {
            plan.fallback = real.place.index;
        }
    }
    return plan;
}

// Holes keep their place and their tally, by which workers settle the sessions that they sweep.
void DirectorState::add_remnants(CompileInput& input) const {
    std::unordered_map<std::string_view, std::size_t> removed_services;
    const auto position_of = [&](std::string_view service) {
        const auto at = service_by_name_.find(service);
        if (at != service_by_name_.end()) {
            return at->second;
        }
        const auto [removed, is_first] = removed_services.emplace(service, input.services.size());
        if (is_first) {
            input.services.emplace_back();
        }
        return removed->second;
    };
    for (const IndexRegistry::RealRemnant& remnant : registry_.real_remnants()) {
        input.services[position_of(remnant.service)].reals.push_back(
            {.endpoint = remnant.endpoint,
             .mode = remnant.mode,
             .tunnel = remnant.tunnel,
             .standing =
                 remnant.is_gone ? RealStanding::absent : standing_of_removed(remnant.service),
             .index = remnant.place.index,
             .tally = remnant.place.tally});
    }
    for (const IndexRegistry::ListenerRemnant& remnant : registry_.listener_remnants()) {
        const std::size_t service = position_of(remnant.service);
        input.listeners.push_back({.point = remnant.point,
                                   .index = remnant.index,
                                   .is_present = false,
                                   .service = static_cast<std::uint32_t>(service)});
    }
}

std::vector<std::uint32_t> DirectorState::leaving_tallies() const {
    std::vector<std::uint32_t> tallies;
    for (const IndexRegistry::RealRemnant& remnant : registry_.real_remnants()) {
        if (!remnant.is_gone) {
            tallies.push_back(remnant.place.tally);
        }
    }
    return tallies;
}

}  // namespace fulcrum
