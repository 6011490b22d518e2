// Windows, times and their consequences.
#include "controlplane/peer/peer_stream.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace fulcrum {

// --- sending ---------------------------------------------------------------------------------

void PeerStream::send(Octets message) {
    assert(free_count() > 0);
    waiting_.push_back({.message = std::move(message)});
}

Duration PeerStream::time_of(const Waiting& waiting) const {
    const Duration measured =
        smoothed_ == Duration{} ? Duration{100ms} : smoothed_ + 4 * deviation_;
    const unsigned doublings = std::min(waiting.attempts - 1, 6U);
    return std::min(std::clamp(measured, time_least, time_most) * (1 << doublings), time_most);
}

std::optional<PeerStream::Outgoing> PeerStream::next_to_go(Instant now) {
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
        Waiting& waiting = waiting_[i];
        if (waiting.is_there || first_ + i >= peers_end_) {
            continue;
        }
        const bool is_new = waiting.order == 0;
        if (is_new && in_flight_ >= in_flight_max_) {
            return std::nullopt;
        }
        const bool is_late = !is_new && now - waiting.sent >= time_of(waiting);
        if (!is_new && !is_late && !is_lost(waiting)) {
            continue;
        }
        if (is_new) {
            ++in_flight_;
            waiting.first_sent = now;
        } else {
            ++sent_again_count_;
            note_loss(now);
        }
        ++waiting.attempts;
        waiting.sent = now;
        waiting.order = ++orders_;
        return Outgoing{first_ + i, &waiting.message, waiting.attempts};
    }
    return std::nullopt;
}

std::optional<Instant> PeerStream::next_due() const {
    std::optional<Instant> due;
    for (std::size_t i = 0; i < waiting_.size() && first_ + i < peers_end_; ++i) {
        const Waiting& waiting = waiting_[i];
        if (waiting.order != 0 && !waiting.is_there) {
            const Instant its = waiting.sent + time_of(waiting);
            due = due ? std::min(*due, its) : its;
        }
    }
    return due;
}

// Once a round trip: what is lost together is one loss.
void PeerStream::note_loss(Instant now) {
    if (now - halved_ > smoothed_) {
        halved_ = now;
        in_flight_max_ = std::max<std::size_t>(4, in_flight_max_ / 2);
    }
}

void PeerStream::note_there(Waiting& waiting) {
    if (waiting.is_there) {
        return;
    }
    waiting.is_there = true;
    if (waiting.order == 0) {
        return;  // of a peer that confirms what we have never sent
    }
    --in_flight_;
    in_flight_max_ = std::min(in_flight_max_ + 1, window);
    latest_order_there_ = std::max(latest_order_there_, waiting.order);
}

void PeerStream::on_acknowledged(const Acknowledgement& told) {
    if (told.next < first_ || told.next > first_ + waiting_.size()) {
        return;  // older than what we know, or nonsense
    }
    for (; first_ < told.next; ++first_) {
        note_there(waiting_.front());
        waiting_.pop_front();
    }
    for (std::size_t i = 1; i < waiting_.size(); ++i) {
        if (told.behind.test(i - 1) && waiting_[i].order != 0) {
            note_there(waiting_[i]);
        }
    }
    peers_end_ = std::max(peers_end_, told.next + std::min<std::size_t>(told.room, window));
}

void PeerStream::on_round_trip(Duration measured) {
    if (smoothed_ == Duration{}) {
        smoothed_ = measured;
        deviation_ = measured / 2;
        return;
    }
    const Duration apart = measured > smoothed_ ? measured - smoothed_ : smoothed_ - measured;
    deviation_ = (3 * deviation_ + apart) / 4;
    smoothed_ = (7 * smoothed_ + measured) / 8;
}

Duration PeerStream::lag(Instant now) const {
    return waiting_.empty() || waiting_.front().order == 0 ? Duration{}
                                                           : now - waiting_.front().first_sent;
}

// --- receiving -------------------------------------------------------------------------------

bool PeerStream::take(std::uint64_t number, std::span<const std::uint8_t> message) {
    if (number < next_ || number >= fetched_ + window) {
        return false;
    }
    if (!here_.try_emplace(number, message.begin(), message.end()).second) {
        return false;
    }
    while (here_.contains(next_)) {
        ++next_;
    }
    return true;
}

std::optional<Octets> PeerStream::fetch() {
    const auto first = here_.find(fetched_);
    if (first == here_.end()) {
        return std::nullopt;
    }
    Octets message = std::move(first->second);
    here_.erase(first);
    ++fetched_;
    return message;
}

PeerStream::Acknowledgement PeerStream::acknowledgement() const {
    Acknowledgement told{
        .next = next_, .room = static_cast<std::uint16_t>(fetched_ + window - next_), .behind = {}};
    for (auto it = here_.upper_bound(next_); it != here_.end(); ++it) {
        told.behind.set(it->first - next_ - 1);
    }
    return told;
}

}  // namespace fulcrum
