// From a configured check to a probe, and the sentences that probers share.
#include "controlplane/health/probe.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace fulcrum {
namespace {

ProbeSpec probe_spec_of(const VirtualService& service, const RealServer& real) {
    return {probed(service.check), probe_target(real, service.check),
            probe_vip(service, service.check)};
}

TEST(ProbeSpecs, KnowOnlyWhatShapesAProbe) {
    RealServer real;
    real.endpoint = {Ipv4Address::of(10, 0, 0, 1), be16{80}};
    VirtualService service;
    Check& check = service.check;
    check = {.type = CheckType::tcp, .send = "hello", .port = 81, .rise = 2, .fall = 3};
    const ProbeSpec spec = probe_spec_of(service, real);
    EXPECT_EQ(spec.target.port.host(), 81);
    EXPECT_EQ(spec.check.send, "hello");
    check.rise = 5;
    check.fall = 6;
    EXPECT_EQ(probe_spec_of(service, real), spec);
    check.send = "good bye";
    EXPECT_NE(probe_spec_of(service, real), spec);
}

TEST(ProbeSpecs, AskForAHostByNameWithoutItsPort) {
    EXPECT_EQ(server_name_of("www.example.org"), "www.example.org");
    EXPECT_EQ(server_name_of("www.example.org:8443"), "www.example.org");
    for (const char* address :
         {"", "192.0.2.1", "192.0.2.1:443", "2001:db8::1", "[2001:db8::1]:1"}) {
        EXPECT_EQ(server_name_of(address), "") << address;
    }
}

TEST(ProbeOutcomes, BlameUsForWantOfDescriptorsAndTheRealForTheRest) {
    EXPECT_EQ(outcome_of_refusal(EMFILE).verdict, ProbeVerdict::not_sent);
    EXPECT_EQ(outcome_of_refusal(EADDRNOTAVAIL).verdict, ProbeVerdict::not_sent);
    EXPECT_EQ(outcome_of_refusal(EHOSTUNREACH).verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome_of_refusal(EHOSTUNREACH).sentence, "no route to host");
}

}  // namespace
}  // namespace fulcrum
