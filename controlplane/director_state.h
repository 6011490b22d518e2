// The one owned aggregate of the control plane: configuration, health, drains, indexes, the
// kernel's tables. Everything that may change them is an Event, and every change is a case of
// on_event, so that one function tells what the control plane can do. It decides and remembers; it
// does no I/O, knows no clock and no thread. What the workers are to do follows from it by
// compile_input(). Control thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/model/checks_of.h"
#include "config/model/owner_prefix.h"
#include "config/model/service.h"
#include "config/model/time.h"
#include "controlplane/director_events.h"
#include "controlplane/health/health_judge.h"
#include "controlplane/index_registry.h"
#include "controlplane/local_places.h"
#include "controlplane/path_mtus.h"
#include "controlplane/snapshot_compiler.h"

namespace fulcrum {

// --- what an operator sees -------------------------------------------------------------------

enum class RealState : std::uint8_t {
    up,
    down,     // by its check
    drained,  // by the operator, or by weight 0 in the file
    removed,  // no longer in the file; its sessions live on
    unknown,  // its check has not answered yet
};
std::string_view to_string(RealState state);

// A real's drain by the operator.
struct Drain {
    Instant since;
    std::uint64_t sessions_at_start = 0;
    std::optional<Instant> deadline;
    SessionPolicy then = SessionPolicy::keep;
    bool is_by_file = false;  // in the maintenance folder: it ends with the file
    bool is_overdue = false;  // the deadline has passed, and `then` holds
};

struct RealView {
    std::string_view service;  // the views hold until the next event
    std::string_view name;
    Endpoint endpoint;
    ForwardingMode forward = ForwardingMode::nat;
    ClientAddressBy client_address = ClientAddressBy::none;
    std::uint32_t weight = 0;  // effective: 0 unless the real is up
    std::uint32_t weight_configured = 0;
    RealState state = RealState::unknown;
    std::string_view check;   // the deciding probe's sentence
    Instant since;            // of the state
    std::uint16_t index = 0;  // local to the service, as sessions hold it
    std::uint32_t tally = 0;
    ConnectionLimits connections;
    bool is_fallback = false;
    std::optional<Drain> drain;             // by the operator
    std::uint16_t admitted = admitted_all;  // of a real that starts slowly, see RealPlan
    std::uint16_t path_mtu = 0;  // of the way to a tunnel's real, where a router told of one
};

struct ServiceView {
    const VirtualService* asked = nullptr;
    std::uint32_t id = limits::service_id_none;  // as the workers know it
    std::uint16_t number = 0;                    // by which they count its drops
    std::vector<std::uint16_t> listeners;        // as sessions hold them
    std::vector<RealView> reals;                 // fallback last but for removed ones
    std::uint32_t usable_count = 0;  // of reals on the ring: the fallback does not count
    bool has_quorum = false;         // without it no real is used, however sound
};

class DirectorState {
  public:
    // `tally_count`: how many lines of counters each worker has, which bounds the reals.
    explicit DirectorState(std::uint32_t tally_count = limits::tallies_max)
        : registry_{tally_count} {}

    Outcome on_event(const Event& event, Instant now);

    // All that the compiler needs for the next snapshot, under a new epoch.
    CompileInput compile_input();
    std::uint64_t epoch() const { return epoch_; }  // of the last compile_input

    std::shared_ptr<const Config> config() const { return config_; }
    std::shared_ptr<const KernelTables> kernel() const { return kernel_; }
    const GroupRoles& roles() const { return roles_; }
    std::vector<ServiceView> services() const;
    std::optional<ServiceView> service(std::string_view name) const;
    std::vector<std::uint32_t> leaving_tallies() const;
    // Of a real that is there; for checks that begin, and for the next start.
    Health health_of(std::string_view service, std::string_view real) const;
    HealthNotes health_notes() const;
    // What sessions' numbers mean. recall(): before the first event.
    bool recall(const IndexMemory& memory) { return registry_.recall(memory); }
    IndexMemory index_memory() const { return registry_.remember(); }
    std::uint64_t index_revision() const { return registry_.revision(); }

  private:
    struct RealRecord {
        IndexRegistry::RealPlace place;
        Health health = Health::unknown;
        std::optional<Drain> drain;                   // by the operator
        std::uint32_t ring_weight = 0;                // the last one that was not 0
        std::optional<std::uint32_t> advised_weight;  // by the check
        std::optional<Instant> warm_since;            // it starts slowly
        std::uint16_t admitted = admitted_all;        // see RealPlan
        std::string check;
        Instant since;
    };
    struct ServiceRecord {
        const VirtualService* asked = nullptr;  // in config_
        std::uint32_t id = limits::service_id_none;
        std::uint16_t number = 0;
        std::vector<std::uint16_t> listeners;     // as listen_points() has them
        std::vector<RealRecord> reals;            // as in the file; the fallback last
        std::vector<std::uint32_t> real_by_name;  // positions in `reals`, ascending by name
        bool has_quorum = false;

        bool is_fallback(std::size_t real) const { return real == asked->reals.size(); }
        const RealServer& asked_real(std::size_t real) const {
            return is_fallback(real) ? *asked->fallback : asked->reals[real];
        }
        std::optional<std::size_t> position_of(std::string_view real) const;
        void sort_by_name();
        // Whether the real, if it is sound, takes new sessions here.
        bool is_served_by(std::size_t real) const {
            return asked->enabled && (has_quorum || is_fallback(real));
        }
        bool is_checked(std::size_t real) const {
            return !is_fallback(real) && fulcrum::is_checked(*asked, asked->reals[real]);
        }
    };
    struct RealName {
        const std::string& service;
        const std::string& real;
    };
    struct Found {
        ServiceRecord* service = nullptr;  // null: no such service
        RealRecord* real = nullptr;        // null: no such real
        std::size_t at = 0;                // of the real within the service
    };

    Outcome adopt(const ConfigLoaded& loaded, Instant now);
    Outcome set_health(const HealthChanged& change, Instant now);
    Outcome set_drained(const RealName& name, const std::optional<Drain>& drain, Instant now);
    static Drain drain_of(const DrainAsked& asked, Instant now) {
        Drain drain{.since = now,
                    .sessions_at_start = asked.sessions_live,
                    .then = asked.then,
                    .is_by_file = asked.is_by_file};
        if (asked.deadline) {
            drain.deadline = now + *asked.deadline;
        }
        return drain;
    }
    Outcome set_capture(const CaptureChanged& change) {
        capture_ = change.order;
        return {.needs_snapshot = true};
    }
    Outcome note(const PathMtuHeard& heard, Instant now) {
        return {.needs_snapshot = path_mtus_.note(heard, now)};
    }
    Outcome set_roles(const GroupRoles& roles) {
        const bool is_new = roles != roles_;
        roles_ = roles;
        return {.needs_snapshot = is_new && config_ != nullptr};
    }
    // Of the configuration's group of that index.
    bool is_standby(std::size_t group) const {
        return group != GroupsOfAddresses::none &&
               role_in(roles_, config_->groups[group].name) == GroupRole::standby;
    }
    // The same, and while this director is only leaving it.
    bool is_elsewhere(std::size_t group) const {
        return group != GroupsOfAddresses::none &&
               role_in(roles_, config_->groups[group].name) != GroupRole::active;
    }
    Outcome set_kernel(const std::shared_ptr<const KernelTables>& tables);
    Outcome review(const WorkersSeen& seen, Instant now);
    bool pass_deadlines(Instant now);
    bool warm_up(Instant now);
    static std::optional<QuorumChange> review_quorum(ServiceRecord& service);
    static void note_start(const VirtualService& service, bool was_down, RealRecord& real,
                           Instant now);

    ServiceRecord migrated(const VirtualService& asked, IndexRegistry::ServicePlaces places,
                           Instant now) const;
    RealRecord first_record(const ServiceRecord& service, std::size_t real, Instant now) const;
    static void take_over(const ServiceRecord& before, const ServiceRecord& service, std::size_t at,
                          RealRecord& real);
    void note_removed(Instant now);

    Found find(std::string_view service, std::string_view real);
    static RealState state_of(const RealServer& asked, const RealRecord& real);
    static std::uint32_t weight_of(const RealServer& asked, const RealRecord& real) {
        return real.advised_weight.value_or(asked.weight);
    }
    static RealStanding standing_within(const ServiceRecord& service, std::size_t real);
    static bool keeps_clients(const RealServer& asked, const RealRecord& real);
    static RealStanding standing_of(const VirtualService& service, const RealServer& asked,
                                    const RealRecord& real);

    template <typename Change>
    static Outcome change_real(const Found& found, Instant now, const Change& change);
    RealStanding standing_of_removed(std::string_view service) const;
    static ServicePlan plan_of(const ServiceRecord& service);
    void add_remnants(CompileInput& input) const;
    ServiceView view_of(const ServiceRecord& service,
                        const std::vector<IndexRegistry::RealRemnant>& remnants) const;

    std::shared_ptr<const Config> config_;
    std::shared_ptr<const KernelTables> kernel_ = std::make_shared<KernelTables>();
    OwnerPrefix owner_prefix_;  // of the first configuration
    IndexRegistry registry_;
    std::vector<ServiceRecord> services_;  // as in the file
    std::unordered_map<std::string_view, std::size_t> service_by_name_;
    std::unordered_map<std::uint32_t, Instant> removed_since_;  // by tally
    PathMtus path_mtus_;
    std::shared_ptr<const CaptureOrder> capture_;
    LocalPlaces local_places_;
    GroupRoles roles_;
    HealthMemory memory_;  // of the run before; for the first configuration alone
    std::uint64_t epoch_ = 0;
};

}  // namespace fulcrum
