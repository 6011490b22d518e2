// A packet explained, and then carried: the two must agree, and the explaining must leave no trace.
#include "dataplane/rehearsal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint dns{Ipv4Address::of(10, 1, 0, 80), be16{53}};
constexpr Endpoint direct_vip{Ipv4Address::of(10, 1, 0, 81), be16{80}};
constexpr Endpoint full_vip{Ipv4Address::of(10, 1, 0, 82), be16{80}};
constexpr Endpoint told_vip{Ipv4Address::of(10, 1, 0, 82), be16{54}};
constexpr Endpoint local_vip{Ipv4Address::of(10, 1, 0, 83), be16{80}};
constexpr Endpoint cookie_vip{Ipv4Address::of(10, 1, 0, 84), be16{80}};
constexpr Endpoint tunnel_vip{Ipv4Address::of(10, 1, 0, 85), be16{80}};
constexpr Ipv4Address local_address = Ipv4Address::of(10, 2, 0, 100);
constexpr Endpoint real_a{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Endpoint real_b{Ipv4Address::of(10, 2, 0, 12), be16{8'080}};
constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};
const Endpoint vip6{*parse_ip_address("2001:db8:1::80"), be16{80}};
const Endpoint real6{*parse_ip_address("2001:db8:2::11"), be16{8'080}};
const Endpoint client6{*parse_ip_address("2001:db8:ff::7"), be16{40'000}};
constexpr Ipv4Address our_wan = Ipv4Address::of(10, 1, 0, 2);
constexpr std::size_t bucket_count = 64;

Question question_about(const Frame& frame) {
    Question question;
    question.id = 5;
    question.port = arrival_of(frame) == lan_mac ? 1 : 0;
    question.length = static_cast<std::uint32_t>(frame.size());
    question.octet_count =
        static_cast<std::uint16_t>(std::min(frame.size(), limits::explained_octets_max));
    std::copy_n(frame.begin(), question.octet_count, question.octets.begin());
    return question;
}

// One worker's path with its table, and a stage beside it.
class RehearsalTest : public testing::Test {
  protected:
    RehearsalTest() {
        scene_.service("web", vip).real("a", real_a).real("b", real_b);
        scene_.service("dns", dns, L4Protocol::udp).real("a", {real_a.address, be16{5'353}});
        scene_.service("direct", direct_vip)
            .real("a", {real_a.address, be16{80}}, ForwardingMode::direct);
        scene_.service("web6", vip6).real("a", real6);
        scene_.service("full", full_vip)
            .real("a", {real_a.address, be16{8'081}}, ForwardingMode::full_nat);
        scene_.service("told", told_vip, L4Protocol::udp)
            .real("a", real_a, ForwardingMode::full_nat);
        scene_.last_service().reals[0].client_address = ClientAddressBy::proxy;
        scene_.service("local", local_vip).real("me", {our_wan, be16{8'099}});
        scene_.service("cookie", cookie_vip).real("a", {real_a.address, be16{8'082}});
        scene_.last_service().syn_cookies = SynCookies::always;
        scene_.service("tunnel", tunnel_vip)
            .real("a", {real_a.address, be16{80}}, ForwardingMode::gue);
        scene_.config().ports[1].local_addresses = {local_address};
        scene_.kernel().addresses.push_back(local_address);
        snapshot_ = scene_.snapshot();
    }

    Explanation explain(const Frame& frame) {
        const std::vector<std::byte> before = table_image();
        const std::uint64_t opened = board_.worker().sessions_opened.read();
        Explanation explanation;
        rehearsal_.play(question_about(frame), {*table_, *table6_}, *snapshot_, now_s_,
                        explanation);
        EXPECT_EQ(table_image(), before) << "the table has changed";
        EXPECT_EQ(board_.worker().sessions_opened.read(), opened);
        return explanation;
    }
    // The decision, and the frame as the path leaves it.
    const Decision& carry(Frame& frame, Origin origin = Origin::nic) {
        burst_->count = 1;
        burst_->frames[0] = {frame.data(), static_cast<std::uint32_t>(frame.size()),
                             static_cast<std::uint16_t>(frame.size()),
                             arrival_of(frame) == lan_mac ? std::uint8_t{1} : std::uint8_t{0}};
        path_.carry(*burst_, *snapshot_, now_s_, origin);
        return burst_->decisions[0];
    }
    void open_session() {
        Frame syn = Packet::tcp(client, vip).flags(tcp_flag::syn).bytes();
        carry(syn);
    }
    std::vector<std::byte> table_image() const {
        return {table_.memory(), table_.memory() + SessionTable::size_for(bucket_count)};
    }

    static std::vector<PathPort> ports() { return {{wan_mac}, {lan_mac}}; }

    Scene scene_;
    std::unique_ptr<const Snapshot> snapshot_;
    OwnedTable table_{bucket_count};
    CounterBoard board_{4'096};
    Chooser chooser_{{.board = &board_, .others = {}}};
    OwnedTable6 table6_{16};
    std::unique_ptr<LocalEnds> ends_ = LocalEnds::create({}, {});
    std::unique_ptr<CookieDesk> cookies_ = CookieDesk::create(64, {});
    Tracker tracker_{*table_, board_, chooser_, *ends_, *cookies_};
    Tracker6 tracker6_{*table6_, board_, chooser_, *ends_, *cookies_};
    Steering steering_{owner_key("fulcrum"), 1};
    PacketPath path_{ports(), steering_, 0, 1, {tracker_, tracker6_}};
    Rehearsal rehearsal_{ports(), steering_, 0, 1, {chooser_, *ends_, *cookies_}};
    std::unique_ptr<Burst> burst_ = std::make_unique<Burst>();
    std::uint32_t now_s_ = 1'000;
};

TEST_F(RehearsalTest, TellsWhereANewFlowWouldGoAndOpensNothing) {
    const Explanation told = explain(Packet::tcp(client, vip).flags(tcp_flag::syn).bytes());
    EXPECT_EQ(told.question_id, 5U);
    EXPECT_EQ(told.the_class, "request");
    EXPECT_EQ(told.verdict, "transmit");
    EXPECT_TRUE(told.opens_session);
    EXPECT_FALSE(told.has_session);
    EXPECT_EQ(told.listener, 0);
    EXPECT_LT(told.ring_slot, limits::ring_size_default);
    EXPECT_EQ(told.real, (*snapshot_->services[0].ring)[told.ring_slot]);
    const SnapshotReal& real = snapshot_->real_of(snapshot_->listeners[0], told.real);
    EXPECT_EQ(told.neighbour, real.address);
    EXPECT_EQ(told.hop.destination, mac_of(real.address));
    const Frame leaving{told.octets.begin(), told.octets.begin() + told.octet_count};
    EXPECT_TRUE(same_frame(Packet::tcp(client, {real.address, real.port})
                               .flags(tcp_flag::syn)
                               .macs(lan_mac, mac_of(real.address))
                               .ttl(63)
                               .bytes(),
                           leaving));
    EXPECT_EQ(table_->live_count(), 0U);
}

TEST_F(RehearsalTest, TellsOfTheSessionThatAPacketBelongsTo) {
    open_session();
    now_s_ += 3;
    const Explanation told = explain(Packet::tcp(client, vip).bytes());
    EXPECT_TRUE(told.has_session);
    EXPECT_FALSE(told.opens_session);
    EXPECT_EQ(told.session.state, SessionState::syn_seen);
    EXPECT_EQ(told.session.idle_s, 3U);
    EXPECT_EQ(told.session.timeout_s, 30U);
    EXPECT_EQ(told.session.client, client);
}

TEST_F(RehearsalTest, TellsOfFlowsAndSessionsOfIpv6) {
    Frame syn = Packet::tcp(client6, vip6).flags(tcp_flag::syn).bytes();
    const Explanation told = explain(syn);
    EXPECT_TRUE(told.opens_session);
    EXPECT_EQ(told.neighbour, real6.address);
    EXPECT_LT(told.ring_slot, limits::ring_size_default);
    EXPECT_EQ(table6_->live_count(), 0U);
    const Frame leaving{told.octets.begin(), told.octets.begin() + told.octet_count};
    EXPECT_TRUE(same_frame(Packet::tcp(client6, real6)
                               .flags(tcp_flag::syn)
                               .macs(lan_mac, mac_of(real6.address))
                               .ttl(63)
                               .bytes(),
                           leaving));
    carry(syn);
    const Explanation after = explain(Packet::tcp(real6, client6)
                                          .flags(tcp_flag::syn | tcp_flag::ack)
                                          .macs(mac_of(real6.address), lan_mac)
                                          .bytes());
    EXPECT_TRUE(after.has_session);
    EXPECT_EQ(after.the_class, "reply");
    EXPECT_EQ(after.session.client, client6);
    EXPECT_EQ(after.session.vip, vip6);
    EXPECT_EQ(after.neighbour, IpAddress{router6});
}

TEST_F(RehearsalTest, TellsWhyAPacketWouldBeDropped) {
    const Explanation told = explain(Packet::tcp(client, vip).flags(tcp_flag::rst).bytes());
    EXPECT_EQ(told.verdict, "drop");
    EXPECT_EQ(told.reason, "no_session");
    EXPECT_EQ(told.sentence, "a TCP packet opens no session and belongs to none");
    EXPECT_FALSE(told.has_hop);
    EXPECT_EQ(told.octet_count, 0);
}

TEST_F(RehearsalTest, TellsTheClassOfWhatIsTheKernels) {
    const Explanation told =
        explain(Packet::tcp(client, {our_wan, be16{22}}).flags(tcp_flag::syn).bytes());
    EXPECT_EQ(told.verdict, "punt");
    EXPECT_EQ(told.punt_class, "routing");
    EXPECT_EQ(told.worker, told.owner) << "it has no client: who is asked answers";
}

TEST_F(RehearsalTest, ForetellsEverySchedulersChoiceAndTakesNobodysTurn) {
    for (std::size_t number = 0; number < scheduler_count; ++number) {
        VirtualService& web = scene_.config().services[0];
        web.scheduler = static_cast<Scheduler>(number);
        web.affinity = number % 2 == 0 ? std::optional{Affinity{}} : std::nullopt;
        web.reals[0].connections = {.upper = 20};
        web.reals[0].weight = web.reals[1].weight = 100;
        snapshot_ = scene_.snapshot();
        for (std::uint16_t port = 0; port < 4; ++port) {
            const auto unused = static_cast<std::uint16_t>(1'000 + 100 * number + port);
            Frame syn =
                Packet::tcp({client.address, be16{unused}}, vip).flags(tcp_flag::syn).bytes();
            const Explanation told = explain(syn);
            const Explanation again = explain(syn);
            EXPECT_EQ(told.real, again.real);
            carry(syn);
            const Endpoint went_to = endpoint_of(burst_->decisions[0].replacement);
            const SnapshotReal& foretold =
                snapshot_->real_of(snapshot_->listeners[told.listener], told.real);
            EXPECT_EQ(foretold.address, went_to.address) << to_string(web.scheduler);
        }
    }
}

TEST_F(RehearsalTest, TellsTheLocalEndThatANewSessionInFullNatWouldSpeakFrom) {
    // The second is beside its real: NAT at one end would not bring the answer back.
    const Endpoint neighbour{Ipv4Address::of(10, 2, 0, 99), be16{40'000}};
    for (const auto& [from, to] : {std::pair{client, full_vip}, {neighbour, vip}}) {
        const std::size_t taken = ends_->taken_count();
        Frame syn = Packet::tcp(from, to).flags(tcp_flag::syn).bytes();
        const Explanation told = explain(syn);
        EXPECT_TRUE(told.opens_session);
        EXPECT_EQ(told.session.local.address, local_address);
        EXPECT_EQ(ends_->taken_count(), taken);
        const Frame leaving{told.octets.begin(), told.octets.begin() + told.octet_count};
        const Endpoint real = endpoint_of(carry(syn).replacement);
        EXPECT_TRUE(same_frame(Packet::tcp(told.session.local, real)
                                   .flags(tcp_flag::syn)
                                   .macs(lan_mac, mac_of(real.address))
                                   .ttl(63)
                                   .bytes(),
                               leaving));
        EXPECT_TRUE(same_frame(syn, leaving)) << "as it then left";
        EXPECT_EQ(ends_->taken_count(), taken + 1);
    }
}

TEST_F(RehearsalTest, CountsWhatADatagramGrowsByWhenItsRealIsToldOfTheClient) {
    const auto told_of = [&](std::size_t ip_length) {
        const std::string payload(ip_length - 28, 'x');
        return explain(Packet::udp(client, told_vip).payload(payload).bytes());
    };
    const Explanation fitting = told_of(1'472);  // the header of the PROXY protocol has 28 octets
    EXPECT_EQ(fitting.verdict, "refit");
    EXPECT_EQ(fitting.sentence, "its real is told the client's address");
    EXPECT_EQ(told_of(1'473).reason, "mtu_exceeded");
}

TEST_F(RehearsalTest, TakesAReplyOfTheDirectorsOwnProgramForTheKernelsUnlessAPortIsSaid) {
    Question question = question_about(
        Packet::tcp({our_wan, be16{8'099}}, client).flags(tcp_flag::syn | tcp_flag::ack).bytes());
    question.source = our_wan;
    const auto told_by = [&](std::uint8_t port) {
        question.port = port;
        Explanation told;
        rehearsal_.play(question, {*table_, *table6_}, *snapshot_, now_s_, told);
        return told;
    };
    EXPECT_EQ(told_by(0).reason, "ipv4_source") << "nobody outside has our address";
    Frame reply =
        Packet::tcp({our_wan, be16{8'099}}, client).flags(tcp_flag::syn | tcp_flag::ack).bytes();
    EXPECT_EQ(told_by(port_none).verdict, name_of(carry(reply, Origin::kernel).verdict));
    EXPECT_EQ(told_by(port_none).reason, "");
    Frame syn = Packet::tcp(client, local_vip).flags(tcp_flag::syn).bytes();
    carry(syn);
    EXPECT_TRUE(told_by(port_none).has_session);
    EXPECT_EQ(told_by(port_none).verdict, "transmit");
}

TEST_F(RehearsalTest, SaysWhyAPacketGoesOnOtherwiseThanItCame) {
    const auto syn_to = [&](const Endpoint& to) {
        return explain(Packet::tcp(client, to).flags(tcp_flag::syn).bytes());
    };
    EXPECT_EQ(syn_to(cookie_vip).verdict, "answer");
    EXPECT_EQ(syn_to(cookie_vip).sentence, "the director answers for the real, with a SYN cookie");
    EXPECT_EQ(syn_to(tunnel_vip).verdict, "refit");
    EXPECT_EQ(syn_to(tunnel_vip).sentence, "it leaves within a tunnel's packet");
    EXPECT_EQ(syn_to(vip).sentence, "") << "it just goes on";
}

TEST_F(RehearsalTest, NamesTheOwnerWhenTheClientIsAnotherWorkers) {
    const Steering shared{owner_key("fulcrum"), 2};
    Endpoint stranger = client;
    while (shared.owner_of(stranger.address) != 1) {
        stranger.address = Ipv4Address::from_host(stranger.address.v4().host() + 1);
    }
    Rehearsal of_worker_0{ports(), shared, 0, 2, {chooser_, *ends_, *cookies_}};
    Explanation told;
    of_worker_0.play(question_about(Packet::tcp(stranger, vip).flags(tcp_flag::syn).bytes()),
                     {*table_, *table6_}, *snapshot_, now_s_, told);
    EXPECT_EQ(told.verdict, "hand_over");
    EXPECT_EQ(told.worker, 0);
    EXPECT_EQ(told.owner, 1);
}

TEST_F(RehearsalTest, FindsThePortByTheWayToTheSource) {
    Question question = question_about(Packet::tcp(real_a, client).bytes());
    question.port = port_none;
    question.source = real_a.address;
    Explanation told;
    rehearsal_.play(question, {*table_, *table6_}, *snapshot_, now_s_, told);
    EXPECT_EQ(told.port, 1);
    EXPECT_EQ(told.the_class, "reply");
    EXPECT_EQ(told.verdict, "transmit") << "the frame is addressed to that port";
}

TEST_F(RehearsalTest, JudgesTheSizeThatTheFrameIsSaidToHave) {
    Question question =
        question_about(Packet::tcp(client, vip).payload(std::string(2'000, 'x')).bytes());
    ASSERT_EQ(question.octet_count, limits::explained_octets_max);
    Explanation told;
    rehearsal_.play(question, {*table_, *table6_}, *snapshot_, now_s_, told);
    EXPECT_EQ(told.reason, "mtu_exceeded");
    EXPECT_NE(told.real, limits::index_none) << "the real that it would have gone to";
}

std::uint32_t below(std::mt19937& random, std::uint32_t bound) {
    return static_cast<std::uint32_t>(random() % bound);
}

// Packets of a few clients, both ways, sound and strange, in any order.
Frame random_frame(std::mt19937& random) {
    const auto among = [&](std::initializer_list<std::uint8_t> values) {
        return *(values.begin() + below(random, static_cast<std::uint32_t>(values.size())));
    };
    const Endpoint from{Ipv4Address::from_host(client.address.v4().host() + below(random, 3)),
                        be16{static_cast<std::uint16_t>(40'000 + below(random, 2))}};
    const std::uint8_t flags = among({0x02, 0x02, 0x10, 0x10, 0x12, 0x11, 0x14, 0x04, 0x18});
    const std::uint8_t ttl = among({64, 64, 64, 1});
    const Endpoint real = below(random, 2) == 0 ? real_a : real_b;
    switch (below(random, 10)) {
        case 8:
            return Packet::tcp(client6, vip6).flags(flags).ttl(ttl).bytes();
        case 9:
            return Packet::tcp(real6, client6)
                .flags(flags)
                .macs(mac_of(real6.address), lan_mac)
                .ttl(ttl)
                .bytes();
        case 0:
            return Packet::udp(from, dns).payload("?").bytes();
        case 1:
            return Packet::udp({real_a.address, be16{5'353}}, from)
                .macs(mac_of(real_a.address), lan_mac)
                .bytes();
        case 2:
            return Packet::tcp(from, below(random, 2) == 0 ? direct_vip : full_vip)
                .flags(flags)
                .ttl(ttl)
                .bytes();
        case 3:
            return Packet::icmp(router, vip.address, 3, 1)
                .quoting(Packet::tcp(vip, from), 8 + below(random, 2) * 12)
                .bytes();
        case 4:
        case 5:
            return Packet::tcp(real, from)
                .flags(flags)
                .macs(mac_of(real.address), lan_mac)
                .ttl(ttl)
                .bytes();
        default:
            return Packet::tcp(from, vip).flags(flags).ttl(ttl).bytes();
    }
}

TEST_F(RehearsalTest, AgreesWithWhatThenHappensToAnyPacketAndLeavesNoTrace) {
    std::mt19937 random{20'260'731};
    std::size_t sent_count = 0;
    std::size_t opened_count = 0;
    for (int step = 0; step < 3'000; ++step) {
        now_s_ += below(random, 8) == 0 ? below(random, 20) : 0;
        Frame frame = random_frame(random);
        const Explanation told = explain(frame);
        const std::uint64_t opened = board_.worker().sessions_opened.read();
        const Decision& decision = carry(frame);
        ASSERT_EQ(told.verdict, name_of(decision.verdict)) << step;
        ASSERT_EQ(told.opens_session, board_.worker().sessions_opened.read() != opened) << step;
        if (decision.verdict == Verdict::drop) {
            ASSERT_EQ(told.reason, text_of(decision.reason).name) << step;
        }
        if (decision.verdict == Verdict::transmit) {
            const Frame leaving{told.octets.begin(), told.octets.begin() + told.octet_count};
            ASSERT_TRUE(same_frame(frame, leaving)) << step;
            ++sent_count;
        }
        opened_count += told.opens_session ? 1 : 0;
    }
    EXPECT_GT(sent_count, 500U);
    EXPECT_GT(opened_count, 30U);
}

}  // namespace
}  // namespace fulcrum::test
