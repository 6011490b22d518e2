// Who serves a new session where the ring alone does not decide: a client's affinity first, then
// the service's scheduler, then the fallback. In a flood of unconfirmed sessions the ring decides
// for every scheduler, because then an ACK whose session had to make room still finds its real; so
// it does for packets in the middle of a connection, and for those that get no session for want of
// room. Affinity that somebody has earned holds even then.
//
// What all this remembers is a worker's own: whose turn it is, by service; the locality of lblc;
// the affinity of clients; which reals are overloaded. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "config/model/client_prefix.h"
#include "config/model/snapshot.h"
#include "dataplane/affinity.h"
#include "dataplane/gate.h"
#include "dataplane/locality.h"
#include "dataplane/real_counts.h"
#include "dataplane/scheduler.h"
#include "dataplane/session_layout.h"

namespace fulcrum {

// Says no to a real for one flow alone. Holds on to the callable that it is made of.
class Objection {
  public:
    template <typename IsRefused>
    explicit Objection(const IsRefused& is_refused)
        : is_refused_{&is_refused}, ask_{[](const void* object, std::uint16_t index) {
              return (*static_cast<const IsRefused*>(object))(index);
          }} {}

    bool operator()(std::uint16_t index) const { return ask_(is_refused_, index); }

  private:
    const void* is_refused_;
    bool (*ask_)(const void*, std::uint16_t);
};

// A flow that wants a session.
struct Newcomer {
    std::uint16_t listener = limits::index_none;
    std::uint64_t draw = 0;  // on the ring, by all that the flow is
    ClientPrefix client;     // alone
    FlowTraits traits;
    bool goes_by_ring = false;  // whatever the scheduler; earns its affinity later
    std::uint32_t now_s = 0;
};

struct ChooserWiring {
    CounterBoard* board = nullptr;  // the worker's own
    std::vector<const CounterBoard*> others;
    unsigned worker_id = 0;
    unsigned worker_count = 1;
    std::size_t affinity_record_count = 1'024;
    std::span<std::byte> affinity_memory = {};  // empty: its own
    HashKey key;                                // secret: places records, seeds what is random
    std::uint64_t hz = 1;                       // cycles a second, of tick()
    std::size_t limit_record_count = 1'024;
};

class Chooser {
  public:
    explicit Chooser(const ChooserWiring& wiring);
    // What one needs, but for its affinity table.
    static std::size_t size_for(std::size_t tally_count);

    // For listeners whose service has a schedule. The real's index, or limits::index_none.
    std::uint16_t choose(const Snapshot& snapshot, const Newcomer& newcomer,
                         const Objection& is_refused);

    // The newcomer has its session, at `real`. True: it counts in its client's affinity record.
    bool note_opened(const Snapshot& snapshot, const Newcomer& newcomer, std::uint16_t real);

    // The newcomer, of a service with affinity, went to `real` without a session.
    void note_passed(const Snapshot& snapshot, const Newcomer& newcomer, std::uint16_t real);

    // What a session of a service with affinity has become. Its tag is kept up to date.
    struct Holder {
        SessionTag& tag;
        const SnapshotService& service;
        ClientPrefix client;
        std::uint16_t real;
    };
    void note_state(const Holder& holder, SessionState before, const AffinityRules& rules);
    // It is gone; it ended at `ended_s`.
    void note_gone(const Holder& holder, std::uint32_t ended_s);
    // It is one of an earlier process.
    void note_taken_up(const Holder& holder, const AffinityRules& rules);

    // Until told otherwise: choices are made as ever and leave no trace.
    void rehearse(bool is_rehearsing) {
        is_rehearsing_ = is_rehearsing;
        gate_.rehearse(is_rehearsing);
    }

    // Who may ask at all; to be told the time every turn.
    Gate& gate() { return gate_; }

    // Every ten milliseconds: other workers' counts are old.
    void renew_counts() { counts_.renew(); }

    std::size_t tally_count() const { return counts_.tally_count(); }
    AffinityTable& affinity() { return affinity_; }
    const AffinityTable& affinity() const { return affinity_; }

  private:
    std::uint16_t faithful_real(const Snapshot& snapshot, const SnapshotService& service,
                                const Newcomer& newcomer) const;
    std::uint16_t draw(const Snapshot& snapshot, const SnapshotService& service,
                       const Newcomer& newcomer, const Objection& is_refused);
    std::uint16_t pick_by_rule(const SnapshotService& service, const Newcomer& newcomer,
                               const Objection& is_refused);
    SchedulerState& state_of(const SnapshotService& service);

    unsigned worker_id_;
    unsigned worker_count_;
    RealCounts counts_;
    std::vector<SchedulerState> states_;  // by service number
    Locality locality_;
    AffinityTable affinity_;
    Gate gate_;
    Random random_;
    bool is_rehearsing_ = false;
};

}  // namespace fulcrum
