// What has happened, for those who ask later and for those who look on: the last thousand events,
// each with a number, and a stream of them for each client of the command socket that wants one. A
// client takes events at its own pace; one that is so slow that the book has forgotten what it
// should read next is told how many it has missed, and dropped. Nobody waits for it.
//
// On the socket, behind the reply {"ok":true,"result":{"next":NUMBER}}: lines {"octets":N}, each
// followed by N octets of events, one object of JSON a line, and at last a reply of its own. The
// control thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/command_socket.h"

namespace fulcrum {

enum class EventKind : std::uint8_t {
    real_up,
    real_down,
    real_drained,
    real_undrained,
    check_hastened,  // connections fail at the real
    reload_applied,
    reload_refused,
    edit_applied,
    returned,  // a configuration of the history runs again
    taken_back,
    saved,
    quorum_up,
    quorum_down,
    fallback_used,
    fallback_rests,
    address_conflict,
    address_conflict_over,
};
std::string_view to_string(EventKind kind);  // "real_up"

struct EventRecord {
    EventKind kind = EventKind::real_up;
    std::string service;  // empty: of none
    std::string real;     // likewise
    std::string sentence;
    std::uint64_t number = 0;  // counted from 1 since the start; given by the book, as is the time
    std::chrono::system_clock::time_point time{};
};

class EventBook {
  public:
    static constexpr std::size_t kept_max = 1'000;
    static constexpr std::size_t streams_max = 16;

    EventBook() : self_{std::make_shared<EventBook*>(this)} {}
    EventBook(const EventBook&) = delete;
    EventBook& operator=(const EventBook&) = delete;

    void note(EventRecord event);

    struct Asked {
        std::optional<std::uint64_t> since;  // the events behind this one; none: those to come
        bool follows = true;                 // false: what is kept, and the end
    };
    // The answer carries a stream, or a refusal.
    void begin(const Asked& asked, const CommandSocket::Answer& answer);

    const std::deque<EventRecord>& kept() const { return kept_; }  // the oldest first

  private:
    class Stream;

    std::uint64_t next_number() const { return count_ + 1; }
    std::uint64_t oldest_number() const { return next_number() - kept_.size(); }
    // Lines from this number on, no more than fit into one piece; `number` moves on.
    std::string lines_from(std::uint64_t& number) const;

    std::deque<EventRecord> kept_;
    std::uint64_t count_ = 0;
    std::vector<Stream*> streams_;
    std::shared_ptr<EventBook*> self_;  // streams hold it weakly
};

}  // namespace fulcrum
