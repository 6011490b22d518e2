// Messages in order over datagrams that get lost, come late, twice, or in another order. Each
// message has a number; the receiver says up to which it has all, which of those behind it has
// too, and for how many more it has room; the sender keeps what has not been confirmed, and sends
// it again when three that left later have arrived, or when its time is over, which follows from
// the measured round trip (as RFC 6298). How many are under way at once grows with what arrives and
// halves when something is lost. Pure: time is an argument, datagrams are somebody else's.
#pragma once

#include <bitset>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "config/model/time.h"
#include "controlplane/peer/octets.h"

namespace fulcrum {

class PeerStream {
  public:
    // Messages that a side keeps until they are confirmed, or fetched.
    static constexpr std::size_t window = 256;
    static constexpr Duration time_least = 20ms;
    static constexpr Duration time_most = 1s;

    struct Acknowledgement {
        std::uint64_t next = 0;      // all before this one are here
        std::uint16_t room = 0;      // from `next` on, how many would be kept
        std::bitset<window> behind;  // bit i: next + 1 + i is here
    };

    // --- sending -----------------------------------------------------------------------------
    // How many more send() takes.
    std::size_t free_count() const { return window - waiting_.size(); }
    void send(Octets message);  // only while free_count() is not zero

    struct Outgoing {
        std::uint64_t number = 0;
        const Octets* message = nullptr;  // until the next call of anything
        unsigned attempts = 1;            // with this one
    };
    // What is to go now: new, or once more. Counts as sent.
    std::optional<Outgoing> next_to_go(Instant now);
    // When something will be due again that is not now; nothing: when an acknowledgement comes.
    std::optional<Instant> next_due() const;
    void on_acknowledged(const Acknowledgement& told);
    void on_round_trip(Duration measured);

    // --- receiving ---------------------------------------------------------------------------
    // False: it was here already, or there is no room.
    bool take(std::uint64_t number, std::span<const std::uint8_t> message);
    // The next in order.
    std::optional<Octets> fetch();
    Acknowledgement acknowledgement() const;

    // --- to look at --------------------------------------------------------------------------
    std::size_t unconfirmed_count() const { return waiting_.size(); }
    std::uint64_t sent_again_count() const { return sent_again_count_; }
    Duration round_trip() const { return smoothed_; }
    // How long the oldest one has waited for its confirmation.
    Duration lag(Instant now) const;

  private:
    struct Waiting {
        Octets message;
        Instant sent{};
        Instant first_sent{};
        std::uint64_t order = 0;  // of its latest sending; 0: it has not left
        unsigned attempts = 0;
        bool is_there = false;  // and some before it are not
    };

    Duration time_of(const Waiting& waiting) const;
    bool is_lost(const Waiting& waiting) const {
        return waiting.order != 0 && waiting.order + 3 <= latest_order_there_;
    }
    void note_loss(Instant now);
    void note_there(Waiting& waiting);

    std::deque<Waiting> waiting_;  // the first one's number is first_
    std::uint64_t first_ = 0;
    std::uint64_t peers_end_ = window;  // up to which number the peer has room
    std::uint64_t orders_ = 0;
    std::uint64_t latest_order_there_ = 0;
    std::size_t in_flight_ = 0;
    std::size_t in_flight_max_ = 16;
    Instant halved_{};
    Duration smoothed_{};
    Duration deviation_{};
    std::uint64_t sent_again_count_ = 0;

    std::map<std::uint64_t, Octets> here_;  // received and not fetched
    std::uint64_t next_ = 0;                // all before are here or fetched
    std::uint64_t fetched_ = 0;
};

}  // namespace fulcrum
