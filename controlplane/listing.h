// What there is to be listed: services and reals by name, with the lines of counters that belong to
// them. An immutable value, made by the control thread after every change of the director's state
// and handed to whoever lists: the metrics server's thread, the helper that renders long replies.
// Counters themselves are read where they stand, in the workers' boards, when somebody asks.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/service.h"
#include "config/model/time.h"
#include "controlplane/director_state.h"
#include "controlplane/health/health_check.h"
#include "dataplane/counters.h"

namespace fulcrum {

using Boards = std::vector<const CounterBoard*>;  // one a worker; fixed for the life of the process

// One tally summed over all workers.
struct TallyTotals {
    std::uint64_t in_packets = 0;
    std::uint64_t in_bytes = 0;
    std::uint64_t out_packets = 0;
    std::uint64_t out_bytes = 0;
    std::uint64_t sessions_opened = 0;
    std::uint64_t sessions_live = 0;    // a gauge
    std::uint64_t sessions_active = 0;  // a gauge: as schedulers count

    TallyTotals& operator+=(const TallyTotals& other);
    // What has been counted since `base` was read; the gauge is left as it is.
    TallyTotals since(const TallyTotals& base) const;

    friend bool operator==(const TallyTotals&, const TallyTotals&) = default;
};
TallyTotals read_tally(const Boards& boards, std::uint32_t tally);

// One service's drops by reason, summed over all workers.
using DropTotals = std::array<std::uint64_t, drop_reason_count>;
DropTotals read_drops(const Boards& boards, std::uint16_t service);
// SYNs that have been answered for it, likewise.
std::uint64_t read_cookies(const Boards& boards, std::uint16_t service);

struct ListedReal {
    std::string name;
    Endpoint endpoint;
    ForwardingMode forward = ForwardingMode::nat;
    ClientAddressBy client_address = ClientAddressBy::none;
    std::uint16_t path_mtu = 0;  // 0: nobody has told of one
    std::uint32_t weight = 0;    // effective
    std::uint32_t weight_configured = 0;
    RealState state = RealState::unknown;
    bool is_sound = false;  // its check says up, or it has none; drained or not
    Instant since{};
    std::string check;  // the sentence that decided the state
    ConnectionLimits connections;
    bool is_fallback = false;
    std::optional<Drain> drain;  // by the operator
    double admitted = 1;         // the part of its share that it gets while it starts slowly
    std::uint16_t index = 0;     // as sessions name it
    std::uint32_t tally = 0;
    TallyTotals base;                          // what the tally showed when it became this real's
    TallyTotals zeroed;                        // what it had counted when an operator zeroed it
    std::shared_ptr<const CheckTally> checks;  // null: not checked

    TallyTotals totals(const Boards& boards) const;  // since it began
    TallyTotals shown(const Boards& boards) const { return totals(boards).since(zeroed); }
    std::string check_sentence() const;  // of the latest probe
};

struct ListedService {
    std::string name;
    std::vector<Listener> listeners;  // as in the file; at least one
    Scheduler scheduler = Scheduler::maglev;
    SchedulerFlags scheduler_flags;
    std::optional<Affinity> affinity;
    std::uint64_t allow_count = 0;  // prefixes, those of files too
    std::uint64_t deny_count = 0;
    RateLimits limits;
    std::uint32_t id = limits::service_id_none;   // as the workers know it
    std::vector<std::uint16_t> listener_indexes;  // as sessions name them
    std::uint32_t usable_count = 0;
    std::uint32_t quorum = 1;
    std::uint32_t hysteresis = 0;
    bool has_quorum = false;
    bool is_enabled = true;
    bool is_quiescent = true;  // reals that are down are shown, with weight 0
    std::vector<ListedReal> reals;
    TallyTotals retired;  // of reals that are no more: a service's totals never fall
    TallyTotals zeroed;   // what it had counted when an operator zeroed it
    SynCookies syn_cookies = SynCookies::automatic;
    std::uint16_t number = 0;     // by which workers count its drops
    DropTotals drops_at_start{};  // what that line showed when it became this service's
    DropTotals drops_zeroed{};
    std::uint64_t cookies_at_start = 0;  // likewise

    const ListedReal* find(std::string_view real) const;  // null: there is none
    TallyTotals totals(const Boards& boards) const;       // since it began
    TallyTotals shown(const Boards& boards) const { return totals(boards).since(zeroed); }
    DropTotals drops(const Boards& boards) const;
    DropTotals shown_drops(const Boards& boards) const;
    std::uint64_t cookies_sent(const Boards& boards) const {
        return read_cookies(boards, number) - cookies_at_start;
    }
};

// Whether replies of any real pass through us: under direct routing alone nothing is known of them.
bool sees_replies(const ListedService& service);

struct Listing {
    std::uint64_t epoch = 0;
    std::vector<ListedService> services;

    const ListedService* find(std::string_view service) const;  // null: there is none
};

// Remembers whose a tally is, so that a line of counters that is given out again starts from zero
// for its new real, and what the old one counted stays with its service. The control thread.
class TallyBook {
  public:
    explicit TallyBook(Boards boards) : boards_{std::move(boards)} {}

    // Fills in `base`, `retired`, `zeroed` and what drops began with, of what is listed now.
    void keep(Listing& listing);
    // From now on what an operator sees of these begins at zero; totals go on. Of a listing that
    // was kept. `real`: empty for the service with all its reals.
    void zero(const ListedService& service, std::string_view real);

  private:
    struct Owner {
        std::string service;
        std::string real;
        Endpoint endpoint;
        ForwardingMode forward = ForwardingMode::nat;

        friend bool operator==(const Owner&, const Owner&) = default;
    };
    struct Line {
        Owner owner;
        TallyTotals base;
        TallyTotals zeroed;
        bool is_listed = false;
    };

    struct DropLine {
        std::uint32_t service_id = limits::service_id_none;
        DropTotals at_start{};
        DropTotals zeroed{};
        std::uint64_t cookies_at_start = 0;
    };

    void keep_drops(Listing& listing);
    const Line& line_of(const Owner& owner, std::uint32_t tally);
    void retire(std::uint32_t tally, const Line& line);

    Boards boards_;
    std::map<std::uint32_t, Line> lines_;           // by tally
    std::map<std::string, TallyTotals> retired_;    // by service
    std::map<std::string, TallyTotals> zeroed_;     // by service
    std::map<std::uint16_t, DropLine> drop_lines_;  // by service number
};

// `health` may be null.
Listing list(const DirectorState& state, const HealthCheck* health);

}  // namespace fulcrum
