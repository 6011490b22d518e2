// What routers on the ways to tunnels' reals have said of their MTU. Ways change, and routers speak
// only when something is too long: after ten minutes a way is tried again (RFC 1191, 6.3). Pure;
// owned by the director's state.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>

#include "config/model/address.h"
#include "config/model/service.h"
#include "config/model/time.h"

namespace fulcrum {

struct PathMtuHeard {  // a router says that the way to a tunnel's real carries no more
    IpAddress real;
    std::uint16_t mtu = 0;
};

class PathMtus {
  public:
    // True when it is news.
    bool note(const PathMtuHeard& said, Instant now) {
        Heard& known = heard_[said.real];
        const bool is_news = known.mtu != said.mtu;
        known = {said.mtu, now + std::chrono::minutes{10}};
        return is_news;
    }
    // True when any was forgotten.
    bool forget_old(Instant now) {
        return std::erase_if(heard_, [&](const auto& one) { return one.second.until <= now; }) > 0;
    }
    // 0: nothing was said, or the real has no tunnel.
    std::uint16_t of(const RealServer& real) const {
        const auto known = heard_.find(real.endpoint.address);
        const bool is_known = is_tunnel(real.forward) && known != heard_.end();
        return is_known ? known->second.mtu : std::uint16_t{0};
    }
    std::map<IpAddress, std::uint16_t> all() const {
        std::map<IpAddress, std::uint16_t> mtus;
        for (const auto& [real, known] : heard_) {
            mtus.emplace(real, known.mtu);
        }
        return mtus;
    }

  private:
    struct Heard {
        std::uint16_t mtu = 0;
        Instant until;
    };
    std::map<IpAddress, Heard> heard_;
};

}  // namespace fulcrum
