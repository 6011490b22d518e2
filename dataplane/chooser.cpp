// The order of questions, and the notes that keep affinity true.
#include "dataplane/chooser.h"

#include "dataplane/choose.h"

namespace fulcrum {
namespace {

AffinityTable::Key key_of(const SnapshotService& service, const ClientPrefix& client) {
    return {cut(client, service.affinity.length_of(client.is_v4())), service.group};
}

bool has_affinity(const SnapshotService& service) { return service.affinity.timeout_s > 0; }

// For affinity a session is over when nothing more is expected of it, though replies to its last
// packets may still be on their way.
bool is_over(SessionState state) {
    return state == SessionState::closed || state == SessionState::reset_by_client ||
           state == SessionState::reset_by_real;
}

}  // namespace

Chooser::Chooser(const ChooserWiring& wiring)
    : worker_id_{wiring.worker_id},
      worker_count_{wiring.worker_count},
      counts_{*wiring.board, wiring.others},
      states_(limits::service_numbers_max),
      affinity_{
          wiring.affinity_memory.empty()
              ? AffinityTable{wiring.affinity_record_count, wiring.key}
              : AffinityTable{wiring.affinity_memory, wiring.affinity_record_count, wiring.key}},
      gate_{wiring.limit_record_count, wiring.key, wiring.hz, wiring.worker_count},
      random_{wiring.key.low + wiring.worker_id} {}

std::size_t Chooser::size_for(std::size_t tally_count) {
    return limits::service_numbers_max * sizeof(SchedulerState) +
           Locality::size_for(limits::locality_destinations_max) +
           RealCounts::size_for(tally_count);
}

std::uint16_t Chooser::choose(const Snapshot& snapshot, const Newcomer& newcomer,
                              const Objection& is_refused) {
    const SnapshotListener& listener = snapshot.listeners[newcomer.listener];
    const SnapshotService& service = snapshot.services[listener.service];
    const Schedule& schedule = *service.schedule;
    counts_.look_at(schedule, state_of(service).counted);

    const std::uint16_t faithful = faithful_real(snapshot, service, newcomer);
    if (faithful != limits::index_none && !is_refused(faithful)) {
        return faithful;
    }
    const bool is_ring = newcomer.goes_by_ring || schedule.scheduler == Scheduler::maglev ||
                         schedule.scheduler == Scheduler::mh;
    const std::uint16_t chosen = is_ring ? draw(snapshot, service, newcomer, is_refused)
                                         : pick_by_rule(service, newcomer, is_refused);
    if (chosen != limits::index_none) {
        return chosen;
    }
    const bool may_fall_back =
        service.fallback != limits::index_none &&
        snapshot.real_of(listener, service.fallback).standing == RealStanding::usable &&
        !is_refused(service.fallback);
    return may_fall_back ? service.fallback : limits::index_none;
}

// Where the client's last session went, if that real still takes sessions of its clients: an
// overloaded one does, a drained one if the service says so.
std::uint16_t Chooser::faithful_real(const Snapshot& snapshot, const SnapshotService& service,
                                     const Newcomer& newcomer) const {
    if (!has_affinity(service)) {
        return limits::index_none;
    }
    const std::uint16_t index = affinity_.real_of(key_of(service, newcomer.client),
                                                  AffinityRules{snapshot, newcomer.now_s});
    const ScheduledReal* real = service.schedule->find(index);
    const bool takes_it =
        real != nullptr &&
        (real->weight > 0 || (real->keeps_clients && !service.affinity.moves_on_drain));
    return takes_it ? index : limits::index_none;
}

std::uint16_t Chooser::draw(const Snapshot& snapshot, const SnapshotService& service,
                            const Newcomer& newcomer, const Objection& is_refused) {
    const Schedule& schedule = *service.schedule;
    if (!service.has_usable_real) {
        return limits::index_none;
    }
    const auto takes_new = [&](std::uint16_t index) {
        const ScheduledReal* real = schedule.find(index);
        return real != nullptr && real->weight > 0 && !counts_.is_overloaded(*real);
    };
    std::uint64_t draw = newcomer.draw;
    if (has_affinity(service)) {
        const ClientPrefix client = key_of(service, newcomer.client).client;
        draw = hash_words(snapshot.ring_key, client.low, client.high);
    } else if (schedule.scheduler == Scheduler::mh) {
        const std::uint64_t port = schedule.flags.port ? newcomer.traits.source_port : 0;
        draw = hash_words(snapshot.ring_key, newcomer.traits.source, port);
    }
    const Ring& ring = *service.ring;
    if (schedule.scheduler == Scheduler::mh && !schedule.flags.fallback) {
        const std::uint16_t index =
            ring[scaled(static_cast<std::uint32_t>(draw), static_cast<std::uint32_t>(ring.size()))];
        return takes_new(index) && !is_refused(index) ? index : limits::index_none;
    }
    return draw_from_ring(ring, snapshot.ring_key, draw, takes_new, is_refused);
}

std::uint16_t Chooser::pick_by_rule(const SnapshotService& service, const Newcomer& newcomer,
                                    const Objection& is_refused) {
    const Schedule& schedule = *service.schedule;
    SchedulerState& state = state_of(service);
    const SchedulerState state_before = state;
    const Random random_before = random_;
    const bool is_local =
        schedule.scheduler == Scheduler::lblc || schedule.scheduler == Scheduler::lblcr;
    const std::uint64_t destination =
        std::uint64_t{1} << 63 | std::uint64_t{service.number} << 32 | newcomer.traits.destination;
    const Locality::Visit visit{destination, newcomer.now_s, !is_rehearsing_};
    std::uint16_t chosen = limits::index_none;
    Candidates candidates{schedule, counts_};
    while (candidates.may_exclude_more()) {
        const std::size_t position = is_local ? locality_.pick(candidates, visit)
                                              : pick(candidates, newcomer.traits, state, random_);
        if (position == no_position) {
            break;
        }
        const std::uint16_t index = schedule.reals[position].index;
        if (!is_refused(index)) {
            chosen = index;
            break;
        }
        candidates.exclude(position);
    }
    if (is_rehearsing_) {
        state = state_before;
        random_ = random_before;
    }
    return chosen;
}

SchedulerState& Chooser::state_of(const SnapshotService& service) {
    SchedulerState& state = states_[service.number];
    if (!state.has_begun) {
        state = first_state(*service.schedule, worker_id_, worker_count_);
    }
    return state;
}

bool Chooser::note_opened(const Snapshot& snapshot, const Newcomer& newcomer, std::uint16_t real) {
    if (is_rehearsing_) {
        return false;
    }
    const SnapshotListener& listener = snapshot.listeners[newcomer.listener];
    const SnapshotService& service = snapshot.services[listener.service];
    const ScheduledReal* scheduled = service.schedule->find(real);
    if (scheduled == nullptr) {
        return false;  // the fallback has neither limits nor faithful clients
    }
    counts_.note_opened(*scheduled);
    return has_affinity(service) && !newcomer.goes_by_ring &&
           affinity_.hold(key_of(service, newcomer.client), real, /*is_confirmed=*/false,
                          AffinityRules{snapshot, newcomer.now_s});
}

void Chooser::note_passed(const Snapshot& snapshot, const Newcomer& newcomer, std::uint16_t real) {
    const SnapshotService& service = snapshot.service_of(newcomer.listener);
    if (is_rehearsing_ || service.schedule->find(real) == nullptr) {
        return;
    }
    const AffinityTable::Key key = key_of(service, newcomer.client);
    if (affinity_.hold(key, real, /*is_confirmed=*/false,
                       AffinityRules{snapshot, newcomer.now_s})) {
        affinity_.release(key, newcomer.now_s);
    }
}

void Chooser::note_state(const Holder& holder, SessionState before, const AffinityRules& rules) {
    if (is_rehearsing_) {
        return;
    }
    const SessionState state = holder.tag.state();
    const AffinityTable::Key key = key_of(holder.service, holder.client);
    const bool turned_confirmed = !is_confirmed(before) && is_confirmed(state);
    if (!holder.tag.is_affine()) {
        // Opened in a flood, or when there was no room: now it has earned its record.
        const bool is_held = turned_confirmed && !is_over(state) &&
                             holder.service.schedule->find(holder.real) != nullptr &&
                             affinity_.hold(key, holder.real, /*is_confirmed=*/true, rules);
        holder.tag.set_affine(is_held);
        return;
    }
    if (turned_confirmed) {
        affinity_.confirm(key);
    }
    if (is_over(state) && !is_over(before)) {
        affinity_.release(key, rules.now_s());
    } else if (!is_over(state) && is_over(before)) {
        holder.tag.set_affine(affinity_.rejoin(key, rules));
    }
}

void Chooser::note_gone(const Holder& holder, std::uint32_t ended_s) {
    if (!is_rehearsing_ && holder.tag.is_affine() && !is_over(holder.tag.state())) {
        affinity_.release(key_of(holder.service, holder.client), ended_s);
    }
}

void Chooser::note_taken_up(const Holder& holder, const AffinityRules& rules) {
    if (holder.tag.is_affine() && !is_over(holder.tag.state())) {
        holder.tag.set_affine(affinity_.rejoin(key_of(holder.service, holder.client), rules));
    }
}

}  // namespace fulcrum
