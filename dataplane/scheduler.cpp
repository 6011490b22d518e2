// The rules, each a function of a few lines.
#include "dataplane/scheduler.h"

#include <algorithm>

namespace fulcrum {
namespace {

__extension__ using uint128 = unsigned __int128;

// Whether a / b < c / d: both sides multiplied out, because a quotient would lose what decides. A
// load may have 39 bits and a weight 31.
bool is_less(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) {
    return static_cast<uint128>(a) * d < static_cast<uint128>(c) * b;
}

// The candidate of which load / weight is least, the first of equals.
template <typename Load>
std::size_t least(const Candidates& candidates, const Load& load_of) {
    std::size_t chosen = no_position;
    for (std::size_t position = 0; position < candidates.size(); ++position) {
        if (candidates.has(position) &&
            (chosen == no_position || is_less(load_of(position), candidates.weight_of(position),
                                              load_of(chosen), candidates.weight_of(chosen)))) {
            chosen = position;
        }
    }
    return chosen;
}

std::size_t fewest(const Candidates& candidates) {
    std::size_t chosen = no_position;
    for (std::size_t position = 0; position < candidates.size(); ++position) {
        if (candidates.has(position) &&
            (chosen == no_position || candidates.load_of(position) < candidates.load_of(chosen))) {
            chosen = position;
        }
    }
    return chosen;
}

std::size_t shortest_delay(const Candidates& candidates) {
    return least(candidates,
                 [&](std::size_t position) { return candidates.count_of(position).active + 1; });
}

std::size_t never_queued(const Candidates& candidates) {
    for (std::size_t position = 0; position < candidates.size(); ++position) {
        if (candidates.has(position) && candidates.count_of(position).active == 0) {
            return position;
        }
    }
    return shortest_delay(candidates);
}

std::size_t next_in_turn(const Candidates& candidates, SchedulerState& state) {
    const std::size_t size = candidates.size();
    for (std::size_t step = 0; step < size; ++step) {
        const std::size_t position = (state.turn + step) % size;
        if (candidates.has(position)) {
            state.turn = static_cast<std::uint32_t>(position + 1);
            return position;
        }
    }
    return no_position;
}

// The first from `start` on that has at least the weight of the present level.
std::size_t next_at_level(const Candidates& candidates, std::size_t start, SchedulerState& state) {
    for (std::size_t position = start; position < candidates.size(); ++position) {
        if (candidates.weight_of(position) >= state.level && candidates.has(position)) {
            state.turn = static_cast<std::uint32_t>(position + 1);
            return position;
        }
    }
    return no_position;
}

// Rounds over all reals, at a level that sinks from the greatest weight to the common divisor, by
// the divisor; a round passes over whoever weighs less. Levels at which nobody can be found are
// skipped at once: weights of 1 and 2^31 would cost two thousand million rounds.
std::size_t next_by_weight(const Candidates& candidates, SchedulerState& state) {
    const Schedule& schedule = candidates.schedule();
    const std::uint32_t step = schedule.weight_divisor;
    if (state.level == 0 || state.level > schedule.weight_greatest) {
        state.level = schedule.weight_greatest;
    }
    state.level = (state.level + step - 1) / step * step;  // weights may have changed
    const std::size_t in_this_round = next_at_level(candidates, state.turn, state);
    if (in_this_round != no_position) {
        return in_this_round;
    }
    std::uint32_t greatest = 0;
    for (std::size_t position = 0; position < candidates.size(); ++position) {
        if (candidates.has(position)) {
            greatest = std::max(greatest, candidates.weight_of(position));
        }
    }
    if (greatest == 0) {
        return no_position;
    }
    const std::uint32_t next = state.level > step ? state.level - step : schedule.weight_greatest;
    state.level = std::min(next, greatest);
    return next_at_level(candidates, 0, state);
}

std::size_t heaviest(const Candidates& candidates, bool must_have_room) {
    std::size_t chosen = no_position;
    for (std::size_t position = 0; position < candidates.size(); ++position) {
        const std::uint32_t weight = candidates.weight_of(position);
        if (candidates.has(position) &&
            (!must_have_room || candidates.count_of(position).active <= weight) &&
            (chosen == no_position || weight > candidates.weight_of(chosen))) {
            chosen = position;
        }
    }
    return chosen;
}

// The candidate in whose share of the summed weights `at` lies.
std::size_t at_weight(const Candidates& candidates, std::uint64_t at) {
    for (std::size_t position = 0; position < candidates.size(); ++position) {
        if (!candidates.has(position)) {
            continue;
        }
        const std::uint32_t weight = candidates.weight_of(position);
        if (at < weight) {
            return position;
        }
        at -= weight;
    }
    return no_position;
}

std::size_t better_of_two(const Candidates& candidates, Random& random) {
    std::uint64_t sum = 0;
    for (std::size_t position = 0; position < candidates.size(); ++position) {
        sum += candidates.has(position) ? candidates.weight_of(position) : 0;
    }
    if (sum == 0) {
        return no_position;
    }
    const std::size_t one = at_weight(candidates, random.below(sum));
    const std::size_t other = at_weight(candidates, random.below(sum));
    const bool is_other_better = is_less(candidates.load_of(other), candidates.weight_of(other),
                                         candidates.load_of(one), candidates.weight_of(one));
    return is_other_better ? other : one;
}

std::size_t in_bucket(const Candidates& candidates, unsigned bucket) {
    const std::size_t position = candidates.schedule().buckets[bucket % Schedule::bucket_count];
    return candidates.has(position) ? position : no_position;
}

std::size_t by_source(const Candidates& candidates, const FlowTraits& flow) {
    const SchedulerFlags flags = candidates.schedule().flags;
    const std::uint32_t port = flags.port ? flow.source_port : 0U;
    const unsigned hash = bucket_hash(flow.source + port);
    std::size_t position = in_bucket(candidates, hash);
    // IPVS adds the offset to the hash twice over, and so does who wants its mapping.
    for (unsigned offset = 0;
         flags.fallback && position == no_position && offset < Schedule::bucket_count; ++offset) {
        position = in_bucket(candidates, 2 * hash + offset);
    }
    return position;
}

}  // namespace

std::uint64_t Random::next() {
    state_ += 0x9E37'79B9'7F4A'7C15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58'476D'1CE4'E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D0'49BB'1331'11EB;
    return mixed ^ (mixed >> 31);
}

std::uint64_t Random::below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<uint128>(next()) * bound) >> 64);
}

bool Candidates::is_excluded(std::size_t position) const {
    const auto end = excluded_.begin() + static_cast<std::ptrdiff_t>(excluded_count_);
    return std::find(excluded_.begin(), end, position) != end;
}

SchedulerState first_state(const Schedule& schedule, unsigned worker_id, unsigned worker_count) {
    const std::uint64_t reals = schedule.reals.size();
    const std::uint64_t levels = schedule.weight_greatest / schedule.weight_divisor;
    SchedulerState state{.has_begun = true};
    if (schedule.scheduler == Scheduler::wrr) {
        state.level = static_cast<std::uint32_t>(schedule.weight_divisor *
                                                 (levels - levels * worker_id / worker_count));
    }
    state.turn = static_cast<std::uint32_t>(reals * worker_id / worker_count);
    return state;
}

std::uint8_t bucket_hash(std::uint32_t number) {
    return static_cast<std::uint8_t>((number * 0x61C8'8647U) >> 24);
}

std::size_t least_loaded(const Candidates& candidates) {
    return least(candidates, [&](std::size_t position) { return candidates.load_of(position); });
}

std::size_t pick(const Candidates& candidates, const FlowTraits& flow, SchedulerState& state,
                 Random& random) {
    if (candidates.size() == 0) {
        return no_position;
    }
    switch (candidates.schedule().scheduler) {
        case Scheduler::rr:
            return next_in_turn(candidates, state);
        case Scheduler::wrr:
            return next_by_weight(candidates, state);
        case Scheduler::lc:
            return fewest(candidates);
        case Scheduler::wlc:
            return least_loaded(candidates);
        case Scheduler::sed:
            return shortest_delay(candidates);
        case Scheduler::nq:
            return never_queued(candidates);
        case Scheduler::dh:
            return in_bucket(candidates, bucket_hash(flow.destination));
        case Scheduler::sh:
            return by_source(candidates, flow);
        case Scheduler::fo:
            return heaviest(candidates, /*must_have_room=*/false);
        case Scheduler::ovf:
            return heaviest(candidates, /*must_have_room=*/true);
        case Scheduler::twos:
            return better_of_two(candidates, random);
        case Scheduler::maglev:
        case Scheduler::mh:
        case Scheduler::lblc:
        case Scheduler::lblcr:
            break;
    }
    return no_position;
}

}  // namespace fulcrum
