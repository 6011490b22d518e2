// How the operator wants new sessions placed on the reals of a service: by which rule, with which
// faithfulness to clients, and up to which number. Plain values. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fulcrum {

// How a real is chosen for a new session: by our ring, or by one of IPVS's rules (see
// dataplane/scheduler.h).
enum class Scheduler : std::uint8_t {
    maglev,
    rr,
    wrr,
    lc,
    wlc,
    sed,
    nq,
    dh,
    sh,
    mh,
    lblc,
    lblcr,
    fo,
    ovf,
    twos,
};
inline constexpr std::size_t scheduler_count = 15;

// What sh and mh can be told.
struct SchedulerFlags {
    bool fallback = false;  // the real that the hash names takes no new sessions: another one
    bool port = false;      // the client's port counts too

    friend bool operator==(SchedulerFlags, SchedulerFlags) = default;
};

// What becomes of a client's affinity when its real is drained.
enum class OnDrain : std::uint8_t {
    keep,  // its new sessions still go there
    move,  // its next session goes elsewhere, and so do those after it
};

// New sessions of a client, or of a network of clients, go where its last one went.
struct Affinity {
    std::uint32_t timeout_s = 300;  // from the end of its last session
    std::uint8_t prefix = 32;       // IPv4 clients alike in so many leading bits count as one
    std::uint8_t prefix6 = 64;      // the same of IPv6 clients
    OnDrain on_drain = OnDrain::keep;

    friend bool operator==(const Affinity&, const Affinity&) = default;
};

// A real with `upper` sessions gets no new ones until it has fewer than `lower`; without `lower`,
// fewer than three quarters of `upper`.
struct ConnectionLimits {
    std::uint32_t upper = 0;  // 0: no limit
    std::uint32_t lower = 0;

    friend bool operator==(ConnectionLimits, ConnectionLimits) = default;
};

std::string_view to_string(Scheduler scheduler);
std::string_view to_string(OnDrain on_drain);

}  // namespace fulcrum
