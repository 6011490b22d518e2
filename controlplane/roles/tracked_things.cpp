// Looks and calls become verdicts; a verdict that differs from the one before is a change.
#include "controlplane/roles/tracked_things.h"

#include <algorithm>
#include <utility>

namespace fulcrum {
namespace {

std::string in_words(const TrackedThing& thing) {
    if (!thing.port.empty()) {
        return "the link of port \"" + thing.port + "\"";
    }
    if (!thing.route.is_unspecified()) {
        return "the way to " + to_string(thing.route);
    }
    return "the program " + thing.command.front();
}

}  // namespace

struct TrackedThings::Watched {
    Watched(Programs& where, const TrackedThing& asked)
        : thing{asked}, programs{where}, next{where.loop()} {}
    ~Watched() { programs.abandon(run); }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;

    TrackedThing thing;
    bool is_sound = true;      // until the contrary is known
    std::uint32_t streak = 0;  // verdicts in a row that contradict `is_sound`
    std::string sentence;
    Programs& programs;
    Programs::Number run = 0;  // 0: none is at work
    Timer next;
};

TrackedThings::TrackedThings(Programs& programs, Log& log, TrackingSenses senses, std::string group,
                             std::function<void()> on_change)
    : programs_{programs},
      log_{log},
      senses_{std::move(senses)},
      group_{std::move(group)},
      on_change_{std::move(on_change)},
      next_look_{programs.loop()} {
    next_look_.after(Duration{0}, [this] { look(); });
}

TrackedThings::~TrackedThings() = default;

void TrackedThings::follow(const std::vector<TrackedThing>& things) {
    std::vector<std::unique_ptr<Watched>> before = std::exchange(watched_, {});
    for (const TrackedThing& thing : things) {
        const auto known = std::ranges::find_if(before, [&](const std::unique_ptr<Watched>& each) {
            return each != nullptr && each->thing == thing;
        });
        if (known != before.end()) {
            watched_.push_back(std::move(*known));
            continue;
        }
        Watched& fresh = *watched_.emplace_back(std::make_unique<Watched>(programs_, thing));
        if (!thing.command.empty()) {
            fresh.next.after(Duration{0}, [this, &fresh] { call(fresh); });
        }
    }
}

void TrackedThings::look() {
    next_look_.after(look_period, [this] { look(); });
    const bool are_turning = !senses_.are_workers_turning || senses_.are_workers_turning();
    if (are_turning != are_workers_turning_) {
        are_workers_turning_ = are_turning;
        log_.error(LogArea::director,
                   "group \"" + group_ + "\": " +
                       (are_turning ? "all workers turn again"
                                    : "a worker stands still, so another director "
                                      "is to be active"));
        on_change_();
    }
    for (const auto& watched : watched_) {
        const TrackedThing& thing = watched->thing;
        if (!thing.port.empty()) {
            judge(*watched, !senses_.is_link_up || senses_.is_link_up(thing.port), "it is down");
        } else if (!thing.route.is_unspecified()) {
            judge(*watched, !senses_.has_way || senses_.has_way(thing.route),
                  "there is no route, or its next hop does not answer");
        }
    }
}

void TrackedThings::call(Watched& watched) {
    const TrackedThing& thing = watched.thing;
    watched.next.after(thing.interval, [this, &watched] { call(watched); });
    if (watched.run != 0) {
        return;  // it has its own deadline
    }
    watched.run = programs_.start(
        {.words = thing.command, .environment = {}, .input = {}, .timeout = thing.timeout},
        [this, &watched](const ProgramEnd& end) {
            watched.run = 0;
            judge(watched, end.is_success(), "it " + in_words(end));
        });
}

void TrackedThings::judge(Watched& watched, bool is_sound, const std::string& sentence) {
    if (is_sound == watched.is_sound) {
        watched.streak = 0;
        return;
    }
    const bool is_of_program = !watched.thing.command.empty();
    const std::uint32_t needed = !is_of_program ? 1
                                 : is_sound     ? watched.thing.rise
                                                : watched.thing.fall;
    if (++watched.streak < needed) {
        return;
    }
    watched.is_sound = is_sound;
    watched.streak = 0;
    watched.sentence = sentence;
    const std::string subject = "group \"" + group_ + "\": " + in_words(watched.thing);
    is_sound ? log_.notice(LogArea::director, subject + " is back")
             : log_.warning(LogArea::director, subject + " is lost: " + sentence);
    on_change_();
}

bool TrackedThings::is_fit() const {
    return are_workers_turning_ &&
           std::ranges::none_of(watched_, [](const std::unique_ptr<Watched>& each) {
               return !each->is_sound && each->thing.weight == 0;
           });
}

std::uint32_t TrackedThings::penalty() const {
    std::uint32_t penalty = 0;
    for (const auto& each : watched_) {
        penalty += each->is_sound ? 0 : each->thing.weight;
    }
    return penalty;
}

std::vector<std::string> TrackedThings::problems() const {
    std::vector<std::string> problems;
    const std::string label = "group \"" + group_ + "\": ";
    if (!are_workers_turning_) {
        problems.push_back(label + "a worker stands still");
    }
    for (const auto& each : watched_) {
        if (!each->is_sound) {
            problems.push_back(label + in_words(each->thing) + " is lost: " + each->sentence);
        }
    }
    return problems;
}

}  // namespace fulcrum
