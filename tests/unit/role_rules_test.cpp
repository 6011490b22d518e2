// What groups may not be.
#include "config/role_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/small_config.h"

namespace fulcrum {
namespace {

using Sentences = std::vector<std::string>;

// Ports "wan" and "lan", a service at 203.0.113.80, and one group that is as it should be.
Config sound() {
    Config config = test::config({test::web({test::real("web1", 11)})});
    config.ports.push_back({.name = "wan", .addresses = {{Ipv4Address::of(203, 0, 113, 2), 24}}});
    config.ports.push_back({.name = "lan", .addresses = {{Ipv4Address::of(192, 168, 10, 2), 24}}});
    RoleGroup group{.name = "front", .id = 51, .paths = {{.port = "wan"}, {.port = "lan"}}};
    group.fence.style = FenceStyle::none;
    config.groups.push_back(group);
    return config;
}

Sentences sentences_of(const FindingList& list) {
    Sentences sentences;
    for (const Finding& finding : list.kept()) {
        sentences.push_back(finding.sentence);
    }
    return sentences;
}
Sentences problems_of(const Config& config) {
    Findings findings;
    check_role_groups(config, findings);
    return sentences_of(findings.problems);
}
Sentences warnings_of(const Config& config) {
    Findings findings;
    check_role_groups(config, findings);
    return sentences_of(findings.warnings);
}
IpPrefix vip(std::uint8_t octet) { return IpPrefix::only(Ipv4Address::of(203, 0, 113, octet)); }

TEST(RoleRules, HaveNothingAgainstAPlainGroup) {
    EXPECT_EQ(problems_of(sound()), Sentences{});
    EXPECT_EQ(warnings_of(sound()), Sentences{});
}

TEST(RoleRules, WantNamesAndIdsToBeUnique) {
    Config config = sound();
    config.groups[0].vips = {vip(80)};
    config.groups.push_back(config.groups[0]);
    config.groups[1].vips = {};
    config.groups[1].addresses = {{Ipv4Address::of(192, 168, 10, 1), 24}};
    EXPECT_EQ(problems_of(config),
              (Sentences{"group \"front\": the name is already that of a group",
                         "group \"front\": id: 51 is already that of the "
                         "group \"front\""}));
}

TEST(RoleRules, WantAdvertsThatTheVersionCanSay) {
    Config config = sound();
    config.groups[0].advert = std::chrono::milliseconds{105};
    EXPECT_EQ(problems_of(config), Sentences{"group \"front\": advert: 105 ms cannot be said in "
                                             "version 3, which counts hundredths of a second, up "
                                             "to 40950 ms"});
    config.groups[0].advert = std::chrono::milliseconds{40'960};
    EXPECT_EQ(problems_of(config).size(), 1U);
    config.groups[0].advert = std::chrono::milliseconds{40'950};
    EXPECT_EQ(problems_of(config), Sentences{});
    config.groups[0].version = 2;
    config.groups[0].advert = std::chrono::milliseconds{1'500};
    EXPECT_EQ(problems_of(config), Sentences{"group \"front\": advert: 1500 ms cannot be said in "
                                             "version 2, which counts whole seconds"});
}

TEST(RoleRules, LetAnAddressFloatWithOneGroupAlone) {
    Config config = sound();
    config.groups.push_back(config.groups[0]);
    config.groups[1].name = "back";
    config.groups[1].id = 52;
    EXPECT_EQ(problems_of(config).size(), 2U);
    config.groups[0].vips = {vip(80)};
    config.groups[1].vips = {vip(80)};
    EXPECT_EQ(problems_of(config), Sentences{"group \"back\": vips: 203.0.113.80 is already held "
                                             "by the group \"front\""});
    config.groups[1].vips = {vip(2)};
    EXPECT_EQ(problems_of(config),
              Sentences{"group \"back\": vips: 203.0.113.2 is an address of the port \"wan\", "
                        "which stays with this director"});
    config.groups[1].vips = {vip(81)};
    EXPECT_EQ(problems_of(config), Sentences{});
    EXPECT_EQ(warnings_of(config),
              Sentences{"group \"back\": vips: no service has a VIP at 203.0.113.81"});
    config.ports[1].local_addresses = {Ipv4Address::of(192, 168, 10, 100)};
    EXPECT_EQ(problems_of(config), Sentences{"port \"lan\": local_addresses: they float with the "
                                             "group of the VIPs, and there are 2: full NAT goes "
                                             "with one group alone"});
}

TEST(RoleRules, WantFloatingAddressesInTheNetworkOfAPort) {
    Config config = sound();
    config.groups[0].addresses = {{Ipv4Address::of(192, 168, 10, 1), 24}};
    EXPECT_EQ(problems_of(config), Sentences{});
    config.groups[0].addresses = {{Ipv4Address::of(192, 168, 11, 1), 24}};
    EXPECT_EQ(problems_of(config),
              Sentences{"group \"front\": addresses: 192.168.11.1/24 is in the network of no port: "
                        "give a port an address of its own there, which stays with this director"});
    config.groups[0].addresses = {{Ipv4Address::of(203, 0, 113, 80), 24}};
    EXPECT_EQ(problems_of(config),
              Sentences{"group \"front\": addresses: 203.0.113.80 is a VIP: that belongs into "
                        "vips"});
}

TEST(RoleRules, WantPathsThatLeadSomewhere) {
    const auto problems_with = [](const AdvertPath& path, std::uint8_t version = 3) {
        Config config = sound();
        config.groups[0].version = version;
        config.groups[0].advert = std::chrono::milliseconds{1'000};
        config.groups[0].paths = {path};
        return problems_of(config);
    };
    const std::string label = "group \"front\": path over \"wan\": ";
    EXPECT_EQ(problems_with({.port = "wen"}),
              Sentences{"group \"front\": path over \"wen\": there is no such port"});
    EXPECT_EQ(problems_with({.port = "wan", .is_ipv6 = true}), Sentences{});
    EXPECT_EQ(problems_with({.port = "wan", .is_ipv6 = true}, 2),
              Sentences{label + "version 2 is for IPv4 alone"});
    EXPECT_EQ(problems_with({.port = "wan", .peer = parse_ip_address("2001:db8::3").value()}),
              Sentences{label + "peer: 2001:db8::3 does not go with ipv6 = false"});
    EXPECT_EQ(
        problems_with(
            {.port = "wan", .is_ipv6 = true, .peer = parse_ip_address("2001:db8::3").value()}),
        Sentences{label + "the port has no address of IPv6, from which adverts could go out"});
    EXPECT_EQ(problems_with({.port = "wan", .source = Ipv4Address::of(203, 0, 113, 3)}),
              Sentences{label + "source: 203.0.113.3 is no address of the port"});
    EXPECT_EQ(problems_with({.port = "wan", .peer = Ipv4Address::of(203, 0, 113, 2)}),
              Sentences{label + "peer: 203.0.113.2 is this director's own address"});
    Config twice = sound();
    twice.groups[0].paths[1] = {.port = "wan"};
    EXPECT_EQ(problems_of(twice), Sentences{label + "stands there twice"});
}

TEST(RoleRules, WantTrackedThingsToBeOneThingEach) {
    Config config = sound();
    config.groups[0].track = {{}};
    EXPECT_EQ(
        problems_of(config),
        Sentences{"group \"front\": track: an element has one of port, route and command, and "
                  "this has 0 of them"});
    config.groups[0].track = {{.port = "wan", .route = Ipv4Address::of(192, 0, 2, 1)}};
    EXPECT_EQ(problems_of(config).size(), 1U);
    config.groups[0].track = {{.port = "wen"}, {.command = {"is_well"}}};
    EXPECT_EQ(problems_of(config),
              (Sentences{"group \"front\": track: there is no port \"wen\"",
                         "group \"front\": track: command: \"is_well\" has no \"/\" at its "
                         "beginning, and no shell looks for it"}));
}

TEST(RoleRules, WantAWitnessThatIsANeighbour) {
    Config config = sound();
    config.groups[0].witness = Ipv4Address::of(203, 0, 113, 1);
    EXPECT_EQ(problems_of(config), Sentences{});
    config.groups[0].witness = Ipv4Address::of(198, 51, 100, 1);
    EXPECT_EQ(problems_of(config), Sentences{"group \"front\": witness: 198.51.100.1 is no "
                                             "neighbour: it is in the network of no port"});
    config.groups[0].witness = Ipv4Address::of(203, 0, 113, 80);
    EXPECT_EQ(problems_of(config), Sentences{"group \"front\": witness: 203.0.113.80 is this "
                                             "director itself, and would bear witness to "
                                             "anything"});
}

TEST(RoleRules, WantAFenceToBeSaidAndWhole) {
    Config config = sound();
    Fence& fence = config.groups[0].fence;
    fence = {};
    EXPECT_EQ(problems_of(config).size(), 1U);
    fence = {.style = FenceStyle::external, .command = "/f"};
    EXPECT_EQ(problems_of(config), Sentences{"group \"front\": fence: the key node is missing"});
    fence = {.style = FenceStyle::fence_agent, .command = "/f", .node = "lb2", .options = {"ip"}};
    EXPECT_EQ(problems_of(config), Sentences{"group \"front\": fence: options: \"ip\" is not of "
                                             "the form \"name=value\""});
    fence = {.style = FenceStyle::none, .command = "/f"};
    EXPECT_EQ(problems_of(config), Sentences{"group \"front\": fence: style = \"none\" calls "
                                             "nobody, and command and node say whom"});
}

TEST(RoleRules, LetAGroupBeAloneWhereThereIsNoOtherDirector) {
    Config config = sound();
    config.groups[0].paths.clear();
    config.groups[0].fence = {};
    EXPECT_EQ(problems_of(config), Sentences{});
    config.pair.emplace();
    EXPECT_EQ(problems_of(config),
              Sentences{"group \"front\": the key paths is missing: the other director of the pair "
                        "would hold the group, too, as neither hears of it"});
    config.pair.reset();
    config.groups[0].witness = Ipv4Address::of(203, 0, 113, 1);
    EXPECT_EQ(problems_of(config),
              Sentences{"group \"front\": witness and fence are about another director, and "
                        "without paths there is none"});
}

TEST(RoleRules, WarnOfWhatHasNoEffect) {
    Config config = sound();
    config.groups[0].preempt_delay = std::chrono::milliseconds{5'000};
    config.services[0].vip = Ipv4Address::of(203, 0, 113, 2);
    EXPECT_EQ(warnings_of(config),
              (Sentences{"group \"front\": preempt_delay has no effect without preempt = true",
                         "group \"front\": the VIP 203.0.113.2 is an address of the port \"wan\" "
                         "and stays with this director: nobody takes it over"}));
}

}  // namespace
}  // namespace fulcrum
