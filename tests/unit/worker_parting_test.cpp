// The resets that end a session whose real is down: the frames, octet for octet, with the numbers
// that RFC 9293 asks for. Clients come by the router on port 0; the real is on the link of port 1.
#include <gtest/gtest.h>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};
constexpr std::uint8_t rst_ack = tcp_flag::rst | tcp_flag::ack;

class WorkerPartingTest : public testing::Test {
  protected:
    WorkerPartingTest() {
        scene_.service("web", vip).real("a", real);
        scene_.last_service().check.type = CheckType::connect;
        scene_.last_service().on_failure = SessionPolicy::reset;
        scene_.snapshot();
        scene_.set_health("web", "a", true);
    }

    static Packet from_client() {
        return Packet::tcp(client, vip).sequence(5'000).acknowledges(9'000);
    }
    static Packet from_real() {
        return Packet::tcp(real, client)
            .macs(mac_of(real.address), lan_mac)
            .sequence(9'000)
            .acknowledges(5'000);
    }
    // As we make a reset: no window, no options, not to be fragmented.
    static Packet reset(Endpoint source, Endpoint destination) {
        return Packet::tcp(source, destination).window(0).dont_fragment();
    }
    static Packet to_client(Packet packet) { return packet.macs(wan_mac, router_mac); }
    static Packet to_real(Packet packet) { return packet.macs(lan_mac, mac_of(real.address)); }

    void lose_real(WorkerRig& rig) {
        rig.answers(from_client().flags(tcp_flag::syn).bytes(), 1);
        rig.answers(from_real().flags(tcp_flag::syn | tcp_flag::ack).bytes(), 0);
        rig.answers(from_client().flags(tcp_flag::ack).bytes(), 1);
        scene_.set_health("web", "a", false);
        rig.publish();
    }
    void expect_one(const std::vector<Frame>& frames, const Packet& expected) {
        ASSERT_EQ(frames.size(), 1U);
        // Not to be fragmented, so without an identification (RFC 6864).
        EXPECT_TRUE(same_frame(fixed(with_word(expected.bytes(), ip_at + 4, 0)), frames[0]));
    }

    Scene scene_;
};

TEST_F(WorkerPartingTest, AClientsPacketResetsBothSidesWithItsOwnNumbers) {
    WorkerRig rig{scene_};
    lose_real(rig);
    rig.receive(from_client().payload("more").bytes());
    rig.settle();
    expect_one(rig.sent(1),
               to_real(reset(client, real).flags(rst_ack).sequence(5'000).acknowledges(9'000)));
    expect_one(rig.sent(0),
               to_client(reset(vip, client).flags(tcp_flag::rst).sequence(9'000).acknowledges(0)));
    EXPECT_EQ(rig.dropped(DropReason::session_ended), 1U);
    EXPECT_EQ(rig.counters().originated.read(), 2U);
}

TEST_F(WorkerPartingTest, ARealsPacketResetsBothSidesWithItsOwnNumbers) {
    WorkerRig rig{scene_};
    lose_real(rig);
    rig.receive(from_real().payload("more").bytes());
    rig.settle();
    expect_one(rig.sent(0),
               to_client(reset(vip, client).flags(rst_ack).sequence(9'000).acknowledges(5'000)));
    expect_one(rig.sent(1),
               to_real(reset(client, real).flags(tcp_flag::rst).sequence(5'000).acknowledges(0)));
}

TEST_F(WorkerPartingTest, ARealWithoutANeighbourLeavesTheClientTold) {
    WorkerRig rig{scene_};
    lose_real(rig);
    scene_.kernel().neighbours.pop_back();
    rig.publish();
    rig.receive(from_client().payload("more").bytes());
    rig.settle();
    EXPECT_EQ(rig.sent(0).size(), 1U);
    EXPECT_TRUE(rig.sent(1).empty());
}

}  // namespace
}  // namespace fulcrum::test
