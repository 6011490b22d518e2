// One worker's sessions: a cache over consistent hashing, laid out so that a packet costs one cache
// line. Each IP family has a table of its own; how sessions lie, and how a client is compared, is
// the family's (Ipv4Sessions), and all else is here once.
//
//   bucket (64 bytes, one cache line)
//   ┌─────────────┬─────────────┬─────────────┬─────────────┐
//   │  session 0  │  session 1  │  session 2  │  session 3  │
//   └─────────────┴─────────────┴─────────────┴─────────────┘
//   session (16 bytes)
//   ┌────────────────┬────────┬────────┬────────┬────────┬────────┬────────┐
//   │ client address │ client │listener│  VIP   │  real  │  tag   │  last  │
//   │       4        │ port 2 │   2    │ port 2 │   2    │   2    │ seen 2 │
//   └────────────────┴────────┴────────┴────────┴────────┴────────┴────────┘
//
// A session lies in one of two buckets, both chosen by a keyed hash of client address, client port
// and protocol alone: a request and its reply both carry these, so one look-up serves either. It is
// placed in its first bucket while that has room, then in its second: most look-ups then end at the
// first line. Both full: one of the eight moves to its own other bucket. That failing, the session
// goes to a small overflow table, which is asked only for buckets marked as spilled.
//
// Where there is no room even so, one of the eight makes way for the newcomer: unconfirmed ones
// first, then those closed on both sides, then those of datagrams, answered or not (a source of
// datagrams may be forged and answered all the same); of each kind the one that idles longest. A
// confirmed connection never does. In a flood the unconfirmed and the closed go before anybody
// moves.
//
// Nothing here sleeps, allocates, or keeps timers: last-seen is written into the line already in
// hand, age is judged when a slot is wanted or when the sweep comes by. One thread only.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "config/model/hash.h"
#include "config/model/limits.h"
#include "dataplane/session_layout.h"

namespace fulcrum {

// Where a client's sessions lie: the numbers of two buckets.
struct SessionHome {
    std::uint32_t first;
    std::uint32_t second;
};

// How IPv4's sessions lie in a bucket.
struct Ipv4Sessions {
    using Session = fulcrum::Session;
    using Client = ClientKey;

    static std::uint64_t hash(Client client, HashKey key) {
        return folded_multiply(client ^ key.low, key.high);
    }
    // Which of a bucket's slots may hold a session of the client's, a bit each; vacant ones too.
    // Address and port are compared, and so is the listener if `matches` has one; not the protocol.
    template <typename Matches>
    static unsigned candidates(std::span<const Session, 4> slots, Client client,
                               const Matches& matches);
};

// How IPv6's do: two a bucket, a quarter of a percent of them in the overflow table.
struct Ipv6Sessions {
    using Session = Session6;
    using Client = ClientKey6;

    static std::uint64_t hash(const Client& client, HashKey key) {
        const std::uint64_t rest =
            client.port.wire() | (std::uint64_t{static_cast<std::uint8_t>(client.protocol)} << 16);
        const std::uint64_t address =
            folded_multiply(client.address.word(0) ^ key.low, client.address.word(1) ^ key.high);
        return folded_multiply(address ^ rest ^ key.low, key.high);
    }
    template <typename Matches>
    static unsigned candidates(std::span<const Session, 2> slots, const Client& client,
                               const Matches& matches) {
        unsigned found = 0;
        for (unsigned slot = 0; slot < slots.size(); ++slot) {
            bool is_the_client = slots[slot].client_address == client.address &&
                                 slots[slot].client_port == client.port;
            if constexpr (requires { matches.listener; }) {
                is_the_client = is_the_client && slots[slot].listener == matches.listener;
            }
            found |= static_cast<unsigned>(is_the_client) << slot;
        }
        return found;
    }
};

// Who knows how long a session may idle is the snapshot, on behalf of the listener's service. The
// functions that judge age are templates over an `Ages` with
//   bool is_expired(const Session&) const;
//   std::uint32_t age_s(const Session&) const;

template <typename Family>
class SessionTableOf {
  public:
    using Session = typename Family::Session;
    using Client = typename Family::Client;
    using Home = SessionHome;

    static constexpr std::size_t slots_per_bucket = limits::cache_line_size / sizeof(Session);

    // Memory comes from outside (see table_memory.h): zeroed, aligned to a cache line, of
    // size_for(bucket_count) bytes, alive as long as the table.
    static std::size_t bucket_count_for(std::uint64_t sessions);
    static std::size_t size_for(std::size_t bucket_count);
    SessionTableOf(std::span<std::byte> memory, std::size_t bucket_count, HashKey key);

    Home home_of(const Client& client) const {
        const std::uint64_t hash = Family::hash(client, key_);
        return {scaled(static_cast<std::uint32_t>(hash), bucket_count_),
                scaled(static_cast<std::uint32_t>(hash >> 32), bucket_count_)};
    }
    void prefetch_first(Home home) const { __builtin_prefetch(&buckets_[home.first], 1); }
    void prefetch_second(Home home) const { __builtin_prefetch(&buckets_[home.second], 1); }

    // The session of `client` for which `matches(session)` holds, or null. If `matches` has a
    // member `listener`, it means that one's sessions alone, and a listener's sessions are of one
    // protocol, which then is not compared. The pointer is good until the next
    // insert or sweep: see disturbances().
    template <typename Matches>
    Session* find_in_first(Home home, const Client& client, const Matches& matches) {
        return find_in(buckets_[home.first], client, matches);
    }
    template <typename Matches>
    Session* find_elsewhere(Home home, const Client& client, const Matches& matches) {
        if (Session* session = find_in(buckets_[home.second], client, matches)) {
            return session;
        }
        return is_spilled(home) ? find_in_overflow(home, client, matches) : nullptr;
    }
    template <typename Matches>
    Session* find(Home home, const Client& client, const Matches& matches) {
        if (Session* session = find_in_first(home, client, matches)) {
            return session;
        }
        return find_elsewhere(home, client, matches);
    }

    // What an insert did. At most one session loses its place to a newcomer.
    struct Insertion {
        Session* placed = nullptr;  // null: no room
        bool removed_expired = false;
        bool removed_evicted = false;
        Session removed;  // meaningful if one of the two is set
    };
    template <typename Ages>
    Insertion insert(const Session& newcomer, Home home, const Ages& ages);

    // The one way to change a session's state: keeps the counts.
    void set_state(Session& session, SessionState state);
    void remove(Session& session);

    // Looks at the next `count` buckets, the overflow table last, and removes what has expired,
    // telling `removed(session)` of each, and `kept(session)` of all others. True when this call
    // has completed a round.
    template <typename Ages, typename Removed, typename Kept>
    bool sweep(std::size_t count, const Ages& ages, const Removed& removed, const Kept& kept);
    template <typename Ages, typename Removed>
    bool sweep(std::size_t count, const Ages& ages, const Removed& removed) {
        return sweep(count, ages, removed, [](const Session&) {});
    }
    // Calls `visit(session)` for all in the buckets [from, from + count), the overflow table's
    // after the others; false when there are none left.
    template <typename Visit>
    bool walk(std::size_t from, std::size_t count, const Visit& visit) const;

    // Counts anew what the memory held when the table was made of it. What is no session, lies
    // where nobody would look for it, has expired, or is not `kept(session)`, goes.
    template <typename Ages, typename Kept>
    void take_up(const Ages& ages, const Kept& kept);

    std::size_t bucket_count() const { return bucket_count_; }
    std::size_t swept_count() const { return bucket_count_ + overflow_count_; }
    std::size_t slot_count() const { return bucket_count_ * slots_per_bucket; }
    std::size_t live_count() const { return live_count_; }
    std::size_t unconfirmed_count() const { return unconfirmed_count_; }
    std::size_t unconfirmed_quota() const { return unconfirmed_quota_; }
    bool is_flooded() const { return unconfirmed_count_ > unconfirmed_quota_; }
    // Grows whenever a session changes its place or loses it: pointers found before are stale then.
    std::uint64_t disturbances() const { return disturbances_; }
    std::uint64_t moved_count() const { return moved_count_; }
    std::size_t overflow_live_count() const { return overflow_live_count_; }

  private:
    struct alignas(limits::cache_line_size) Bucket {
        Session slots[slots_per_bucket];
    };
    static_assert(sizeof(Bucket) == limits::cache_line_size);
    static constexpr std::size_t overflow_probes = 4;

    template <typename Matches>
    static Session* find_in(Bucket& bucket, const Client& client, const Matches& matches);
    template <typename Matches>
    Session* find_in_overflow(Home home, const Client& client, const Matches& matches);
    Bucket& overflow_bucket(Home home, std::size_t probe) {
        return overflow_[(home.first + probe) % overflow_count_];
    }
    bool is_spilled(Home home) const {
        return (buckets_[home.first].slots[0].tag.bits_ & SessionTag::spilled_bit) != 0;
    }

    template <typename Ages>
    static Session* find_expired(Bucket& bucket, const Ages& ages);
    static Session* find_vacant(Bucket& bucket);
    // The slot of the one that idles longest among those whose state `may_go`, or null.
    template <typename Ages, typename MayGo>
    Session* evict_oldest(Home home, const Ages& ages, Insertion& insertion, const MayGo& may_go);
    template <typename Ages>
    Session* make_room_by_moving(Home home, const Ages& ages, Insertion& insertion);
    template <typename Ages>
    Session* take_overflow(Home home, const Ages& ages, Insertion& insertion);
    template <typename Ages>
    Session* find_slot(Home home, const Ages& ages, Insertion& insertion);
    bool lies_at_home(const Session& session, std::size_t bucket) const;
    // Takes note of the session that a newcomer replaces.
    void vacate_for_newcomer(Session& session, bool is_expired, Insertion& insertion);
    void clear_spill_mark_if_unused(std::size_t bucket);
    // Writes everything but the tag, then the tag: a killed worker leaves no torn session.
    static void store(Session& slot, const Session& session);
    bool is_overflow(const Session& session) const {
        return reinterpret_cast<const std::byte*>(&session) >=
               reinterpret_cast<const std::byte*>(overflow_);
    }

    Bucket* buckets_ = nullptr;
    Bucket* overflow_ = nullptr;
    std::uint32_t bucket_count_ = 0;
    std::uint32_t overflow_count_ = 0;
    HashKey key_;
    std::size_t live_count_ = 0;
    std::size_t unconfirmed_count_ = 0;
    std::size_t unconfirmed_quota_ = 0;
    std::size_t overflow_live_count_ = 0;
    std::uint64_t disturbances_ = 0;
    std::uint64_t moved_count_ = 0;
    std::size_t sweep_at_ = 0;
};

using SessionTable = SessionTableOf<Ipv4Sessions>;
using SessionTable6 = SessionTableOf<Ipv6Sessions>;

}  // namespace fulcrum

#include "dataplane/session_table_inline.h"  // IWYU pragma: export
#include "dataplane/session_table_rounds.h"  // IWYU pragma: export
