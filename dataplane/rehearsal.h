// What would become of a packet, found out by carrying it: the worker's own path, with its own
// code, on a stage that is empty but for what the packet's client has in the real table. A made-up
// frame goes in; verdict, session, real, next hop and the frame as it would leave come out. What
// the play changes, it changes on the stage: the worker's table, counters and ports do not know of
// it. Costs packets nothing. One worker's thread; memory is taken at start.
//
// Not foreseen: whether a table without room would refuse the session, and what depends on how
// much has come lately.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "config/model/explanation.h"
#include "dataplane/packet_path.h"
#include "dataplane/track.h"

namespace fulcrum {

// A worker's own, which stay as they are.
struct LiveTables {
    SessionTable& of_v4;
    SessionTable6& of_v6;
};

class Rehearsal {
  public:
    // The worker's own, which are asked and take no note.
    struct Asked {
        Chooser& chooser;
        LocalEnds& local_ends;
        CookieDesk& cookies;
    };
    // Arguments as of PacketPath.
    Rehearsal(std::vector<PathPort> ports, const Steering& steering, unsigned worker_id,
              unsigned worker_count, const Asked& asked);

    void play(const Question& question, LiveTables live, const Snapshot& snapshot,
              std::uint32_t now_s, Explanation& explanation);

  private:
    struct alignas(limits::cache_line_size) Line {
        std::array<std::byte, limits::cache_line_size> octets{};
    };

    void classify(const Snapshot& snapshot);
    Origin origin_of(const Question& question, const Snapshot& snapshot) const;
    void note_holder();
    unsigned owner() const;
    void set_stage();
    void bring_in(LiveTables live, const Ages& ages);
    std::optional<SessionRecord> session_now(const Ages& ages);
    template <typename Table, typename Key>
    std::optional<SessionRecord> session_in(Table& stage, const Key& client, const Ages& ages);
    void tell_session(const std::optional<SessionRecord>& before, const Ages& ages,
                      Explanation& explanation);
    void tell_real(const Snapshot& snapshot, Explanation& explanation) const;
    std::uint16_t wrap(const Tunnel& tunnel, std::uint16_t octet_count,
                       Explanation& explanation) const;
    void tell_way(const Snapshot& snapshot, Explanation& explanation) const;

    std::vector<PathPort> ports_;
    const Steering& steering_;
    unsigned worker_id_;
    std::vector<Line> memory_;  // the table's
    std::optional<SessionTable> table_;
    CounterBoard board_;
    Chooser& chooser_;
    LocalEnds& local_ends_;
    CookieDesk& cookies_;
    std::vector<Line> memory6_;
    std::optional<SessionTable6> table6_;
    Tracker tracker_;
    Tracker6 tracker6_;
    PacketPath path_;
    std::unique_ptr<Burst> burst_;
    std::uint64_t opened_before_ = 0;  // sessions, when the play began
};

}  // namespace fulcrum
