// Reals that an operator has drained are drained at both directors: whoever is asked tells the
// other one. What both know is remembered, so that nothing is told back; a director that has just
// started is told of all. Of a real that only one of them has nothing is said. Pure but for its
// doors; one thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/peer/peer_channel.h"
#include "controlplane/peer/replica_wire.h"

namespace fulcrum {

class DrainSync {
  public:
    struct Real {
        std::string service;
        std::string name;
        bool is_drained = false;
        std::uint32_t deadline_s = 0;  // until then; 0: there is none
        SessionPolicy then = SessionPolicy::keep;
    };
    struct Doors {
        std::function<std::vector<Real>()> reals;  // all that there are
        // One of them; none: it is not there.
        std::function<std::optional<Real>(const std::string& service, const std::string& real)>
            find;
        std::function<void(const PeerDrain&)> set_drain;  // drains, or ends that
    };

    DrainSync(PeerChannel& channel, Doors doors) : channel_{channel}, doors_{std::move(doors)} {}

    // The peer has just started, or we have.
    void meet() { known_.clear(); }
    // Something may have changed here. To be called while the channel is up.
    bool look();  // false: there is no room for all of it, look again later
    void hear(const PeerDrain& drain);

  private:
    using Name = std::pair<std::string, std::string>;  // service, real

    PeerChannel& channel_;
    Doors doors_;
    std::map<Name, bool> known_;  // to both: whether it is drained; not there: it is not
};

}  // namespace fulcrum
