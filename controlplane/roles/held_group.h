// What Roles knows of one group; a part of roles.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "controlplane/roles/fencing.h"
#include "controlplane/roles/roles.h"

namespace fulcrum {

inline bool has_fence(const Fence& fence) {
    return fence.style == FenceStyle::fence_agent || fence.style == FenceStyle::external;
}

inline VrrpSettings settings_of(const RoleGroup& asked, std::vector<IpAddress> sources) {
    return {.version = asked.version,
            .priority = asked.priority,
            .advert = asked.advert,
            .preempt = asked.preempt,
            .preempt_delay = asked.preempt_delay,
            .needs_permission = has_fence(asked.fence) || !asked.witness.is_unspecified(),
            .sources = std::move(sources)};
}

struct Roles::Group {
    Group(Programs& programs, Log& log, const RoleGroup& asked_for)
        : asked{asked_for},
          router{settings_of(asked, std::vector<IpAddress>(asked.paths.size()))},
          next{programs.loop()},
          departure{programs.loop()},
          fencing{programs, log, asked.name} {}

    RoleGroup asked;
    VrrpRouter router;
    std::vector<std::unique_ptr<AdvertSocket>> paths;
    std::vector<bool> is_lost;  // by path
    std::vector<IpAddress> named4;
    std::vector<IpAddress> named6;
    std::vector<Announcer::Place> places;
    VrrpState told = VrrpState::stopped;  // to log, mail and hook
    GroupRole role = GroupRole::standby;
    bool is_awaited = false;  // while we leave: another is to take it
    bool is_held = false;     // workers know, and twins may have the addresses
    Instant contested_at{};
    Timer next;
    Timer departure;

    // What it takes to be active; see role_permission.cpp.
    std::unique_ptr<TrackedThings> tracker;
    Fencing fencing;
    bool is_asking = false;
    Instant asked_at{};
    bool is_peer_dead = false;  // while it asks: fenced, or there is no fence
    std::size_t witness_port = 0;
    Instant witness_since{};              // it is this one
    std::vector<std::size_t> path_ports;  // by path
    std::vector<Announcer::Place> peers;  // one a port and IP version, as far as they are known

    RoleCounters counters;
};

}  // namespace fulcrum
