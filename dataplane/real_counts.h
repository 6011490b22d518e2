// How many sessions each real has, as schedulers and limits count: this worker's own, exact, and
// the other workers', as they stood at most ten milliseconds ago. The others' are summed when
// somebody asks, a bounded number of reals at a time, so that neither a turn nor a miss costs more
// the more workers there are. Two workers may thus both admit the last session of a limit: the
// error is at most what the others admit in ten milliseconds.
//
// Here, too, it is judged which reals are overloaded, by IPVS's rule: from its upper limit on a
// real takes no new sessions, until it has fewer than its lower one. Between the two it depends on
// what was before, so every worker publishes what it has found, and all go by the latest word of
// any, ten milliseconds old at most. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "config/model/schedule.h"
#include "dataplane/counters.h"

namespace fulcrum {

class RealCounts {
  public:
    // `others`: the boards of the other workers.
    RealCounts(CounterBoard& own, std::vector<const CounterBoard*> others);
    static std::size_t size_for(std::size_t tally_count) {
        return tally_count * (sizeof(Sum) + sizeof(OverloadWord));
    }

    std::size_t tally_count() const { return own_.tally_count(); }

    // From now on the others' sums are old. Called every ten milliseconds.
    void renew() { ++round_; }
    // Sums anew, for some of the schedule's reals, what is old; `next` is where the last call
    // stopped, kept by the caller for this schedule.
    struct Progress {
        std::uint32_t round = 0;
        std::uint32_t next = UINT32_MAX;  // beyond all: a round is due
    };
    void look_at(const Schedule& schedule, Progress& progress);

    struct Count {
        std::uint64_t active = 0;
        std::uint64_t total = 0;
    };
    Count of(const ScheduledReal& real) const {
        const RealTally& tally = own_.tally(real.tally);
        Count count{tally.sessions_active.read(), tally.sessions_live.read()};
        if (!of_others_.empty()) {
            count.active += of_others_[real.tally].active;
            count.total += of_others_[real.tally].total;
        }
        return count;
    }

    bool is_overloaded(const ScheduledReal& real) {
        return real.overloaded_from != 0 && judge(real, of(real).total);
    }
    // It has just got a session more.
    void note_opened(const ScheduledReal& real);

  private:
    struct Sum {
        std::uint32_t active = 0;
        std::uint32_t total = 0;
        OverloadWord overload;  // the latest
    };

    bool judge(const ScheduledReal& real, std::uint64_t total);
    void sum_up(std::uint32_t tally);

    CounterBoard& own_;
    std::vector<const CounterBoard*> others_;
    std::vector<Sum> of_others_;  // by tally; empty when there are no others
    std::uint32_t round_ = 1;
};

}  // namespace fulcrum
