// Tells links where addresses are now: a burst of five, and again after 1 s, 5 s and 10 s, because
// one that is lost would leave the address dark for as long as others remember where it was. Paced:
// a thousand addresses at once would overrun what switches take in software. The control thread.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/model/address.h"
#include "config/model/result.h"
#include "controlplane/event_loop.h"
#include "controlplane/kernel/file_descriptor.h"
#include "dataplane/counters.h"

namespace fulcrum {

class Announcer {
  public:
    struct Link {
        std::string name;  // of the port and its twin
        MacAddress mac;
    };
    struct Place {
        IpAddress address;
        std::size_t port = 0;
    };

    static constexpr int burst_length = 5;
    static constexpr Duration burst_step = 50ms;

    // A packet socket at each link's twin, by port index.
    static Result<std::unique_ptr<Announcer>> open(EventLoop& loop, const std::vector<Link>& links);

    // All of them, in the place of what was going on for the group.
    void announce(const std::string& group, std::vector<Place> places);
    // They are another's now.
    void fall_silent(const std::string& group);

    const SingleWriterCounter& sent_count() const { return sent_; }

  private:
    struct Port {
        Link link;
        FileDescriptor socket;
    };
    // What is still to be said of one group.
    struct Campaign {
        std::vector<Place> places;
        std::deque<Instant> rounds;  // when each begins
        std::size_t next = 0;        // of the places, in the round that has begun
    };

    explicit Announcer(EventLoop& loop) : loop_{loop}, timer_{loop} {}

    void go_on();
    std::size_t say_some(Campaign& campaign, std::size_t most);
    void say(const Place& place);

    EventLoop& loop_;
    std::vector<Port> ports_;
    std::map<std::string, Campaign> campaigns_;
    Timer timer_;
    SingleWriterCounter sent_;
};

}  // namespace fulcrum
