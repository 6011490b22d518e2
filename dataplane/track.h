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
#include "dataplane/choose.h"
#include "dataplane/chooser.h"
#include "dataplane/counters.h"
#include "dataplane/parse_ipv6.h"
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
        return paths.hop_to(burst.packets[i].destination);
    }
};

struct Ipv6Flows {
    using Sessions = Ipv6Sessions;

    static std::span<const std::uint8_t> flows_of(const Burst& burst) {
        return {burst.flows6.data(), burst.flow6_count};
    }
    static const ClientKey6& client_of(const Burst& burst, std::size_t i) {
        return burst.clients6[i];
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
};

template <typename Family>
class TrackerOf {
  public:
    using Table = SessionTableOf<typename Family::Sessions>;
    using Session = typename Table::Session;

    TrackerOf(Table& table, CounterBoard& board, Chooser& chooser)
        : table_{table}, board_{board}, chooser_{chooser} {}

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
                .is_in_flood = table_.is_flooded(),
                .now_s = ages.now_s()};
    }
    std::uint16_t choose(const Newcomer& newcomer, const Burst& burst, std::size_t i,
                         const Ages& ages, bool& met_another);
    Session* admit(const Session& newcomer, const SnapshotReal& real, SessionHome home,
                   const Ages& ages);
    static void answer_without_session(Burst& burst, std::size_t i, const Snapshot& snapshot);
    void note_gone(const Session& session, const Ages& ages);
    void note_client_left(Session session, const Ages& ages);
    static Chooser::Holder holder_of(Session& session, const Snapshot& snapshot) {
        return {session.tag, snapshot.service_of(session.listener), Family::client_of(session),
                session.real};
    }
    RealTally* tally_of(const Session& session, const Snapshot& snapshot);

    Table& table_;
    CounterBoard& board_;
    Chooser& chooser_;
};

using Tracker = TrackerOf<Ipv4Flows>;
using Tracker6 = TrackerOf<Ipv6Flows>;

}  // namespace fulcrum
