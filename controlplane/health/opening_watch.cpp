// One pass over the counters in the order in which they lie.
#include "controlplane/health/opening_watch.h"

#include <algorithm>
#include <utility>

namespace fulcrum {
namespace {

std::string sentence_of(const FailedOpenings& failed) {
    const std::string count = std::to_string(failed.count);
    return count + " of " + count + " new connections " +
           (failed.refused == 0              ? "unanswered"
            : failed.refused == failed.count ? "refused"
                                             : "refused or unanswered");
}

}  // namespace

OpeningWatch::OpeningWatch(EventLoop& loop, Boards boards, HealthCheck& health,
                           OnHastened on_hastened)
    : loop_{loop},
      boards_{std::move(boards)},
      health_{health},
      on_hastened_{std::move(on_hastened)},
      timer_{loop} {}

void OpeningWatch::follow(const Listing& listing) {
    std::vector<Watched> fresh;
    for (const ListedService& service : listing.services) {
        for (const ListedReal& real : service.reals) {
            if (real.checks == nullptr || !health_.is_passive(service.name, real.name)) {
                continue;
            }
            const auto old = std::ranges::lower_bound(watched_, real.tally, {}, &Watched::tally);
            const bool is_known = old != watched_.end() && old->tally == real.tally &&
                                  old->service == service.name && old->real == real.name;
            fresh.push_back(
                {real.tally, service.name, real.name,
                 is_known ? old->judge : OpeningJudge{counts_of(real.tally), loop_.now()}});
        }
    }
    std::ranges::sort(fresh, {}, &Watched::tally);
    watched_ = std::move(fresh);
    if (watched_.empty()) {
        timer_.cancel();
    } else if (!timer_.is_set()) {
        timer_.after(opening_look_period, [this] { look(); });
    }
}

OpeningCounts OpeningWatch::counts_of(std::uint32_t tally) const {
    OpeningCounts counts;
    for (const CounterBoard* board : boards_) {
        const OpeningTally& line = board->opening(tally);
        counts.asked += line.asked.read();
        counts.answered += line.answered.read();
        counts.refused += line.refused.read();
    }
    return counts;
}

void OpeningWatch::look() {
    timer_.after(opening_look_period, [this] { look(); });
    for (Watched& watched : watched_) {
        const OpeningCounts counts = counts_of(watched.tally);
        if (const auto failed = watched.judge.look(counts, loop_.now())) {
            hasten(watched, *failed, counts);
        }
    }
}

void OpeningWatch::hasten(Watched& watched, const FailedOpenings& failed,
                          const OpeningCounts& counts) {
    if (!health_.hasten(watched.service, watched.real)) {
        return;
    }
    watched.judge.settle(counts, loop_.now());
    if (failed.is_news) {
        on_hastened_({watched.service, watched.real, sentence_of(failed)});
    }
}

}  // namespace fulcrum
