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
#include <optional>
#include <span>

#include "config/model/replica.h"
#include "config/model/snapshot.h"
#include "dataplane/ages.h"
#include "dataplane/burst.h"
#include "dataplane/choose.h"
#include "dataplane/chooser.h"
#include "dataplane/counters.h"
#include "dataplane/local_ends.h"
#include "dataplane/mailbox.h"
#include "dataplane/opening.h"
#include "dataplane/parse_ipv6.h"
#include "dataplane/session_states.h"
#include "dataplane/session_table.h"

namespace fulcrum {

// IPv4's flows of a burst, and what only the family knows of them.
struct Ipv4Flows {
    using Sessions = Ipv4Sessions;
    static constexpr DropReason bad_source = DropReason::ipv4_source;

    static std::span<const std::uint8_t> flows_of(const Burst& burst) {
        return {burst.flows.data(), burst.flow_count};
    }
    static ClientKey client_of(const Burst& burst, std::size_t i) {
        return burst.classified[i].client_key;
    }
    static ClientKey client_of(const LeasingFlow& flow, L4Protocol protocol) {
        return client_key_of(IpAddress{flow.client}.v4(), flow.client_port, protocol);
    }
    static void name_client(const Burst& burst, std::size_t i, Session& session) {
        session.client_address = burst.packets[i].source;
        session.client_port = burst.packets[i].source_port;
    }
    // What affinity and schedulers see of the client and its flow.
    static ClientPrefix client_of(const Session& session) {
        return client_prefix_of(session.client_address);
    }
    static ClientPrefix whole_client_of(const Burst& burst, std::size_t i) {
        return client_prefix_of(burst.packets[i].source);
    }
    static FlowTraits traits_of(const Burst& burst, std::size_t i) {
        const ParsedPacket& packet = burst.packets[i];
        return {packet.source.host(), packet.destination.host(), packet.source_port.host()};
    }
    // Where a reply goes.
    static const NextHop& hop_to_client(const Burst& burst, std::size_t i, const Paths& paths) {
        return paths.hop_to(burst.classified[i].client);
    }
    static IpAddress address_of_client(const Burst& burst, std::size_t i) {
        return burst.packets[i].source;
    }
    // Of a reply to a local end: whose it is, and where it goes.
    static void name_client(Burst& burst, std::size_t i, const LeasingFlow& flow) {
        const Ipv4Address client = IpAddress{flow.client}.v4();
        burst.classified[i].client = client;
        burst.classified[i].client_key =
            client_key_of(client, flow.client_port, burst.packets[i].protocol);
        burst.decisions[i].far_address = client;
        burst.decisions[i].far_port = flow.client_port;
    }
};

struct Ipv6Flows {
    using Sessions = Ipv6Sessions;
    static constexpr DropReason bad_source = DropReason::ipv6_source;

    static std::span<const std::uint8_t> flows_of(const Burst& burst) {
        return {burst.flows6.data(), burst.flow6_count};
    }
    static const ClientKey6& client_of(const Burst& burst, std::size_t i) {
        return burst.clients6[i];
    }
    static ClientKey6 client_of(const LeasingFlow& flow, L4Protocol protocol) {
        return {flow.client, flow.client_port, protocol};
    }
    static void name_client(const Burst& burst, std::size_t i, Session6& session) {
        session.client_address = burst.clients6[i].address;
        session.client_port = burst.clients6[i].port;
    }
    static ClientPrefix client_of(const Session6& session) {
        return client_prefix_of(IpAddress{session.client_address});
    }
    static ClientPrefix whole_client_of(const Burst& burst, std::size_t i) {
        return client_prefix_of(IpAddress{burst.clients6[i].address});
    }
    // As IPVS hashes IPv6 addresses: the sum of their four words without carries.
    static FlowTraits traits_of(const Burst& burst, std::size_t i) {
        const Ipv6Ends ends = ipv6_ends_of(burst.frames[i].octets, burst.packets[i]);
        const auto folded = [](const Ipv6Address& address) {
            const std::uint64_t sum =
                __builtin_bswap64(address.word(0)) ^ __builtin_bswap64(address.word(1));
            return static_cast<std::uint32_t>(sum ^ (sum >> 32));
        };
        return {folded(ends.source), folded(ends.destination), burst.packets[i].source_port.host()};
    }
    static const NextHop& hop_to_client(const Burst& burst, std::size_t i, const Paths& paths) {
        return paths.hop_to(burst.clients6[i].address);
    }
    static IpAddress address_of_client(const Burst& burst, std::size_t i) {
        return burst.clients6[i].address;
    }
    static void name_client(Burst& burst, std::size_t i, const LeasingFlow& flow) {
        burst.clients6[i] = {flow.client, flow.client_port, burst.packets[i].protocol};
        burst.decisions[i].far_port = flow.client_port;
    }
};

// From which end the director speaks to the real for a session in full NAT; port 0: it is in none.
Endpoint local_end_of(const Session& session, const LocalEnds& ends, const Snapshot& snapshot);
Endpoint local_end_of(const Session6& session, const LocalEnds& ends, const Snapshot& snapshot);

template <typename Family>
class TrackerOf {
  public:
    using Table = SessionTableOf<typename Family::Sessions>;
    using Session = typename Table::Session;

    TrackerOf(Table& table, CounterBoard& board, Chooser& chooser, LocalEnds& ends)
        : table_{table}, board_{board}, chooser_{chooser}, ends_{ends} {}

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
    static void answer_without_session(Burst& burst, std::size_t i, const Snapshot& snapshot);
    // The real is one of full NAT, or would answer this client past us.
    static bool wants_local_end(const Burst& burst, std::size_t i, const SnapshotReal& real,
                                const Snapshot& snapshot);
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
};

using Tracker = TrackerOf<Ipv4Flows>;
using Tracker6 = TrackerOf<Ipv6Flows>;

}  // namespace fulcrum
