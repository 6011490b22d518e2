// When answers can be told by their sender alone, and when not.
#include "config/one_packet_rules.h"

#include <gtest/gtest.h>

#include "tests/support/small_config.h"

namespace fulcrum {
namespace {

using test::config;
using test::real;

VirtualService dns(const std::string& name, std::uint8_t vip_octet, std::uint8_t real_octet) {
    VirtualService made = test::service(name, vip_octet, {real("ns", real_octet)});
    made.protocol = L4Protocol::udp;
    made.one_packet = true;
    return made;
}

std::size_t problem_count(const std::vector<VirtualService>& services) {
    Findings findings;
    check_one_packet_services(config(services), findings);
    return findings.problems.kept().size();
}

TEST(OnePacketRules, LetServicesWithRealsOfTheirOwnBe) {
    EXPECT_EQ(problem_count({dns("a", 80, 11), dns("b", 81, 12)}), 0U);
}

TEST(OnePacketRules, RefuseARealThatAnswersForTwoServices) {
    VirtualService with_sessions = dns("b", 81, 11);
    with_sessions.one_packet = false;
    EXPECT_EQ(problem_count({dns("a", 80, 11), with_sessions}), 1U);
    with_sessions.protocol = L4Protocol::tcp;  // another protocol is another answer
    EXPECT_EQ(problem_count({dns("a", 80, 11), with_sessions}), 0U);
}

TEST(OnePacketRules, HaveNothingAgainstSharedRealsThatAnswerTheClientsThemselves) {
    VirtualService direct = dns("a", 80, 11);
    direct.reals[0].forward = ForwardingMode::direct;
    direct.reals[0].endpoint.port = be16{80};
    EXPECT_EQ(problem_count({direct, dns("b", 81, 11)}), 0U);
}

TEST(OnePacketRules, RefuseSeveralPortsUnlessTheRealKeepsThem) {
    VirtualService range = dns("a", 80, 11);
    range.port = be16{};
    range.listen = {{.vip = {range.vip, 32}, .ports = {5'000, 5'999}, .protocol = L4Protocol::udp}};
    EXPECT_EQ(problem_count({range}), 1U);
    range.reals[0].endpoint.port = be16{};
    EXPECT_EQ(problem_count({range}), 0U);
}

TEST(OnePacketRules, RefuseWhatIsNotUdp) {
    VirtualService tcp = dns("a", 80, 11);
    tcp.protocol = L4Protocol::tcp;
    EXPECT_EQ(problem_count({tcp}), 1U);
}

}  // namespace
}  // namespace fulcrum
