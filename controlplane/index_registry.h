// Who is meant by the numbers that a session holds. A listener is a VIP, its ports and a protocol
// as served by one service; a real's index is local to its service; a tally is its line of
// counters. The registry gives the numbers out, keeps them as long as the thing is asked for under
// the same key, and gives a number out again only when no session can name it any more:
//
//     present ──removed from the file──► leaving ──no session lives──► gone ──every worker has──►
//     free
//                                        (drains)                     (a hole)  swept without it
//
// A removed service goes to `gone` at once, listener and reals; so does a listener whose service
// has taken another VIP. What comes back under its key before it is free takes up its old number. A
// service under a new name on the VIP and port of one that is no more is that service renamed.
// Pure; owned by the director's state, on the control thread.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "config/model/address.h"
#include "config/model/limits.h"
#include "config/model/result.h"
#include "config/model/service.h"

namespace fulcrum {

// Numbers from 0 up to a limit, the lowest free one first, so that arrays stay dense.
class IndexPool {
  public:
    explicit IndexPool(std::uint32_t limit) : limit_{limit} {}

    std::uint32_t take();                 // only while free_count() is not zero
    void take_this(std::uint32_t index);  // only one below the limit that nobody has
    void give_back(std::uint32_t index) { returned_.insert(index); }
    std::size_t free_count() const { return limit_ - next_ + returned_.size(); }

  private:
    std::uint32_t limit_;
    std::uint32_t next_ = 0;
    std::set<std::uint32_t> returned_;
};

struct RealPlace {
    std::uint16_t index = 0;  // local to the service
    std::uint32_t tally = 0;  // of all services
};

// All numbers that are given out, with what they stand for, as they are kept for a next process.
struct IndexMemory {
    struct Real {
        std::string name;
        Endpoint endpoint;
        ForwardingMode mode = ForwardingMode::nat;
        TunnelOptions tunnel;
        RealPlace place;
        bool is_gone = false;  // else it is there, or drains
    };
    struct Listener {
        ListenPoint point;
        std::uint16_t index = 0;
        bool is_gone = false;
    };
    struct Service {
        std::string name;
        std::uint16_t number = 0;
        std::vector<Listener> listeners;
        std::vector<Real> reals;
    };
    std::vector<Service> services;
};

class IndexRegistry {
  public:
    using RealPlace = fulcrum::RealPlace;

    // `tally_count`: how many lines of counters each worker has.
    explicit IndexRegistry(std::uint32_t tally_count = limits::tallies_max)
        : tallies_{tally_count} {}

    // Before the first adoption, which then finds what it asks for under the old numbers, and lets
    // the rest leave. Consistent, see read_index_memory(); false: there are more reals than
    // counters, and nothing is recalled.
    bool recall(const IndexMemory& memory);
    IndexMemory remember() const;
    std::uint64_t revision() const { return revision_; }  // grows with every change of the numbers

    struct ServicePlaces {
        std::string formerly;      // the name it had before this adoption; empty: it is new
        std::uint32_t id = 0;      // of the service for as long as it lives, also under a new name
        std::uint16_t number = 0;  // the same, below limits::service_numbers_max
        std::vector<std::uint16_t> listeners;  // as listen_points() has them
        std::vector<RealPlace> reals;          // as in the file; the fallback, if any, comes last
    };

    // Places for all that `config` asks for, in its order. What it no longer names begins to leave;
    // `epoch` is that of the first snapshot to be compiled from it. Refused whole, with nothing
    // changed, when the free numbers do not suffice.
    Result<std::vector<ServicePlaces>> adopt(const Config& config, std::uint64_t epoch);

    // `idle_tallies`: of the leaving reals, those without a live session in any worker, when every
    // worker had seen the snapshot of `epoch_seen`. A real found idle twice in a row is gone as of
    // the snapshot of `epoch`. True when any is.
    bool on_idle(std::span<const std::uint32_t> idle_tallies, std::uint64_t epoch_seen,
                 std::uint64_t epoch);

    // Every worker has completed a sweep of its table begun under the snapshot of `epoch` or a
    // later one. True when a number has become free.
    bool on_swept(std::uint64_t epoch);

    // What the file no longer names and sessions may. Ordered by service, then by real.
    struct RealRemnant {
        std::string_view service;  // the names hold until the next adoption or sweep
        std::string_view name;
        Endpoint endpoint;
        ForwardingMode mode = ForwardingMode::nat;
        TunnelOptions tunnel;
        RealPlace place;
        bool is_gone = false;  // a hole; else it drains
    };
    std::vector<RealRemnant> real_remnants() const;
    std::vector<RealRemnant> real_remnants(std::string_view service) const;  // of this one

    struct ListenerRemnant {  // a hole
        std::string_view service;
        ListenPoint point;
        std::uint16_t index = 0;
    };
    std::vector<ListenerRemnant> listener_remnants() const;

  private:
    enum class Stage : std::uint8_t { present, leaving, gone };  // in this order

    struct Life {
        Stage stage = Stage::present;
        bool was_idle = false;          // leaving: when it was looked at last
        std::uint64_t since_epoch = 0;  // the first snapshot of the stage
        std::uint64_t adoption = 0;     // the last one that asked for it

        bool is_swept(std::uint64_t epoch) const {
            return stage == Stage::gone && since_epoch <= epoch;
        }
    };
    struct RealKey {
        std::string name;
        Endpoint endpoint;
        ForwardingMode mode = ForwardingMode::nat;

        friend auto operator<=>(const RealKey&, const RealKey&) = default;
    };
    struct RealEntry {
        RealPlace place;
        TunnelOptions tunnel;  // as asked for last
        Life life;
    };
    struct ServiceEntry {
        std::uint32_t id = 0;      // survives a new name
        std::uint16_t number = 0;  // given out again when all that was the service's is
        std::uint64_t adoption = 0;
        IndexPool indexes{limits::reals_per_service_max};
        std::map<RealKey, RealEntry> reals;
    };
    struct ListenerKey {
        ListenPoint point;
        std::uint32_t service_id = 0;

        friend auto operator<=>(const ListenerKey&, const ListenerKey&) = default;
    };
    struct ListenerEntry {
        std::uint16_t index = 0;
        Life life;
    };
    // One service of a configuration, with what there is of it already.
    struct Candidate {
        const VirtualService* asked = nullptr;
        std::vector<const RealServer*> reals;
        std::string formerly;
        ServiceEntry* entry = nullptr;
        std::vector<ListenPoint> points;
        std::vector<ListenerEntry*> listener_entries;  // by point; null: new
        std::vector<RealEntry*> real_entries;          // null: new
    };

    std::vector<Candidate> candidates_of(const Config& config);
    Candidate candidate_of(const VirtualService& asked, std::string formerly);
    std::string former_name(const VirtualService& service,
                            const std::unordered_set<std::string_view>& asked_names) const;
    Status check_room(const std::vector<Candidate>& candidates) const;
    ServicePlaces settle(Candidate& candidate);
    void retire_absent(std::uint64_t epoch);
    void retire_if_absent(Life& life, Stage next, std::uint64_t epoch);
    static bool is_idle_again(Life& life, bool is_idle);
    std::size_t free_swept_reals(ServiceEntry& service, std::uint64_t epoch);
    static void append_remnants(std::string_view name, const ServiceEntry& service,
                                std::vector<RealRemnant>& remnants);

    std::map<std::string, ServiceEntry, std::less<>> services_;
    std::unordered_map<std::uint32_t, std::string> name_by_id_;
    std::map<ListenerKey, ListenerEntry> listeners_;
    IndexPool listener_indexes_{limits::listeners_max};
    IndexPool numbers_{limits::service_numbers_max};
    IndexPool tallies_;
    std::uint32_t next_service_id_ = 0;
    std::uint64_t adoption_ = 0;
    std::uint64_t revision_ = 0;
    bool has_remnants_ = false;  // false for certain; true perhaps
};

}  // namespace fulcrum
