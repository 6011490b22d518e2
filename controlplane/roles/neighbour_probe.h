// Asks neighbours again and again whether they are there, by ARP and neighbour discovery alone, so
// that a host counts that answers nothing else, and no cache of the kernel's stands between. The
// control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "config/model/address.h"
#include "config/model/result.h"
#include "controlplane/event_loop.h"
#include "controlplane/kernel/file_descriptor.h"
#include "controlplane/roles/announcer.h"

namespace fulcrum {

class NeighbourProbe {
  public:
    static constexpr Duration period = 100ms;

    struct Answer {
        Instant at{};
        MacAddress mac;
    };

    // A socket at each link's twin, by port index. `on_round` is called once a round, before the
    // questions.
    static Result<std::unique_ptr<NeighbourProbe>> open(EventLoop& loop,
                                                        const std::vector<Announcer::Link>& links,
                                                        std::function<void()> on_round);

    // Who is asked from now on; what was heard of others is forgotten.
    void follow(std::vector<Announcer::Place> neighbours);
    // The latest one of another than ourselves; nothing: none since it is asked.
    std::optional<Answer> answer_of(const IpAddress& address) const;

  private:
    struct Listener {
        MacAddress mac;
        FileDescriptor socket;
        std::unique_ptr<DescriptorWatch> watch;  // last: goes before the socket is closed
    };

    explicit NeighbourProbe(EventLoop& loop) : loop_{loop}, timer_{loop} {}

    void ask();
    void listen(Listener& listener);

    EventLoop& loop_;
    std::function<void()> on_round_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::vector<Announcer::Place> neighbours_;
    std::map<IpAddress, std::optional<Answer>> answers_;  // of those who are asked
    Timer timer_;
};

}  // namespace fulcrum
