// Whom a service lets in: by hand, and by the slow way that nobody can doubt.
#include "config/model/access.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

namespace fulcrum {
namespace {

IpPrefix prefix(const char* address, std::uint8_t length) {
    return {*parse_ip_address(address), length};
}

bool admits(const AccessMap& map, const char* client) {
    return map.admits(client_prefix_of(*parse_ip_address(client)));
}

TEST(Access, LetsEverybodyInWithoutRules) {
    const AccessMap map{{}};
    EXPECT_TRUE(admits(map, "0.0.0.0"));
    EXPECT_TRUE(admits(map, "255.255.255.255"));
    EXPECT_TRUE(admits(map, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
}

TEST(Access, DeniesWhoIsDeniedAndNobodyBesides) {
    const AccessMap map{
        {.allow = {}, .deny = {prefix("198.51.100.0", 24), prefix("2001:db8::", 32)}}};
    EXPECT_TRUE(admits(map, "198.51.99.255"));
    EXPECT_FALSE(admits(map, "198.51.100.0"));
    EXPECT_FALSE(admits(map, "198.51.100.255"));
    EXPECT_TRUE(admits(map, "198.51.101.0"));
    EXPECT_TRUE(admits(map, "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"));
    EXPECT_FALSE(admits(map, "2001:db8::"));
    EXPECT_FALSE(admits(map, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"));
    EXPECT_TRUE(admits(map, "2001:db9::"));
}

TEST(Access, LetsInWhoIsAllowedAndNobodyBesides) {
    const AccessMap map{{.allow = {prefix("198.51.100.7", 32)}, .deny = {}}};
    EXPECT_TRUE(admits(map, "198.51.100.7"));
    EXPECT_FALSE(admits(map, "198.51.100.6"));
    EXPECT_FALSE(admits(map, "198.51.100.8"));
    EXPECT_FALSE(admits(map, "2001:db8::1"));
}

TEST(Access, TheLongestPrefixDecides) {
    const AccessMap map{{.allow = {prefix("10.1.0.0", 16), prefix("10.1.2.3", 32)},
                         .deny = {prefix("10.0.0.0", 8), prefix("10.1.2.0", 24)}}};
    EXPECT_FALSE(admits(map, "10.0.255.255"));
    EXPECT_TRUE(admits(map, "10.1.0.0"));
    EXPECT_FALSE(admits(map, "10.1.2.2"));
    EXPECT_TRUE(admits(map, "10.1.2.3"));
    EXPECT_FALSE(admits(map, "10.1.2.4"));
    EXPECT_TRUE(admits(map, "10.1.3.0"));
    EXPECT_FALSE(admits(map, "10.2.0.0"));
    EXPECT_FALSE(admits(map, "11.0.0.0")) << "only who is allowed by name";
}

TEST(Access, WhoIsBothIsDenied) {
    const AccessMap map{{.allow = {prefix("10.0.0.0", 8), prefix("10.1.0.0", 16)},
                         .deny = {prefix("10.1.0.0", 16)}}};
    EXPECT_TRUE(admits(map, "10.0.0.1"));
    EXPECT_FALSE(admits(map, "10.1.0.1"));
    EXPECT_TRUE(admits(map, "10.2.0.1"));
}

TEST(Access, KnowsTheEndsOfTheWorld) {
    const AccessMap none{{.allow = {}, .deny = {prefix("::", 0)}}};
    EXPECT_FALSE(admits(none, "::1"));
    EXPECT_TRUE(admits(none, "255.255.255.255")) << "IPv4's addresses are not among IPv6's";
    const AccessMap last{
        {.allow = {}, .deny = {prefix("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 128)}}};
    EXPECT_FALSE(admits(last, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
    EXPECT_TRUE(admits(last, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"));
    const AccessMap v4{{.allow = {}, .deny = {prefix("0.0.0.0", 0)}}};
    EXPECT_FALSE(admits(v4, "0.0.0.0"));
    EXPECT_FALSE(admits(v4, "255.255.255.255"));
    EXPECT_TRUE(admits(v4, "::"));
    EXPECT_TRUE(admits(v4, "2001:db8::1"));
}

// All rules, one after the other.
bool admits_slowly(const AccessRules& rules, const IpAddress& client) {
    int length = -1;
    bool is_admitted = rules.allow.empty();
    for (const bool allows : {true, false}) {
        for (const IpPrefix& each : allows ? rules.allow : rules.deny) {
            if (each.contains(client) && each.length >= length) {
                length = each.length;
                is_admitted = allows;
            }
        }
    }
    return is_admitted;
}

TEST(Access, AgreesWithASearchThroughAllRules) {
    std::mt19937 random{3};
    for (int round = 0; round < 300; ++round) {
        AccessRules rules;
        for (auto count = random() % 12; count > 0; --count) {
            // Few addresses, so that prefixes nest and meet.
            const auto length = static_cast<std::uint8_t>(24 + random() % 9);
            const std::uint32_t mask = ~std::uint32_t{0} << (32 - length);
            const IpPrefix each{
                Ipv4Address::from_host((0xC6336400U | static_cast<std::uint32_t>(random() & 0xFF)) &
                                       mask),
                length};
            (random() % 2 == 0 ? rules.allow : rules.deny).push_back(each);
        }
        const AccessMap map{rules};
        for (std::uint32_t client = 0xC63363FE; client < 0xC6336503; ++client) {
            const IpAddress address{Ipv4Address::from_host(client)};
            ASSERT_EQ(map.admits(client_prefix_of(address)), admits_slowly(rules, address))
                << "round " << round << ", " << to_string(address);
        }
    }
}

TEST(Access, HasRoomForAMillionPrefixesOfBothIpVersions) {
    AccessRules rules;
    for (std::uint32_t i = 0; i < 500'000; ++i) {
        rules.deny.push_back({Ipv4Address::from_host(0x0100'0000 + i * 512), 24});
        Ipv6Address address{};
        address.octets = {0x20, 0x01, static_cast<std::uint8_t>(i >> 16),
                          static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
        address.octets[5] = 0x80;
        rules.deny.push_back({IpAddress{address}, 41});
    }
    const auto began = std::chrono::steady_clock::now();
    const AccessMap map{rules};
    const std::chrono::duration<double> length = std::chrono::steady_clock::now() - began;
    RecordProperty("seconds", std::to_string(length.count()));
    EXPECT_LT(length.count(), 10) << "half a second on a machine that has nothing else to do";
    EXPECT_EQ(map.stretch_count(), 2'000'002U);
    EXPECT_FALSE(admits(map, "1.0.0.255"));
    EXPECT_TRUE(admits(map, "1.0.1.0"));
    EXPECT_FALSE(admits(map, "2001:0:180::"));
    EXPECT_TRUE(admits(map, "2001:0:100::"));
}

}  // namespace
}  // namespace fulcrum
