// Adoption looks up everything that is asked for, sees whether the free numbers suffice for what is
// new, and only then changes anything: gives places, marks what it has met, retires the rest.
#include "controlplane/index_registry.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace fulcrum {
namespace {

// In the order in which places are given: the fallback last.
std::vector<const RealServer*> reals_of(const VirtualService& service) {
    std::vector<const RealServer*> reals;
    reals.reserve(service.reals.size() + 1);
    for (const RealServer& real : service.reals) {
        reals.push_back(&real);
    }
    if (service.fallback) {
        reals.push_back(&*service.fallback);
    }
    return reals;
}

// Those that have no entry yet.
template <typename Entry>
std::size_t new_count_of(const std::vector<Entry*>& entries) {
    return static_cast<std::size_t>(std::count(entries.begin(), entries.end(), nullptr));
}

Error exhausted(const std::string& what, std::size_t new_count, std::size_t free_count) {
    return {what + ": " + std::to_string(new_count) + " are new and " + std::to_string(free_count) +
            " indexes are free; those of removed ones become free once their sessions have ended, "
            "so reload again later or change less at once"};
}

}  // namespace

std::uint32_t IndexPool::take() {
    if (returned_.empty()) {
        assert(next_ < limit_);
        return next_++;
    }
    const std::uint32_t lowest = *returned_.begin();
    returned_.erase(returned_.begin());
    return lowest;
}

void IndexPool::take_this(std::uint32_t index) {
    assert(index < limit_);
    for (; next_ <= index; ++next_) {
        returned_.insert(next_);
    }
    returned_.erase(index);
}

bool IndexRegistry::recall(const IndexMemory& memory) {
    std::uint32_t tally_max = 0;
    for (const IndexMemory::Service& service : memory.services) {
        for (const IndexMemory::Real& real : service.reals) {
            tally_max = std::max(tally_max, real.place.tally);
        }
    }
    if (tally_max >= tallies_.free_count()) {
        return false;
    }
    const auto life_of = [](bool is_gone) {
        return Life{.stage = is_gone ? Stage::gone : Stage::present};
    };
    for (const IndexMemory::Service& service : memory.services) {
        ServiceEntry& entry = services_[service.name];
        entry.id = next_service_id_++;
        entry.number = service.number;
        numbers_.take_this(service.number);
        name_by_id_[entry.id] = service.name;
        for (const IndexMemory::Listener& listener : service.listeners) {
            listeners_[{listener.point, entry.id}] = {listener.index, life_of(listener.is_gone)};
            listener_indexes_.take_this(listener.index);
        }
        for (const IndexMemory::Real& real : service.reals) {
            entry.reals[{real.name, real.endpoint, real.mode}] = {real.place, real.tunnel,
                                                                  life_of(real.is_gone)};
            entry.indexes.take_this(real.place.index);
            tallies_.take_this(real.place.tally);
        }
    }
    return true;
}

IndexMemory IndexRegistry::remember() const {
    IndexMemory memory;
    std::unordered_map<std::uint32_t, std::size_t> place_by_id;
    for (const auto& [name, entry] : services_) {
        place_by_id[entry.id] = memory.services.size();
        IndexMemory::Service service{
            .name = name, .number = entry.number, .listeners = {}, .reals = {}};
        for (const auto& [key, real] : entry.reals) {
            service.reals.push_back({key.name, key.endpoint, key.mode, real.tunnel, real.place,
                                     real.life.stage == Stage::gone});
        }
        memory.services.push_back(std::move(service));
    }
    for (const auto& [key, listener] : listeners_) {
        memory.services[place_by_id.at(key.service_id)].listeners.push_back(
            {key.point, listener.index, listener.life.stage == Stage::gone});
    }
    return memory;
}

Result<std::vector<IndexRegistry::ServicePlaces>> IndexRegistry::adopt(const Config& config,
                                                                       std::uint64_t epoch) {
    std::vector<Candidate> candidates = candidates_of(config);
    if (Status room = check_room(candidates); !room) {
        return room.error();
    }
    ++adoption_;
    ++revision_;
    std::vector<ServicePlaces> places;
    places.reserve(candidates.size());
    for (Candidate& candidate : candidates) {
        places.push_back(settle(candidate));
    }
    retire_absent(epoch);
    return places;
}

std::vector<IndexRegistry::Candidate> IndexRegistry::candidates_of(const Config& config) {
    std::unordered_set<std::string_view> asked_names;
    for (const VirtualService& service : config.services) {
        asked_names.insert(service.name);
    }
    std::vector<Candidate> candidates;
    candidates.reserve(config.services.size());
    for (const VirtualService& service : config.services) {
        candidates.push_back(candidate_of(service, former_name(service, asked_names)));
    }
    return candidates;
}

IndexRegistry::Candidate IndexRegistry::candidate_of(const VirtualService& asked,
                                                     std::string formerly) {
    Candidate candidate{.asked = &asked,
                        .reals = reals_of(asked),
                        .formerly = std::move(formerly),
                        .points = listen_points(asked)};
    candidate.listener_entries.resize(candidate.points.size(), nullptr);
    candidate.real_entries.resize(candidate.reals.size(), nullptr);
    const auto found = services_.find(candidate.formerly);
    if (found == services_.end()) {
        return candidate;
    }
    ServiceEntry& entry = found->second;
    candidate.entry = &entry;
    for (std::size_t i = 0; i < candidate.points.size(); ++i) {
        const auto known = listeners_.find({candidate.points[i], entry.id});
        candidate.listener_entries[i] = known == listeners_.end() ? nullptr : &known->second;
    }
    for (std::size_t i = 0; i < candidate.reals.size(); ++i) {
        const RealServer& real = *candidate.reals[i];
        const auto known = entry.reals.find({real.name, real.endpoint, real.forward});
        candidate.real_entries[i] = known == entry.reals.end() ? nullptr : &known->second;
    }
    return candidate;
}

// Its own name; that of the service which holds its first VIP and ports and is to be no more; or
// none.
std::string IndexRegistry::former_name(
    const VirtualService& service, const std::unordered_set<std::string_view>& asked_names) const {
    if (services_.contains(service.name)) {
        return service.name;
    }
    const std::vector<ListenPoint> points = listen_points(service);
    if (points.empty()) {
        return {};
    }
    for (auto at = listeners_.lower_bound({points.front(), 0}); at != listeners_.end(); ++at) {
        const auto& [key, listener] = *at;
        if (key.point != points.front()) {
            break;
        }
        const std::string& holder = name_by_id_.at(key.service_id);
        if (listener.life.stage == Stage::present && !asked_names.contains(holder)) {
            return holder;
        }
    }
    return {};
}

Status IndexRegistry::check_room(const std::vector<Candidate>& candidates) const {
    std::size_t new_services_count = 0;
    std::size_t new_listeners_count = 0;
    std::size_t new_reals_count = 0;
    for (const Candidate& candidate : candidates) {
        const auto new_count = new_count_of(candidate.real_entries);
        const std::size_t free_count = candidate.entry == nullptr
                                           ? limits::reals_per_service_max
                                           : candidate.entry->indexes.free_count();
        if (new_count > free_count) {
            return exhausted("reals of service \"" + candidate.asked->name + "\"", new_count,
                             free_count);
        }
        new_services_count += candidate.entry == nullptr ? 1U : 0U;
        new_listeners_count += new_count_of(candidate.listener_entries);
        new_reals_count += new_count;
    }
    if (new_listeners_count > listener_indexes_.free_count()) {
        return exhausted("listeners", new_listeners_count, listener_indexes_.free_count());
    }
    if (new_services_count > numbers_.free_count()) {
        return exhausted("services", new_services_count, numbers_.free_count());
    }
    if (new_reals_count > tallies_.free_count()) {
        return exhausted("reals", new_reals_count, tallies_.free_count());
    }
    return done();
}

IndexRegistry::ServicePlaces IndexRegistry::settle(Candidate& candidate) {
    const VirtualService& service = *candidate.asked;
    if (candidate.entry == nullptr) {
        candidate.entry = &services_[service.name];
        candidate.entry->id = next_service_id_++;
        candidate.entry->number = static_cast<std::uint16_t>(numbers_.take());
        name_by_id_[candidate.entry->id] = service.name;
    } else if (candidate.formerly != service.name) {
        auto node = services_.extract(candidate.formerly);  // the entry stays where it is
        node.key() = service.name;
        services_.insert(std::move(node));
        name_by_id_[candidate.entry->id] = service.name;
    }
    ServiceEntry& entry = *candidate.entry;
    entry.adoption = adoption_;

    ServicePlaces places{.formerly = candidate.formerly, .id = entry.id, .number = entry.number};
    places.listeners.reserve(candidate.points.size());
    for (std::size_t i = 0; i < candidate.points.size(); ++i) {
        ListenerEntry* listener = candidate.listener_entries[i];
        if (listener == nullptr) {
            listener = &listeners_[{candidate.points[i], entry.id}];
            listener->index = static_cast<std::uint16_t>(listener_indexes_.take());
        }
        listener->life = {.adoption = adoption_};
        places.listeners.push_back(listener->index);
    }
    places.reals.reserve(candidate.reals.size());
    for (std::size_t i = 0; i < candidate.reals.size(); ++i) {
        RealEntry* real = candidate.real_entries[i];
        if (real == nullptr) {
            const RealServer& asked = *candidate.reals[i];
            real = &entry.reals[{asked.name, asked.endpoint, asked.forward}];
            real->place = {static_cast<std::uint16_t>(entry.indexes.take()), tallies_.take()};
        }
        real->tunnel = candidate.reals[i]->tunnel;
        real->life = {.adoption = adoption_};
        places.reals.push_back(real->place);
    }
    return places;
}

void IndexRegistry::retire_absent(std::uint64_t epoch) {
    has_remnants_ = false;
    for (auto& [name, service] : services_) {
        const Stage next = service.adoption == adoption_ ? Stage::leaving : Stage::gone;
        for (auto& [key, real] : service.reals) {
            retire_if_absent(real.life, next, epoch);
        }
    }
    for (auto& [key, listener] : listeners_) {
        retire_if_absent(listener.life, Stage::gone, epoch);
    }
}

// Towards the end only: what is gone does not drain again.
void IndexRegistry::retire_if_absent(Life& life, Stage next, std::uint64_t epoch) {
    if (life.adoption == adoption_) {
        return;
    }
    has_remnants_ = true;
    if (life.stage < next) {
        life = {.stage = next, .since_epoch = epoch};
    }
}

bool IndexRegistry::on_idle(std::span<const std::uint32_t> idle_tallies, std::uint64_t epoch_seen,
                            std::uint64_t epoch) {
    if (!has_remnants_) {
        return false;
    }
    const std::unordered_set<std::uint32_t> idle{idle_tallies.begin(), idle_tallies.end()};
    bool any_gone = false;
    for (auto& [name, service] : services_) {
        for (auto& [key, real] : service.reals) {
            const bool has_left = real.life.stage == Stage::leaving &&
                                  epoch_seen >= real.life.since_epoch &&
                                  is_idle_again(real.life, idle.contains(real.place.tally));
            real.life = has_left ? Life{.stage = Stage::gone, .since_epoch = epoch} : real.life;
            any_gone = any_gone || has_left;
        }
    }
    revision_ += any_gone ? 1 : 0;
    return any_gone;
}

// Once is not enough: the workers' counters are read one after the other.
bool IndexRegistry::is_idle_again(Life& life, bool is_idle) {
    const bool was_idle = life.was_idle;
    life.was_idle = is_idle;
    return is_idle && was_idle;
}

bool IndexRegistry::on_swept(std::uint64_t epoch) {
    if (!has_remnants_) {
        return false;
    }
    std::size_t freed_count = std::erase_if(listeners_, [&](const auto& listener) {
        const bool is_swept = listener.second.life.is_swept(epoch);
        if (is_swept) {
            listener_indexes_.give_back(listener.second.index);
        }
        return is_swept;
    });
    std::unordered_set<std::uint32_t> ids_in_use;
    for (const auto& [key, listener] : listeners_) {
        ids_in_use.insert(key.service_id);
    }
    for (auto& [name, service] : services_) {
        freed_count += free_swept_reals(service, epoch);
    }
    std::erase_if(services_, [&](const auto& one) {
        const ServiceEntry& service = one.second;
        const bool is_nothing = service.reals.empty() && !ids_in_use.contains(service.id);
        if (is_nothing) {
            name_by_id_.erase(service.id);
            numbers_.give_back(service.number);
        }
        return is_nothing;
    });
    has_remnants_ = !listener_remnants().empty() || !real_remnants().empty();
    revision_ += freed_count > 0 ? 1 : 0;
    return freed_count > 0;
}

std::size_t IndexRegistry::free_swept_reals(ServiceEntry& service, std::uint64_t epoch) {
    return std::erase_if(service.reals, [&](const auto& real) {
        const RealEntry& entry = real.second;
        const bool is_swept = entry.life.is_swept(epoch);
        if (is_swept) {
            service.indexes.give_back(entry.place.index);
            tallies_.give_back(entry.place.tally);
        }
        return is_swept;
    });
}

std::vector<IndexRegistry::RealRemnant> IndexRegistry::real_remnants() const {
    std::vector<RealRemnant> remnants;
    if (!has_remnants_) {
        return remnants;
    }
    for (const auto& [name, service] : services_) {
        append_remnants(name, service, remnants);
    }
    return remnants;
}

std::vector<IndexRegistry::RealRemnant> IndexRegistry::real_remnants(
    std::string_view service) const {
    std::vector<RealRemnant> remnants;
    const auto found = services_.find(service);
    if (has_remnants_ && found != services_.end()) {
        append_remnants(found->first, found->second, remnants);
    }
    return remnants;
}

void IndexRegistry::append_remnants(std::string_view name, const ServiceEntry& service,
                                    std::vector<RealRemnant>& remnants) {
    for (const auto& [key, real] : service.reals) {
        if (real.life.stage != Stage::present) {
            remnants.push_back({name, key.name, key.endpoint, key.mode, real.tunnel, real.place,
                                real.life.stage == Stage::gone});
        }
    }
}

std::vector<IndexRegistry::ListenerRemnant> IndexRegistry::listener_remnants() const {
    std::vector<ListenerRemnant> remnants;
    if (!has_remnants_) {
        return remnants;
    }
    for (const auto& [key, listener] : listeners_) {
        if (listener.life.stage == Stage::gone) {
            remnants.push_back({name_by_id_.at(key.service_id), key.point, listener.index});
        }
    }
    return remnants;
}

}  // namespace fulcrum
