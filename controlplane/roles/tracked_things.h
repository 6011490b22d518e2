// Whether a director has what a group needs: the links of ports, ways to addresses, what programs
// of the operator's say, and workers that turn. Looked at ten times a second; programs at their own
// interval. The control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/model/role_group.h"
#include "controlplane/event_loop.h"
#include "controlplane/log.h"
#include "controlplane/programs.h"

namespace fulcrum {

// Empty ones: all is well.
struct TrackingSenses {
    std::function<bool(const std::string& port)> is_link_up;
    std::function<bool(const IpAddress& address)> has_way;  // a route, its next hop resolved
    std::function<bool()> are_workers_turning;
};

class TrackedThings {
  public:
    static constexpr Duration look_period = 100ms;

    TrackedThings(Programs& programs, Log& log, TrackingSenses senses, std::string group,
                  std::function<void()> on_change);
    ~TrackedThings();
    TrackedThings(const TrackedThings&) = delete;
    TrackedThings& operator=(const TrackedThings&) = delete;

    // What is tracked already keeps its state.
    void follow(const std::vector<TrackedThing>& things);

    bool is_fit() const;            // nothing is lost that the group cannot be held without
    std::uint32_t penalty() const;  // of the lost ones that have a weight
    std::vector<std::string> problems() const;

  private:
    struct Watched;

    void look();
    void call(Watched& watched);
    void judge(Watched& watched, bool is_sound, const std::string& sentence);

    Programs& programs_;
    Log& log_;
    TrackingSenses senses_;
    std::string group_;
    std::function<void()> on_change_;
    std::vector<std::unique_ptr<Watched>> watched_;
    bool are_workers_turning_ = true;
    Timer next_look_;
};

}  // namespace fulcrum
