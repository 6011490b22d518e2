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
// differs between them is said by the family (flow_families.h), and all else is here once.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "config/model/replica.h"
#include "config/model/snapshot.h"
#include "dataplane/ages.h"
#include "dataplane/burst.h"
#include "dataplane/chooser.h"
#include "dataplane/cookie_desk.h"
#include "dataplane/counters.h"
#include "dataplane/flow_families.h"
#include "dataplane/local_ends.h"
#include "dataplane/mailbox.h"
#include "dataplane/opening.h"
#include "dataplane/session_states.h"
#include "dataplane/session_table.h"

namespace fulcrum {

// What names a session beyond the table.
template <typename Session>
LeasingFlow flow_of(const Session& session) {
    return {.client = IpAddress{session.client_address}.v6(),
            .client_port = session.client_port,
            .vip_port = session.vip_port,
            .listener = session.listener};
}

// From which end the director speaks to the real for a session in full NAT; port 0: it is in none.
Endpoint local_end_of(const Session& session, const LocalEnds& ends, const Snapshot& snapshot);
Endpoint local_end_of(const Session6& session, const LocalEnds& ends, const Snapshot& snapshot);

template <typename Family>
class TrackerOf {
  public:
    using Table = SessionTableOf<typename Family::Sessions>;
    using Session = typename Table::Session;

    TrackerOf(Table& table, CounterBoard& board, Chooser& chooser, LocalEnds& ends,
              CookieDesk& cookies)
        : table_{table}, board_{board}, chooser_{chooser}, ends_{ends}, cookies_{cookies} {}

    // As soon as a packet's client is known: its session's cache line is on its way while the rest
    // of the burst is classified.
    void expect(Burst& burst, std::size_t i) {
        burst.homes[i] = table_.home_of(Family::client_of(burst, i));
        table_.prefetch_first(burst.homes[i]);
    }

    // A decision for each flow of the burst.
    void decide(Burst& burst, const Snapshot& snapshot, std::uint32_t now_s);

    // The same for one packet to a local end that is ours, which has no place among the flows;
    // false: it belongs to no session in full NAT, and nothing is decided. See track_full_nat.cpp.
    bool decide_local_reply(Burst& burst, std::size_t i, const Ages& ages);

    // The next buckets of the table; true when a round is complete.
    bool sweep(std::size_t bucket_count, const Snapshot& snapshot, std::uint32_t now_s);

    // The table's memory holds sessions of an earlier process: those that still mean something are
    // counted, the others go.
    void take_up(const Snapshot& snapshot, std::uint32_t now_s);

    const Table& table() const { return table_; }

    // --- what the peer hears, and what it says; see track_replicas.cpp -----------------------
    // From now on it is told of what becomes of confirmed sessions.
    void tell(Mailbox<Replica>& peer) { peer_ = &peer; }
    // Tells of those in the buckets [from, from + count); false when there are none left.
    bool tell_some(std::size_t from, std::size_t count, const Ages& ages);
    // One of the peer's, of a client that this worker owns. Refused: nothing has changed.
    std::optional<ReplicaRefusal> adopt(const Replica& replica, const Ages& ages);
    void expect(const Replica& replica) const { table_.prefetch_first(home_of(replica)); }

  private:
    struct Found {
        Session* session;
        std::uint8_t index;  // within the burst
    };

    // How a packet without a session comes in, where SYN cookies are in use: see track_cookies.cpp.
    enum class Entrance : std::uint8_t {
        usual,
        settled,   // it does not, and has been decided on
        proven,    // by a cookie: its splice lies with the burst, to be opened
        unproven,  // and may not have a session now
    };

    Session* find_in_first(const Burst& burst, std::size_t i, const Snapshot& snapshot);
    void settle(Burst& burst, std::size_t i, const Ages& ages);
    bool serve(Session& session, Burst& burst, std::size_t i, const Ages& ages);
    // For where most packets pass.
    bool serve_in_line(Session& session, Burst& burst, std::size_t i, const Ages& ages);
    bool serve_with_care(Session& session, Burst& burst, std::size_t i, const Ages& ages);
    bool part(Session& session, Burst& burst, std::size_t i, const Ages& ages);
    inline bool carry_on(Session& session, Burst& burst, std::size_t i, const Ages& ages,
                         const SnapshotReal& real);
    inline void touch(Session& session, const ParsedPacket& packet, Side side,
                      const SnapshotReal& real, const Ages& ages);
    void enter(Session& session, SessionState next, const SnapshotReal& real, const Ages& ages);
    void open(Burst& burst, std::size_t i, const Ages& ages);
    void open_session(const Newcomer& flow, std::uint16_t index, Burst& burst, std::size_t i,
                      const Ages& ages);
    Newcomer newcomer_of(const Burst& burst, std::size_t i, const Ages& ages) const {
        const std::uint16_t listener = burst.classified[i].listener;
        return {.listener = listener,
                .draw = draw_of(ages.snapshot(), ages.snapshot().listeners[listener],
                                Family::client_of(burst, i)),
                .client = Family::whole_client_of(burst, i),
                .traits = Family::traits_of(burst, i),
                .goes_by_ring = table_.is_flooded() || is_in_mid_course(burst.packets[i]),
                .now_s = ages.now_s()};
    }
    std::uint16_t choose(const Newcomer& newcomer, const Burst& burst, std::size_t i,
                         const Ages& ages, bool& met_another);
    void pass_untracked(Newcomer flow, std::uint16_t chosen, Burst& burst, std::size_t i,
                        const Ages& ages);
    Session* admit(const Session& newcomer, const SnapshotReal& real, SessionHome home,
                   const Ages& ages);
    Entrance entrance_of(Burst& burst, std::size_t i, const Ages& ages);
    bool has_place(SessionHome home, const Ages& ages) const;
    bool is_proven(Burst& burst, std::size_t i, const Ages& ages);
    void splice_newcomer(const Session& session, Burst& burst, std::size_t i, const Ages& ages);
    bool opens_another(const Session& session, const Burst& burst, std::size_t i);
    void carry_spliced(Session& session, Burst& burst, std::size_t i, const Ages& ages);
    void carry_half_open(Session& session, Splice& splice, Burst& burst, std::size_t i,
                         const Ages& ages);
    void note_handshake(const Session& session, const SnapshotReal& real, Burst& burst,
                        std::size_t i, const Ages& ages);
    void count_opening(const SnapshotReal& real, SessionEvent event);
    void forget_splice(const Session& session);
    bool is_reply_without_session(const ParsedPacket& packet, std::uint16_t listener_index,
                                  const Ages& ages) const;
    void answer_without_session(Burst& burst, std::size_t i, const Ages& ages);
    // The real is one of full NAT, or would answer this client past us.
    static bool wants_local_end(const Burst& burst, std::size_t i, const SnapshotReal& real,
                                const Snapshot& snapshot) {
        return real.mode == ForwardingMode::full_nat ||
               (real.mode == ForwardingMode::nat && !snapshot.local_addresses.empty() &&
                is_beside(burst, i, real, snapshot));
    }
    static bool is_beside(const Burst& burst, std::size_t i, const SnapshotReal& real,
                          const Snapshot& snapshot);
    void open_in_full_nat(Session& newcomer, const Newcomer& flow, Burst& burst, std::size_t i,
                          const Ages& ages);
    bool free_a_local_end(const LocalEnds::Wish& wish, const Ages& ages);
    bool speak_from_local_end(const Session& session, Burst& burst, std::size_t i,
                              const Snapshot& snapshot) const;
    void note_telling(Burst& burst, std::size_t i, LocalEnd end) const;
    void give_end_back(const Session& session, const Ages& ages) {
        if (session.tag.is_full_nat()) {
            let_end_rest(session, ages);
        }
        if (session.tag.is_spliced()) {
            forget_splice(session);
        }
    }
    void let_end_rest(const Session& session, const Ages& ages);
    void note_gone(const Session& session, const Ages& ages);
    void note_client_left(Session session, const Ages& ages);
    static Chooser::Holder holder_of(Session& session, const Snapshot& snapshot) {
        return {session.tag, snapshot.service_of(session.listener), Family::client_of(session),
                session.real};
    }
    RealTally* tally_of(const Session& session, const Snapshot& snapshot);
    void tell_peer(const Session& session, ReplicaKind kind, const Ages& ages);
    void renew_at_peer(const Session& session, const Ages& ages);
    SessionHome home_of(const Replica& replica) const;
    std::optional<ReplicaRefusal> renew(Session& own, const Replica& replica, const Ages& ages);
    std::optional<ReplicaRefusal> admit_replica(const Replica& replica, const Ages& ages);
    bool claim_local_end(const Replica& replica, const Ages& ages);
    void count_replica(Session& session, const Ages& ages);

    Table& table_;
    CounterBoard& board_;
    Chooser& chooser_;
    LocalEnds& ends_;
    Mailbox<Replica>* peer_ = nullptr;  // null: there is none
    CookieDesk& cookies_;
    std::uint32_t untracked_until_s_ = 0;  // flows without sessions may be answered so long
};

using Tracker = TrackerOf<Ipv4Flows>;
using Tracker6 = TrackerOf<Ipv6Flows>;

}  // namespace fulcrum
