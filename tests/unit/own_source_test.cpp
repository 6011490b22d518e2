// Packets that come from outside under addresses of ours: they open no session and are no replies,
// whichever worker they reach first.
#include <gtest/gtest.h>

#include <optional>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint dns_vip{Ipv4Address::of(10, 1, 0, 53), be16{53}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Endpoint own{Ipv4Address::of(10, 2, 0, 1), be16{8'081}};
constexpr Ipv4Address local = Ipv4Address::of(10, 2, 0, 100);

Endpoint v6(const char* address, std::uint16_t port) {
    return {*parse_ip_address(address), be16{port}};
}

class OwnSource : public testing::TestWithParam<unsigned> {
  protected:
    OwnSource() {
        scene_.service("web", vip).real("a", real);
        scene_.service("dns", dns_vip, L4Protocol::udp).real("a", real);
        scene_.service("six", v6("2001:db8:1::80", 80)).real("a", v6("2001:db8:2::11", 8'080));
        scene_.config().ports[1].local_addresses = {local};
        scene_.kernel().addresses.push_back(local);
        scene_.kernel().addresses.push_back(v6("2001:db8:1::2", 0).address);
    }
    void start() { rig_.emplace(scene_, WorkerRig::Shape{.worker_count = 2}); }
    std::uint64_t opened() {
        return rig_->counters(0).sessions_opened.read() + rig_->counters(1).sessions_opened.read();
    }
    // It is dropped for its source, opens nothing, and goes nowhere.
    void is_refused(const Packet& packet, DropReason reason) {
        const std::uint64_t before = rig_->dropped(reason);
        rig_->receive(packet.bytes(), GetParam());
        rig_->settle();
        EXPECT_EQ(rig_->dropped(reason), before + 1);
        EXPECT_EQ(opened(), 0U);
        EXPECT_TRUE(rig_->sent(0).empty());
        EXPECT_TRUE(rig_->sent(1).empty());
        EXPECT_TRUE(rig_->punted().empty());
    }

    Scene scene_;
    std::optional<WorkerRig> rig_;
};

TEST_P(OwnSource, OpensNoSession) {
    start();
    for (const Ipv4Address source :
         {vip.address.v4(), dns_vip.address.v4(), local, own.address.v4(),
          Ipv4Address::of(10, 1, 0, 2), Ipv4Address::of(10, 1, 255, 255),
          Ipv4Address::of(10, 2, 255, 255), Ipv4Address::of(0, 1, 2, 3),
          Ipv4Address::of(240, 1, 1, 1)}) {
        is_refused(Packet::tcp({source, be16{80}}, vip).flags(tcp_flag::syn),
                   DropReason::ipv4_source);
        is_refused(Packet::udp({source, be16{53}}, dns_vip).payload("x"), DropReason::ipv4_source);
    }
    for (const char* source : {"2001:db8:1::80", "2001:db8:1::2"}) {
        is_refused(Packet::tcp(v6(source, 80), v6("2001:db8:1::80", 80)).flags(tcp_flag::syn),
                   DropReason::ipv6_source);
    }
}

TEST_P(OwnSource, IsNotOneThatOnlyLiesBesideOurs) {
    start();
    for (const Ipv4Address source :
         {Ipv4Address::of(10, 1, 0, 3), Ipv4Address::of(10, 1, 0, 255), real.address.v4()}) {
        rig_->receive(Packet::udp({source, be16{4'000}}, dns_vip).payload("x").bytes(), GetParam());
        rig_->settle();
    }
    EXPECT_EQ(opened(), 3U);
}

TEST_P(OwnSource, OfAProgramOfOursIsBelievedOfTheKernelAlone) {
    scene_.service("here", {vip.address, be16{81}}).real("here", own);
    start();
    const Packet answer = Packet::tcp(own, {Ipv4Address::of(198, 51, 100, 7), be16{40'000}})
                              .macs(router_mac, wan_mac)
                              .payload("forged");
    is_refused(answer, DropReason::ipv4_source);
    Packet ours = answer;
    rig_->receive_from_kernel(ours.macs(wan_mac, router_mac).bytes(), 0);
    rig_->settle();
    EXPECT_EQ(rig_->sent(0).size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(ByEitherWorker, OwnSource, testing::Values(0U, 1U));

}  // namespace
}  // namespace fulcrum::test
