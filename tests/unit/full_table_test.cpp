// What becomes of newcomers when the session table has no room, and who makes room for them.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint dns_vip{Ipv4Address::of(10, 1, 0, 53), be16{53}};
constexpr Endpoint name_server{Ipv4Address::of(10, 2, 0, 53), be16{53}};
constexpr std::uint8_t syn = tcp_flag::syn;
constexpr std::uint8_t ack = tcp_flag::ack;
constexpr std::size_t tiny = 16;  // buckets
constexpr std::uint32_t crowd = 1'000;

Endpoint client(std::uint32_t number) {
    return {Ipv4Address::from_host(0xC633'0000 + number), be16{40'000}};
}

// Reals are called A, B, C.
Scene web(Scheduler scheduler) {
    Scene scene;
    scene.service("web", vip);
    scene.last_service().scheduler = scheduler;
    for (std::uint32_t number = 0; number < 3; ++number) {
        scene.real(std::string(1, static_cast<char>('A' + number)),
                   {Ipv4Address::from_host(0x0A02'000B + number), be16{8'080}});
    }
    return scene;
}

char request(TrackingRoom& room, std::uint32_t number, std::uint8_t flags) {
    const Decision decision = room.carry(Packet::tcp(client(number), vip).flags(flags).bytes());
    return decision.verdict != Verdict::transmit
               ? '-'
               : static_cast<char>(decision.replacement.address.host() - 0x0A02'000B + 'A');
}

void establish(TrackingRoom& room, std::uint32_t number) {
    const char real = request(room, number, syn);
    const Endpoint from{
        Ipv4Address::from_host(0x0A02'000B + static_cast<std::uint32_t>(real - 'A')), be16{8'080}};
    room.carry(Packet::tcp(from, client(number))
                   .macs(mac_of(from.address), lan_mac)
                   .flags(syn | ack)
                   .bytes());
    request(room, number, ack);
}

void ask(TrackingRoom& room, Endpoint from) {
    room.carry(Packet::udp(from, dns_vip).payload("query").bytes());
}

void ask_and_hear(TrackingRoom& room, Endpoint from) {
    ask(room, from);
    room.carry(Packet::udp(name_server, from).macs(router_mac, lan_mac).payload("a").bytes());
}

TEST(FullTable, UnderEverySchedulerPacketsWithoutSessionMeetTheRealOfTheRing) {
    TrackingRoom ring{web(Scheduler::maglev).snapshot()};
    for (const Scheduler scheduler : {Scheduler::rr, Scheduler::wlc, Scheduler::lblcr}) {
        TrackingRoom room{web(scheduler).snapshot(), tiny};
        for (std::uint32_t number = 0; number < crowd; ++number) {
            establish(room, number);
        }
        ASSERT_GT(room.counters().sessions_untracked.read(), 0U);
        const std::uint64_t before = room.counters().sessions_untracked.read();
        for (std::uint32_t number = crowd; number < crowd + 20; ++number) {
            const char real = request(ring, number, syn);
            for (const std::uint8_t flags : {syn, ack, ack, ack}) {
                EXPECT_EQ(request(room, number, flags), real);
            }
        }
        EXPECT_GT(room.counters().sessions_untracked.read(), before);
    }
}

TEST(FullTable, DatagramsWithoutSessionAreAnsweredAsLongAsThereMayBeSuchFlows) {
    Scene scene = web(Scheduler::maglev);
    scene.service("dns", dns_vip, L4Protocol::udp).real("ns", name_server);
    TrackingRoom room{scene.snapshot(), tiny};
    const auto stray = [&] {
        Packet datagram = Packet::udp(name_server, client(crowd + 50));
        return room.carry(datagram.macs(mac_of(name_server.address), lan_mac).bytes()).verdict;
    };
    EXPECT_EQ(stray(), Verdict::punt);
    for (std::uint32_t number = 0; number < crowd; ++number) {
        establish(room, number);
    }
    const std::uint64_t before = room.counters().sessions_untracked.read();
    for (std::uint32_t number = crowd; number < crowd + 20; ++number) {
        ask(room, client(number));
    }
    ASSERT_GT(room.counters().sessions_untracked.read(), before);
    EXPECT_EQ(stray(), Verdict::transmit);
    room.skip_s(301);
    EXPECT_EQ(stray(), Verdict::punt);
}

TEST(FullTable, AConnectionThatBeganWithoutSessionKeepsItsRealWhenThereIsRoom) {
    TrackingRoom room{web(Scheduler::rr).snapshot(), tiny};
    for (std::uint32_t number = 0; number < crowd; ++number) {
        establish(room, number);
    }
    std::uint32_t number = crowd;
    while (!room.sessions_of(client(number)).empty()) {
        ++number;
    }
    std::string reals;
    for (std::uint32_t i = number; i < number + 20; ++i) {
        reals += request(room, i, syn);
    }
    room.skip_s(901);
    room.sweep_all();
    ASSERT_EQ(room.live_count(), 0U);
    std::string reals_after;
    for (std::uint32_t i = number; i < number + 20; ++i) {
        reals_after += request(room, i, ack);
    }
    EXPECT_EQ(reals_after, reals);
    EXPECT_EQ(room.live_count(), 20U);
}

TEST(FullTable, AnsweredDatagramsMakeRoomForAConnection) {
    Scene scene = web(Scheduler::maglev);
    scene.service("dns", dns_vip, L4Protocol::udp).real("ns", name_server);
    TrackingRoom room{scene.snapshot(), tiny};
    for (std::uint32_t number = 0; number < crowd; ++number) {
        ask_and_hear(room, client(number));
    }
    ASSERT_GT(room.live_count(), 60U);
    ASSERT_EQ(room.table().unconfirmed_count(), 0U);
    for (std::uint32_t number = crowd; number < crowd + 20; ++number) {
        establish(room, number);
        ASSERT_EQ(room.sessions_of(client(number)).size(), 1U);
        EXPECT_EQ(room.sessions_of(client(number))[0].tag.state(), SessionState::established);
    }
    EXPECT_EQ(room.counters().sessions_untracked.read(), 0U);
}

TEST(FullTable, DatagramsThatGoOnStayAndIdleOnesMakeWay) {
    Scene scene = web(Scheduler::maglev);
    scene.service("dns", dns_vip, L4Protocol::udp).real("ns", name_server);
    TrackingRoom room{scene.snapshot(), tiny};
    const Endpoint busy{Ipv4Address::of(198, 51, 100, 7), be16{5'000}};
    ask_and_hear(room, busy);
    for (std::uint32_t number = 0; number < 100; ++number) {
        ask_and_hear(room, client(number));
        room.skip_s(1);
        ask_and_hear(room, busy);
        ASSERT_EQ(room.sessions_of(busy).size(), 1U);
        ASSERT_EQ(room.counters().sessions_opened.read(), number + 2U) << "it was never evicted";
    }
    EXPECT_GT(room.counters().sessions_evicted.read(), 0U);
}

TEST(FullTable, OnlyAnAnswerConfirmsDatagramsWhereAnswersPassHere) {
    Scene scene;
    scene.service("dns", dns_vip, L4Protocol::udp).real("ns", name_server);
    TrackingRoom room{scene.snapshot()};
    for (int second = 0; second < 5; ++second) {
        ask(room, client(0));
        room.skip_s(1);
    }
    EXPECT_EQ(room.sessions_of(client(0))[0].tag.state(), SessionState::one_way);
}

TEST(FullTable, AConnectionInMidCourseIsPickedUpByTheRingUnderEveryScheduler) {
    TrackingRoom ring{web(Scheduler::maglev).snapshot()};
    TrackingRoom room{web(Scheduler::rr).snapshot()};
    for (std::uint32_t number = 0; number < 20; ++number) {
        EXPECT_EQ(request(room, number, ack), request(ring, number, syn));
    }
}

}  // namespace
}  // namespace fulcrum::test
