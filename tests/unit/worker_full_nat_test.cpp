// Full NAT over real buffers: what the real and the client are sent, whole frames against frames
// that were built the way they should look; and whose a reply is among several workers.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

struct Cast {
    Endpoint client;
    Endpoint vip;
    Endpoint real;
    IpAddress local;
    IpAddress stranger;
};

const Cast of_ipv4{{Ipv4Address::of(198, 51, 100, 7), be16{40'000}},
                   {Ipv4Address::of(10, 1, 0, 80), be16{80}},
                   {Ipv4Address::of(10, 2, 0, 11), be16{8'080}},
                   Ipv4Address::of(10, 2, 0, 100),
                   Ipv4Address::of(192, 0, 2, 1)};
const Cast of_ipv6{{*parse_ipv6_address("2001:db8:9::7"), be16{40'000}},
                   {*parse_ipv6_address("2001:db8:1::80"), be16{80}},
                   {*parse_ipv6_address("2001:db8:2::11"), be16{8'080}},
                   *parse_ipv6_address("2001:db8:2::100"),
                   *parse_ipv6_address("2001:db8:77::1")};

constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;

class WorkerFullNat : public testing::TestWithParam<bool> {
  protected:
    explicit WorkerFullNat(unsigned workers = 1) {
        scene_.service("web", who().vip).real("a", who().real, ForwardingMode::full_nat);
        scene_.service("dns", {who().vip.address, be16{53}}, L4Protocol::udp)
            .real("a", who().real, ForwardingMode::full_nat);
        scene_.config().ports[1].local_addresses = {who().local};
        scene_.kernel().addresses.push_back(who().local);
        rig_.emplace(scene_, WorkerRig::Shape{.worker_count = workers});
    }
    static const Cast& who() { return GetParam() ? of_ipv6 : of_ipv4; }

    // The local end that the real hears of with the client's first packet.
    Endpoint open() {
        rig_->receive(Packet::tcp(who().client, who().vip).flags(tcp_flag::syn).bytes());
        rig_->settle();
        const std::vector<Frame> sent = rig_->sent(1);
        return sent.size() == 1 ? Endpoint{who().local, source_port_of(sent[0])} : Endpoint{};
    }
    static be16 source_port_of(const Frame& frame) {
        const std::size_t at = GetParam() ? std::size_t{ip_at + 40} : source_port_at;
        return be16{static_cast<std::uint16_t>(frame[at] << 8 | frame[at + 1])};
    }
    static Packet from_real(Packet packet) {
        return packet.macs(mac_of(who().real.address), lan_mac);
    }
    static Packet to_real(Packet packet) {
        return packet.macs(lan_mac, mac_of(who().real.address)).ttl(63);
    }
    static Packet to_client(Packet packet) { return packet.macs(wan_mac, router_mac).ttl(63); }
    static Packet error(const IpAddress& source, const IpAddress& destination) {
        return GetParam() ? Packet::icmp6(source, destination, 1, 4)
                          : Packet::icmp(source, destination, 3, 3);
    }
    // As the director writes a packet of its own: it numbers none.
    static Frame unnumbered(const Frame& frame) {
        return GetParam() ? frame : fixed(with_word(frame, ip_at + 4, 0));
    }
    Frame only_sent(std::size_t port) {
        rig_->settle();
        const std::vector<Frame> sent = rig_->sent(port);
        return sent.size() == 1 ? sent[0] : Frame{};
    }

    Scene scene_;
    std::optional<WorkerRig> rig_;
};

TEST_P(WorkerFullNat, TheRealSeesALocalEndAndTheClientTheVip) {
    const Endpoint local = open();
    ASSERT_EQ(local.address, who().local);
    rig_->receive_on(1, from_real(Packet::tcp(who().real, local).flags(syn_ack)).bytes());
    EXPECT_TRUE(same_frame(to_client(Packet::tcp(who().vip, who().client).flags(syn_ack)).bytes(),
                           only_sent(0)));
    rig_->receive(Packet::tcp(who().client, who().vip).payload("GET").bytes());
    EXPECT_TRUE(
        same_frame(to_real(Packet::tcp(local, who().real).payload("GET")).bytes(), only_sent(1)));
    EXPECT_EQ(rig_->counters().local_ports_taken.read(), 1U);
    EXPECT_EQ(rig_->counters().sessions_live.read(), 1U);
}

TEST_P(WorkerFullNat, ARealThatRefusesAndThenAnswersIsCountedSo) {
    const Endpoint local = open();
    const auto from_a = [&](std::uint8_t flags) {
        rig_->receive_on(1, from_real(Packet::tcp(who().real, local).flags(flags)).bytes());
        rig_->settle();
    };
    from_a(tcp_flag::rst | tcp_flag::ack);
    rig_->receive(Packet::tcp(who().client, who().vip).flags(tcp_flag::syn).bytes());
    rig_->settle();
    from_a(syn_ack);
    const OpeningTally& opening = rig_->opening(scene_.snapshot()->reals[0].tally);
    EXPECT_EQ(opening.asked.read(), 2U);
    EXPECT_EQ(opening.refused.read(), 1U);
    EXPECT_EQ(opening.answered.read(), 1U);
}

TEST_P(WorkerFullNat, DatagramsGoBothWaysToo) {
    const Endpoint dns{who().vip.address, be16{53}};
    rig_->receive(Packet::udp(who().client, dns).payload("who is").bytes());
    const Frame asked = only_sent(1);
    const Endpoint local{who().local, source_port_of(asked)};
    EXPECT_TRUE(
        same_frame(to_real(Packet::udp(local, who().real).payload("who is")).bytes(), asked));
    rig_->receive_on(1, from_real(Packet::udp(who().real, local).payload("he is")).bytes());
    EXPECT_TRUE(same_frame(to_client(Packet::udp(dns, who().client).payload("he is")).bytes(),
                           only_sent(0)));
}

TEST_P(WorkerFullNat, AnErrorOfTheRealTellsTheClientOfWhatTheClientSent) {
    const Endpoint local = open();
    const Packet as_sent = Packet::tcp(local, who().real).flags(tcp_flag::syn);
    const Packet as_meant = Packet::tcp(who().client, who().vip).flags(tcp_flag::syn);
    const IpAddress real = who().real.address;
    rig_->receive_on(1, from_real(error(real, local.address).quoting(as_sent, 20)).bytes());
    EXPECT_TRUE(same_frame(
        to_client(error(who().vip.address, who().client.address).quoting(as_meant, 20)).bytes(),
        only_sent(0)));
    // A router stays itself, and may quote no more than eight octets.
    rig_->receive_on(1,
                     from_real(error(who().stranger, local.address).quoting(as_sent, 8)).bytes());
    EXPECT_TRUE(same_frame(
        to_client(error(who().stranger, who().client.address).quoting(as_meant, 8)).bytes(),
        only_sent(0)));
}

TEST_P(WorkerFullNat, AnErrorOfTheClientTellsTheRealOfWhatTheRealSent) {
    const Endpoint local = open();
    const Packet as_seen = Packet::tcp(who().vip, who().client).flags(syn_ack);
    const Packet as_sent = Packet::tcp(who().real, local).flags(syn_ack);
    const IpAddress client = who().client.address;
    rig_->receive(error(client, who().vip.address).quoting(as_seen, 20).bytes());
    EXPECT_TRUE(
        same_frame(to_real(error(local.address, who().real.address).quoting(as_sent, 20)).bytes(),
                   only_sent(1)));
    rig_->receive(error(who().stranger, who().vip.address).quoting(as_seen, 8).bytes());
    EXPECT_TRUE(
        same_frame(to_real(error(who().stranger, who().real.address).quoting(as_sent, 8)).bytes(),
                   only_sent(1)));
}

TEST_P(WorkerFullNat, WhatNoSessionWaitsForAtALocalAddressIsTheKernels) {
    const Endpoint local = open();
    const Endpoint free_end{who().local, be16{static_cast<std::uint16_t>(local.port.host() ^ 1)}};
    const Endpoint other_real{who().real.address, be16{9'999}};
    rig_->receive_on(1, from_real(Packet::tcp(who().real, free_end)).bytes());
    rig_->receive_on(1, from_real(Packet::tcp(other_real, local)).bytes());
    rig_->settle();
    EXPECT_EQ(rig_->punted().size(), 2U);
    EXPECT_EQ(rig_->dropped_for_any_reason(), 0U);
}

TEST_P(WorkerFullNat, ASynOnAnEndedConnectionGetsAnotherPort) {
    const Endpoint first = open();
    rig_->receive_on(1, from_real(Packet::tcp(who().real, first).flags(syn_ack)).bytes());
    rig_->receive(Packet::tcp(who().client, who().vip).bytes());
    rig_->settle();
    rig_->receive(
        Packet::tcp(who().client, who().vip).flags(tcp_flag::fin | tcp_flag::ack).bytes());
    rig_->receive_on(
        1, from_real(Packet::tcp(who().real, first).flags(tcp_flag::fin | tcp_flag::ack)).bytes());
    rig_->settle();
    rig_->sent(1);
    const Endpoint second = open();
    EXPECT_EQ(second.address, who().local);
    EXPECT_NE(second.port, first.port);
    EXPECT_EQ(rig_->counters().local_ports_taken.read(), 1U);
}

TEST_P(WorkerFullNat, ARealThatIsResettingResetsBothUnderTheNamesThatTheyKnow) {
    const Endpoint local = open();
    rig_->receive_on(1, from_real(Packet::tcp(who().real, local).flags(syn_ack)).bytes());
    rig_->settle();
    rig_->sent(0);
    scene_.config().services[0].on_failure = SessionPolicy::reset;
    scene_.config().services[0].check.type = CheckType::connect;
    rig_->publish();
    scene_.set_health("web", "a", false);
    rig_->publish();
    rig_->receive(Packet::tcp(who().client, who().vip).sequence(77).acknowledges(88).bytes());
    EXPECT_TRUE(same_frame(unnumbered(Packet::tcp(local, who().real)
                                          .macs(lan_mac, mac_of(who().real.address))
                                          .flags(tcp_flag::rst | tcp_flag::ack)
                                          .sequence(77)
                                          .acknowledges(88)
                                          .window(0)
                                          .dont_fragment()
                                          .bytes()),
                           only_sent(1)));
    EXPECT_EQ(rig_->sent(0).size(), 1U);
    rig_->receive_on(1,
                     from_real(Packet::tcp(who().real, local).sequence(5).acknowledges(6)).bytes());
    EXPECT_TRUE(same_frame(unnumbered(Packet::tcp(who().vip, who().client)
                                          .macs(wan_mac, router_mac)
                                          .flags(tcp_flag::rst | tcp_flag::ack)
                                          .sequence(5)
                                          .acknowledges(6)
                                          .window(0)
                                          .dont_fragment()
                                          .bytes()),
                           only_sent(0)));
}

TEST_P(WorkerFullNat, WithoutItsLocalAddressASessionMakesWay) {
    const Endpoint first = open();
    const IpAddress other = GetParam() ? IpAddress{*parse_ipv6_address("2001:db8:2::101")}
                                       : IpAddress{Ipv4Address::of(10, 2, 0, 101)};
    scene_.config().ports[1].local_addresses = {other};
    scene_.kernel().addresses.back() = other;
    rig_->publish();
    rig_->receive(Packet::tcp(who().client, who().vip).flags(tcp_flag::syn).bytes());
    const Frame sent = only_sent(1);
    const Endpoint second{other, source_port_of(sent)};
    EXPECT_TRUE(
        same_frame(to_real(Packet::tcp(second, who().real).flags(tcp_flag::syn)).bytes(), sent));
    EXPECT_EQ(rig_->counters().local_ports_taken.read(), 1U);
    static_cast<void>(first);
}

// Beside the reals, on port 1; the real is one of NAT.
class WorkerHairpin : public WorkerFullNat {
  protected:
    WorkerHairpin() {
        scene_.config().services[0].reals[0].forward = ForwardingMode::nat;
        scene_.kernel().neighbours.push_back({neighbour().address, 1, mac_of(neighbour().address)});
        rig_->publish();
    }
    static Endpoint neighbour() {
        return {GetParam() ? IpAddress{*parse_ipv6_address("2001:db8:2::77")}
                           : IpAddress{Ipv4Address::of(10, 2, 0, 77)},
                be16{40'000}};
    }
    static Packet from_lan(Packet packet, const IpAddress& sender) {
        return packet.macs(mac_of(sender), lan_mac);
    }
    static Packet to_lan(Packet packet, const IpAddress& receiver) {
        return packet.macs(lan_mac, mac_of(receiver)).ttl(63);
    }
    // Answered under the VIP's name, whoever of the network asks.
    void is_answered(const Endpoint& client) {
        rig_->receive_on(
            1,
            from_lan(Packet::tcp(client, who().vip).flags(tcp_flag::syn), client.address).bytes());
        const Frame asked = only_sent(1);
        const Endpoint local{who().local, source_port_of(asked)};
        ASSERT_TRUE(same_frame(
            to_lan(Packet::tcp(local, who().real).flags(tcp_flag::syn), who().real.address).bytes(),
            asked));
        rig_->receive_on(1, from_real(Packet::tcp(who().real, local).flags(syn_ack)).bytes());
        EXPECT_TRUE(same_frame(
            to_lan(Packet::tcp(who().vip, client).flags(syn_ack), client.address).bytes(),
            only_sent(1)));
    }
};

TEST_P(WorkerHairpin, AClientBesideTheRealIsPresentedUnderALocalEnd) { is_answered(neighbour()); }

TEST_P(WorkerHairpin, ARealMayBeAClientOfItself) {
    is_answered({who().real.address, be16{40'000}});
}

TEST_P(WorkerHairpin, AClientFromElsewhereIsSeenAsItIs) {
    rig_->receive(Packet::tcp(who().client, who().vip).bytes());
    EXPECT_TRUE(same_frame(to_real(Packet::tcp(who().client, who().real)).bytes(), only_sent(1)));
}

TEST_P(WorkerHairpin, WithoutALocalAddressANeighbourIsServedAsAnyOther) {
    scene_.config().ports[1].local_addresses.clear();
    rig_->publish();
    rig_->receive_on(1, from_lan(Packet::tcp(neighbour(), who().vip), neighbour().address).bytes());
    EXPECT_TRUE(same_frame(to_lan(Packet::tcp(neighbour(), who().real), who().real.address).bytes(),
                           only_sent(1)));
}

TEST_P(WorkerFullNat, ARequestInPiecesReachesTheRealFromOneLocalAddress) {
    const auto piece = [](std::uint8_t offset_in_8, bool has_more) {
        Packet packet =
            Packet::udp(who().client, {who().vip.address, be16{53}}).payload("12345678");
        const auto place = static_cast<std::uint8_t>(offset_in_8 << 3 | (has_more ? 1 : 0));
        return GetParam() ? packet.extensions(44, {17, 0, 0, place, 0, 0, 0, 9}).bytes()
                          : packet.fragment(offset_in_8, has_more).bytes();
    };
    rig_->receive(piece(0, true));
    rig_->receive(piece(2, false));
    rig_->settle();
    const std::vector<Frame> sent = rig_->sent(1);
    ASSERT_EQ(sent.size(), 2U);
    const Frame whole = Packet::udp({who().local, be16{1}}, who().real).bytes();
    const std::size_t addresses_at = GetParam() ? ip_at + 8 : source_at;
    const std::size_t addresses_end = addresses_at + (GetParam() ? 32 : 8);
    for (const Frame& frame : sent) {
        EXPECT_TRUE(std::equal(frame.begin() + static_cast<std::ptrdiff_t>(addresses_at),
                               frame.begin() + static_cast<std::ptrdiff_t>(addresses_end),
                               whole.begin() + static_cast<std::ptrdiff_t>(addresses_at)));
    }
}

INSTANTIATE_TEST_SUITE_P(OverBothVersions, WorkerHairpin, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "IPv6" : "IPv4"; });

INSTANTIATE_TEST_SUITE_P(OverBothVersions, WorkerFullNat, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "IPv6" : "IPv4"; });

class WorkersFullNat : public WorkerFullNat {
  protected:
    WorkersFullNat() : WorkerFullNat{3} {}
};

TEST_P(WorkersFullNat, AReplyIsHandedToTheWorkerWhoseThePortIs) {
    const Endpoint local = open();
    ASSERT_EQ(local.address, who().local);
    const unsigned owner = local.port.host() % 64 % 3;
    const unsigned other = (owner + 1) % 3;
    const std::uint64_t before = rig_->counters(other).handed_over.read();
    rig_->receive_on(1, from_real(Packet::tcp(who().real, local).flags(syn_ack)).bytes(), other);
    EXPECT_TRUE(same_frame(to_client(Packet::tcp(who().vip, who().client).flags(syn_ack)).bytes(),
                           only_sent(0)));
    EXPECT_EQ(rig_->counters(owner).local_ports_taken.read(), 1U);
    EXPECT_EQ(rig_->counters(other).handed_over.read(), before + 1);
}

INSTANTIATE_TEST_SUITE_P(OverBothVersions, WorkersFullNat, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "IPv6" : "IPv4"; });

}  // namespace
}  // namespace fulcrum::test
