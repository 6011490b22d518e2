// Echoes of a loopback of its own.
#include "controlplane/health/ping_probe.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/probing.h"

namespace fulcrum {
namespace {

ProbeSpec spec_of(const char* address) {
    ProbeSpec spec;
    spec.check.type = CheckType::ping;
    spec.check.timeout = std::chrono::milliseconds{900};
    spec.target = {*parse_ip_address(address), be16{}};
    return spec;
}

TEST(PingProbe, SucceedsWhereAnEchoComesBackOverBothIpVersions) {
    EXPECT_EQ(outcome_of<PingProber>(spec_of("127.0.0.1")).sentence, "echo answered");
    EXPECT_EQ(outcome_of<PingProber>(spec_of("::1")).sentence, "echo answered");
}

TEST(PingProbe, SaysThatThereIsNoRoute) {
    const ProbeOutcome outcome = outcome_of<PingProber>(spec_of("192.0.2.1"));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome.sentence, "network is unreachable");
}

TEST(PingProbe, FailsAtItsTimeoutWhenNobodyAnswers) {
    // Out by the loopback, where nobody is who has that address.
    ASSERT_EQ(std::system("ip route add 192.0.2.8/32 dev lo"), 0);
    EXPECT_EQ(outcome_of<PingProber>(spec_of("192.0.2.8")).sentence, "no answer within 900 ms");
}

TEST(PingProbe, TellsAThousandAnswersApart) {
    EventLoop loop;
    PingProber prober{loop};
    int told_count = 0;
    int success_count = 0;
    for (int n = 0; n < 1'000; ++n) {
        ProbeSpec spec = spec_of("127.0.0.1");
        spec.target.address =
            IpAddress{Ipv4Address::from_host(0x7F010001U + static_cast<unsigned>(n))};
        spec.check.timeout = std::chrono::milliseconds{9'000};
        prober.probe(spec, [&](const ProbeOutcome& outcome) {
            ++told_count;
            success_count += outcome.verdict == ProbeVerdict::success ? 1 : 0;
        });
    }
    ASSERT_TRUE(loop_until(loop, [&] { return told_count == 1'000; }));
    EXPECT_EQ(success_count, 1'000);
}

TEST(PingProbe, TellsNobodyAfterItsEnd) {
    EventLoop loop;
    int told_count = 0;
    {
        PingProber prober{loop};
        prober.probe(spec_of("127.0.0.1"), [&](const ProbeOutcome&) { ++told_count; });
    }
    loop.run_for(400ms);
    EXPECT_EQ(told_count, 0);
}

}  // namespace
}  // namespace fulcrum
