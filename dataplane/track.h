// From a request or reply to who serves it: the session is looked up, opened when a new flow may
// have one, and moved on by what the packet is. Here the table, the scheduler and the snapshot
// meet; decide then judges on values alone. No I/O and no buffers; one worker's thread.
#pragma once

#include <cstdint>

#include "config/model/snapshot.h"
#include "dataplane/ages.h"
#include "dataplane/burst.h"
#include "dataplane/counters.h"
#include "dataplane/session_states.h"
#include "dataplane/session_table.h"

namespace fulcrum {

class Tracker {
  public:
    Tracker(SessionTable& table, CounterBoard& board) : table_{table}, board_{board} {}

    // For all flows of the burst: one prefetched line each, a second one for some.
    void look_up(Burst& burst, const Snapshot& snapshot);
    // Misses alone: removes sessions that are over, opens new ones. Whoever gets none keeps a
    // decision already made (a drop, or forwarding without a session).
    void open(Burst& burst, const Snapshot& snapshot, std::uint32_t now_s);
    // For all flows that have a session: last-seen, state, and the decision.
    void decide(Burst& burst, const Snapshot& snapshot, std::uint32_t now_s);

    // The next buckets of the table; true when a round is complete.
    bool sweep(std::size_t bucket_count, const Snapshot& snapshot, std::uint32_t now_s);

    const SessionTable& table() const { return table_; }

  private:
    void find(Burst& burst, std::size_t i, const Snapshot& snapshot);
    void find_again(Burst& burst, const Snapshot& snapshot);
    void open_for_request(Burst& burst, std::size_t i, const Ages& ages);
    void answer_without_session(Burst& burst, std::size_t i, const Snapshot& snapshot);
    std::uint16_t choose(const Classified& classified, SessionTable::Home home, const Ages& ages,
                         bool& met_another);
    void touch(Session& session, const ParsedPacket& packet, bool is_reply, const Ages& ages);
    void note_gone(const Session& session, const Snapshot& snapshot);
    RealTally* tally_of(const Session& session, const Snapshot& snapshot);

    SessionTable& table_;
    CounterBoard& board_;
};

}  // namespace fulcrum
