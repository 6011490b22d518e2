// A flood at a service in full NAT beside connections that are open. Sixteen workers, so that the
// one that is flooded has a sixteenth of an address's ports: 4,032.
#include <gtest/gtest.h>

#include <vector>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Ipv4Address local = Ipv4Address::of(10, 2, 0, 100);
constexpr std::size_t ports = 4'032;

class WorkerFullNatFlood : public testing::Test {
  protected:
    static Scene scene() {
        Scene scene;
        scene.service("web", vip).real("a", real, ForwardingMode::full_nat);
        scene.config().ports[1].local_addresses = {local};
        scene.kernel().addresses.push_back(local);
        return scene;
    }
    // Another client of worker 0, with every call.
    Endpoint client() {
        do {
            next_ = Ipv4Address::from_host(next_.host() + 1);
        } while (rig_.steering().owner_of(next_) != 0);
        return {next_, be16{5'000}};
    }
    // Sends from as many new clients; how many packets have reached the real.
    std::size_t flood(std::size_t count) {
        std::size_t passed = 0;
        for (std::size_t n = 0; n < count; ++n) {
            rig_.receive(Packet::tcp(client(), vip).flags(tcp_flag::syn).bytes());
            if (n % limits::burst_size_max == 0 || n + 1 == count) {
                rig_.settle();
                passed += rig_.sent(1).size();
            }
        }
        return passed;
    }
    bool is_carried(Endpoint from, std::uint8_t flags) {
        return rig_.answers(Packet::tcp(from, vip).flags(flags).bytes(), 1).size() == 1;
    }
    void establish(Endpoint from) {
        const Frame syn =
            rig_.answers(Packet::tcp(from, vip).flags(tcp_flag::syn).bytes(), 1).at(0);
        const be16 port{
            static_cast<std::uint16_t>(syn[source_port_at] << 8 | syn[source_port_at + 1])};
        const Packet answer = Packet::tcp(real, {local, port})
                                  .macs(mac_of(real.address), lan_mac)
                                  .flags(tcp_flag::syn | tcp_flag::ack);
        ASSERT_EQ(rig_.answers(answer.bytes(), 0).size(), 1U);
        ASSERT_TRUE(is_carried(from, tcp_flag::ack));
    }

    Scene scene_ = scene();
    WorkerRig rig_{scene_, WorkerRig::Shape{.worker_count = 16, .bucket_count = 4'096}};
    Ipv4Address next_ = Ipv4Address::of(198, 18, 0, 0);
};

TEST_F(WorkerFullNatFlood, PassesAndBreaksNoConnection) {
    std::vector<Endpoint> connected;
    for (int n = 0; n < 20; ++n) {
        connected.push_back(client());
        establish(connected.back());
    }
    EXPECT_EQ(flood(3 * ports), 3 * ports);
    EXPECT_EQ(rig_.counters().local_ports_taken.read(), ports);
    for (const Endpoint& from : connected) {
        EXPECT_TRUE(is_carried(from, tcp_flag::ack));
    }
    EXPECT_EQ(rig_.dropped_for_any_reason(), 0U);
}

TEST_F(WorkerFullNatFlood, FindsNoPortWhereAllAreOfConnections) {
    for (std::size_t n = 0; n < ports; ++n) {
        establish(client());
    }
    EXPECT_FALSE(is_carried(client(), tcp_flag::syn));
    EXPECT_EQ(rig_.dropped(DropReason::no_local_port), 1U);
}

}  // namespace
}  // namespace fulcrum::test
