// The two roads, and when all is told anew.
#include "controlplane/peer/session_sync.h"

#include <algorithm>
#include <utility>

namespace fulcrum {
namespace {

constexpr std::size_t messages_per_turn_max = 128;
constexpr unsigned collected_at_once = 256;
// So many messages at the most, with those that say where a transfer begins and ends.
constexpr std::size_t room_needed =
    collected_at_once / (PeerChannel::message_max / replica_record_max) + 4;
static_assert(room_needed < PeerStream::window / 2);

}  // namespace

SessionSync::SessionSync(PeerChannel& channel, SyncDoors doors, Instant now)
    : channel_{channel},
      doors_{std::move(doors)},
      started_{now},
      collected_(collected_at_once),
      is_told_(doors_.workers, true) {}

void SessionSync::set_names(ReplicaNames names) { names_ = std::move(names); }

bool SessionSync::pump(Instant now) {
    if (channel_.session_number() != session_) {
        meet(now);
    }
    bool has_more = hear();
    if (!channel_.is_up(now)) {
        discard();
        return has_more;
    }
    if (const std::uint64_t lost = doors_.lost_count(); lost != lost_before_) {
        lost_before_ = lost;
        is_transfer_wanted_ = true;
    }
    if (is_transfer_wanted_ && !is_transferring() && now >= next_transfer_) {
        begin_transfer(now);
    }
    has_more |= tell();
    return has_more;
}

bool SessionSync::is_ready(Instant now) const {
    if (is_caught_up_ && !is_being_told_) {
        return true;
    }
    const Instant silent_since = channel_.last_heard().value_or(started_);
    return now - std::max(silent_since, started_) >= patience;
}

// The peer has started anew, or we have: neither knows what the other has.
void SessionSync::meet(Instant now) {
    session_ = channel_.session_number();
    batch_.clear();
    waiting_.clear();
    ends_when_handed_on_ = false;
    is_told_.assign(doors_.workers, true);
    transfer_workers_left_ = 0;
    is_being_told_ = false;
    is_transfer_wanted_ = true;
    next_transfer_ = now;
}

// --- the peer's ------------------------------------------------------------------------------

bool SessionSync::hear() {
    for (std::size_t n = 0; n < messages_per_turn_max; ++n) {
        if (!hand_on()) {
            return true;
        }
        const std::optional<Octets> octets = channel_.fetch();
        if (!octets) {
            return false;
        }
        if (const std::optional<PeerMessage> message = read_message(*octets)) {
            take(*message);
        } else {
            ++figures_.malformed;
        }
    }
    return true;
}

void SessionSync::take(const PeerMessage& message) {
    if (message.kind == PeerMessageKind::transfer_begins) {
        is_being_told_ = true;
    } else if (message.kind == PeerMessageKind::transfer_ends) {
        ends_when_handed_on_ = true;
    } else if (message.kind != PeerMessageKind::sessions) {
        doors_.on_other(message);
    }
    figures_.received += message.replicas.size();
    for (const NamedReplica& named : message.replicas) {
        Replica replica;
        if (names_.place(named, replica)) {
            waiting_.push_back(replica);
        } else {
            ++figures_.unknown;
        }
    }
}

// False: a worker has no room.
bool SessionSync::hand_on() {
    while (!waiting_.empty()) {
        const Replica& first = waiting_.front();
        if (!doors_.post(doors_.owner_of(first.client), first)) {
            return false;
        }
        waiting_.pop_front();
    }
    if (std::exchange(ends_when_handed_on_, false)) {
        ++figures_.transfers_received;
        is_being_told_ = false;
        is_caught_up_ = true;
    }
    return true;
}

// --- ours ------------------------------------------------------------------------------------

void SessionSync::begin_transfer(Instant now) {
    ++transfer_;
    is_transfer_wanted_ = false;
    next_transfer_ = now + transfer_pause;
    if (channel_.free_count() < room_needed) {
        is_transfer_wanted_ = true;
        return;
    }
    flush();
    channel_.send(transfer_message(PeerMessageKind::transfer_begins, transfer_));
    for (std::size_t worker = 0; worker < doors_.workers; ++worker) {
        is_told_[worker] = !doors_.ask_for_all(worker, transfer_);
        is_transfer_wanted_ = is_transfer_wanted_ || is_told_[worker];
    }
    transfer_workers_left_ =
        static_cast<std::size_t>(std::count(is_told_.begin(), is_told_.end(), false));
}

// As much as the stream has room for. True: there may be more.
bool SessionSync::tell() {
    std::size_t taken = 0;
    std::size_t quiet_workers = 0;
    while (quiet_workers < doors_.workers && taken < replicas_per_turn_max) {
        if (channel_.free_count() < room_needed) {
            break;
        }
        const std::size_t worker = next_worker_;
        next_worker_ = (next_worker_ + 1) % doors_.workers;
        const unsigned count = doors_.collect(worker, collected_.data(), collected_at_once);
        quiet_workers = count == 0 ? quiet_workers + 1 : 0;
        taken += count;
        for (unsigned n = 0; n < count; ++n) {
            add(collected_[n], worker);
        }
    }
    if (channel_.free_count() > 0) {
        flush();
    }
    return taken >= replicas_per_turn_max;
}

void SessionSync::add(const Replica& replica, std::size_t worker) {
    if (replica.kind == ReplicaKind::all_told) {
        const bool is_awaited = replica.number == transfer_ && !is_told_[worker];
        if (is_awaited) {
            is_told_[worker] = true;
            if (--transfer_workers_left_ == 0) {
                flush();
                channel_.send(transfer_message(PeerMessageKind::transfer_ends, transfer_));
                ++figures_.transfers_sent;
            }
        }
        return;
    }
    NamedReplica named;
    if (!names_.name(replica, named)) {
        ++figures_.unnamed;
        return;
    }
    if (batch_.size() + replica_record_max > PeerChannel::message_max) {
        flush();
    }
    if (batch_.empty()) {
        begin_message(batch_, PeerMessageKind::sessions);
    }
    append(batch_, named);
    ++figures_.sent;
}

void SessionSync::flush() {
    if (!batch_.empty() && channel_.free_count() > 0) {
        channel_.send(std::exchange(batch_, {}));
    }
}

// The peer is away: what is told of now it will be told with all the rest.
void SessionSync::discard() {
    for (std::size_t worker = 0; worker < doors_.workers; ++worker) {
        std::size_t taken = 0;
        unsigned count = collected_at_once;
        while (count == collected_at_once && taken < replicas_per_turn_max) {
            count = doors_.collect(worker, collected_.data(), collected_at_once);
            taken += count;
            for (unsigned n = 0; n < count; ++n) {
                is_transfer_wanted_ = true;
                if (collected_[n].kind == ReplicaKind::all_told &&
                    collected_[n].number == transfer_ && !is_told_[worker]) {
                    is_told_[worker] = true;
                    --transfer_workers_left_;
                } else {
                    ++figures_.unsent;
                }
            }
        }
    }
}

}  // namespace fulcrum
