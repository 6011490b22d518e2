// The bodies of session_table.h that go through the whole table, some buckets at a time.
#pragma once

#include "dataplane/session_table.h"

namespace fulcrum {

template <typename Family>
template <typename Ages, typename Removed, typename Kept>
bool SessionTableOf<Family>::sweep(std::size_t count, const Ages& ages, const Removed& removed,
                                   const Kept& kept) {
    for (std::size_t i = 0; i < count; ++i) {
        // The overflow table lies behind the buckets in one piece of memory.
        Bucket& bucket = buckets_[sweep_at_];
        __builtin_prefetch(&bucket + 8, 1);
        for (Session& session : bucket.slots) {
            if (session.tag.is_vacant()) {
                continue;
            }
            if (ages.is_expired(session)) {
                const Session was = session;
                remove(session);
                removed(was);
            } else {
                kept(session);
            }
        }
        if (sweep_at_ < bucket_count_ &&
            (bucket.slots[0].tag.bits_ & SessionTag::spilled_bit) != 0) {
            clear_spill_mark_if_unused(sweep_at_);
        }
        if (++sweep_at_ == swept_count()) {
            sweep_at_ = 0;
            return true;
        }
    }
    return false;
}

template <typename Family>
template <typename Ages, typename Kept>
void SessionTableOf<Family>::take_up(const Ages& ages, const Kept& kept) {
    live_count_ = unconfirmed_count_ = overflow_live_count_ = 0;
    for (std::size_t at = 0; at < swept_count(); ++at) {
        for (Session& session : buckets_[at].slots) {
            if (session.tag.is_vacant()) {
                continue;
            }
            if (!session.tag.is_sound() || !lies_at_home(session, at) || ages.is_expired(session) ||
                !kept(session)) {
                session.tag.set_state(SessionState::vacant);
                continue;
            }
            ++live_count_;
            unconfirmed_count_ += is_confirmed(session.tag.state()) ? 0 : 1;
            overflow_live_count_ += is_overflow(session) ? 1 : 0;
        }
    }
}

template <typename Family>
template <typename Visit>
bool SessionTableOf<Family>::walk(std::size_t from, std::size_t count, const Visit& visit) const {
    const std::size_t end = std::min(from + count, swept_count());
    for (std::size_t at = from; at < end; ++at) {
        for (const Session& session : buckets_[at].slots) {
            if (!session.tag.is_vacant()) {
                visit(session);
            }
        }
    }
    return end < swept_count();
}

}  // namespace fulcrum
