// Conversations by datagrams against real sockets on a loopback of their own.
#include "controlplane/health/datagram_probe.h"

#include <gtest/gtest.h>

#include "tests/support/datagram_server.h"
#include "tests/support/probing.h"

namespace fulcrum {
namespace {

ProbeSpec spec_of(const Endpoint& target, const std::string& expect = "") {
    ProbeSpec spec;
    spec.check.type = CheckType::udp;
    spec.check.send = "ping";
    spec.check.expect = expect;
    spec.check.timeout = std::chrono::milliseconds{900};
    spec.target = target;
    return spec;
}

TEST(DatagramProbe, FindsTheAnswerItExpectsOverBothIpVersions) {
    const DatagramServer server{[](const std::string& question) { return question + " pong"; }};
    for (const Endpoint& target : {server.at(), server.at_ipv6()}) {
        EXPECT_EQ(outcome_of<DatagramProber>(spec_of(target, "ping pong")).verdict,
                  ProbeVerdict::success);
        EXPECT_EQ(outcome_of<DatagramProber>(spec_of(target, "pang")).sentence,
                  "the answer \"ping pong\" lacks \"pang\"");
    }
}

TEST(DatagramProbe, HearsThatNobodyListens) {
    const ClosedPort closed{SOCK_DGRAM};
    const Endpoint nobody{closed.endpoint().address, be16{9}};
    const ProbeOutcome outcome = outcome_of<DatagramProber>(spec_of(nobody));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome.sentence, "connection refused");
}

TEST(DatagramProbe, TakesSilenceForSoundUnlessAnAnswerIsExpected) {
    const DatagramServer mute{[](const std::string&) { return std::string{}; }};
    EXPECT_EQ(outcome_of<DatagramProber>(spec_of(mute.at())).verdict, ProbeVerdict::success);
    EXPECT_EQ(outcome_of<DatagramProber>(spec_of(mute.at(), "pong")).sentence,
              "no answer within 900 ms");
}

TEST(DatagramProbe, AsksAgainWhenADatagramIsLost) {
    int heard = 0;
    const DatagramServer forgetful{[&heard](const std::string&) {
        return ++heard == 3 ? std::string{"pong"} : std::string{};
    }};
    ProbeSpec spec = spec_of(forgetful.at(), "pong");
    spec.check.timeout = std::chrono::milliseconds{3'000};
    EXPECT_EQ(outcome_of<DatagramProber>(spec).verdict, ProbeVerdict::success);
    EXPECT_EQ(forgetful.heard_count(), 3);
}

}  // namespace
}  // namespace fulcrum
