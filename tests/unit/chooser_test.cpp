// Schedulers, limits and affinity of a whole worker: frames go in, and the reals that they go to
// come out. That each rule's sequence is right is scheduler_test's matter; here sessions are real,
// and so are their ends.
#include "dataplane/chooser.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr std::uint8_t syn = tcp_flag::syn;
constexpr std::uint8_t ack = tcp_flag::ack;
constexpr std::uint8_t fin_ack = tcp_flag::fin | tcp_flag::ack;
constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;
constexpr std::size_t roomy = 4'096;  // buckets: no flood below 4,096 unanswered

Endpoint real_at(std::size_t number) {
    return {Ipv4Address::from_host(0x0A02'000B + static_cast<std::uint32_t>(number)), be16{8'080}};
}

// Reals are called A, B, C, ...
Scene scene_with(Scheduler scheduler, const std::vector<std::uint32_t>& weights) {
    Scene scene;
    scene.service("web", vip);
    scene.last_service().scheduler = scheduler;
    for (std::size_t number = 0; number < weights.size(); ++number) {
        scene.real(std::string(1, static_cast<char>('A' + number)), real_at(number),
                   ForwardingMode::nat, weights[number]);
    }
    return scene;
}

Endpoint client(std::uint32_t number) {
    return {Ipv4Address::from_host(0xC633'0000 + number), be16{40'000}};
}

class Room {
  public:
    explicit Room(Scene& scene, std::size_t bucket_count = roomy)
        : scene_{scene}, room_{scene.snapshot(), bucket_count} {}

    char request(Endpoint from, std::uint8_t flags) {
        const Decision decision = room_.carry(Packet::tcp(from, vip).flags(flags).bytes());
        if (decision.verdict != Verdict::transmit) {
            return '-';
        }
        return static_cast<char>(decision.replacement.address.host() - 0x0A02'000B + 'A');
    }
    void reply(char from, Endpoint to, std::uint8_t flags) {
        const Endpoint real = real_at(static_cast<std::size_t>(from - 'A'));
        room_.carry(Packet::tcp(real, to).macs(mac_of(real.address), lan_mac).flags(flags).bytes());
    }
    char open(Endpoint from) { return request(from, syn); }
    char establish(Endpoint from) {
        const char real = open(from);
        if (real != '-') {
            reply(real, from, syn_ack);
            request(from, ack);
        }
        return real;
    }
    void close(Endpoint from) {
        const char real = request(from, fin_ack);
        reply(real, from, fin_ack);
    }
    // A whole connection, from SYN to FIN.
    char visit(Endpoint from) {
        const char real = establish(from);
        close(from);
        return real;
    }

    void reload() { room_.use(scene_.snapshot()); }
    TrackingRoom& tracking() { return room_; }
    std::uint64_t active(std::size_t real) {
        return room_.tally(room_.snapshot().reals[real].tally).sessions_active.read();
    }

  private:
    Scene& scene_;
    TrackingRoom room_;
};

std::string opened(Room& room, std::uint32_t first, std::uint32_t count) {
    std::string reals;
    for (std::uint32_t number = first; number < first + count; ++number) {
        reals.push_back(room.open(client(number)));
    }
    return reals;
}

// --- schedulers ------------------------------------------------------------------------------

TEST(Chooser, RoundRobinGivesEachOfThreeAHundredOfThreeHundredSessions) {
    Scene scene = scene_with(Scheduler::rr, {1, 1, 1});
    Room room{scene};
    std::string expected;
    for (int i = 0; i < 100; ++i) {
        expected += "ABC";
    }
    EXPECT_EQ(opened(room, 0, 300), expected);
}

TEST(Chooser, RealsTakeTurnsInTheOrderOfTheFileAfterAReloadToo) {
    Scene scene = scene_with(Scheduler::wrr, {2, 3, 4});
    Room room{scene};
    std::reverse(scene.last_service().reals.begin(), scene.last_service().reals.end());
    room.reload();
    EXPECT_EQ(opened(room, 0, 9), "CCBCBACBA");
}

TEST(Chooser, EverySchedulerServes) {
    for (std::size_t number = 0; number < scheduler_count; ++number) {
        Scene scene = scene_with(static_cast<Scheduler>(number), {30, 20, 10});
        Room room{scene};
        const std::string reals = opened(room, 0, 60);
        EXPECT_EQ(reals.find('-'), std::string::npos)
            << to_string(static_cast<Scheduler>(number)) << ": " << reals;
    }
}

TEST(Chooser, LeastConnectionCountsRealSessions) {
    Scene scene = scene_with(Scheduler::lc, {1, 1});
    Room room{scene};
    EXPECT_EQ(room.establish(client(0)), 'A');
    EXPECT_EQ(room.establish(client(1)), 'B');
    EXPECT_EQ(room.active(0), 1U);
    room.close(client(1));
    EXPECT_EQ(room.active(1), 0U);
    // B's is active no more, but still there: 256 * 0 + 1 against 256 * 1 + 1.
    EXPECT_EQ(room.establish(client(2)), 'B');
}

TEST(Chooser, ActiveSessionsAreCountedUpToTheirLastOne) {
    Scene scene = scene_with(Scheduler::wlc, {1, 3});
    Room room{scene};
    for (std::uint32_t number = 0; number < 400; ++number) {
        number % 3 == 0 ? room.establish(client(number)) : room.open(client(number));
    }
    EXPECT_NEAR(static_cast<double>(room.active(0)), 100, 5);
    EXPECT_NEAR(static_cast<double>(room.active(1)), 300, 15);
    room.tracking().skip_s(100'000 % 32'768);
    room.tracking().sweep_all();
    EXPECT_EQ(room.active(0), 0U);
    EXPECT_EQ(room.active(1), 0U);
}

TEST(Chooser, ARealThatIsDownOrDrainedIsPassedOver) {
    Scene scene = scene_with(Scheduler::rr, {1, 1, 1});
    scene.last_service().check.type = CheckType::connect;
    scene.snapshot();
    for (const char* real : {"A", "B", "C"}) {
        scene.set_health("web", real, true);
    }
    Room room{scene};
    scene.set_health("web", "B", false);
    room.reload();
    EXPECT_EQ(opened(room, 0, 4), "ACAC");
    scene.set_health("web", "B", true);
    scene.last_service().reals[0].weight = 0;
    room.reload();
    EXPECT_EQ(opened(room, 10, 4), "BCBC");
}

TEST(Chooser, TheFallbackTakesWhatNoRealMayTake) {
    Scene scene = scene_with(Scheduler::rr, {1, 1});
    scene.last_service().reals[0].connections = {.upper = 2};
    scene.last_service().reals[1].weight = 0;
    scene.fallback(real_at(25));
    Room room{scene};
    EXPECT_EQ(opened(room, 0, 4), "AAZZ");
}

TEST(Chooser, WithoutFallbackAnOverloadedServiceRefuses) {
    Scene scene = scene_with(Scheduler::wlc, {1});
    scene.last_service().reals[0].connections = {.upper = 2};
    Room room{scene};
    EXPECT_EQ(opened(room, 0, 3), "AA-");
}

TEST(Chooser, AFlowWhosePortIsInUseAtOneRealGetsTheNext) {
    Scene scene = scene_with(Scheduler::fo, {9, 1});
    scene.service("other", {Ipv4Address::of(10, 1, 0, 81), be16{80}}).real("A", real_at(0));
    Room room{scene};
    room.tracking().carry(
        Packet::tcp(client(0), {Ipv4Address::of(10, 1, 0, 81), be16{80}}).flags(syn).bytes());
    EXPECT_EQ(room.open(client(0)), 'B');
    EXPECT_EQ(room.open(client(1)), 'A');
}

TEST(Chooser, InAFloodTheRingPlacesForEveryScheduler) {
    Scene by_ring = scene_with(Scheduler::maglev, {1, 1, 1});
    Room ring{by_ring};
    Scene scene = scene_with(Scheduler::rr, {1, 1, 1});
    Room room{scene, 16};  // a quarter of 64 places unanswered is a flood
    opened(room, 1'000, 17);
    ASSERT_TRUE(room.tracking().table().is_flooded());
    const std::string as_the_ring_says = opened(ring, 0, 30);
    EXPECT_EQ(opened(room, 0, 30), as_the_ring_says);
}

// --- mh: the ring, by the source -------------------------------------------------------------

TEST(Chooser, MhSendsOneClientToOneRealWhateverItsPort) {
    Scene scene = scene_with(Scheduler::mh, {1, 1, 1, 1});
    Room room{scene};
    std::set<char> reals;
    for (std::uint16_t port = 1'000; port < 1'100; ++port) {
        reals.insert(room.open({client(0).address, be16{port}}));
    }
    EXPECT_EQ(reals.size(), 1U);
    scene.last_service().scheduler_flags.port = true;
    room.reload();
    for (std::uint16_t port = 2'000; port < 2'100; ++port) {
        reals.insert(room.open({client(0).address, be16{port}}));
    }
    EXPECT_EQ(reals.size(), 4U);
}

TEST(Chooser, MhMovesFewWhenOneOfTenIsRemovedAndNobodyWhenOneIsDrained) {
    Scene scene = scene_with(Scheduler::mh, std::vector<std::uint32_t>(10, 1));
    constexpr std::uint32_t count = 3'000;
    const auto places = [&](bool has_fallback) {
        scene.last_service().scheduler_flags.fallback = has_fallback;
        Room room{scene};
        return opened(room, 0, count);
    };
    const std::string before = places(false);
    scene.last_service().reals[3].weight = 0;
    const std::string drained = places(false);
    const std::string with_fallback = places(true);
    scene.last_service().reals.erase(scene.last_service().reals.begin() + 3);
    const std::string removed = places(false);
    std::uint32_t others_moved = 0;
    for (std::size_t at = 0; at < count; ++at) {
        if (before[at] == 'D') {
            EXPECT_EQ(drained[at], '-');
            EXPECT_NE(with_fallback[at], '-');
            continue;
        }
        EXPECT_EQ(drained[at], before[at]);
        EXPECT_EQ(with_fallback[at], before[at]);
        others_moved += removed[at] != before[at] ? 1 : 0;
    }
    EXPECT_LT(others_moved, count * 15 / 100);
}

// --- limits ----------------------------------------------------------------------------------

TEST(Chooser, ARealWithTenOfTenSessionsGetsNoMoreUntilItHasFour) {
    Scene scene = scene_with(Scheduler::fo, {9, 1});
    scene.last_service().reals[0].connections = {.upper = 10, .lower = 5};
    Room room{scene};
    EXPECT_EQ(opened(room, 0, 11), "AAAAAAAAAAB");
    const auto end = [&](std::uint32_t number) {
        room.establish(client(number));
        room.close(client(number));
    };
    for (std::uint32_t number = 0; number < 5; ++number) {
        end(number);
    }
    // Closed, but there: IPVS, too, counts them until their time is over.
    EXPECT_EQ(room.open(client(20)), 'B');
    for (std::uint32_t second = 0; second < 29; ++second) {
        room.tracking().skip_s(1);
        for (std::uint32_t number = 5; number < 10; ++number) {
            room.request(client(number), syn);  // these are kept alive
        }
    }
    room.tracking().skip_s(2);
    room.tracking().sweep_all();
    EXPECT_EQ(room.open(client(21)), 'B') << "five are not fewer than five";
    end(5);
    room.tracking().skip_s(20);
    for (std::uint32_t number = 6; number < 10; ++number) {
        room.request(client(number), syn);
    }
    room.tracking().skip_s(11);
    room.tracking().sweep_all();
    EXPECT_EQ(room.open(client(22)), 'A');
}

TEST(Chooser, TheRingPassesOverAnOverloadedReal) {
    Scene scene = scene_with(Scheduler::maglev, {1, 1});
    scene.last_service().reals[0].connections = {.upper = 5};
    Room room{scene};
    const std::string reals = opened(room, 0, 100);
    EXPECT_EQ(std::count(reals.begin(), reals.end(), 'A'), 5);
    EXPECT_EQ(std::count(reals.begin(), reals.end(), 'B'), 95);
}

// --- affinity --------------------------------------------------------------------------------

Scene affine(Scheduler scheduler, Affinity affinity = {.timeout_s = 300}) {
    Scene scene = scene_with(scheduler, {1, 1, 1});
    scene.last_service().affinity = affinity;
    return scene;
}

Endpoint port_of(std::uint32_t number, std::uint16_t port) {
    return {client(number).address, be16{port}};
}

TEST(ChooserAffinity, AClientsSessionsGoWhereItsLastOneWent) {
    Scene scene = affine(Scheduler::rr);
    Room room{scene};
    const char first = room.open(client(0));
    EXPECT_EQ(room.open(client(1)), 'B');
    for (std::uint16_t port = 1'000; port < 1'020; ++port) {
        EXPECT_EQ(room.open(port_of(0, port)), first);
    }
}

TEST(ChooserAffinity, ItLastsForTheTimeoutAfterTheLastConnectionHasClosedAndNoLonger) {
    Scene scene = affine(Scheduler::rr);
    Room room{scene};
    EXPECT_EQ(room.visit(port_of(0, 1'000)), 'A');
    room.tracking().skip_s(300);
    room.tracking().sweep_all();
    EXPECT_EQ(room.visit(port_of(0, 1'001)), 'A');
    room.tracking().skip_s(300);
    EXPECT_EQ(room.visit(port_of(0, 1'002)), 'A') << "the full time each time";
    room.tracking().skip_s(301);
    EXPECT_EQ(room.visit(port_of(0, 1'003)), 'B') << "whose turn it is";
}

TEST(ChooserAffinity, ItRunsFromTheEndOfAnIdleSessionAndNotFromWhenThatWasSwept) {
    Scene scene = affine(Scheduler::rr);
    Room room{scene};
    EXPECT_EQ(room.establish(port_of(0, 1'000)), 'A');
    room.tracking().skip_s(900 + 50);  // established sessions may idle for 900 s
    room.tracking().sweep_all();
    room.tracking().skip_s(250);
    EXPECT_EQ(room.visit(port_of(0, 1'001)), 'A');
    room.tracking().skip_s(301);
    EXPECT_EQ(room.establish(port_of(0, 1'002)), 'B');
    room.tracking().skip_s(900 + 50);
    room.tracking().sweep_all();
    room.tracking().skip_s(251);
    EXPECT_EQ(room.open(port_of(0, 1'003)), 'C');
}

TEST(ChooserAffinity, AConnectionThatOnlySeemedResetStillHoldsIt) {
    Scene scene = affine(Scheduler::rr);
    Room room{scene};
    EXPECT_EQ(room.establish(port_of(0, 1'000)), 'A');
    room.request(port_of(0, 1'000), tcp_flag::rst);
    room.request(port_of(0, 1'000), ack);  // it was forged
    for (int minutes = 0; minutes < 10; ++minutes) {
        room.tracking().skip_s(60);
        room.request(port_of(0, 1'000), ack);
    }
    EXPECT_EQ(room.open(port_of(0, 1'001)), 'A');
}

TEST(ChooserAffinity, AllClientsOfAPrefixShareAReal) {
    Scene scene = affine(Scheduler::rr, {.timeout_s = 300, .prefix = 24});
    Room room{scene};
    std::set<char> reals;
    for (std::uint32_t number = 0; number < 256; ++number) {
        reals.insert(room.open(client(number)));
    }
    EXPECT_EQ(reals.size(), 1U);
    EXPECT_EQ(room.open(client(256)), 'B');
}

TEST(ChooserAffinity, TheListenersOfOneServiceShareIt) {
    constexpr Endpoint secure{vip.address, be16{443}};
    Scene scene;
    scene.service("web", vip);
    scene.last_service().scheduler = Scheduler::rr;
    scene.last_service().affinity = Affinity{.timeout_s = 300};
    scene.last_service().listen = {{.vip = {vip.address, 32}, .ports = PortRange::only(443)}};
    scene.real("A", {real_at(0).address, be16{}}).real("B", {real_at(1).address, be16{}});
    TrackingRoom room{scene.snapshot(), roomy};
    const auto open = [&](std::uint32_t number, Endpoint to) {
        return room.carry(Packet::tcp(client(number), to).flags(syn).bytes()).replacement;
    };
    for (std::uint32_t number = 0; number < 10; ++number) {
        const IpAddress expected = real_at(number % 2).address;
        EXPECT_EQ(open(number, vip), (Endpoint{expected, be16{80}}));
    }
    for (std::uint32_t number = 10; number > 0; --number) {
        const IpAddress expected = real_at((number - 1) % 2).address;
        EXPECT_EQ(open(number - 1, secure), (Endpoint{expected, be16{443}}));
    }
}

TEST(ChooserAffinity, KeepLeavesClientsAtADrainedRealAndMoveTakesThemAway) {
    for (const OnDrain on_drain : {OnDrain::keep, OnDrain::move}) {
        Scene scene = affine(Scheduler::rr, {.timeout_s = 300, .on_drain = on_drain});
        Room room{scene};
        EXPECT_EQ(room.establish(port_of(0, 1'000)), 'A');
        scene.last_service().reals[0].weight = 0;
        room.reload();
        EXPECT_EQ(room.request(port_of(0, 1'000), ack), 'A') << "the old session lives on";
        const char next = room.open(port_of(0, 1'001));
        EXPECT_EQ(next, on_drain == OnDrain::keep ? 'A' : 'B');
        EXPECT_EQ(room.open(port_of(0, 1'002)), next);
        EXPECT_NE(room.open(port_of(1, 1'000)), 'A') << "who is new goes elsewhere";
    }
}

TEST(ChooserAffinity, ClientsOfARealThatIsDownOrRemovedGoElsewhereForGood) {
    Scene scene = affine(Scheduler::rr);
    scene.last_service().check.type = CheckType::connect;
    scene.snapshot();
    for (const char* real : {"A", "B", "C"}) {
        scene.set_health("web", real, true);
    }
    Room room{scene};
    EXPECT_EQ(room.visit(port_of(0, 1'000)), 'A');
    scene.set_health("web", "A", false);
    room.reload();
    EXPECT_EQ(room.visit(port_of(0, 1'001)), 'B');
    scene.set_health("web", "A", true);
    room.reload();
    EXPECT_EQ(room.visit(port_of(0, 1'002)), 'B');
    scene.last_service().reals.erase(scene.last_service().reals.begin() + 1);
    room.reload();
    EXPECT_NE(room.visit(port_of(0, 1'003)), 'B');
}

TEST(ChooserAffinity, AnOverloadedRealStillGetsItsClients) {
    Scene scene = affine(Scheduler::rr);
    scene.last_service().reals[0].connections = {.upper = 1};
    Room room{scene};
    EXPECT_EQ(room.open(port_of(0, 1'000)), 'A');
    EXPECT_EQ(room.open(port_of(1, 1'000)), 'B');
    EXPECT_EQ(room.open(port_of(2, 1'000)), 'C');
    EXPECT_EQ(room.open(port_of(3, 1'000)), 'B');
    EXPECT_EQ(room.open(port_of(0, 1'001)), 'A');
}

TEST(ChooserAffinity, TheFallbackHasNoFaithfulClients) {
    Scene scene = affine(Scheduler::rr);
    scene.fallback(real_at(25));
    for (RealServer& real : scene.last_service().reals) {
        real.weight = 0;
    }
    Room room{scene};
    EXPECT_EQ(room.visit(port_of(0, 1'000)), 'Z');
    scene.last_service().reals[2].weight = 1;
    room.reload();
    EXPECT_EQ(room.visit(port_of(0, 1'001)), 'C');
}

TEST(ChooserAffinity, OnTheRingAClientIsPlacedByItsPrefixAlone) {
    Scene scene = affine(Scheduler::maglev, {.timeout_s = 1, .prefix = 24});
    Room room{scene};
    const char first = room.visit(client(1));
    for (std::uint32_t number = 2; number < 20; ++number) {
        room.tracking().skip_s(1'000);  // long forgotten
        EXPECT_EQ(room.visit(client(number)), first);
    }
}

TEST(ChooserAffinity, DatagramsHoldItUntilTheirSessionTimesOut) {
    constexpr Endpoint dns{Ipv4Address::of(10, 1, 0, 53), be16{53}};
    Scene scene;
    scene.service("dns", dns, L4Protocol::udp);
    scene.last_service().scheduler = Scheduler::rr;
    scene.last_service().affinity = Affinity{.timeout_s = 100};
    scene.real("A", real_at(0)).real("B", real_at(1));
    TrackingRoom room{scene.snapshot(), roomy};
    const auto ask = [&](std::uint16_t port) {
        return room.carry(Packet::udp(port_of(0, port), dns).payload("?").bytes())
            .replacement.address;
    };
    EXPECT_EQ(ask(1'000), real_at(0).address);
    room.skip_s(30 + 100);  // unanswered datagrams: 30 s
    room.sweep_all();
    EXPECT_EQ(ask(1'001), real_at(0).address);
    room.skip_s(30 + 101);
    room.sweep_all();
    EXPECT_EQ(ask(1'002), real_at(1).address);
}

TEST(ChooserAffinity, DatagramsWithoutSessionHoldItFromOneToTheNext) {
    constexpr Endpoint log{Ipv4Address::of(10, 1, 0, 54), be16{514}};
    Scene scene;
    scene.service("log", log, L4Protocol::udp);
    scene.last_service().scheduler = Scheduler::rr;
    scene.last_service().one_packet = true;
    scene.last_service().affinity = Affinity{.timeout_s = 100};
    scene.real("A", real_at(0)).real("B", real_at(1));
    TrackingRoom room{scene.snapshot(), roomy};
    const auto tell = [&] {
        return room.carry(Packet::udp(port_of(0, 1'000), log).payload("?").bytes())
            .replacement.address;
    };
    for (int datagrams = 0; datagrams < 5; ++datagrams) {
        EXPECT_EQ(tell(), real_at(0).address);
        room.skip_s(100);
    }
    room.skip_s(1);
    EXPECT_EQ(tell(), real_at(1).address);
    EXPECT_EQ(room.live_count(), 0U);
}

TEST(ChooserAffinity, AFloodOfStrangersCostsNobodyTheirReal) {
    Scene scene = affine(Scheduler::rr);
    TrackingRoom tracking{scene.snapshot(), 16, /*affinity_record_count=*/32};
    const auto open = [&](Endpoint from, std::uint8_t flags) {
        return tracking.carry(Packet::tcp(from, vip).flags(flags).bytes()).replacement;
    };
    const Endpoint real = endpoint_of(open(port_of(0, 1'000), syn));
    tracking.carry(Packet::tcp(real, port_of(0, 1'000))
                       .macs(mac_of(real.address), lan_mac)
                       .flags(syn_ack)
                       .bytes());
    open(port_of(0, 1'000), ack);
    for (std::uint32_t number = 10; number < 5'000; ++number) {
        open(client(number), syn);
    }
    ASSERT_TRUE(tracking.table().is_flooded());
    EXPECT_EQ(open(port_of(0, 1'001), syn), real);
    EXPECT_LE(tracking.affinity().live_count(), 60U);
}

TEST(ChooserAffinity, WhoIsServedInAFloodIsRememberedFromThenOn) {
    Scene scene = affine(Scheduler::rr);
    Room room{scene, 16};
    opened(room, 1'000, 17);
    ASSERT_TRUE(room.tracking().table().is_flooded());
    const std::size_t before = room.tracking().affinity().live_count();
    const char real = room.open(port_of(0, 1'000));
    EXPECT_EQ(room.tracking().affinity().live_count(), before) << "nobody yet";
    room.reply(real, port_of(0, 1'000), syn_ack);
    room.request(port_of(0, 1'000), ack);
    EXPECT_EQ(room.tracking().affinity().live_count(), before + 1);
    room.close(port_of(0, 1'000));
    room.tracking().skip_s(60);
    room.tracking().sweep_all();
    ASSERT_FALSE(room.tracking().table().is_flooded());
    EXPECT_EQ(room.open(port_of(0, 1'001)), real);
}

TEST(ChooserAffinity, ASessionOpenedBeforeItWasAskedForDoesNotEndItEarly) {
    Scene scene = scene_with(Scheduler::rr, {1, 1, 1});
    Room room{scene};
    room.establish(port_of(0, 1'000));
    scene.last_service().affinity = Affinity{.timeout_s = 10};
    room.reload();
    const char real = room.establish(port_of(0, 1'001));
    room.close(port_of(0, 1'000));
    room.tracking().skip_s(100);
    EXPECT_EQ(room.open(port_of(0, 1'002)), real) << "the counted one lives";
}

}  // namespace
}  // namespace fulcrum::test
