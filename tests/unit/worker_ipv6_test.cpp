// IPv6 through whole workers: what golden packets cannot say, because it takes time, several
// workers, or a look into the tables.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

Ipv6Address v6(std::string_view text) { return parse_ipv6_address(text).value(); }

class Ipv6Workers : public testing::Test {
  protected:
    Ipv6Workers() { scene_.service("web", vip).real("a", real); }

    // In networks of their own.
    static Endpoint client_number(unsigned number) {
        Ipv6Address address = v6("2001:db8:ff::7");
        address.octets[6] = static_cast<std::uint8_t>(number >> 8);
        address.octets[7] = static_cast<std::uint8_t>(number);
        return {address, be16{40'000}};
    }
    static Packet request(const Endpoint& from) {
        return Packet::tcp(from, vip).flags(tcp_flag::syn);
    }
    static Packet at_real(const Endpoint& from) {
        return Packet::tcp(from, real)
            .flags(tcp_flag::syn)
            .macs(lan_mac, mac_of(real.address))
            .ttl(63);
    }
    static Packet answer(const Endpoint& to) {
        return Packet::tcp(real, to)
            .flags(tcp_flag::syn | tcp_flag::ack)
            .macs(mac_of(real.address), lan_mac);
    }
    static Packet at_client(const Endpoint& to) {
        return Packet::tcp(vip, to)
            .flags(tcp_flag::syn | tcp_flag::ack)
            .macs(wan_mac, router_mac)
            .ttl(63);
    }
    static void expect_one(const std::vector<Frame>& frames, const Packet& expected) {
        ASSERT_EQ(frames.size(), 1U);
        EXPECT_TRUE(same_frame(expected.bytes(), frames[0]));
    }

    static inline const Endpoint vip{v6("2001:db8:1::80"), be16{80}};
    static inline const Endpoint real{v6("2001:db8:2::11"), be16{8'080}};
    Scene scene_;
};

TEST_F(Ipv6Workers, OpenASessionOfTheirOwnKindAndAnswerByIt) {
    WorkerRig rig{scene_};
    const Endpoint client = client_number(1);
    expect_one(rig.answers(request(client).bytes(), 1), at_real(client));
    expect_one(rig.answers(answer(client).bytes(), 0), at_client(client));
    EXPECT_EQ(rig.table6().live_count(), 1U);
    EXPECT_EQ(rig.table().live_count(), 0U);
    EXPECT_EQ(rig.counters().sessions_live.read(), 1U);
}

// The partial checksum is what a kernel leaves to its network card.
TEST_F(Ipv6Workers, CompletePartialChecksums) {
    WorkerRig rig{scene_, {.completes_partial_checksums = true}};
    const Endpoint client = client_number(1);
    expect_one(rig.answers(request(client).payload("abc").with_partial_checksum().bytes(), 1),
               at_real(client).payload("abc"));
}

TEST_F(Ipv6Workers, HandAClientToWhoOwnsHisNetwork) {
    WorkerRig rig{scene_, {.worker_count = 3}};
    std::set<unsigned> owners;
    for (unsigned number = 0; number < 60; ++number) {
        const Endpoint from = client_number(number);
        const unsigned owner = rig.steering().owner_of(from.address);
        owners.insert(owner);
        expect_one(rig.answers(request(from).bytes(), 1, number % 3), at_real(from));
        expect_one(rig.answers(answer(from).bytes(), 0, (number + 1) % 3), at_client(from));
        EXPECT_GE(rig.table6(owner).live_count(), 1U);
    }
    EXPECT_EQ(owners.size(), 3U);
    EXPECT_EQ(rig.table6(0).live_count() + rig.table6(1).live_count() + rig.table6(2).live_count(),
              60U);
}

TEST_F(Ipv6Workers, LetInWhomTheirServiceLetsInAndAsOftenAsItMay) {
    scene_.last_service().access.rules = std::make_shared<const AccessRules>(
        AccessRules{.allow = {}, .deny = {{client_number(1).address, 64}}});
    scene_.last_service().limits.client_sessions_per_s = 1;
    WorkerRig rig{scene_};
    EXPECT_TRUE(rig.answers(request(client_number(1)).bytes(), 1).empty());
    EXPECT_EQ(rig.dropped(DropReason::denied), 1U);
    const Endpoint client = client_number(2);
    expect_one(rig.answers(request(client).bytes(), 1), at_real(client));
    // A host of the same network, at once.
    Ipv6Address neighbour = client.address.v6();
    neighbour.octets[15] = 8;
    EXPECT_TRUE(rig.answers(request({neighbour, be16{40'001}}).bytes(), 1).empty());
    EXPECT_EQ(rig.dropped(DropReason::client_limited), 1U);
    EXPECT_EQ(rig.table6().live_count(), 1U);
}

TEST_F(Ipv6Workers, HoldPacketsForANeighbourThatIsNotKnown) {
    const auto known = scene_.kernel().neighbours;
    std::erase_if(scene_.kernel().neighbours,
                  [](const KernelNeighbour& each) { return each.address == real.address; });
    WorkerRig rig{scene_};
    const Endpoint client = client_number(1);
    EXPECT_TRUE(rig.answers(request(client).bytes(), 1).empty());
    const auto reports = rig.reports();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].kind, ReportKind::neighbour_wanted);
    EXPECT_EQ(reports[0].neighbour, real.address);
    EXPECT_EQ(reports[0].port, 1);
    scene_.kernel().neighbours = known;
    rig.publish();
    rig.settle();
    expect_one(rig.sent(1), at_real(client));
}

TEST_F(Ipv6Workers, AskForTheGatewayOfAClientWhoIsFar) {
    std::erase_if(scene_.kernel().neighbours,
                  [](const KernelNeighbour& each) { return each.address == IpAddress{router6}; });
    WorkerRig rig{scene_};
    const Endpoint client = client_number(1);
    rig.answers(request(client).bytes(), 1);
    EXPECT_TRUE(rig.answers(answer(client).bytes(), 0).empty());
    const auto reports = rig.reports();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].neighbour, IpAddress{router6});
    EXPECT_EQ(reports[0].port, 0);
}

TEST_F(Ipv6Workers, ListSessionsOfBothIpVersionsInOneWalk) {
    const Endpoint vip4{Ipv4Address::of(10, 1, 0, 80), be16{80}};
    const Endpoint client4{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};
    scene_.service("web4", vip4).real("a", {Ipv4Address::of(10, 2, 0, 11), be16{8'080}});
    WorkerRig rig{scene_};
    rig.answers(request(client_number(1)).bytes(), 1);
    rig.answers(request(client_number(2)).bytes(), 1);
    rig.answers(Packet::tcp(client4, vip4).flags(tcp_flag::syn).bytes(), 1);
    const auto walk = [&](const WorkerRequest& wanted) {
        rig.inbox().post(wanted);
        std::set<std::pair<Endpoint, Endpoint>> found;
        for (int turn = 0; turn < 100; ++turn) {
            rig.turn();
            for (const WorkerReport& report : rig.reports()) {
                if (report.kind == ReportKind::session) {
                    found.emplace(report.session.client, report.session.vip);
                }
            }
        }
        return found;
    };
    const std::set<std::pair<Endpoint, Endpoint>> all{
        {client_number(1), vip}, {client_number(2), vip}, {client4, vip4}};
    EXPECT_EQ(walk({.walk_id = 1, .records_max = 100}), all);
    const std::set<std::pair<Endpoint, Endpoint>> one{{client_number(2), vip}};
    EXPECT_EQ(walk({.walk_id = 2, .records_max = 100, .client = client_number(2).address}), one);
}

// The table of IPv6 has two slots a bucket where the other has four.
TEST(SessionTable6, HoldsItsDesignLoadAndFindsEverySession) {
    struct Ageless {
        static std::uint32_t age_s(const Session6&) { return 0; }
        static bool is_expired(const Session6&) { return false; }
    };
    constexpr std::uint32_t sessions = 30'000;
    const std::size_t buckets = SessionTable6::bucket_count_for(sessions);
    OwnedTable6 table{buckets};
    const auto session_number = [](std::uint32_t number) {
        Session6 session;
        session.client_address = v6("2001:db8::");
        session.client_address.octets[14] = static_cast<std::uint8_t>(number >> 8);
        session.client_address.octets[15] = static_cast<std::uint8_t>(number);
        session.client_port = be16{static_cast<std::uint16_t>(1'024 + number % 1'000)};
        session.listener = 3;
        session.tag = SessionTag{SessionState::established, L4Protocol::tcp};
        return session;
    };
    for (std::uint32_t number = 0; number < sessions; ++number) {
        const Session6 session = session_number(number);
        ASSERT_NE(table->insert(session, table->home_of(client_key_of(session)), Ageless{}).placed,
                  nullptr);
    }
    EXPECT_EQ(table->live_count(), sessions);
    EXPECT_LT(table->overflow_live_count(), sessions / 100);
    for (std::uint32_t number = 0; number < sessions; ++number) {
        const ClientKey6 key = client_key_of(session_number(number));
        const Session6* found =
            table->find(table->home_of(key), key, [](const Session6&) { return true; });
        ASSERT_NE(found, nullptr);
        ASSERT_EQ(client_key_of(*found), key);
        ClientKey6 stranger = key;
        stranger.protocol = L4Protocol::udp;
        ASSERT_EQ(
            table->find(table->home_of(stranger), stranger, [](const Session6&) { return true; }),
            nullptr);
    }
}

}  // namespace
}  // namespace fulcrum::test
