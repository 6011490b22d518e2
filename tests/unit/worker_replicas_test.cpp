// A director that takes over: what one rig's workers have told goes to another rig's, and packets
// go on there, of both IP versions, in NAT and in full NAT.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

struct Cast {
    Endpoint client;
    Endpoint vip;
    Endpoint real;
    Endpoint other_real;
    IpAddress local;
};

const Cast of_ipv4{{Ipv4Address::of(198, 51, 100, 7), be16{40'000}},
                   {Ipv4Address::of(10, 1, 0, 80), be16{80}},
                   {Ipv4Address::of(10, 2, 0, 11), be16{8'080}},
                   {Ipv4Address::of(10, 2, 0, 12), be16{8'080}},
                   Ipv4Address::of(10, 2, 0, 100)};
const Cast of_ipv6{{*parse_ipv6_address("2001:db8:9::7"), be16{40'000}},
                   {*parse_ipv6_address("2001:db8:1::80"), be16{80}},
                   {*parse_ipv6_address("2001:db8:2::11"), be16{8'080}},
                   {*parse_ipv6_address("2001:db8:2::12"), be16{8'080}},
                   *parse_ipv6_address("2001:db8:2::100")};

constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;

class WorkerReplicas : public testing::TestWithParam<bool> {
  protected:
    static const Cast& who() { return GetParam() ? of_ipv6 : of_ipv4; }

    void serve(ForwardingMode mode, ClientAddressBy by = ClientAddressBy::none) {
        scene_.service("web", who().vip).real("a", who().real, mode);
        scene_.last_service().reals.back().client_address = by;
        scene_.real("b", who().other_real, mode);
        scene_.last_service().reals.back().client_address = by;
        scene_.config().ports[1].local_addresses = {who().local};
        scene_.kernel().addresses.push_back(who().local);
    }
    void start(unsigned workers = 1) {
        rig_.reset();
        rig_.emplace(scene_, WorkerRig::Shape{
                                 .worker_count = workers, .bucket_count = 1'024, .has_peer = true});
    }
    // The snapshot of a director that serves nothing as yet.
    std::unique_ptr<const Snapshot> standby() {
        auto snapshot = std::make_unique<Snapshot>(*scene_.snapshot());
        for (SnapshotListener& listener : snapshot->listeners) {
            listener.is_standby = true;
        }
        snapshot->listener_by_endpoint = {};
        snapshot->real_endpoints = {};
        snapshot->local_places = {};
        return snapshot;
    }
    static Packet from_real(Packet packet, const Endpoint& real) {
        return packet.macs(mac_of(real.address), lan_mac);
    }
    std::vector<Frame> sent(std::size_t port) {
        rig_->settle();
        return rig_->sent(port);
    }
    std::vector<Replica> told() {
        std::vector<Replica> all;
        for (unsigned worker = 0; worker < rig_->worker_count(); ++worker) {
            for (const Replica& replica : rig_->told(worker)) {
                all.push_back(replica);
            }
        }
        return all;
    }
    std::vector<Replica> transfer(std::uint32_t id = 5) {
        std::vector<Replica> all;
        std::size_t ended = 0;
        for (unsigned worker = 0; worker < rig_->worker_count(); ++worker) {
            WorkerRequest request;
            request.kind = RequestKind::replicate;
            request.walk_id = id;
            EXPECT_TRUE(rig_->inbox(worker).post(request));
        }
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
        while (ended < rig_->worker_count() && std::chrono::steady_clock::now() < deadline) {
            rig_->turn();
            for (const Replica& replica : told()) {
                ended += replica.kind == ReplicaKind::all_told ? 1 : 0;
                all.push_back(replica);
            }
        }
        EXPECT_EQ(ended, rig_->worker_count());
        return all;
    }
    void hear(const std::vector<Replica>& replicas) {
        for (const Replica& replica : replicas) {
            if (replica.kind != ReplicaKind::all_told) {
                rig_->hear(replica, rig_->steering().owner_of(replica.client));
            }
        }
        rig_->settle();
    }
    Endpoint real_of(const Replica& replica) const {
        return replica.real == 0 ? who().real : who().other_real;
    }

    Scene scene_;
    std::optional<WorkerRig> rig_;
};

TEST_P(WorkerReplicas, AConnectionGoesOnAtItsRealWhenAnotherDirectorTakesOver) {
    serve(ForwardingMode::nat);
    start();
    rig_->receive(Packet::tcp(who().client, who().vip).flags(tcp_flag::syn).bytes());
    rig_->settle();
    for (const Endpoint& real : {who().real, who().other_real}) {
        rig_->receive_on(1,
                         from_real(Packet::tcp(real, who().client).flags(syn_ack), real).bytes());
    }
    rig_->settle();
    rig_->receive(Packet::tcp(who().client, who().vip).bytes());
    rig_->settle();
    std::vector<Replica> replicas = told();
    ASSERT_EQ(replicas.size(), 1U);

    // The other director is told of the other real: only the peer's word can lead there.
    replicas.front().real = static_cast<std::uint16_t>(1 - replicas.front().real);
    start(2);
    hear(replicas);
    const Endpoint real = real_of(replicas.front());
    const unsigned owner = rig_->steering().owner_of(who().client.address);
    EXPECT_EQ(rig_->counters(owner).replicas_taken.read(), 1U);
    rig_->receive(Packet::tcp(who().client, who().vip).payload("GET").bytes(), owner);
    const std::vector<Frame> requests = sent(1);
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_TRUE(same_frame(Packet::tcp(who().client, real)
                               .payload("GET")
                               .macs(lan_mac, mac_of(real.address))
                               .ttl(63)
                               .bytes(),
                           requests.front()));
    rig_->receive_on(1, from_real(Packet::tcp(real, who().client).payload("200"), real).bytes(),
                     owner);
    const std::vector<Frame> replies = sent(0);
    ASSERT_EQ(replies.size(), 1U);
    EXPECT_TRUE(same_frame(Packet::tcp(who().vip, who().client)
                               .payload("200")
                               .macs(wan_mac, router_mac)
                               .ttl(63)
                               .bytes(),
                           replies.front()));
}

TEST_P(WorkerReplicas, ASessionInFullNatKeepsItsLocalEnd) {
    serve(ForwardingMode::full_nat);
    start();
    rig_->receive(Packet::tcp(who().client, who().vip).flags(tcp_flag::syn).bytes());
    rig_->settle();
    const std::size_t source_port = GetParam() ? ip_at + 40 : std::size_t{source_port_at};
    const std::vector<Frame> syns = sent(1);
    ASSERT_EQ(syns.size(), 1U);
    const Endpoint local{who().local, be16{static_cast<std::uint16_t>(syns[0][source_port] << 8 |
                                                                      syns[0][source_port + 1])}};
    for (const Endpoint& real : {who().real, who().other_real}) {
        rig_->receive_on(1, from_real(Packet::tcp(real, local).flags(syn_ack), real).bytes());
    }
    rig_->settle();
    rig_->receive(Packet::tcp(who().client, who().vip).bytes());
    rig_->settle();
    const std::vector<Replica> replicas = told();
    ASSERT_EQ(replicas.size(), 1U);
    EXPECT_EQ(replicas.front().local, local.address);
    EXPECT_EQ(replicas.front().local_port, local.port);

    start();
    rig_->publish(standby());
    hear(replicas);
    EXPECT_EQ(rig_->counters().replicas_taken.read(), 1U);
    rig_->publish();
    // Others come, and take ends of their own.
    for (std::uint16_t port = 1; port <= 50; ++port) {
        rig_->receive(Packet::tcp({who().client.address, be16{port}}, who().vip)
                          .flags(tcp_flag::syn)
                          .bytes());
        rig_->settle();
    }
    rig_->sent(1);
    const Endpoint real = real_of(replicas.front());
    rig_->receive(Packet::tcp(who().client, who().vip).payload("GET").bytes());
    const std::vector<Frame> requests = sent(1);
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_TRUE(same_frame(
        Packet::tcp(local, real).payload("GET").macs(lan_mac, mac_of(real.address)).ttl(63).bytes(),
        requests.front()));
    rig_->receive_on(1, from_real(Packet::tcp(real, local).payload("200"), real).bytes());
    const std::vector<Frame> replies = sent(0);
    ASSERT_EQ(replies.size(), 1U);
    EXPECT_TRUE(same_frame(Packet::tcp(who().vip, who().client)
                               .payload("200")
                               .macs(wan_mac, router_mac)
                               .ttl(63)
                               .bytes(),
                           replies.front()));
    // The end is nobody else's; what has none to spare says so.
    Replica other = replicas.front();
    other.client_port = be16{41'000};
    hear({other});
    EXPECT_EQ(rig_->counters()
                  .replicas_refused[static_cast<std::size_t>(ReplicaRefusal::local_end)]
                  .read(),
              1U);
}

TEST_P(WorkerReplicas, AFullTransferTellsOfAllThatIsConfirmed) {
    serve(ForwardingMode::direct);
    start(2);
    std::vector<Replica> replicas;
    for (std::uint16_t port = 1; port <= 500; ++port) {
        replicas.push_back({.state = SessionState::established,
                            .client = who().client.address,
                            .client_port = be16{port},
                            .vip_port = who().vip.port,
                            .listener = 0,
                            .real = static_cast<std::uint16_t>(port % 2),
                            .idle_s = 7});
    }
    hear(replicas);
    rig_->receive(Packet::tcp(who().client, who().vip).flags(tcp_flag::syn).bytes());
    rig_->settle();
    told();
    std::vector<Replica> found = transfer(77);
    std::erase_if(found, [](const Replica& replica) {
        return replica.kind == ReplicaKind::all_told && replica.number == 77;
    });
    std::ranges::sort(found, {}, [](const Replica& each) { return each.client_port.host(); });
    ASSERT_EQ(found.size(), replicas.size()) << "and not of the SYN";
    for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_LE(found[i].idle_s - 7, 2U);
        found[i].idle_s = 7;
        EXPECT_EQ(found[i], replicas[i]);
    }
}

TEST_P(WorkerReplicas, ClientsWithoutASessionKeepTheirRealToo) {
    serve(ForwardingMode::nat);
    scene_.last_service().affinity = Affinity{.timeout_s = 600, .prefix = 24, .prefix6 = 64};
    start();
    for (const std::uint16_t real : {std::uint16_t{0}, std::uint16_t{1}}) {
        start();
        Replica session{.state = SessionState::established,
                        .client = who().client.address,
                        .client_port = who().client.port,
                        .vip_port = who().vip.port,
                        .listener = 0,
                        .real = real};
        hear({session});
        session.state = SessionState::reset_by_client;
        rig_->receive(Packet::tcp(who().client, who().vip).flags(tcp_flag::rst).bytes());
        rig_->settle();
        told();
        std::vector<Replica> clients = transfer();
        std::erase_if(clients,
                      [](const Replica& replica) { return replica.kind != ReplicaKind::client; });
        ASSERT_EQ(clients.size(), 1U);
        EXPECT_EQ(clients.front().number, rig_->snapshot().services[0].id);
        EXPECT_EQ(clients.front().prefix, GetParam() ? 64 : 96 + 24);
        clients.front().listener = 0;

        start();
        hear(clients);
        for (std::uint16_t port = 1; port < 20; ++port) {
            rig_->receive(Packet::tcp({who().client.address, be16{port}}, who().vip)
                              .flags(tcp_flag::syn)
                              .bytes());
        }
        EXPECT_EQ(sent(1).size(), 19U);
        const std::uint32_t tally = rig_->snapshot().reals[real].tally;
        EXPECT_EQ(rig_->tally(tally).sessions_opened.read(), 19U) << "all at its real";
    }
}

TEST_P(WorkerReplicas, AWorkerTakesABoundedNumberATurn) {
    serve(ForwardingMode::nat);
    start();
    for (std::uint16_t port = 1; port <= 600; ++port) {
        rig_->hear({.state = SessionState::established,
                    .client = who().client.address,
                    .client_port = be16{port},
                    .vip_port = who().vip.port,
                    .listener = 0,
                    .real = 0});
    }
    rig_->turn();
    EXPECT_EQ(rig_->counters().replicas_taken.read(), limits::replicas_per_turn_max);
    rig_->settle();
    EXPECT_EQ(rig_->counters().replicas_taken.read(), 600U);
}

INSTANTIATE_TEST_SUITE_P(OfEachIpVersion, WorkerReplicas, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& version) {
                             return version.param ? "IPv6" : "IPv4";
                         });

}  // namespace
}  // namespace fulcrum::test
