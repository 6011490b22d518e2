// From a request or reply to a decision: its session is looked up, opened when a new flow may have
// one, moved on by what the packet is; and on the values found, `decide` judges. Here the table,
// the choice of a real and the snapshot meet. No I/O and no buffers; one worker's thread.
//
// Two passes over the flows of a burst. Most find their session in the first of its two cache
// lines, which has been fetched meanwhile, and are done. The strays' second lines are fetched
// behind the backs of the others; then each stray is settled alone, one after the other, because to
// open a session may move or end another.
//
// Each IP family has a tracker of its own over its own table and its own flows of the burst; what
// differs between them is said by the family (Ipv4Flows), and all else is here once.
#pragma once

#include <cstdint>
#include <span>

#include "config/model/snapshot.h"
#include "dataplane/ages.h"
#include "dataplane/burst.h"
#include "dataplane/counters.h"
#include "dataplane/session_states.h"
#include "dataplane/session_table.h"

namespace fulcrum {

// IPv4's flows of a burst, and what only the family knows of them.
struct Ipv4Flows {
    using Sessions = Ipv4Sessions;

    static std::span<const std::uint8_t> flows_of(const Burst& burst) {
        return {burst.flows.data(), burst.flow_count};
    }
    static ClientKey client_of(const Burst& burst, std::size_t i) {
        return burst.classified[i].client_key;
    }
    static void name_client(const Burst& burst, std::size_t i, Session& session) {
        session.client_address = burst.packets[i].source;
        session.client_port = burst.packets[i].source_port;
    }
    // Where a reply goes.
    static const NextHop& hop_to_client(const Burst& burst, std::size_t i, const Paths& paths) {
        return *paths.to(burst.packets[i].destination).hop;
    }
};

template <typename Family>
class TrackerOf {
  public:
    using Table = SessionTableOf<typename Family::Sessions>;
    using Session = typename Table::Session;

    TrackerOf(Table& table, CounterBoard& board) : table_{table}, board_{board} {}

    // As soon as a packet's client is known: its session's cache line is on its way while the rest
    // of the burst is classified.
    void expect(Burst& burst, std::size_t i) {
        burst.homes[i] = table_.home_of(Family::client_of(burst, i));
        table_.prefetch_first(burst.homes[i]);
    }

    // A decision for each flow of the burst.
    void decide(Burst& burst, const Snapshot& snapshot, std::uint32_t now_s);

    // The next buckets of the table; true when a round is complete.
    bool sweep(std::size_t bucket_count, const Snapshot& snapshot, std::uint32_t now_s);

    const Table& table() const { return table_; }

  private:
    struct Found {
        Session* session;
        std::uint8_t index;  // within the burst
    };

    Session* find_in_first(const Burst& burst, std::size_t i, const Snapshot& snapshot);
    void settle(Burst& burst, std::size_t i, const Ages& ages);
    bool serve(Session& session, Burst& burst, std::size_t i, const Ages& ages);
    bool part(Session& session, Burst& burst, std::size_t i, const Ages& ages);
    inline bool carry_on(Session& session, Burst& burst, std::size_t i, const Ages& ages,
                         const SnapshotReal& real);
    inline void touch(Session& session, const ParsedPacket& packet, Side side,
                      const SnapshotReal& real, std::uint16_t stamp);
    void enter(Session& session, SessionState next, const SnapshotReal& real);
    void open(Burst& burst, std::size_t i, const Ages& ages);
    std::uint16_t choose(const Burst& burst, std::size_t i, const Ages& ages, bool& met_another);
    bool admit(const Session& newcomer, const SnapshotReal& real, SessionHome home,
               const Ages& ages);
    static void answer_without_session(Burst& burst, std::size_t i, const Snapshot& snapshot);
    void note_gone(const Session& session, const Snapshot& snapshot);
    RealTally* tally_of(const Session& session, const Snapshot& snapshot);

    Table& table_;
    CounterBoard& board_;
};

using Tracker = TrackerOf<Ipv4Flows>;

}  // namespace fulcrum
