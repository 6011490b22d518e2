// Summing, and the judgement on limits.
#include "dataplane/real_counts.h"

#include <algorithm>
#include <utility>

namespace fulcrum {

RealCounts::RealCounts(const CounterBoard& own, std::vector<const CounterBoard*> others)
    : own_{own},
      others_{std::move(others)},
      of_others_(others_.empty() ? 0 : own.tally_count()),
      overloaded_under_(own.tally_count(), 0) {}

void RealCounts::look_at(const Schedule& schedule, Progress& progress) {
    if (others_.empty()) {
        return;
    }
    if (progress.next >= schedule.reals.size()) {
        if (progress.round == round_) {
            return;
        }
        progress = {round_, 0};
    }
    const std::size_t step =
        std::max<std::size_t>(1, limits::tallies_summed_per_miss_max / others_.size());
    const std::size_t end = std::min(schedule.reals.size(), progress.next + step);
    for (; progress.next < end; ++progress.next) {
        sum_up(schedule.reals[progress.next].tally);
    }
}

void RealCounts::sum_up(std::uint32_t tally) {
    std::uint64_t active = 0;
    std::uint64_t total = 0;
    for (const CounterBoard* other : others_) {
        active += other->tally(tally).sessions_active.read();
        total += other->tally(tally).sessions_live.read();
    }
    of_others_[tally] = {static_cast<std::uint32_t>(active), static_cast<std::uint32_t>(total)};
}

void RealCounts::note_opened(const ScheduledReal& real) {
    if (real.overloaded_from == 0) {
        return;
    }
    // Sessions may have ended since somebody judged last: that comes before the one that is new.
    const std::uint64_t total = of(real).total;
    judge(real, total - 1);
    judge(real, total);
}

bool RealCounts::judge(const ScheduledReal& real, std::uint64_t total) {
    std::uint32_t& under = overloaded_under_[real.tally];
    const bool limit_was_raised = real.overloaded_from > under;
    if (total < real.relieved_below || limit_was_raised) {
        under = 0;
    }
    if (total >= real.overloaded_from) {
        under = real.overloaded_from;
    }
    return under != 0;
}

}  // namespace fulcrum
