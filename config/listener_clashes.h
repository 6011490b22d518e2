// Who listens where: two services must not claim the same ports of a VIP. One port beats a range
// and a range beats all ports, so only equals clash: the same port twice, ranges that meet, all
// ports twice. Pure; used by `validate`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "config/model/service.h"

namespace fulcrum {

class ListenerClashes {
  public:
    struct Claim {
        const VirtualService* service = nullptr;
        SourcePlace place;
        ListenPoint point;  // the first address that two claim
    };

    // The claim that was there before and is met by this one, if any. `listener` is kept either
    // way.
    std::optional<Claim> add(const VirtualService& service, const Listener& listener);

  private:
    struct Address {
        std::map<std::uint16_t, Claim> ports;   // by port
        std::map<std::uint16_t, Claim> ranges;  // by first port; they lie apart
        std::optional<Claim> any;
    };

    static const Claim* met_by(const Address& address, PortRange ports);

    std::map<std::pair<IpAddress, L4Protocol>, Address> addresses_;  // by VIP and protocol
};

}  // namespace fulcrum
