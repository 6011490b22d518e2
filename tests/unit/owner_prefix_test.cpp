// Which prefix of a client's address decides about its worker, and what a later file may not ask.
#include "config/model/owner_prefix.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

Config config_with(const std::vector<Affinity>& affinities) {
    Config config;
    config.director.workers = {1, 2};
    config.services.push_back({.name = "plain"});
    for (const Affinity& affinity : affinities) {
        config.services.push_back({.name = "web", .affinity = affinity});
    }
    return config;
}

TEST(OwnerPrefix, IsTheWholeAddressAndTheNetworkOfAnIpv6HostWithoutAffinity) {
    EXPECT_EQ(owner_prefix_of(config_with({})).v4, 32);
    EXPECT_EQ(owner_prefix_of(config_with({})).v6, 64);
}

TEST(OwnerPrefix, IsTheShortestOfAllServices) {
    const OwnerPrefix prefix = owner_prefix_of(
        config_with({{.prefix = 24, .prefix6 = 128}, {.prefix = 28, .prefix6 = 48}, {}}));
    EXPECT_EQ(prefix.v4, 24);
    EXPECT_EQ(prefix.v6, 48);
}

TEST(OwnerPrefix, CountsLimitsOfClientsAndNoOthers) {
    Config config = config_with({});
    config.services[0].limits = {.sessions_per_s = 5, .prefix = 8, .prefix6 = 32};
    EXPECT_EQ(owner_prefix_of(config).v4, 32) << "it is for all clients";
    config.services[0].limits.client_packets_per_s = 5;
    EXPECT_EQ(owner_prefix_of(config).v4, 8);
    EXPECT_EQ(owner_prefix_of(config).v6, 32);
    EXPECT_EQ(needs_shorter_owner_prefix(config, {16, 32}),
              (std::vector<std::string>{
                  "service \"plain\": limits: prefix 8 is shorter than 16, by which clients were "
                  "given to workers at start: restart fulcrumd to change it, or set it back"}));
}

TEST(OwnerPrefix, CannotBecomeShorterThanItWas) {
    const OwnerPrefix present{24, 56};
    EXPECT_TRUE(
        needs_shorter_owner_prefix(config_with({{.prefix = 24, .prefix6 = 56}}), present).empty());
    EXPECT_EQ(
        needs_shorter_owner_prefix(config_with({{.prefix = 23, .prefix6 = 55}}), present),
        (std::vector<std::string>{
            "service \"web\": affinity: prefix 23 is shorter than 24, by which clients were given "
            "to workers at start: restart fulcrumd to change it, or set it back",
            "service \"web\": affinity: prefix6 55 is shorter than 56, by which clients were given "
            "to workers at start: restart fulcrumd to change it, or set it back"}));
}

TEST(OwnerPrefix, MayBecomeShorterWhereOneWorkerHasEverybody) {
    Config config = config_with({{.prefix = 8, .prefix6 = 8}});
    config.director.workers = {1};
    EXPECT_TRUE(needs_shorter_owner_prefix(config, {32, 64}).empty());
}

}  // namespace
}  // namespace fulcrum
