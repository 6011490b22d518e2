// A worker's whole turn over real buffers: frames are laid into receive queues, and what leaves is
// compared octet for octet with frames built the way they should look. Clients come by the router
// on port 0; reals are on the link of port 1.
#include "dataplane/worker.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint dns_vip{Ipv4Address::of(10, 1, 0, 53), be16{53}};
constexpr Endpoint direct_vip{Ipv4Address::of(10, 1, 0, 90), be16{80}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Endpoint dns_real{Ipv4Address::of(10, 2, 0, 53), be16{5'353}};
constexpr Endpoint direct_real{Ipv4Address::of(10, 2, 0, 12), be16{80}};
constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};
constexpr Ipv4Address our_wan = Ipv4Address::of(10, 1, 0, 2);
constexpr Ipv4Address far_router = Ipv4Address::of(192, 0, 2, 1);

constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;

class WorkerTest : public testing::Test {
  protected:
    WorkerTest() {
        scene_.service("web", vip).real("a", real);
        scene_.service("dns", dns_vip, L4Protocol::udp).real("ns", dns_real);
        scene_.service("old", direct_vip).real("d", direct_real, ForwardingMode::direct);
    }

    static Packet request() { return Packet::tcp(client, vip); }
    // As the real sends it, and as it leaves toward the client.
    static Packet from_real(Packet packet, Endpoint sender = real) {
        return packet.macs(mac_of(sender.address), lan_mac);
    }
    static Packet to_real(Packet packet, Endpoint receiver = real) {
        return packet.macs(lan_mac, mac_of(receiver.address)).ttl(63);
    }
    static Packet to_client(Packet packet) { return packet.macs(wan_mac, router_mac).ttl(63); }

    void expect_one(const std::vector<Frame>& frames, const Packet& expected) {
        ASSERT_EQ(frames.size(), 1U);
        EXPECT_TRUE(same_frame(expected.bytes(), frames[0]));
    }

    Scene scene_;
};

// --- NAT -------------------------------------------------------------------------------------

TEST_F(WorkerTest, CarriesAHandshakeThroughNat) {
    WorkerRig rig{scene_};
    expect_one(rig.answers(request().flags(tcp_flag::syn).bytes(), 1),
               to_real(Packet::tcp(client, real).flags(tcp_flag::syn)));
    expect_one(rig.answers(from_real(Packet::tcp(real, client)).flags(syn_ack).bytes(), 0),
               to_client(Packet::tcp(vip, client).flags(syn_ack)));
    expect_one(rig.answers(request().payload("GET / HTTP/1.1\r\n").bytes(), 1),
               to_real(Packet::tcp(client, real).payload("GET / HTTP/1.1\r\n")));
    expect_one(rig.answers(from_real(Packet::tcp(real, client)).payload("200").bytes(), 0),
               to_client(Packet::tcp(vip, client).payload("200")));
    EXPECT_EQ(rig.dropped_for_any_reason(), 0U);
    EXPECT_EQ(rig.counters().received.read(), 4U);
    EXPECT_EQ(rig.counters().transmitted.read(), 4U);
}

TEST_F(WorkerTest, CarriesDatagramsThroughNat) {
    WorkerRig rig{scene_};
    expect_one(rig.answers(Packet::udp(client, dns_vip).payload("who?").bytes(), 1),
               to_real(Packet::udp(client, dns_real).payload("who?"), dns_real));
    expect_one(
        rig.answers(from_real(Packet::udp(dns_real, client), dns_real).payload("me").bytes(), 0),
        to_client(Packet::udp(dns_vip, client).payload("me")));
}

TEST_F(WorkerTest, CountsWhatItCarriesForAReal) {
    WorkerRig rig{scene_};
    rig.answers(request().flags(tcp_flag::syn).bytes(), 1);
    rig.answers(from_real(Packet::tcp(real, client)).flags(syn_ack).payload("xyz").bytes(), 0);
    const RealTally& tally = rig.tally(rig.snapshot().reals[0].tally);
    EXPECT_EQ(tally.in_packets.read(), 1U);
    EXPECT_EQ(tally.in_bytes.read(), 40U);
    EXPECT_EQ(tally.out_packets.read(), 1U);
    EXPECT_EQ(tally.out_bytes.read(), 43U);
    EXPECT_EQ(tally.sessions_opened.read(), 1U);
    EXPECT_EQ(rig.counters().sessions_live.read(), 1U);
}

TEST_F(WorkerTest, CarriesABurstOfFullLengthInOrder) {
    WorkerRig rig{scene_};
    for (std::uint32_t i = 0; i < limits::burst_size_max; ++i) {
        rig.receive(request().sequence(i).bytes());
    }
    rig.turn();
    const std::vector<Frame> frames = rig.sent(1);
    ASSERT_EQ(frames.size(), limits::burst_size_max);
    for (std::uint32_t i = 0; i < limits::burst_size_max; ++i) {
        EXPECT_TRUE(same_frame(to_real(Packet::tcp(client, real).sequence(i)).bytes(), frames[i]));
    }
}

TEST_F(WorkerTest, CarriesAPayloadInASecondSegment) {
    WorkerRig rig{scene_};
    const std::string payload(900, 'x');
    rig.receive(request().payload(payload).bytes(), 0, /*segment=*/100);
    rig.settle();
    expect_one(rig.sent(1), to_real(Packet::tcp(client, real).payload(payload)));
}

TEST_F(WorkerTest, CompletesPartialChecksumsWhereThePortLeavesThem) {
    WorkerRig rig{scene_, {.completes_partial_checksums = true}};
    expect_one(rig.answers(request().payload("odd").with_partial_checksum().bytes(), 1),
               to_real(Packet::tcp(client, real).payload("odd")));
    expect_one(rig.answers(Packet::udp(client, dns_vip).with_partial_checksum().bytes(), 1),
               to_real(Packet::udp(client, dns_real), dns_real));
    expect_one(rig.answers(request().payload("whole").bytes(), 1),
               to_real(Packet::tcp(client, real).payload("whole")));
}

TEST_F(WorkerTest, LeavesAWrongChecksumWrongOnOtherPorts) {
    WorkerRig rig{scene_};
    const auto frames = rig.answers(request().payload("odd").with_partial_checksum().bytes(), 1);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_FALSE(has_sound_checksums(frames[0]));
}

TEST_F(WorkerTest, AnswersAStrayReplyOfARealWithOneServiceInTheVipsName) {
    WorkerRig rig{scene_};
    expect_one(rig.answers(from_real(Packet::tcp(real, client)).bytes(), 0),
               to_client(Packet::tcp(vip, client)));
}

TEST_F(WorkerTest, BelievesNoReplyWithoutSessionFromElsewhereThanItsReal) {
    WorkerRig rig{scene_};
    EXPECT_TRUE(rig.answers(Packet::tcp(real, client).bytes(), 0).empty());
    EXPECT_EQ(rig.dropped(DropReason::ipv4_source), 1U);
}

TEST_F(WorkerTest, LetsARealOpenConnectionsOfItsOwnFromItsServicesPort) {
    WorkerRig rig{scene_};
    const auto transit = [&] {
        rig.settle();
        return rig.counters().punted[static_cast<std::size_t>(PuntClass::transit)].read();
    };
    rig.receive_on(1, from_real(Packet::tcp(real, client).flags(tcp_flag::syn)).bytes());
    EXPECT_EQ(transit(), 1U);
    // As a name server asks others from port 53.
    rig.receive_on(1, from_real(Packet::udp(dns_real, client), dns_real).bytes());
    EXPECT_EQ(transit(), 2U);
    EXPECT_TRUE(rig.sent(0).empty());
}

TEST_F(WorkerTest, ADatagramOfAServiceWithoutSessionsIsAReplyAllTheSame) {
    scene_.config().services[1].one_packet = true;
    WorkerRig rig{scene_};
    expect_one(rig.answers(from_real(Packet::udp(dns_real, client), dns_real).bytes(), 0),
               to_client(Packet::udp(dns_vip, client)));
}

// --- direct routing --------------------------------------------------------------------------

TEST_F(WorkerTest, DirectRoutingChangesMacsAndTtlAlone) {
    WorkerRig rig{scene_};
    expect_one(rig.answers(Packet::tcp(client, direct_vip).payload("GET /").bytes(), 1),
               to_real(Packet::tcp(client, direct_vip).payload("GET /"), direct_real));
}

// --- ICMP errors -----------------------------------------------------------------------------

TEST_F(WorkerTest, ARealHearsThatItsAnswerIsTooLarge) {
    WorkerRig rig{scene_};
    rig.answers(request().bytes(), 1);
    expect_one(rig.answers(Packet::icmp(far_router, vip.address, 3, 4)
                               .rest(1'400)
                               .quoting(Packet::tcp(vip, client), 8)
                               .bytes(),
                           1),
               to_real(Packet::icmp(far_router, real.address, 3, 4)
                           .rest(1'400)
                           .quoting(Packet::tcp(real, client), 8)));
}

TEST_F(WorkerTest, AClientHearsFromTheVipThatTheRealsPortIsClosed) {
    WorkerRig rig{scene_};
    rig.answers(Packet::udp(client, dns_vip).bytes(), 1);
    expect_one(rig.answers(from_real(Packet::icmp(dns_real.address, client.address, 3, 3)
                                         .quoting(Packet::udp(client, dns_real), 8),
                                     dns_real)
                               .bytes(),
                           0),
               to_client(Packet::icmp(dns_vip.address, client.address, 3, 3)
                             .quoting(Packet::udp(client, dns_vip), 8)));
}

TEST_F(WorkerTest, ADirectRealHearsErrorsAboutItsAnswers) {
    WorkerRig rig{scene_};
    rig.answers(Packet::tcp(client, direct_vip).bytes(), 1);
    const Packet error = Packet::icmp(far_router, direct_vip.address, 3, 4)
                             .quoting(Packet::tcp(direct_vip, client), 8);
    expect_one(rig.answers(error.bytes(), 1), to_real(error, direct_real));
}

// --- nobody to serve -------------------------------------------------------------------------

TEST_F(WorkerTest, ResetsAConnectionThatNobodyCanServe) {
    scene_.config().services[0].reals[0].weight = 0;
    WorkerRig rig{scene_};
    const auto frames = rig.answers(request().flags(tcp_flag::syn).sequence(5'000).bytes(), 0);
    ASSERT_EQ(frames.size(), 1U);
    const Frame& reset = frames[0];
    EXPECT_TRUE(has_sound_checksums(reset));
    const ParsedPacket packet = parsed(reset, router_mac);
    EXPECT_EQ((Endpoint{packet.source, packet.source_port}), vip);
    EXPECT_EQ((Endpoint{packet.destination, packet.destination_port}), client);
    EXPECT_EQ(packet.tcp_flags, tcp_flag::rst | tcp_flag::ack);
    EXPECT_EQ(Frame(reset.begin() + 42, reset.begin() + 46), (Frame{0, 0, 0x13, 0x89}));  // 5,001
    EXPECT_EQ(rig.dropped(DropReason::no_real), 1U);
    EXPECT_EQ(rig.counters().originated.read(), 1U);
}

TEST_F(WorkerTest, IsSilentIfTheServiceWantsItSo) {
    scene_.config().services[0].reals[0].weight = 0;
    scene_.config().services[0].no_real = NoReal::silent;
    WorkerRig rig{scene_};
    EXPECT_TRUE(rig.answers(request().flags(tcp_flag::syn).bytes(), 0).empty());
    EXPECT_EQ(rig.dropped(DropReason::no_real), 1U);
    EXPECT_EQ(rig.counters().originated.read(), 0U);
}

// As a host would answer a scan, and no faster than it tells of other errors.
TEST_F(WorkerTest, ResetsForPortsOfNobodyAtARate) {
    scene_.config().vips = {
        {.addresses = IpPrefix::only(vip.address), .other = OtherTraffic::reset}};
    WorkerRig rig{scene_};
    std::size_t sent = 0;
    for (std::uint16_t port = 1'000; port < 2'000; ++port) {
        rig.receive(Packet::tcp(client, {vip.address, be16{port}}).flags(tcp_flag::syn).bytes());
        rig.settle();
        sent += rig.sent(0).size();
    }
    EXPECT_GE(sent, IcmpOrigin::errors_at_once);
    EXPECT_LT(sent, 1'000U);
    EXPECT_EQ(rig.counters().originated.read(), sent);
    EXPECT_EQ(rig.dropped(DropReason::no_service_reset), 1'000U);
}

TEST_F(WorkerTest, IsSilentToDatagramsThatNobodyCanServe) {
    scene_.config().services[1].reals[0].weight = 0;
    WorkerRig rig{scene_};
    EXPECT_TRUE(rig.answers(Packet::udp(client, dns_vip).bytes(), 0).empty());
    EXPECT_EQ(rig.dropped(DropReason::no_real), 1U);
}

TEST_F(WorkerTest, ADrainedRealKeepsItsConnection) {
    WorkerRig rig{scene_};
    rig.answers(request().flags(tcp_flag::syn).bytes(), 1);
    rig.answers(from_real(Packet::tcp(real, client)).flags(syn_ack).bytes(), 0);
    rig.answers(request().bytes(), 1);
    scene_.config().services[0].reals[0].weight = 0;
    rig.publish();
    expect_one(rig.answers(request().payload("still here").bytes(), 1),
               to_real(Packet::tcp(client, real).payload("still here")));
    EXPECT_EQ(rig.answers(Packet::tcp({client.address, be16{41'000}}, vip).bytes(), 1).size(), 0U);
}

// --- to and from the kernel ------------------------------------------------------------------

TEST_F(WorkerTest, PuntsFramesForUsWithThePortTheyCameBy) {
    WorkerRig rig{scene_};
    Frame arp = with_word(request().bytes(), ethertype_at, 0x0806);
    const Frame ping = Packet::icmp(client.address, our_wan, 8).payload("ping").bytes();
    rig.receive_on(1, with_octet(arp, 0, 0xFF));
    rig.receive(ping);
    rig.settle();
    const std::vector<Punted> punted = rig.punted();
    ASSERT_EQ(punted.size(), 2U);
    EXPECT_EQ(punted[0].punt_class, PuntClass::link);
    EXPECT_EQ(punted[0].port_id, ring_port(1).id());
    EXPECT_EQ(punted[1].punt_class, PuntClass::rest);
    EXPECT_EQ(punted[1].port_id, ring_port(0).id());
    EXPECT_TRUE(same_frame(ping, punted[1].frame));
}

TEST_F(WorkerTest, SendsTheKernelsFramesOutUntouched) {
    WorkerRig rig{scene_};
    const Frame probe = Packet::tcp({our_wan, be16{50'000}}, real).ttl(1).bytes();
    rig.receive_from_kernel(probe, 1);
    rig.settle();
    const auto frames = rig.sent(1);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_TRUE(same_frame(probe, frames[0]));
    EXPECT_EQ(rig.counters().from_kernel.read(), 1U);
}

TEST_F(WorkerTest, ServesTheKernelFirst) {
    WorkerRig rig{scene_};
    const Frame probe = Packet::icmp(our_wan, real.address, 8).bytes();
    rig.receive(request().bytes());
    rig.receive_from_kernel(probe, 1);
    rig.turn();
    const auto frames = rig.sent(1);
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_TRUE(same_frame(probe, frames[0]));
}

TEST_F(WorkerTest, AFloodOfOneClassStarvesNoOther) {
    WorkerRig rig{scene_};
    const Frame stray = Packet::udp(client, {our_wan, be16{9}}).bytes();
    // More at once than the class's bucket holds; the twin keeps up.
    for (unsigned burst = 0; burst < 40; ++burst) {
        for (unsigned i = 0; i < 64; ++i) {
            rig.receive(stray);
        }
        rig.settle();
        rig.punted();
    }
    EXPECT_GT(rig.dropped(DropReason::punt_policed), 500U);
    EXPECT_EQ(rig.dropped(DropReason::punt_full), 0U);
    rig.receive(Packet::ipv4(far_router, Ipv4Address::of(224, 0, 0, 18), 112).ttl(255).bytes());
    rig.settle();
    const auto punted = rig.punted();
    ASSERT_EQ(punted.size(), 1U);
    EXPECT_EQ(punted[0].punt_class, PuntClass::keepalive);
}

// --- neighbours that are not known yet -------------------------------------------------------

class UnknownNeighbour : public WorkerTest {
  protected:
    UnknownNeighbour() : known_{scene_.kernel().neighbours} {
        std::erase_if(scene_.kernel().neighbours,
                      [](const KernelNeighbour& each) { return each.address == real.address; });
    }

    std::vector<KernelNeighbour> known_;
};

TEST_F(UnknownNeighbour, PacketsWaitAndLeaveWhenItIsKnown) {
    WorkerRig rig{scene_};
    rig.receive(request().flags(tcp_flag::syn).sequence(1).bytes());
    rig.receive(request().sequence(2).bytes());
    rig.settle();
    EXPECT_TRUE(rig.sent(1).empty());
    EXPECT_EQ(rig.counters().held_back.read(), 2U);
    scene_.kernel().neighbours = known_;
    rig.publish();
    rig.settle();
    const auto frames = rig.sent(1);
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_TRUE(same_frame(
        to_real(Packet::tcp(client, real).flags(tcp_flag::syn).sequence(1)).bytes(), frames[0]));
    EXPECT_TRUE(same_frame(to_real(Packet::tcp(client, real).sequence(2)).bytes(), frames[1]));
    EXPECT_EQ(rig.counters().released.read(), 2U);
    EXPECT_EQ(rig.table().live_count(), 1U);
}

TEST_F(UnknownNeighbour, IsReportedByAddressAndPort) {
    WorkerRig rig{scene_};
    rig.receive(request().bytes());
    rig.settle();
    const auto reports = rig.reports();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].kind, ReportKind::neighbour_wanted);
    EXPECT_EQ(reports[0].neighbour, real.address);
    EXPECT_EQ(reports[0].port, 1);
}

TEST_F(UnknownNeighbour, OfAReplyIsTheGatewayOfTheClient) {
    scene_.kernel().neighbours = known_;
    std::erase_if(scene_.kernel().neighbours,
                  [](const KernelNeighbour& each) { return each.address == router; });
    WorkerRig rig{scene_};
    rig.receive(from_real(Packet::tcp(real, client)).bytes());
    rig.settle();
    const auto reports = rig.reports();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].neighbour, router);
    EXPECT_EQ(reports[0].port, 0);
}

TEST_F(UnknownNeighbour, PacketsWaitABoundedTime) {
    WorkerRig rig{scene_};
    rig.receive(request().bytes());
    rig.settle();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (rig.dropped(DropReason::neighbour_unresolved) == 0 &&
           std::chrono::steady_clock::now() < deadline) {
        rig.turn();
    }
    EXPECT_EQ(rig.dropped(DropReason::neighbour_unresolved), 1U);
    EXPECT_EQ(rig.counters().released.read(), 1U);
}

TEST_F(UnknownNeighbour, PacketsWaitInBoundedNumber) {
    WorkerRig rig{scene_};
    for (std::size_t i = 0; i < limits::held_packets_max + 10; ++i) {
        rig.receive(request().bytes());
    }
    rig.settle();
    EXPECT_EQ(rig.counters().held_back.read(), limits::held_packets_max);
    EXPECT_EQ(rig.dropped(DropReason::neighbour_unresolved), 10U);
    scene_.kernel().neighbours = known_;
    rig.publish();
    rig.settle();
    while (rig.counters().released.read() < limits::held_packets_max) {
        rig.turn();
        ASSERT_TRUE(!testing::Test::HasFailure());
    }
    EXPECT_EQ(rig.sent(1).size(), limits::held_packets_max);
}

// --- before the first snapshot, and after a change ------------------------------------------

TEST_F(WorkerTest, ForwardsByTheSnapshotThatIsInForceAtTheTurn) {
    WorkerRig rig{scene_};
    scene_.config().services[0].reals[0].endpoint.port = be16{9'090};
    rig.receive(request().bytes());
    rig.publish();
    rig.settle();
    expect_one(rig.sent(1), to_real(Packet::tcp(client, {real.address, be16{9'090}})));
    EXPECT_EQ(rig.counters().epoch_seen.read(), rig.snapshot().epoch);
}

}  // namespace
}  // namespace fulcrum::test
