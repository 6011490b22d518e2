// Plays scripts against the schedulers and prints whom they choose, for a twin to compare. On
// standard input, any number of scenarios, one word or number after the other:
//
//   scenario SCHEDULER FALLBACK PORT SEED COUNT
//     { WEIGHT LASTING_WEIGHT UPPER LOWER }    COUNT times; UPPER 0: unlimited
//   open SOURCE DESTINATION SOURCE_PORT SECOND  prints a position, or -1; the session is active
//   close POSITION    an active session there is active no more
//   gone POSITION     one that is not active is gone
//   weigh POSITION WEIGHT
//   end
#include <iostream>
#include <memory>
#include <string>

#include "dataplane/locality.h"
#include "dataplane/scheduler.h"

namespace fulcrum {
namespace {

Scheduler scheduler_named(const std::string& name) {
    for (std::size_t i = 0; i < scheduler_count; ++i) {
        if (to_string(static_cast<Scheduler>(i)) == name) {
            return static_cast<Scheduler>(i);
        }
    }
    return Scheduler::maglev;
}

class Script {
  public:
    Script() {
        std::string scheduler;
        std::uint64_t seed = 0;
        std::size_t count = 0;
        std::cin >> scheduler >> flags_.fallback >> flags_.port >> seed >> count;
        scheduler_ = scheduler_named(scheduler);
        random_ = Random{seed};
        for (std::size_t i = 0; i < count; ++i) {
            ScheduledReal real;
            ConnectionLimits connections;
            std::cin >> real.weight >> real.lasting_weight >> connections.upper >>
                connections.lower;
            real.overloaded_from = connections.upper;
            real.relieved_below = relieved_below(connections);
            real.index = static_cast<std::uint16_t>(i);
            real.tally = static_cast<std::uint32_t>(i);
            reals_.push_back(real);
        }
        lay();
    }

    void play() {
        for (std::string word; std::cin >> word && word != "end";) {
            if (word == "open") {
                open();
                continue;
            }
            std::size_t position = 0;
            std::cin >> position;
            RealTally& tally = board_.tally(static_cast<std::uint32_t>(position));
            if (word == "close") {
                tally.sessions_active.subtract(1);
            } else if (word == "gone") {
                tally.sessions_live.subtract(1);
            } else {
                weigh(reals_[position]);
            }
        }
    }

  private:
    void lay() { schedule_ = make_schedule(scheduler_, flags_, reals_); }

    void weigh(ScheduledReal& real) {
        std::cin >> real.weight;
        real.lasting_weight = real.weight > 0 ? real.weight : real.lasting_weight;
        lay();
    }

    void open() {
        FlowTraits flow;
        std::uint32_t now_s = 0;
        std::cin >> flow.source >> flow.destination >> flow.source_port >> now_s;
        if (!state_.has_begun) {
            state_ = first_state(schedule_, 0, 1);
        }
        const Candidates candidates{schedule_, counts_};
        const bool is_local = scheduler_ == Scheduler::lblc || scheduler_ == Scheduler::lblcr;
        const std::size_t position =
            is_local
                ? locality_->pick(candidates, {(std::uint64_t{1} << 63) | flow.destination, now_s})
                : pick(candidates, flow, state_, random_);
        if (position == no_position) {
            std::cout << "-1\n";
            return;
        }
        RealTally& tally = board_.tally(static_cast<std::uint32_t>(position));
        tally.sessions_active.add(1);
        tally.sessions_live.add(1);
        counts_.note_opened(schedule_.reals[position]);
        std::cout << position << '\n';
    }

    Scheduler scheduler_ = Scheduler::maglev;
    SchedulerFlags flags_;
    std::vector<ScheduledReal> reals_;
    Schedule schedule_;
    CounterBoard board_{256};
    RealCounts counts_{board_, {}};
    SchedulerState state_;
    Random random_{0};
    std::unique_ptr<Locality> locality_ = std::make_unique<Locality>();
};

}  // namespace
}  // namespace fulcrum

int main() {
    std::ios::sync_with_stdio(false);
    for (std::string word; std::cin >> word && word == "scenario";) {
        fulcrum::Script{}.play();
    }
    return 0;
}
