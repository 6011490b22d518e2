// What follows from the reals and their weights.
#include "config/model/schedule.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace fulcrum {
namespace {

void lay_weights(Schedule& schedule) {
    std::uint32_t divisor = 0;
    for (const ScheduledReal& real : schedule.reals) {
        schedule.weight_greatest = std::max(schedule.weight_greatest, real.weight);
        divisor = std::gcd(divisor, real.weight);
    }
    schedule.weight_divisor = std::max(divisor, 1U);
}

void lay_positions(Schedule& schedule) {
    std::size_t size = 0;
    for (const ScheduledReal& real : schedule.reals) {
        size = std::max(size, real.index + std::size_t{1});
    }
    schedule.position_of.assign(size, limits::index_none);
    for (std::size_t position = 0; position < schedule.reals.size(); ++position) {
        schedule.position_of[schedule.reals[position].index] = static_cast<std::uint16_t>(position);
    }
}

// Real after real, each so many buckets in a row as it weighs (dh: one), over and over. A real
// that never had a weight holds one bucket as well, as in IPVS: when it gets one, nobody moves.
void lay_buckets(Schedule& schedule) {
    const bool is_weighted = schedule.scheduler == Scheduler::sh;
    if (schedule.reals.empty() || (!is_weighted && schedule.scheduler != Scheduler::dh)) {
        return;
    }
    std::size_t position = 0;
    std::uint32_t taken_count = 0;
    for (std::size_t bucket = 0; bucket < Schedule::bucket_count; ++bucket) {
        schedule.buckets.push_back(static_cast<std::uint16_t>(position));
        ++taken_count;
        if (!is_weighted || taken_count >= schedule.reals[position].lasting_weight) {
            position = (position + 1) % schedule.reals.size();
            taken_count = 0;
        }
    }
}

}  // namespace

Schedule make_schedule(Scheduler scheduler, SchedulerFlags flags,
                       std::vector<ScheduledReal> reals) {
    Schedule schedule{.scheduler = scheduler, .flags = flags, .reals = std::move(reals)};
    lay_weights(schedule);
    lay_positions(schedule);
    lay_buckets(schedule);
    return schedule;
}

}  // namespace fulcrum
