// Looking up, and the two rules.
#include "dataplane/locality.h"

#include <algorithm>

#include "config/model/hash.h"

namespace fulcrum {
namespace {

std::uint32_t bucket_count_for(std::size_t destination_count, std::size_t entries_per_bucket) {
    return static_cast<std::uint32_t>(
        std::max<std::size_t>(1, destination_count / entries_per_bucket));
}

// Has too much, while somebody else has little to do.
bool has_too_much(const Candidates& candidates, std::size_t position) {
    if (candidates.count_of(position).active <= candidates.weight_of(position)) {
        return false;
    }
    for (std::size_t other = 0; other < candidates.size(); ++other) {
        if (candidates.count_of(other).active * 2 < candidates.weight_of(other)) {
            return true;
        }
    }
    return false;
}

// The position of a real that may be chosen, or no_position.
std::size_t position_of(const Candidates& candidates, std::uint16_t index) {
    const Schedule& schedule = candidates.schedule();
    const ScheduledReal* real = schedule.find(index);
    if (real == nullptr) {
        return no_position;
    }
    const auto position = static_cast<std::size_t>(real - schedule.reals.data());
    return candidates.has(position) ? position : no_position;
}

// -1, 0, 1: how the loads of two compare, by weight.
int compare_loads(const Candidates& candidates, std::size_t a, std::size_t b) {
    __extension__ using uint128 = unsigned __int128;
    const auto left = static_cast<uint128>(candidates.load_of(a)) * candidates.weight_of(b);
    const auto right = static_cast<uint128>(candidates.load_of(b)) * candidates.weight_of(a);
    return left < right ? -1 : left > right ? 1 : 0;
}

}  // namespace

Locality::Locality(std::size_t destination_count)
    : entries_(bucket_count_for(destination_count, entries_per_bucket) * entries_per_bucket),
      bucket_count_{bucket_count_for(destination_count, entries_per_bucket)} {}

std::size_t Locality::size_for(std::size_t destination_count) {
    return bucket_count_for(destination_count, entries_per_bucket) * entries_per_bucket *
           sizeof(Entry);
}

std::size_t Locality::pick(const Candidates& candidates, const Visit& visit) {
    Entry& place = place_of(visit.destination);
    const bool is_known = place.destination == visit.destination &&
                          visit.now_s - place.used_s <= limits::locality_idle_s_max;
    Entry entry = is_known ? place : Entry{.destination = visit.destination};
    entry.used_s = visit.now_s;
    const std::size_t position = candidates.schedule().scheduler == Scheduler::lblc
                                     ? pick_for_cache(candidates, entry)
                                     : pick_for_set(candidates, entry, visit.now_s);
    if (visit.is_remembered) {
        place = entry;
    }
    return position;
}

Locality::Entry& Locality::place_of(std::uint64_t destination) {
    const std::uint64_t hash = folded_multiply(destination, 0x9E37'79B9'7F4A'7C15);
    Entry* const first =
        &entries_[scaled(static_cast<std::uint32_t>(hash), bucket_count_) * entries_per_bucket];
    Entry* oldest = first;
    for (Entry* entry = first; entry < first + entries_per_bucket; ++entry) {
        if (entry->destination == destination) {
            return *entry;
        }
        // A vacant one was used at second 0, before all others.
        oldest = entry->used_s < oldest->used_s ? entry : oldest;
    }
    return *oldest;
}

std::size_t Locality::pick_for_cache(const Candidates& candidates, Entry& entry) {
    if (entry.count == 1) {
        const std::size_t cached = position_of(candidates, entry.reals[0]);
        if (cached != no_position && !has_too_much(candidates, cached)) {
            return cached;
        }
    }
    const std::size_t chosen = least_loaded(candidates);
    if (chosen != no_position) {
        entry.count = 1;
        entry.reals[0] = candidates.schedule().reals[chosen].index;
    }
    return chosen;
}

std::size_t Locality::pick_for_set(const Candidates& candidates, Entry& entry,
                                   std::uint32_t now_s) {
    std::size_t least = no_position;
    std::size_t most = no_position;
    std::uint16_t most_at = 0;
    for (std::uint16_t at = 0; at < entry.count; ++at) {
        const std::size_t position = position_of(candidates, entry.reals[at]);
        if (position == no_position) {
            continue;
        }
        if (least == no_position || compare_loads(candidates, position, least) < 0) {
            least = position;
        }
        if (most == no_position || compare_loads(candidates, position, most) > 0) {
            most = position;
            most_at = at;
        }
    }
    const auto remove_most_loaded = [&] {
        const auto end = entry.reals.begin() + entry.count--;
        std::copy(entry.reals.begin() + most_at + 1, end, entry.reals.begin() + most_at);
        entry.changed_s = now_s;
    };
    if (entry.count > 1 && most != no_position &&
        now_s - entry.changed_s > limits::locality_idle_s_max) {
        remove_most_loaded();
    }
    if (least != no_position && !has_too_much(candidates, least)) {
        return least;
    }
    const std::size_t chosen = least_loaded(candidates);
    if (chosen == no_position) {
        return no_position;
    }
    const std::uint16_t index = candidates.schedule().reals[chosen].index;
    const auto end = entry.reals.begin() + entry.count;
    if (std::find(entry.reals.begin(), end, index) == end) {
        if (entry.count == entry.reals.size()) {
            remove_most_loaded();
        }
        entry.reals[entry.count++] = index;
        entry.changed_s = now_s;
    }
    return chosen;
}

}  // namespace fulcrum
