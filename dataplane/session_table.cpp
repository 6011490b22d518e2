// Sizes, counts, and the bookkeeping of places; the look-ups are inline.
#include "dataplane/session_table.h"

#include <atomic>

namespace fulcrum {
namespace {

// Unconfirmed sessions beyond this share of the slots count as a flood.
constexpr std::size_t unconfirmed_share = 4;
// The overflow table has one slot for this many slots in buckets.
constexpr std::size_t overflow_share = 64;

std::size_t overflow_count_for(std::size_t bucket_count) {
    return std::max<std::size_t>(8, bucket_count / overflow_share);
}

}  // namespace

// At the design load two thirds of the slots are taken.
template <typename Family>
std::size_t SessionTableOf<Family>::bucket_count_for(std::uint64_t sessions) {
    const std::uint64_t slots = sessions + sessions / 2;
    return std::max<std::size_t>(16, (slots + slots_per_bucket - 1) / slots_per_bucket);
}

template <typename Family>
std::size_t SessionTableOf<Family>::size_for(std::size_t bucket_count) {
    // A few buckets more, so that the sweep's prefetch stays inside.
    return (bucket_count + overflow_count_for(bucket_count) + 16) * sizeof(Bucket);
}

template <typename Family>
SessionTableOf<Family>::SessionTableOf(std::span<std::byte> memory, std::size_t bucket_count,
                                       HashKey key)
    : buckets_{reinterpret_cast<Bucket*>(memory.data())},
      overflow_{buckets_ + bucket_count},
      bucket_count_{static_cast<std::uint32_t>(bucket_count)},
      overflow_count_{static_cast<std::uint32_t>(overflow_count_for(bucket_count))},
      key_{key.low, key.high | 1},
      unconfirmed_quota_{slot_count() / unconfirmed_share} {}

template <typename Family>
auto SessionTableOf<Family>::find_vacant(Bucket& bucket) -> Session* {
    for (Session& session : bucket.slots) {
        if (session.tag.is_vacant()) {
            return &session;
        }
    }
    return nullptr;
}

template <typename Family>
void SessionTableOf<Family>::vacate_for_newcomer(Session& session, bool is_expired,
                                                 Insertion& insertion) {
    insertion.removed = session;
    insertion.removed_expired = is_expired;
    insertion.removed_evicted = !is_expired;
    remove(session);
}

template <typename Family>
void SessionTableOf<Family>::set_state(Session& session, SessionState state) {
    const bool was_confirmed = is_confirmed(session.tag.state());
    const bool will_be_confirmed = is_confirmed(state);
    if (was_confirmed != will_be_confirmed) {
        unconfirmed_count_ += will_be_confirmed ? std::size_t(-1) : 1;
    }
    session.tag.set_state(state);
}

template <typename Family>
void SessionTableOf<Family>::remove(Session& session) {
    unconfirmed_count_ -= is_confirmed(session.tag.state()) ? 0 : 1;
    overflow_live_count_ -= is_overflow(session) ? 1 : 0;
    --live_count_;
    ++disturbances_;
    session.tag.set_state(SessionState::vacant);
}

template <typename Family>
void SessionTableOf<Family>::store(Session& slot, const Session& session) {
    const auto mark = static_cast<std::uint16_t>(slot.tag.bits_ & SessionTag::spilled_bit);
    slot.client_address = session.client_address;
    slot.client_port = session.client_port;
    slot.listener = session.listener;
    slot.vip_port = session.vip_port;
    slot.real = session.real;
    slot.last_seen = session.last_seen;
    std::atomic_signal_fence(std::memory_order_release);
    slot.tag.bits_ =
        static_cast<std::uint16_t>((session.tag.bits_ & ~SessionTag::spilled_bit) | mark);
}

// `bucket` counts the overflow table's after the others.
template <typename Family>
bool SessionTableOf<Family>::lies_at_home(const Session& session, std::size_t bucket) const {
    const Home home = home_of(client_key_of(session));
    if (bucket < bucket_count_) {
        return home.first == bucket || home.second == bucket;
    }
    const std::size_t probe =
        (bucket - bucket_count_ + overflow_count_ - home.first % overflow_count_) % overflow_count_;
    return probe < overflow_probes;
}

// The mark goes when no session of this bucket lies in the overflow table any more.
template <typename Family>
void SessionTableOf<Family>::clear_spill_mark_if_unused(std::size_t bucket) {
    const Home home{static_cast<std::uint32_t>(bucket), 0};
    for (std::size_t probe = 0; probe < overflow_probes; ++probe) {
        for (const Session& session : overflow_bucket(home, probe).slots) {
            if (!session.tag.is_vacant() && home_of(client_key_of(session)).first == bucket) {
                return;
            }
        }
    }
    SessionTag& mark = buckets_[bucket].slots[0].tag;
    mark.bits_ = static_cast<std::uint16_t>(mark.bits_ & ~SessionTag::spilled_bit);
}

template class SessionTableOf<Ipv4Sessions>;
template class SessionTableOf<Ipv6Sessions>;

}  // namespace fulcrum
