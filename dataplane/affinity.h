// Which real each client was given last, for services with affinity: one worker's table, bounded,
// of records that outlive the client's sessions by the service's timeout.
//
//   record (32 bytes): client 16 | group 2 | real 2 | sessions 4 | ended 4 | length, flags 4
//   bucket (256 bytes): eight records; a client's lies in one of two, the emptier
//
// A record counts its client's living sessions, those not yet closed, reset or timed out; when the
// last one ends its time begins to run, the full one each time. It is *confirmed* when one of these
// sessions was. Who may take whose place, in this order: what is over goes first; then, among
// the records without a session, the unconfirmed one that idles longest; then, for a confirmed
// newcomer alone, the confirmed one that idles longest. A record with a session is never evicted:
// the newcomer goes without, and is counted. So a flood costs strangers their affinity and never
// somebody who has been served. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "config/model/client_prefix.h"
#include "config/model/hash.h"
#include "config/model/limits.h"
#include "config/model/snapshot.h"

namespace fulcrum {

struct AffinityRecord {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::uint16_t group = 0;
    std::uint16_t real = limits::index_none;
    std::uint32_t sessions = 0;
    std::uint32_t ended_s = 0;  // when there was a session last
    std::uint8_t length = 0;    // as ClientPrefix's; 0: vacant
    bool is_confirmed = false;

    ClientPrefix client() const { return {high, low, length}; }
};
static_assert(sizeof(AffinityRecord) == 32);

// How long records last, by the snapshot of this turn.
class AffinityRules {
  public:
    AffinityRules(const Snapshot& snapshot, std::uint32_t now_s)
        : snapshot_{snapshot}, now_s_{now_s} {}

    // Its time has run out, or nobody is meant by it any more.
    bool is_over(const AffinityRecord& record) const;
    // Of one that is not over: how long it will last without a session.
    std::uint32_t remaining_s(const AffinityRecord& record) const;
    // Of one that is not over, never null.
    const SnapshotService* service_of(const AffinityRecord& record) const;
    std::uint32_t now_s() const { return now_s_; }

  private:
    const Snapshot& snapshot_;
    std::uint32_t now_s_;
};

class AffinityTable {
  public:
    static constexpr std::size_t records_per_bucket = 8;

    struct Key {
        ClientPrefix client;
        std::uint16_t group;
    };

    AffinityTable(std::size_t record_count, HashKey key);
    // In memory from outside: aligned to a cache line, of size_for(record_count) octets, alive as
    // long as the table. Zeroed, or left by a table of an earlier process: see take_up().
    AffinityTable(std::span<std::byte> memory, std::size_t record_count, HashKey key);
    AffinityTable(const AffinityTable&) = delete;
    AffinityTable& operator=(const AffinityTable&) = delete;
    static std::size_t size_for(std::size_t record_count);

    // Counts anew what the memory held, and removes what is over or no record at all. The clients'
    // sessions are to be counted by rejoin(); whose are not are over as of now.
    void take_up(const AffinityRules& rules);
    // A record of another table, as it is; false: there is no room.
    bool place(const AffinityRecord& record);

    // The real of a client whose time has not run out, or limits::index_none.
    std::uint16_t real_of(const Key& key, const AffinityRules& rules) const;

    // A session of the client lives at `real` from now on. False: there is no room for a record.
    bool hold(const Key& key, std::uint16_t real, bool is_confirmed, const AffinityRules& rules);
    // The same of a session that was thought to be over; wherever it lives.
    bool rejoin(const Key& key, const AffinityRules& rules);
    void confirm(const Key& key);
    // A session for which hold() was true has ended, at `ended_s`.
    void release(const Key& key, std::uint32_t ended_s);

    // The next `bucket_count` buckets, up to the end: removes what is over. A round begins anew
    // with begin_round().
    void sweep(std::size_t bucket_count, const AffinityRules& rules);
    void begin_round() { sweep_at_ = 0; }
    bool is_round_done() const { return sweep_at_ == buckets_.size(); }

    // Calls `visit(record)` for all in the buckets [from, from + count); false when there are none
    // left.
    template <typename Visit>
    bool walk(std::size_t from, std::size_t count, const Visit& visit) const {
        for (std::size_t at = from; at < from + count && at < buckets_.size(); ++at) {
            for (const AffinityRecord& record : buckets_[at].records) {
                if (record.length != 0) {
                    visit(record);
                }
            }
        }
        return from + count < buckets_.size();
    }

    std::size_t bucket_count() const { return buckets_.size(); }
    std::size_t live_count() const { return live_count_; }
    std::uint64_t evicted_count() const { return evicted_count_; }
    std::uint64_t refused_count() const { return refused_count_; }

  private:
    struct alignas(limits::cache_line_size) Bucket {
        AffinityRecord records[records_per_bucket];
    };
    struct Home {
        std::uint32_t first;
        std::uint32_t second;
    };

    Home home_of(const Key& key) const;
    const AffinityRecord* find(const Key& key) const;
    AffinityRecord* find(const Key& key) {
        return const_cast<AffinityRecord*>(static_cast<const AffinityTable*>(this)->find(key));
    }
    AffinityRecord* place_for(const Key& key, bool is_confirmed, const AffinityRules& rules);
    struct Vacancy {
        AffinityRecord* record = nullptr;
        std::size_t count = 0;
    };
    // Removes what is over.
    Vacancy vacancy_in(Bucket& bucket, const AffinityRules& rules);
    AffinityRecord* idlest(Home home, bool is_confirmed);
    void remove(AffinityRecord& record);

    std::vector<Bucket> own_;  // unless the memory is from outside
    std::span<Bucket> buckets_;
    HashKey key_;
    std::size_t sweep_at_ = 0;
    std::size_t live_count_ = 0;
    std::uint64_t evicted_count_ = 0;
    std::uint64_t refused_count_ = 0;
};

}  // namespace fulcrum
