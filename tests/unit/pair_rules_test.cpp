// What holds of a pair beyond single keys.
#include "config/pair_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fulcrum {
namespace {

PairLink link(const char* local, const char* peer) {
    return {*parse_endpoint(local), *parse_endpoint(peer), {}};
}

std::vector<std::string> problems_of(const std::string& peer, std::vector<PairLink> links) {
    Config config;
    config.director.name = "lb1";
    config.pair = PairSettings{.peer = peer, .key_file = "/k", .links = std::move(links)};
    Findings findings;
    check_pair(config, findings);
    std::vector<std::string> sentences;
    for (const Finding& finding : findings.problems.kept()) {
        sentences.push_back(finding.sentence);
    }
    return sentences;
}

using Sentences = std::vector<std::string>;

TEST(PairRules, TakeTwoWaysOfEitherIpVersion) {
    EXPECT_EQ(problems_of("lb2", {link("10.9.0.1:8849", "10.9.0.2:8849"),
                                  link("[2001:db8::1]:8849", "[2001:db8::2]:8849")}),
              Sentences{});
}

TEST(PairRules, WantTwoDirectors) {
    EXPECT_EQ(problems_of("lb1", {link("10.9.0.1:8849", "10.9.0.2:8849")}),
              Sentences{"pair: peer: \"lb1\" is this director's own name: give each a "
                        "director.name of its own"});
}

TEST(PairRules, WantEndsOfOneIpVersionAndOfOneMachineEach) {
    EXPECT_EQ(problems_of("lb2", {link("10.9.0.1:8849", "[2001:db8::2]:8849")}),
              Sentences{"pair: link: local: 10.9.0.1 and peer: 2001:db8::2 are not of one IP "
                        "version"});
    EXPECT_EQ(problems_of("lb2", {link("0.0.0.0:8849", "224.0.0.5:8849")}),
              (Sentences{"pair: link: 0.0.0.0 is not one machine's address",
                         "pair: link: 224.0.0.5 is not one machine's address"}));
    EXPECT_EQ(problems_of("lb2", {link("10.9.0.1:8849", "10.9.0.1:8849")}),
              Sentences{"pair: link: local and peer are both 10.9.0.1:8849"});
}

TEST(PairRules, WantTwoLinksToBeTwoWays) {
    const Sentences expected{
        "pair: link: both links have an end in common, so they are not two ways"};
    EXPECT_EQ(problems_of("lb2", {link("10.9.0.1:8849", "10.9.0.2:8849"),
                                  link("10.9.0.1:8849", "10.9.1.2:8849")}),
              expected);
    EXPECT_EQ(problems_of("lb2", {link("10.9.0.1:8849", "10.9.0.2:8849"),
                                  link("10.9.1.1:8849", "10.9.0.2:8849")}),
              expected);
}

TEST(PairRules, LetNothingGoOverThatBothWouldHoldAlways) {
    Config config;
    config.pair = PairSettings{
        .peer = "lb2",
        .key_file = "/k",
        .links = {link("10.9.0.1:8849", "10.9.0.2:8849")},
        .replicates_config = true,
        .place = {},
    };
    VirtualService& web = config.services.emplace_back();
    web.name = "web";
    web.vip = *parse_ip_address("203.0.113.80");
    web.port = be16{80};
    const auto problem = [&config]() -> std::string {
        Findings findings;
        check_pair(config, findings);
        return findings.problems.kept().empty() ? "" : findings.problems.kept().front().sentence;
    };
    EXPECT_EQ(problem(),
              "pair: replicate_config: there are no groups, which would tell whose configuration "
              "goes to the other director");
    config.groups.emplace_back();
    EXPECT_EQ(problem(), "") << "the only group has all";
    config.groups[0].vips = {IpPrefix{*parse_ip_address("203.0.113.81"), 32}};
    EXPECT_EQ(problem(),
              "service \"web\": the VIP 203.0.113.80 is in no group, and under "
              "pair.replicate_config both directors would hold it: add it to the vips of a group");
}

TEST(PairRules, HaveNothingToSayOfADirectorAlone) {
    Findings findings;
    check_pair(Config{}, findings);
    EXPECT_TRUE(findings.problems.empty());
}

}  // namespace
}  // namespace fulcrum
