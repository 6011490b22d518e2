// What a worker shows of its packets while somebody captures, and what it costs those who forward:
// nothing that anybody could see.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/worker_rig.h"

namespace fulcrum::test {
namespace {

constexpr Endpoint vip{Ipv4Address::of(10, 1, 0, 80), be16{80}};
constexpr Endpoint real{Ipv4Address::of(10, 2, 0, 11), be16{8'080}};
constexpr Endpoint client{Ipv4Address::of(198, 51, 100, 7), be16{40'000}};

// tcpdump -ddd "src host 203.0.113.9": nobody's.
constexpr const char* nobody =
    "6,40 0 0 12,21 0 3 2048,32 0 0 26,21 0 1 3405803785,6 0 0 1,6 0 0 0";
// tcpdump -ddd "ip dst host 10.2.0.11": the real's, as only what leaves has it.
constexpr const char* to_real =
    "6,40 0 0 12,21 0 3 2048,32 0 0 30,21 0 1 167903243,6 0 0 1,6 0 0 0";

Frame syn() { return Packet::tcp(client, vip).flags(tcp_flag::syn).bytes(); }

void capture(WorkerRig& rig, const char* filter = nullptr,
             std::uint16_t octets_max = limits::captured_octets_max) {
    auto snapshot = std::make_unique<Snapshot>(rig.snapshot());
    CaptureOrder order{.id = 5, .filter = {}, .octets_max = octets_max};
    if (filter != nullptr) {
        order.filter = parse_packet_filter(filter).value();
    }
    snapshot->capture = std::make_shared<const CaptureOrder>(std::move(order));
    ++snapshot->epoch;
    rig.publish(std::move(snapshot));
}

Frame octets_of(const CapturedFrame& frame) {
    return {frame.octets.begin(), frame.octets.begin() + frame.octet_count};
}

class WorkerCapture : public testing::Test {
  protected:
    WorkerCapture() { scene_.service("web", vip).real("a", real); }

    Scene scene_;
};

TEST_F(WorkerCapture, ShowsAPacketAsItCameAndAsItLeft) {
    WorkerRig rig{scene_};
    capture(rig);
    const Frame came = syn();
    const std::vector<Frame> left = rig.answers(came, 1);
    ASSERT_EQ(left.size(), 1U);
    const std::vector<CapturedFrame> seen = rig.captured();
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(octets_of(seen[0]), came);
    EXPECT_EQ(octets_of(seen[1]), left[0]);
    EXPECT_FALSE(seen[0].is_after);
    EXPECT_TRUE(seen[1].is_after);
    EXPECT_EQ(seen[0].port, 0);
    EXPECT_EQ(seen[1].port, 1);
    for (const CapturedFrame& frame : seen) {
        EXPECT_EQ(frame.capture_id, 5U);
        EXPECT_EQ(frame.packet_class, "request");
        EXPECT_EQ(frame.verdict, "transmit");
        EXPECT_EQ(frame.reason, "");
        EXPECT_EQ(frame.tally, rig.snapshot().reals[0].tally);
        EXPECT_GT(frame.time_ns, 1'600'000'000'000'000'000U) << "it is not a time since 1970";
    }
}

TEST_F(WorkerCapture, ShowsRepliesToo) {
    WorkerRig rig{scene_};
    rig.answers(syn(), 1);
    capture(rig);
    const Frame came = Packet::tcp(real, client)
                           .macs(mac_of(real.address), lan_mac)
                           .flags(tcp_flag::syn | tcp_flag::ack)
                           .bytes();
    const std::vector<Frame> left = rig.answers(came, 0);
    const std::vector<CapturedFrame> seen = rig.captured();
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(octets_of(seen[0]), came);
    EXPECT_EQ(octets_of(seen[1]), left.at(0));
    EXPECT_EQ(seen[1].packet_class, "reply");
    EXPECT_EQ(seen[1].tally, rig.snapshot().reals[0].tally);
}

TEST_F(WorkerCapture, ShowsWhyAPacketWasDropped) {
    WorkerRig rig{scene_};
    capture(rig);
    rig.receive(Packet::tcp(client, vip).flags(tcp_flag::rst).bytes());
    rig.settle();
    const std::vector<CapturedFrame> seen = rig.captured();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].verdict, "drop");
    EXPECT_EQ(seen[0].reason, "no_session");
    EXPECT_EQ(seen[0].tally, limits::tallies_max);
    EXPECT_EQ(rig.dropped(DropReason::no_session), 1U);
}

TEST_F(WorkerCapture, ShowsTheAnswerThatADroppedPacketGot) {
    WorkerRig rig{scene_};
    capture(rig);
    const Frame late = Packet::tcp(client, vip).flags(tcp_flag::syn).ttl(1).bytes();
    const std::vector<Frame> answer = rig.answers(late, 0);
    ASSERT_EQ(answer.size(), 1U) << "no ICMP error";
    const std::vector<CapturedFrame> seen = rig.captured();
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(octets_of(seen[1]), answer[0]);
    EXPECT_EQ(seen[1].reason, "ttl_expired");
}

TEST_F(WorkerCapture, AsksTheFilterOfWhatCameAndOfWhatLeft) {
    WorkerRig rig{scene_};
    capture(rig, nobody);
    rig.answers(syn(), 1);
    EXPECT_TRUE(rig.captured().empty());
    capture(rig, to_real);
    rig.answers(syn(), 1);
    EXPECT_EQ(rig.captured().size(), 2U) << "what came is shown with what left";
}

TEST_F(WorkerCapture, KeepsNoMoreOctetsThanAskedFor) {
    WorkerRig rig{scene_};
    capture(rig, nullptr, 64);
    const Frame came =
        Packet::tcp(client, vip).flags(tcp_flag::syn).payload(std::string(300, 'x')).bytes();
    rig.answers(came, 1);
    const std::vector<CapturedFrame> seen = rig.captured();
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(octets_of(seen[0]), Frame(came.begin(), came.begin() + 64));
    EXPECT_EQ(seen[0].length, came.size());
}

TEST_F(WorkerCapture, ShowsAllSegmentsOfABuffer) {
    WorkerRig rig{scene_};
    capture(rig);
    const Frame came =
        Packet::tcp(client, vip).flags(tcp_flag::syn).payload(std::string(300, 'x')).bytes();
    rig.receive(came, 0, 100);
    rig.settle();
    rig.sent(1);
    const std::vector<CapturedFrame> seen = rig.captured();
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(octets_of(seen[0]), came);
}

TEST_F(WorkerCapture, CountsWhatFindsTheMailboxFullAndForwardsItAllTheSame) {
    WorkerRig rig{scene_};
    rig.answers(syn(), 1);
    capture(rig);
    constexpr std::size_t count = limits::captured_frames_length;  // each shown twice
    std::size_t left = 0;
    for (std::size_t i = 0; i < count; ++i) {
        left += rig.answers(Packet::tcp(client, vip).bytes(), 1).size();
    }
    EXPECT_EQ(left, count);
    EXPECT_EQ(rig.captured().size(), limits::captured_frames_length);
    EXPECT_EQ(rig.counters().captures_lost.read(), limits::captured_frames_length);
}

TEST_F(WorkerCapture, ForwardsWholeBurstsAsIfNobodyLookedOn) {
    const auto burst = [](WorkerRig& rig) {
        for (std::size_t i = 0; i < limits::burst_size_max; ++i) {
            rig.receive(syn());
        }
        rig.settle();
        return rig.sent(1);
    };
    std::vector<Frame> expected;
    {
        WorkerRig plain{scene_};
        expected = burst(plain);
    }
    WorkerRig rig{scene_};
    capture(rig);
    EXPECT_EQ(burst(rig), expected);
    EXPECT_EQ(rig.captured().size(), 2 * limits::burst_size_max);
}

TEST_F(WorkerCapture, ShowsAPacketThatWasHandedOverOnceByItsOwner) {
    WorkerRig rig{scene_, {.worker_count = 2}};
    capture(rig);
    const unsigned owner = rig.steering().owner_of(client.address.v4());
    rig.receive(syn(), 1 - owner);
    rig.settle();
    rig.sent(1);
    EXPECT_EQ(rig.captured(owner).size(), 2U);
    EXPECT_TRUE(rig.captured(1 - owner).empty());
}

TEST_F(WorkerCapture, IsOverWithTheNextSnapshot) {
    WorkerRig rig{scene_};
    capture(rig);
    rig.publish();
    rig.answers(syn(), 1);
    EXPECT_TRUE(rig.captured().empty());
}

}  // namespace
}  // namespace fulcrum::test
