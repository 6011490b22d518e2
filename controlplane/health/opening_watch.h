// Looks twice a second at what workers count of connections that begin, and lets checks begin at
// once where none is answered. It takes no real down: the check decides, by its own `rise` and
// `fall`, and is asked at most once a second however many connections fail. The control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "controlplane/event_loop.h"
#include "controlplane/health/health_check.h"
#include "controlplane/health/opening_judge.h"
#include "controlplane/listing.h"

namespace fulcrum {

struct HastenedCheck {
    std::string service;
    std::string real;
    std::string reason;  // "3 of 3 new connections refused"
};

class OpeningWatch {
  public:
    // Told once until the real has answered again.
    using OnHastened = std::function<void(const HastenedCheck& check)>;

    OpeningWatch(EventLoop& loop, Boards boards, HealthCheck& health, OnHastened on_hastened);

    // From now on these reals, as far as their checks are passive.
    void follow(const Listing& listing);

  private:
    struct Watched {
        std::uint32_t tally = 0;
        std::string service;
        std::string real;
        OpeningJudge judge;
    };

    OpeningCounts counts_of(std::uint32_t tally) const;
    void look();
    void hasten(Watched& watched, const FailedOpenings& failed, const OpeningCounts& counts);

    EventLoop& loop_;
    Boards boards_;
    HealthCheck& health_;
    OnHastened on_hastened_;
    std::vector<Watched> watched_;  // ascending by tally
    Timer timer_;
};

}  // namespace fulcrum
