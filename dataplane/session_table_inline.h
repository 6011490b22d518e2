// The bodies of session_table.h that are templates or on the path of every packet.
#pragma once

#include "dataplane/session_table.h"

namespace fulcrum {

// Which of the four is asked without a branch: where a session lies in its bucket is as good as
// random, and a wrong guess would cost more than all four comparisons.
template <typename Matches>
inline unsigned Ipv4Sessions::candidates(std::span<const Session, 4> slots, Client client,
                                         const Matches& matches) {
    // The first word of a session is client address, client port, and listener. A request knows all
    // three; a reply the first two.
    constexpr std::uint64_t endpoint_mask = 0x0000'FFFF'FFFF'FFFFULL;
    std::uint64_t wanted = client & endpoint_mask;
    std::uint64_t mask = endpoint_mask;
    if constexpr (requires { matches.listener; }) {
        wanted |= std::uint64_t{matches.listener} << 48;
        mask = ~std::uint64_t{0};
    }
    unsigned found = 0;
    for (unsigned slot = 0; slot < slots.size(); ++slot) {
        std::uint64_t head = 0;
        std::memcpy(&head, &slots[slot], sizeof(head));
        found |= static_cast<unsigned>(((head ^ wanted) & mask) == 0) << slot;
    }
    return found;
}

template <typename Family>
template <typename Matches>
[[gnu::always_inline]] inline auto SessionTableOf<Family>::find_in(Bucket& bucket,
                                                                   const Client& client,
                                                                   const Matches& matches)
    -> Session* {
    unsigned candidates = Family::candidates(bucket.slots, client, matches);
    for (; candidates != 0; candidates &= candidates - 1) {
        Session& session = bucket.slots[std::countr_zero(candidates)];
        bool is_the_clients = !session.tag.is_vacant();
        if constexpr (!requires { matches.listener; }) {
            is_the_clients = is_the_clients && client_key_of(session) == client;
        }
        if (is_the_clients && matches(session)) {
            return &session;
        }
    }
    return nullptr;
}

template <typename Family>
template <typename Matches>
auto SessionTableOf<Family>::find_in_overflow(Home home, const Client& client,
                                              const Matches& matches) -> Session* {
    for (std::size_t probe = 0; probe < overflow_probes; ++probe) {
        if (Session* session = find_in(overflow_bucket(home, probe), client, matches)) {
            return session;
        }
    }
    return nullptr;
}

template <typename Family>
template <typename Ages>
auto SessionTableOf<Family>::find_expired(Bucket& bucket, const Ages& ages) -> Session* {
    for (Session& session : bucket.slots) {
        if (!session.tag.is_vacant() && ages.is_expired(session)) {
            return &session;
        }
    }
    return nullptr;
}

template <typename Family>
template <typename Ages, typename MayGo>
auto SessionTableOf<Family>::evict_oldest(Home home, const Ages& ages, Insertion& insertion,
                                          const MayGo& may_go) -> Session* {
    Session* oldest = nullptr;
    std::uint32_t age_s_max = 0;
    for (const std::uint32_t index : {home.first, home.second}) {
        for (Session& session : buckets_[index].slots) {
            if (session.tag.is_vacant() || !may_go(session.tag.state())) {
                continue;
            }
            if (oldest == nullptr || ages.age_s(session) > age_s_max) {
                oldest = &session;
                age_s_max = ages.age_s(session);
            }
        }
    }
    if (oldest != nullptr) {
        vacate_for_newcomer(*oldest, /*is_expired=*/false, insertion);
    }
    return oldest;
}

// Both buckets are full of the living. One of the eight may have room in its own other bucket.
template <typename Family>
template <typename Ages>
auto SessionTableOf<Family>::make_room_by_moving(Home home, const Ages& ages, Insertion& insertion)
    -> Session* {
    std::uint32_t others[2 * slots_per_bucket];
    std::size_t count = 0;
    for (const std::uint32_t index : {home.first, home.second}) {
        for (const Session& session : buckets_[index].slots) {
            const Home its = home_of(client_key_of(session));
            others[count] = its.first == index ? its.second : its.first;
            __builtin_prefetch(&buckets_[others[count++]], 1);
        }
    }
    count = 0;
    for (const std::uint32_t index : {home.first, home.second}) {
        for (Session& session : buckets_[index].slots) {
            Bucket& other = buckets_[others[count++]];
            Session* room = find_vacant(other);
            if (room == nullptr && (room = find_expired(other, ages)) != nullptr) {
                vacate_for_newcomer(*room, /*is_expired=*/true, insertion);
            }
            if (room != nullptr) {
                store(*room, session);
                ++moved_count_;
                ++disturbances_;
                return &session;
            }
        }
    }
    return nullptr;
}

template <typename Family>
template <typename Ages>
auto SessionTableOf<Family>::take_overflow(Home home, const Ages& ages, Insertion& insertion)
    -> Session* {
    for (std::size_t probe = 0; probe < overflow_probes; ++probe) {
        Bucket& bucket = overflow_bucket(home, probe);
        Session* room = find_vacant(bucket);
        if (room == nullptr && (room = find_expired(bucket, ages)) != nullptr) {
            vacate_for_newcomer(*room, /*is_expired=*/true, insertion);
        }
        if (room != nullptr) {
            SessionTag& mark = buckets_[home.first].slots[0].tag;
            mark.bits_ = static_cast<std::uint16_t>(mark.bits_ | SessionTag::spilled_bit);
            return room;
        }
    }
    return nullptr;
}

template <typename Family>
template <typename Ages>
auto SessionTableOf<Family>::find_slot(Home home, const Ages& ages, Insertion& insertion)
    -> Session* {
    for (const std::uint32_t index : {home.first, home.second}) {
        if (Session* vacant = find_vacant(buckets_[index])) {
            return vacant;
        }
    }
    for (const std::uint32_t index : {home.first, home.second}) {
        if (Session* expired = find_expired(buckets_[index], ages)) {
            vacate_for_newcomer(*expired, /*is_expired=*/true, insertion);
            return expired;
        }
    }
    // In a flood nothing is moved about for a newcomer that is most likely part of it.
    if (!is_flooded()) {
        if (Session* freed = make_room_by_moving(home, ages, insertion)) {
            return freed;
        }
        if (Session* spilled = take_overflow(home, ages, insertion)) {
            return spilled;
        }
    }
    Session* freed = evict_oldest(home, ages, insertion,
                                  [](SessionState state) { return !is_confirmed(state); });
    if (freed == nullptr) {
        freed = evict_oldest(home, ages, insertion,
                             [](SessionState state) { return state == SessionState::closed; });
    }
    if (freed == nullptr && is_flooded()) {
        freed = make_room_by_moving(home, ages, insertion);
        freed = freed != nullptr ? freed : take_overflow(home, ages, insertion);
    }
    // An answer to a datagram proves nothing about who sent it, so they must not shut others out.
    return freed != nullptr ? freed : evict_oldest(home, ages, insertion, [](SessionState state) {
        return state == SessionState::two_way;
    });
}

template <typename Family>
template <typename Ages>
auto SessionTableOf<Family>::insert(const Session& newcomer, Home home, const Ages& ages)
    -> Insertion {
    Insertion insertion;
    Session* slot = find_slot(home, ages, insertion);
    if (slot == nullptr) {
        return insertion;
    }
    store(*slot, newcomer);
    ++live_count_;
    overflow_live_count_ += is_overflow(*slot) ? 1 : 0;
    unconfirmed_count_ += is_confirmed(newcomer.tag.state()) ? 0 : 1;
    insertion.placed = slot;
    return insertion;
}

}  // namespace fulcrum
