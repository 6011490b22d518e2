// Sessions between the workers of two directors: what ours tell goes to the peer by its names, what
// the peer tells goes to the worker that owns the client. A director that has just met its peer,
// or knows that something was lost on the way, asks its workers for all that they have; what
// happens meanwhile follows in the same order, so nothing is missed between the two.
//
//     worker ─► mailbox ─► names ─► messages ─► PeerChannel ~~~► messages ─► names ─► mailbox ─►
//     worker
//
// Nothing waits for anybody: while the peer is away what is told is thrown away, and told again in
// full when it is back; a worker that takes nothing more stops the stream. Pure but for its doors.
// One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "config/model/replica.h"
#include "config/model/time.h"
#include "controlplane/peer/peer_channel.h"
#include "controlplane/peer/replica_names.h"

namespace fulcrum {

// To the workers, by their numbers.
struct SyncDoors {
    std::size_t workers = 0;
    std::function<unsigned(std::size_t worker, Replica* into, unsigned count_max)> collect;
    std::function<bool(std::size_t worker, const Replica& replica)> post;  // false: no room
    std::function<bool(std::size_t worker, std::uint32_t transfer)> ask_for_all;
    std::function<std::uint64_t()> lost_count;  // of what workers had to tell and found no room for
    std::function<std::size_t(const IpAddress& client)> owner_of;
    // Messages that are not about sessions.
    std::function<void(const PeerMessage& message)> on_other;
};

struct SyncFigures {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t unnamed = 0;         // ours, of what this configuration no longer has
    std::uint64_t unknown = 0;         // the peer's, of what this configuration does not have
    std::uint64_t malformed = 0;       // messages
    std::uint64_t unsent = 0;          // told while the peer was away
    std::uint64_t transfers_sent = 0;  // completely
    std::uint64_t transfers_received = 0;
};

class SessionSync {
  public:
    // A director that hears of no peer for so long after its start has nothing to wait for.
    static constexpr Duration patience = 3s;
    static constexpr Duration transfer_pause = 1s;
    static constexpr std::size_t replicas_per_turn_max = 8'192;

    SessionSync(PeerChannel& channel, SyncDoors doors, Instant now);

    void set_names(ReplicaNames names);
    const ReplicaNames& names() const { return names_; }

    // Takes from the peer, takes from the workers. True: there is more to do at once. The channel's
    // tick() is up to the caller.
    bool pump(Instant now);

    // Whether this director knows what its peer knew of sessions when they met: before that it had
    // better not take over from it.
    bool is_ready(Instant now) const;
    // Whether the peer misses something that it has not been told again yet.
    bool is_peer_stale() const { return is_transfer_wanted_ || is_transferring(); }
    bool is_transferring() const { return transfer_workers_left_ > 0; }
    bool is_being_told() const { return is_being_told_; }
    const SyncFigures& figures() const { return figures_; }

  private:
    void meet(Instant now);
    bool hear();
    bool hand_on();
    void take(const PeerMessage& message);
    bool tell();
    void discard();
    void begin_transfer(Instant now);
    void add(const Replica& replica, std::size_t worker);
    void flush();

    PeerChannel& channel_;
    SyncDoors doors_;
    ReplicaNames names_;
    Instant started_;
    std::uint64_t session_ = 0;  // the channel's
    std::uint64_t lost_before_ = 0;

    Octets batch_;  // the message that is being filled
    std::vector<Replica> collected_;
    std::size_t next_worker_ = 0;
    bool is_transfer_wanted_ = false;
    std::uint32_t transfer_ = 0;
    std::vector<bool> is_told_;  // by worker, of this transfer
    std::size_t transfer_workers_left_ = 0;
    Instant next_transfer_{};

    std::deque<Replica> waiting_;  // for room at their workers
    bool is_being_told_ = false;   // all that the peer has
    bool ends_when_handed_on_ = false;
    bool is_caught_up_ = false;
    SyncFigures figures_;
};

}  // namespace fulcrum
