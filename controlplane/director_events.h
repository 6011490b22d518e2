// Everything that may happen to the director's state, and what comes of it. Plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/model/service.h"
#include "config/model/time.h"
#include "controlplane/config_diff.h"
#include "controlplane/health/health_memory.h"
#include "controlplane/path_mtus.h"
#include "controlplane/roles/role.h"
#include "controlplane/snapshot_compiler.h"

namespace fulcrum {

struct ConfigLoaded {  // valid by itself: loaded and validated
    std::shared_ptr<const Config> config;
    std::shared_ptr<const KnownDiff> diff;  // null, or of what no longer runs: it is made anew
};
struct HealthChanged {  // a check has given its first verdict on a real, or another than before
    std::string service;
    std::string real;
    bool is_up = false;
    std::string sentence;                 // of the probe that decided
    std::optional<std::uint32_t> weight;  // that the check advises, in place of the configured one
};
struct DrainAsked {
    std::string service;
    std::string real;
    std::uint64_t sessions_live = 0;   // at that moment
    std::optional<Duration> deadline;  // after which its sessions meet what `then` says
    SessionPolicy then = SessionPolicy::keep;
    bool is_by_file = false;  // in the maintenance folder
};
struct UndrainAsked {
    std::string service;
    std::string real;
};
struct HealthRemembered {  // before the first configuration: what reals were when we last ran
    HealthMemory memory;
};
struct KernelChanged {
    std::shared_ptr<const KernelTables> tables;
};
struct CaptureChanged {
    std::shared_ptr<const CaptureOrder> order;  // null: it has ended
};
struct RolesChanged {  // this director has become active in a group, or is so no longer
    GroupRoles roles;  // of all groups
};
struct WorkersSeen {  // a second has passed; read from the workers' counters, about once a second
    std::uint64_t epoch_seen = 0;             // the least of all workers
    std::uint64_t epoch_swept = 0;            // the least of all workers
    std::vector<std::uint32_t> idle_tallies;  // of leaving_tallies(): no live session in any worker
};
using Event = std::variant<ConfigLoaded, HealthChanged, HealthRemembered, DrainAsked, UndrainAsked,
                           KernelChanged, PathMtuHeard, CaptureChanged, RolesChanged, WorkersSeen>;

struct Refusal {
    std::string_view code;               // "unknown_service", "unknown_real", "restart_needed",
                                         // "indexes_exhausted"
    std::vector<std::string> sentences;  // at least one
};

// A service has come up, or has gone down, by the weights of its sound reals.
struct QuorumChange {
    std::string service;
    bool is_reached = false;
    std::uint64_t weight = 0;  // of the sound reals together
    bool has_fallback = false;
};

struct Outcome {
    std::optional<Refusal> refusal;    // set: nothing has changed
    bool needs_snapshot = false;       // the workers are to hear of it
    std::vector<std::string> changes;  // ConfigLoaded: what the new configuration changes
    std::vector<QuorumChange> quorums;
};

}  // namespace fulcrum
