// Summing, and the judgement on limits.
#include "dataplane/real_counts.h"

#include <algorithm>
#include <utility>

namespace fulcrum {

RealCounts::RealCounts(CounterBoard& own, std::vector<const CounterBoard*> others)
    : own_{own}, others_{std::move(others)}, of_others_(others_.empty() ? 0 : own.tally_count()) {}

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
    OverloadWord overload;
    for (const CounterBoard* other : others_) {
        overload =
            OverloadWord::latest_of(overload, OverloadWord::read_from(other->overload(tally)));
        active += other->tally(tally).sessions_active.read();
        total += other->tally(tally).sessions_live.read();
    }
    of_others_[tally] = {static_cast<std::uint32_t>(active), static_cast<std::uint32_t>(total),
                         overload};
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
    SingleWriterCounter& own = own_.overload(real.tally);
    OverloadWord latest = OverloadWord::read_from(own);
    if (!of_others_.empty()) {
        latest = OverloadWord::latest_of(latest, of_others_[real.tally].overload);
    }
    std::uint32_t limit = latest.limit();
    const bool limit_was_raised = real.overloaded_from > limit;
    if (total < real.relieved_below || limit_was_raised) {
        limit = 0;
    }
    if (total >= real.overloaded_from) {
        limit = real.overloaded_from;
    }
    if (limit != latest.limit()) {
        OverloadWord{latest.number() + 1, limit}.write_to(own);
    }
    return limit != 0;
}

}  // namespace fulcrum
