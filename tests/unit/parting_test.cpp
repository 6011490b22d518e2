// What becomes of sessions whose real is down, gone, or drained beyond its deadline, by the policy
// of its service. Two reals, so that there is somewhere to go.
#include <gtest/gtest.h>

#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint client{Ipv4Address::of(10, 9, 0, 5), be16{40'000}};

constexpr std::uint8_t syn = tcp_flag::syn;
constexpr std::uint8_t ack = tcp_flag::ack;
constexpr std::uint8_t rst = tcp_flag::rst;
constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;

class PartingTest : public testing::Test {
  protected:
    PartingTest() {
        scene_.service("web", vip)
            .real("a", {Ipv4Address::of(10, 2, 0, 11), be16{8'080}})
            .real("b", {Ipv4Address::of(10, 2, 0, 12), be16{8'080}});
        scene_.last_service().check.type = CheckType::connect;
        scene_.last_service().check.port = 80;
        scene_.snapshot();
        scene_.set_health("web", "a", true);
        scene_.set_health("web", "b", true);
        room_ = std::make_unique<TrackingRoom>(scene_.snapshot());
    }

    Decision client_says(std::uint8_t flags) {
        return room_->carry(Packet::tcp(client, vip).flags(flags).bytes());
    }
    Decision real_says(std::uint8_t flags) {
        return room_->carry(
            Packet::tcp(real_, client).macs(mac_of(real_.address), lan_mac).flags(flags).bytes());
    }
    void establish() {
        real_ = endpoint_of(client_says(syn).replacement);
        real_says(syn_ack);
        client_says(ack);
    }
    std::string name_of_real() const { return real_.address.v4().host() % 256 == 11 ? "a" : "b"; }
    void fail(SessionPolicy policy) {
        scene_.last_service().on_failure = policy;
        scene_.snapshot();
        scene_.set_health("web", name_of_real(), false);
        room_->use(scene_.snapshot());
    }
    void remove(SessionPolicy policy) {
        VirtualService& service = scene_.last_service();
        service.on_removal = policy;
        service.reals.erase(service.reals.begin() + (name_of_real() == "a" ? 0 : 1));
        room_->use(scene_.snapshot());
    }
    void expect_reset(const Decision& decision) {
        EXPECT_EQ(decision.verdict, Verdict::reset);
        EXPECT_EQ(decision.reason, DropReason::session_ended);
    }

    Scene scene_;
    std::unique_ptr<TrackingRoom> room_;
    Endpoint real_{};
};

TEST_F(PartingTest, KeepLeavesAConnectionWhereItIs) {
    establish();
    fail(SessionPolicy::keep);
    EXPECT_EQ(client_says(ack).replacement, real_);
    EXPECT_EQ(real_says(ack).replacement, vip);
}

TEST_F(PartingTest, UnderKeepTooANewConnectionOfTheSamePortIsServedByAnotherReal) {
    establish();
    fail(SessionPolicy::keep);
    const Decision decision = client_says(syn);
    EXPECT_EQ(decision.verdict, Verdict::transmit);
    EXPECT_FALSE(decision.replacement == real_);
}

TEST_F(PartingTest, MoveTakesTheClientsNextPacketToAnotherReal) {
    establish();
    fail(SessionPolicy::move);
    EXPECT_EQ(real_says(ack).replacement, vip);  // the old real may finish what it says
    EXPECT_NE(client_says(ack).replacement, real_);
    EXPECT_EQ(room_->sessions_of(client).size(), 1U);
}

TEST_F(PartingTest, MoveLeavesAResetWithTheSessionThatItEnds) {
    establish();
    fail(SessionPolicy::move);
    EXPECT_EQ(client_says(rst).replacement, real_);
}

TEST_F(PartingTest, ResetTellsEitherSideWhenItNextSpeaks) {
    establish();
    fail(SessionPolicy::reset);
    expect_reset(client_says(ack));
    expect_reset(real_says(ack));
    expect_reset(client_says(ack));  // again, if it has not heard
    ASSERT_EQ(room_->sessions_of(client).size(), 1U);
    EXPECT_EQ(room_->sessions_of(client)[0].tag.state(), SessionState::closed);
    EXPECT_EQ(real_says(rst).verdict, Verdict::transmit);
}

TEST_F(PartingTest, ANewConnectionOfTheSamePortIsServedAtOnceUnderResetAndMove) {
    establish();
    fail(SessionPolicy::reset);
    EXPECT_NE(client_says(syn).replacement, real_);
    establish();
    scene_.set_health("web", "a", true);
    scene_.set_health("web", "b", true);
    fail(SessionPolicy::move);
    EXPECT_NE(client_says(syn).replacement, real_);
    EXPECT_EQ(room_->sessions_of(client).size(), 1U);
}

TEST_F(PartingTest, ARemovedRealsSessionsMeetTheirPolicyToo) {
    establish();
    remove(SessionPolicy::reset);
    expect_reset(client_says(ack));
    EXPECT_NE(client_says(syn).replacement, real_);
}

TEST_F(PartingTest, ARemovedRealsSessionsMoveIfTheyAreToMove) {
    establish();
    remove(SessionPolicy::move);
    EXPECT_NE(client_says(ack).replacement, real_);
}

TEST_F(PartingTest, ADrainMeetsItsPolicyWhenTheDeadlineHasPassedAndNotBefore) {
    establish();
    const auto at = [](int seconds) { return Instant{} + std::chrono::seconds{seconds}; };
    DirectorState& state = scene_.state();
    state.on_event(DrainAsked{.service = "web",
                              .real = name_of_real(),
                              .deadline = std::chrono::seconds{10},
                              .then = SessionPolicy::reset},
                   at(100));
    room_->use(scene_.snapshot());
    EXPECT_EQ(client_says(ack).replacement, real_);
    EXPECT_FALSE(state.on_event(WorkersSeen{}, at(109)).needs_snapshot);
    EXPECT_TRUE(state.on_event(WorkersSeen{}, at(110)).needs_snapshot);
    room_->use(scene_.snapshot());
    expect_reset(client_says(ack));
    state.on_event(UndrainAsked{"web", name_of_real()}, at(111));
    room_->use(scene_.snapshot());
    EXPECT_EQ(client_says(ack).replacement, real_);
}

TEST_F(PartingTest, AnErrorAboutASessionStillReachesTheOtherSide) {
    establish();
    fail(SessionPolicy::reset);
    const Packet lost = Packet::tcp(vip, client);
    const Decision decision = room_->carry(
        Packet::icmp(Ipv4Address::of(10, 9, 9, 9), vip.address, 3, 1).quoting(lost, 8).bytes());
    EXPECT_EQ(decision.verdict, Verdict::transmit);
    EXPECT_EQ(decision.replacement, real_);
}

}  // namespace
}  // namespace fulcrum::test
