// Which policies a VIP may have.
#include "config/vip_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/small_config.h"

namespace fulcrum {
namespace {

using Sentences = std::vector<std::string>;

VipPolicy policy(std::string_view addresses, OtherTraffic other) {
    const auto block = parse_ip_prefix(addresses);
    return {.addresses = block ? *block : IpPrefix::only(*parse_ip_address(addresses)),
            .other = other,
            .place = {"d.cfg", 7}};
}

// A service at 203.0.113.80.
Config config_with(std::vector<VipPolicy> policies) {
    Config config = test::config({test::service("web", 80, {test::real("web1", 11)})});
    config.vips = std::move(policies);
    config.ports = {{.name = "wan"}};
    return config;
}

Sentences problems_of(const Config& config) {
    Findings findings;
    check_vips(config, findings);
    Sentences sentences;
    for (const Finding& finding : findings.problems.kept()) {
        sentences.push_back(finding.sentence);
    }
    return sentences;
}

std::size_t warning_count(const Config& config) {
    Findings findings;
    check_vips(config, findings);
    return findings.warnings.kept().size();
}

TEST(VipRules, LetEachVipHaveAPolicy) {
    const Config config = config_with({policy("203.0.113.80", OtherTraffic::drop)});
    EXPECT_EQ(problems_of(config), Sentences{});
    EXPECT_EQ(warning_count(config), 0U);
}

TEST(VipRules, RefuseASecondPolicyOfOneAddress) {
    EXPECT_EQ(problems_of(config_with({policy("203.0.113.80/28", OtherTraffic::drop),
                                       policy("203.0.113.80", OtherTraffic::reset)})),
              (Sentences{"vips: 203.0.113.80: an address of it has a policy already, that of "
                         "203.0.113.80/28 at d.cfg:7"}));
}

TEST(VipRules, WarnOfAPolicyForNobody) {
    EXPECT_EQ(warning_count(config_with({policy("203.0.113.81", OtherTraffic::drop)})), 1U);
    EXPECT_EQ(warning_count(config_with({policy("203.0.113.80/31", OtherTraffic::drop)})), 0U);
}

TEST(VipRules, LeaveTheDirectorItsOwnAddresses) {
    Config config = config_with({policy("203.0.113.80", OtherTraffic::reset)});
    config.ports[0].addresses.push_back({Ipv4Address::of(203, 0, 113, 80), 24});
    EXPECT_EQ(problems_of(config),
              (Sentences{"vips: 203.0.113.80: other: \"reset\" would take answers to the "
                         "director's own packets from it, as the port "
                         "\"wan\" has the address 203.0.113.80: only \"punt\" can stand there"}));
    config.vips[0].other = OtherTraffic::punt;
    EXPECT_EQ(problems_of(config), Sentences{});
}

}  // namespace
}  // namespace fulcrum
