// What a tracker tells the peer of its sessions, and what it makes of the peer's: two directors'
// trackers, with what they say to each other in hand.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/support/eal.h"
#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint other_vip{Ipv4Address::of(10, 1, 0, 81), be16{80}};
constexpr Endpoint dns_vip{Ipv4Address::of(10, 1, 0, 53), be16{53}};
constexpr Endpoint real_a{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Endpoint real_b{Ipv4Address::of(10, 2, 0, 12), be16{8'080}};
constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};

constexpr std::uint8_t syn = tcp_flag::syn;
constexpr std::uint8_t ack = tcp_flag::ack;
constexpr std::uint8_t fin_ack = tcp_flag::fin | tcp_flag::ack;
constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;

Frame request(std::uint8_t flags, Endpoint from = client, Endpoint to = vip) {
    return Packet::tcp(from, to).flags(flags).bytes();
}
Frame reply(std::uint8_t flags, Endpoint from = real_a, Endpoint to = client) {
    return Packet::tcp(from, to).macs(mac_of(from.address), lan_mac).flags(flags).bytes();
}

// One director's tracker with the mailbox to its peer.
class Director {
  public:
    Director(std::unique_ptr<const Snapshot> snapshot, const char* name,
             std::size_t bucket_count = 256, std::size_t room = 1'023)
        : room_{std::move(snapshot), bucket_count}, told_{Mailbox<Replica>::create(name, room)} {
        room_.tracker().tell(*told_);
    }

    std::vector<Replica> told() {
        std::vector<Replica> all(2'048);
        all.resize(told_->collect(all.data(), static_cast<unsigned>(all.size())));
        return all;
    }
    std::optional<ReplicaRefusal> hear(const Replica& replica) {
        return room_.tracker().adopt(replica, room_.ages());
    }
    void establish(Endpoint from = client, Endpoint to = vip, Endpoint real = real_a) {
        room_.carry(request(syn, from, to));
        room_.carry(reply(syn_ack, real, from));
        room_.carry(request(ack, from, to));
    }
    // Where the client's next segment goes; the unspecified address: nowhere.
    IpAddress serving(Endpoint from = client, Endpoint to = vip) {
        const Decision decision = room_.carry(request(ack, from, to));
        return decision.verdict == Verdict::transmit ? IpAddress{decision.replacement.address}
                                                     : IpAddress{};
    }
    Session session(Endpoint from = client) {
        const std::vector<Session> found = room_.sessions_of(from);
        return found.size() == 1 ? found.front() : Session{};
    }
    TrackingRoom& room() { return room_; }

  private:
    TrackingRoom room_;
    std::unique_ptr<Mailbox<Replica>> told_;
};

class TrackReplicas : public testing::Test {
  protected:
    TrackReplicas() { scene_.service("web", vip).real("a", real_a).real("b", real_b); }

    std::unique_ptr<const Snapshot> active() { return scene_.snapshot(); }
    std::unique_ptr<const Snapshot> standby() {
        auto snapshot = std::make_unique<Snapshot>(*scene_.snapshot());
        for (SnapshotListener& listener : snapshot->listeners) {
            listener.is_standby = true;
        }
        return snapshot;
    }
    // The client's session at real `real`, as a peer tells of it.
    static Replica session_at(std::uint16_t real, SessionState state = SessionState::established) {
        return {.state = state,
                .client = client.address,
                .client_port = client.port,
                .vip_port = vip.port,
                .listener = 0,
                .real = real};
    }
    static constexpr auto kept = ReplicaRefusal::kept;

    Scene scene_;
};

// --- what is told ----------------------------------------------------------------------------

TEST_F(TrackReplicas, AConnectionIsToldOfWhenItIsEstablished) {
    Director director{active(), "told"};
    director.room().carry(request(syn));
    const std::uint16_t real = director.session().real;
    const Endpoint its = real == 0 ? real_a : real_b;
    director.room().carry(reply(syn_ack, its));
    EXPECT_TRUE(director.told().empty()) << "a SYN and its answer prove nothing";
    director.room().skip_s(3);
    director.room().carry(request(ack));
    const std::vector<Replica> told = director.told();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told.front(), session_at(real));
    for (int packet = 0; packet < 100; ++packet) {
        director.room().carry(request(ack));
        director.room().carry(reply(ack, its));
    }
    EXPECT_TRUE(director.told().empty()) << "packets tell nothing";
    EXPECT_EQ(director.room().counters().replicas_told.read(), 1U);
}

TEST_F(TrackReplicas, ItsClosingIsToldStepByStep) {
    Scene scene;
    scene.service("web", vip).real("a", real_a);
    Director director{scene.snapshot(), "told"};
    director.establish();
    director.told();
    director.room().carry(request(fin_ack));
    director.room().carry(reply(fin_ack));
    const std::vector<Replica> told = director.told();
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0].state, SessionState::client_closed);
    EXPECT_EQ(told[1].state, SessionState::closed);
}

TEST_F(TrackReplicas, ASessionThatMakesWayIsToldToBeGone) {
    Scene scene;
    scene.service("web", vip).real("a", real_a);
    Director director{scene.snapshot(), "told"};
    director.establish();
    director.room().carry(request(fin_ack));
    director.room().carry(reply(fin_ack));
    director.told();
    director.room().carry(request(syn));
    const std::vector<Replica> told = director.told();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told.front().kind, ReplicaKind::gone);
    EXPECT_EQ(told.front().client_port, client.port);
}

TEST_F(TrackReplicas, OneThatTimesOutIsNotToldOf) {
    Scene scene;
    scene.service("web", vip).real("a", real_a);
    Director director{scene.snapshot(), "told"};
    director.establish();
    director.told();
    director.room().skip_s(901);
    director.room().sweep_all();
    EXPECT_EQ(director.room().live_count(), 0U);
    EXPECT_TRUE(director.told().empty()) << "the peer's clock says the same";
}

TEST_F(TrackReplicas, OneThatGoesOnIsToldOfFourTimesInItsTimeout) {
    Scene scene;
    scene.service("web", vip).real("a", real_a);
    Director director{scene.snapshot(), "told"};
    director.establish();
    director.told();
    std::size_t told = 0;
    for (int second = 0; second < 3'600; second += 5) {  // as often as a worker sweeps
        director.room().skip_s(5);
        director.room().carry(request(ack));
        director.room().sweep_all();
        told += director.told().size();
    }
    // Four times in each of four times of 900 s; the sweep may meet a moment twice.
    EXPECT_GE(told, 16U);
    EXPECT_LE(told, 32U);
}

TEST_F(TrackReplicas, AnIdleOneIsToldOfOnceAfterItsLastPacketAndLivesAsLongThere) {
    Scene scene;
    scene.service("web", vip).real("a", real_a);
    Director director{scene.snapshot(), "told"};
    Director peer{standby(), "peer"};
    director.establish();
    peer.hear(director.told().front());
    for (int second = 0; second < 300; second += 5) {
        director.room().skip_s(5);
        peer.room().skip_s(5);
        director.room().carry(request(ack));
    }
    std::size_t told = 0;
    int lived_s = 0;
    for (; lived_s < 2'000 && director.room().live_count() > 0; lived_s += 5) {
        director.room().skip_s(5);
        peer.room().skip_s(5);
        director.room().sweep_all();
        peer.room().sweep_all();
        for (const Replica& replica : director.told()) {
            EXPECT_LE(replica.idle_s, 900U / 4 + 6) << "and once it is idle for long, no more";
            peer.hear(replica);
            ++told;
        }
        ASSERT_EQ(peer.room().live_count(), director.room().live_count()) << lived_s;
    }
    EXPECT_GE(told, 1U);
    EXPECT_LE(told, 2U);
    EXPECT_NEAR(lived_s, 905, 5);
}

TEST_F(TrackReplicas, AStandbyTellsNothing) {
    Director director{standby(), "told"};
    ASSERT_EQ(director.hear(session_at(1)), std::nullopt);
    ASSERT_EQ(director.hear(session_at(1, SessionState::client_closed)), std::nullopt);
    for (int second = 0; second < 120; second += 5) {
        director.room().skip_s(5);
        director.room().sweep_all();
    }
    EXPECT_TRUE(director.told().empty());
    director.room().tracker().tell_some(0, 1'000, director.room().ages());
    EXPECT_TRUE(director.told().empty());
}

TEST_F(TrackReplicas, WhatFindsNoRoomOnItsWayIsCounted) {
    Director director{active(), "told", 256, 7};
    for (std::uint16_t port = 1; port <= 10; ++port) {
        const Endpoint from{client.address, be16{port}};
        director.room().carry(request(syn, from));
        const bool is_a = director.session(from).real == 0;
        director.room().carry(reply(syn_ack, is_a ? real_a : real_b, from));
        director.room().carry(request(ack, from));
    }
    EXPECT_EQ(director.room().counters().replicas_told.read(), 7U);
    EXPECT_EQ(director.room().counters().replicas_lost.read(), 3U);
}

// --- what is taken ---------------------------------------------------------------------------

TEST_F(TrackReplicas, ATakenSessionIsServedByItsRealWhereverTheRingLeads) {
    for (const std::uint16_t real : {std::uint16_t{0}, std::uint16_t{1}}) {
        for (const bool is_standby_first : {false, true}) {
            Director director{is_standby_first ? standby() : active(), "told"};
            ASSERT_EQ(director.hear(session_at(real)), std::nullopt);
            director.room().use(active());
            EXPECT_EQ(director.serving(), (real == 0 ? real_a : real_b).address);
            EXPECT_EQ(director.session().tag.state(), SessionState::established);
            const std::uint32_t tally = director.room().snapshot().reals[real].tally;
            EXPECT_EQ(director.room().tally(tally).sessions_live.read(), 1U);
            EXPECT_EQ(director.room().tally(tally).sessions_confirmed.read(), 1U);
            EXPECT_EQ(director.room().tally(tally).sessions_active.read(), 1U);
            EXPECT_EQ(director.room().tally(tally).sessions_opened.read(), 0U) << "not here";
        }
    }
}

TEST_F(TrackReplicas, ItsCountsGoWithIt) {
    Director director{standby(), "told"};
    ASSERT_EQ(director.hear(session_at(0)), std::nullopt);
    Replica gone = session_at(0);
    gone.kind = ReplicaKind::gone;
    EXPECT_EQ(director.hear(gone), std::nullopt);
    EXPECT_EQ(director.room().live_count(), 0U);
    const RealTally& tally = director.room().tally(director.room().snapshot().reals[0].tally);
    EXPECT_EQ(tally.sessions_live.read(), 0U);
    EXPECT_EQ(tally.sessions_confirmed.read(), 0U);
    EXPECT_EQ(tally.sessions_active.read(), 0U);
    EXPECT_EQ(director.hear(gone), kept) << "there is nothing left to go";
}

TEST_F(TrackReplicas, WhoIsActiveKeepsHisOwn) {
    Director director{active(), "told"};
    director.room().carry(request(syn));
    const std::uint16_t own = director.session().real;
    const auto other = static_cast<std::uint16_t>(1 - own);
    EXPECT_EQ(director.hear(session_at(other)), kept);
    Replica gone = session_at(own);
    gone.kind = ReplicaKind::gone;
    EXPECT_EQ(director.hear(gone), kept);
    EXPECT_EQ(director.session().real, own);
    EXPECT_EQ(director.session().tag.state(), SessionState::syn_seen);
}

TEST_F(TrackReplicas, AStandbyFollowsThePeerInAll) {
    Director director{standby(), "told"};
    ASSERT_EQ(director.hear(session_at(0)), std::nullopt);
    ASSERT_EQ(director.hear(session_at(1)), std::nullopt);
    EXPECT_EQ(director.session().real, 1);
    EXPECT_EQ(director.room().live_count(), 1U);
    ASSERT_EQ(director.hear(session_at(1, SessionState::closed)), std::nullopt);
    EXPECT_EQ(director.session().tag.state(), SessionState::closed);
    const RealTally& tally = director.room().tally(director.room().snapshot().reals[1].tally);
    EXPECT_EQ(tally.sessions_active.read(), 0U);
    EXPECT_EQ(tally.sessions_live.read(), 1U);
}

TEST_F(TrackReplicas, WhoIsActiveLearnsThatThePeerHasSeenItSince) {
    Director director{active(), "told"};
    ASSERT_EQ(director.hear(session_at(0)), std::nullopt);
    director.room().skip_s(100);
    Replica fresh = session_at(0);
    fresh.idle_s = 40;
    EXPECT_EQ(director.hear(fresh), std::nullopt);
    EXPECT_EQ(director.room().ages().age_s(director.session()), 40U);
    fresh.idle_s = 41;
    EXPECT_EQ(director.hear(fresh), kept) << "an older word changes nothing";
    EXPECT_EQ(director.room().ages().age_s(director.session()), 40U);
}

TEST_F(TrackReplicas, ATakenSessionHasIdledAsLongAsThePeerSays) {
    Director director{active(), "told"};
    Replica idle = session_at(0);
    idle.idle_s = 890;
    ASSERT_EQ(director.hear(idle), std::nullopt);
    director.room().skip_s(10);
    director.room().sweep_all();
    EXPECT_EQ(director.room().live_count(), 1U);
    director.room().skip_s(1);
    director.room().sweep_all();
    EXPECT_EQ(director.room().live_count(), 0U);
    idle.idle_s = 901;
    EXPECT_EQ(director.hear(idle), ReplicaRefusal::expired);
    idle.idle_s = UINT32_MAX;
    EXPECT_EQ(director.hear(idle), ReplicaRefusal::expired);
}

TEST_F(TrackReplicas, LongTimeoutsAreKeptInTheirOwnUnits) {
    scene_.last_service().timeouts.tcp_established_s = 10 * 86'400;
    Director director{active(), "told"};
    Replica idle = session_at(0);
    idle.idle_s = 5 * 86'400;
    ASSERT_EQ(director.hear(idle), std::nullopt);
    EXPECT_NEAR(director.room().ages().age_s(director.session()), 5 * 86'400, 64);
}

TEST_F(TrackReplicas, WhatThisSnapshotDoesNotHaveIsRefused) {
    Director director{active(), "told"};
    Replica replica = session_at(0);
    replica.listener = 1;
    EXPECT_EQ(director.hear(replica), ReplicaRefusal::unknown);
    replica = session_at(2);
    EXPECT_EQ(director.hear(replica), ReplicaRefusal::unknown);
    replica = session_at(0);
    replica.protocol = L4Protocol::udp;
    EXPECT_EQ(director.hear(replica), ReplicaRefusal::unknown);
    EXPECT_EQ(director.hear(session_at(0, SessionState::syn_seen)), ReplicaRefusal::unknown);
    EXPECT_EQ(director.room().live_count(), 0U);
}

TEST_F(TrackReplicas, TwoSessionsOfOneClientPortDoNotMeetAtOneReal) {
    scene_.service("shop", other_vip).real("a", real_a);
    Director director{active(), "told"};
    ASSERT_EQ(director.hear(session_at(0)), std::nullopt);
    Replica other = session_at(0);
    other.listener = 1;
    other.vip_port = other_vip.port;
    EXPECT_EQ(director.hear(other), ReplicaRefusal::conflict);
    EXPECT_EQ(director.room().live_count(), 1U);
    director.room().use(standby());
    EXPECT_EQ(director.hear(other), std::nullopt) << "the peer knows which of them is alive";
    EXPECT_EQ(director.session().listener, 1);
}

TEST_F(TrackReplicas, NoConfirmedConnectionMakesWayForAPeersSession) {
    Director director{standby(), "told", 16};
    std::size_t taken = 0;
    std::size_t without_room = 0;
    for (std::uint16_t port = 1; port <= 400; ++port) {
        Replica replica = session_at(0);
        replica.client_port = be16{port};
        const auto refusal = director.hear(replica);
        taken += refusal ? 0 : 1;
        without_room += refusal == ReplicaRefusal::no_room ? 1 : 0;
    }
    EXPECT_EQ(taken + without_room, 400U);
    EXPECT_GT(without_room, 0U);
    EXPECT_EQ(director.room().live_count(), taken);
    EXPECT_EQ(director.room().counters().sessions_evicted.read(), 0U);
}

TEST_F(TrackReplicas, ASessionGoesOnAtARealThatIsDrainedHere) {
    scene_.snapshot();
    scene_.state().on_event(DrainAsked{.service = "web", .real = "a", .deadline = {}}, {});
    Director director{active(), "told"};
    ASSERT_EQ(director.hear(session_at(0)), std::nullopt);
    EXPECT_EQ(director.serving(), real_a.address);
    EXPECT_EQ(director.serving({client.address, be16{1}}), real_b.address);
}

TEST_F(TrackReplicas, AClientsAffinityComesWithItsSessions) {
    scene_.last_service().affinity = Affinity{.timeout_s = 600};
    for (const std::uint16_t real : {std::uint16_t{0}, std::uint16_t{1}}) {
        Director director{standby(), "told"};
        ASSERT_EQ(director.hear(session_at(real)), std::nullopt);
        director.room().use(active());
        for (std::uint16_t port = 1; port < 20; ++port) {
            const Endpoint next{client.address, be16{port}};
            director.room().carry(request(syn, next));
            EXPECT_EQ(director.session(next).real, real);
        }
    }
}

TEST_F(TrackReplicas, AffinityRunsOutAfterTheLastSessionOfThePeers) {
    scene_.last_service().affinity = Affinity{.timeout_s = 60};
    Director director{standby(), "told"};
    ASSERT_EQ(director.hear(session_at(0)), std::nullopt);
    ASSERT_EQ(director.hear(session_at(0, SessionState::closed)), std::nullopt);
    director.room().skip_s(59);
    director.room().sweep_all();
    EXPECT_EQ(director.room().affinity().live_count(), 1U);
    director.room().skip_s(2);
    director.room().sweep_all();
    EXPECT_EQ(director.room().affinity().live_count(), 0U);
}

TEST_F(TrackReplicas, DatagramsAreToldOfWhenTheyAreAnswered) {
    scene_.service("dns", dns_vip, L4Protocol::udp).real("a", real_a);
    Director director{active(), "told"};
    director.room().carry(Packet::udp(client, dns_vip).payload("query").bytes());
    EXPECT_TRUE(director.told().empty());
    director.room().carry(Packet::udp(real_a, client)
                              .macs(mac_of(real_a.address), lan_mac)
                              .payload("answer")
                              .bytes());
    const std::vector<Replica> told = director.told();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told.front().state, SessionState::two_way);
    EXPECT_EQ(told.front().protocol, L4Protocol::udp);
    Director peer{standby(), "peer"};
    EXPECT_EQ(peer.hear(told.front()), std::nullopt);
    EXPECT_EQ(peer.room().live_count(), 1U);
}

}  // namespace
}  // namespace fulcrum::test
