// The rules by which IPVS chooses a real for a new session, over the reals of a service in the
// order of the file. Each looks at weights, at counts, at the flow's addresses, or at nothing but
// whose turn it is. `active` are sessions as is_active() says, `total` all of them, and
// load = 256 active + total; the first of equals wins.
//
//   rr     the next one in turn                    sed    least (active + 1) / weight
//   wrr    in turn, as often as its weight says    nq     the first without active ones, else sed
//   lc     least load                              fo     the greatest weight
//   wlc    least load / weight                     ovf    the same with active <= weight
//   twos   of two at random by weight, wlc's       dh sh  by a bucket of the destination's, the
//   lblc lblcr  see locality.h                            source's hash
//   mh     the ring, with the source's hash: see chooser.h
//
// A real without weight, overloaded, or refused to this very flow is nobody's choice; what the
// hashing ones do then is their flags' matter. Pure but for the state that is handed in.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "config/model/schedule.h"
#include "dataplane/real_counts.h"

namespace fulcrum {

// What the hashing schedulers see of a flow. An IPv6 address is its four words, XORed.
struct FlowTraits {
    std::uint32_t source = 0;  // as a number
    std::uint32_t destination = 0;
    std::uint16_t source_port = 0;
};

// What one worker remembers of one service.
struct SchedulerState {
    std::uint32_t turn = 0;   // rr, wrr: the position to begin at
    std::uint32_t level = 0;  // wrr: the weight that it takes at present; 0: not begun
    bool has_begun = false;
    RealCounts::Progress counted;
};

// Numbers without a pattern (splitmix64, Steele and others 2014); one thread.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_{seed} {}

    std::uint64_t next();
    std::uint64_t below(std::uint64_t bound);

  private:
    std::uint64_t state_;
};

inline constexpr std::size_t no_position = SIZE_MAX;

// The reals that one flow may be given.
class Candidates {
  public:
    Candidates(const Schedule& schedule, RealCounts& counts)
        : schedule_{schedule}, counts_{counts} {}

    // Not this one: it refuses the flow.
    void exclude(std::size_t position) { excluded_[excluded_count_++] = position; }
    bool may_exclude_more() const { return excluded_count_ < excluded_.size(); }

    bool has(std::size_t position) const {
        const ScheduledReal& real = schedule_.reals[position];
        return real.weight > 0 && !counts_.is_overloaded(real) && !is_excluded(position);
    }
    RealCounts::Count count_of(std::size_t position) const {
        return counts_.of(schedule_.reals[position]);
    }
    std::uint64_t load_of(std::size_t position) const {
        const RealCounts::Count count = count_of(position);
        return 256 * count.active + count.total;
    }
    std::uint32_t weight_of(std::size_t position) const { return schedule_.reals[position].weight; }
    std::size_t size() const { return schedule_.reals.size(); }
    const Schedule& schedule() const { return schedule_; }

  private:
    bool is_excluded(std::size_t position) const;

    const Schedule& schedule_;
    RealCounts& counts_;
    std::array<std::size_t, limits::scheduler_refusals_max> excluded_{};
    std::size_t excluded_count_ = 0;
};

// Where a worker begins, so that workers do not all begin with the same real.
SchedulerState first_state(const Schedule& schedule, unsigned worker_id, unsigned worker_count);

// The position of the choice, or no_position. For all but maglev, mh, lblc and lblcr.
std::size_t pick(const Candidates& candidates, const FlowTraits& flow, SchedulerState& state,
                 Random& random);

// wlc's choice among all: what lblc and lblcr fall back on.
std::size_t least_loaded(const Candidates& candidates);

// IPVS's hash of a number to eight bits.
std::uint8_t bucket_hash(std::uint32_t number);

}  // namespace fulcrum
