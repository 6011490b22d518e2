// Where packets go, for tables drawn by hand:
//
//   port 0 "wan" 02:..:01, MTU 1500        port 1 "lan" 02:..:02, MTU 9000
//   default via 203.0.113.1                192.168.10.0/24 on the link
#include "config/model/paths.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>

namespace fulcrum {
namespace {

constexpr MacAddress wan_mac{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress lan_mac{{2, 0, 0, 0, 0, 2}};
constexpr MacAddress gateway_mac{{2, 0, 0, 0, 1, 1}};
constexpr MacAddress web_mac{{2, 0, 0, 0, 2, 11}};
constexpr Ipv4Address gateway = Ipv4Address::of(203, 0, 113, 1);
constexpr Ipv4Address inner_gateway = Ipv4Address::of(192, 168, 10, 254);
constexpr Ipv4Address web = Ipv4Address::of(192, 168, 10, 11);
constexpr Ipv4Address far_away = Ipv4Address::of(8, 8, 8, 8);
constexpr Ipv4Address on_link{};  // as a gateway: none

IpPrefix prefix(std::string_view text) { return parse_ip_prefix(text).value(); }

KernelTables tables() {
    return {.ports = {{wan_mac, 1'500}, {lan_mac, 9'000}},
            .routes = {{prefix("0.0.0.0/0"), gateway, 0, 0},
                       {prefix("203.0.113.0/24"), on_link, 0, 0},
                       {prefix("192.168.10.0/24"), on_link, 1, 0}},
            .neighbours = {{gateway, 0, gateway_mac}, {web, 1, web_mac}},
            .addresses = {Ipv4Address::of(203, 0, 113, 2), Ipv4Address::of(192, 168, 10, 2)}};
}

TEST(Paths, SendsToANeighbourOnTheLink) {
    const Paths paths{tables()};
    const Paths::Answer answer = paths.to(web);
    EXPECT_EQ(*answer.hop, (NextHop{.destination = web_mac,
                                    .source = lan_mac,
                                    .port = 1,
                                    .is_resolved = true,
                                    .mtu = 9'000}));
    EXPECT_EQ(answer.neighbour, web);
}

TEST(Paths, SpeaksUnderTheAddressThatTheRoutePrefers) {
    KernelTables some = tables();
    some.routes[2].source = Ipv4Address::of(192, 168, 10, 9);
    some.port_addresses = {{prefix("192.168.10.2/24"), 1}};
    EXPECT_EQ(Paths{some}.source_to(web), Ipv4Address::of(192, 168, 10, 9));
}

TEST(Paths, SpeaksUnderThePortsAddressInTheNextHopsNetwork) {
    KernelTables some = tables();
    some.port_addresses = {{prefix("198.51.100.2/24"), 0},
                           {prefix("203.0.113.80/32"), 0},
                           {prefix("203.0.113.2/24"), 0},
                           {prefix("192.168.10.2/24"), 1}};
    const Paths paths{some};
    EXPECT_EQ(paths.source_to(far_away), Ipv4Address::of(203, 0, 113, 2));
    EXPECT_EQ(paths.source_to(web), Ipv4Address::of(192, 168, 10, 2));
}

TEST(Paths, SpeaksUnderAnyAddressOfThePortRatherThanNone) {
    KernelTables some = tables();
    some.port_addresses = {{prefix("10.9.9.9/32"), 0}, {prefix("198.51.100.2/24"), 0}};
    EXPECT_EQ(Paths{some}.source_to(far_away), Ipv4Address::of(198, 51, 100, 2));
    some.port_addresses.pop_back();
    EXPECT_EQ(Paths{some}.source_to(far_away), Ipv4Address::of(10, 9, 9, 9));
}

TEST(Paths, SpeaksBeyondTheLinkUnderNoAddressOfTheLinkAlone) {
    KernelTables some = tables();
    const IpAddress far_away6 = *parse_ip_address("2001:db8:ff::1");
    some.routes.push_back({prefix("::/0"), *parse_ip_address("fe80::1"), 0});
    some.port_addresses = {{prefix("fe80::2/64"), 0}, {prefix("2001:db8::2/64"), 0}};
    EXPECT_EQ(Paths{some}.source_to(far_away6), *parse_ip_address("2001:db8::2"));
    some.port_addresses.pop_back();
    EXPECT_TRUE(Paths{some}.source_to(far_away6).is_unspecified());
}

TEST(Paths, HasNoAddressToSpeakUnderWithoutRouteOrAddress) {
    KernelTables some = tables();
    EXPECT_TRUE(Paths{some}.source_to(far_away).is_unspecified());
    some.routes.clear();
    EXPECT_TRUE(Paths{some}.source_to(far_away).is_unspecified());
    EXPECT_TRUE(Paths{}.source_to(far_away).is_unspecified());
}

TEST(Paths, NamesTheNeighbourOnTheLinkThatIsNotResolved) {
    const Paths paths{tables()};
    const Ipv4Address silent = Ipv4Address::of(192, 168, 10, 12);
    const Paths::Answer answer = paths.to(silent);
    EXPECT_FALSE(answer.hop->is_resolved);
    EXPECT_EQ(answer.hop->port, 1);
    EXPECT_EQ(answer.hop->source, lan_mac);
    EXPECT_EQ(answer.hop->mtu, 9'000);
    EXPECT_EQ(answer.neighbour, silent);
}

TEST(Paths, SendsToStrangersByTheDefaultGateway) {
    const Paths paths{tables()};
    const Paths::Answer answer = paths.to(far_away);
    EXPECT_EQ(answer.hop->destination, gateway_mac);
    EXPECT_EQ(answer.hop->source, wan_mac);
    EXPECT_EQ(answer.hop->port, 0);
    EXPECT_TRUE(answer.hop->is_resolved);
    EXPECT_EQ(answer.neighbour, gateway);
}

TEST(Paths, NamesTheGatewayThatIsNotResolved) {
    KernelTables some = tables();
    some.neighbours.clear();
    const Paths paths{some};
    const Paths::Answer answer = paths.to(far_away);
    EXPECT_FALSE(answer.hop->is_resolved);
    EXPECT_EQ(answer.hop->port, 0);
    EXPECT_EQ(answer.neighbour, gateway);
}

TEST(Paths, HasNoRouteWithoutADefaultGateway) {
    KernelTables some = tables();
    some.routes.erase(some.routes.begin());
    const Paths paths{some};
    EXPECT_EQ(paths.to(far_away).hop->port, port_none);
    EXPECT_FALSE(paths.to(far_away).hop->is_resolved);
    EXPECT_EQ(paths.to(web).hop->port, 1);
}

TEST(Paths, HasNoRouteAtAllWhenNothingIsKnown) {
    EXPECT_EQ(Paths{}.to(web).hop->port, port_none);
    EXPECT_EQ(Paths{KernelTables{}}.to(web).hop->port, port_none);
    EXPECT_FALSE(Paths{}.is_ours(web));
}

TEST(Paths, PrefersTheLongestOfOverlappingPrefixes) {
    KernelTables some = tables();
    some.routes.push_back({prefix("10.0.0.0/8"), gateway, 0, 0});
    some.routes.push_back({prefix("10.1.0.0/16"), inner_gateway, 1, 0});
    some.routes.push_back({prefix("10.1.2.0/24"), gateway, 0, 0});
    some.routes.push_back({prefix("10.1.2.3/32"), inner_gateway, 1, 0});
    const Paths paths{some};
    EXPECT_EQ(paths.to(Ipv4Address::of(10, 0, 255, 255)).neighbour, gateway);
    EXPECT_EQ(paths.to(Ipv4Address::of(10, 1, 0, 0)).neighbour, inner_gateway);
    EXPECT_EQ(paths.to(Ipv4Address::of(10, 1, 1, 255)).neighbour, inner_gateway);
    EXPECT_EQ(paths.to(Ipv4Address::of(10, 1, 2, 2)).neighbour, gateway);
    EXPECT_EQ(paths.to(Ipv4Address::of(10, 1, 2, 3)).neighbour, inner_gateway);
    EXPECT_EQ(paths.to(Ipv4Address::of(10, 1, 2, 4)).neighbour, gateway);
    EXPECT_EQ(paths.to(Ipv4Address::of(10, 1, 3, 0)).neighbour, inner_gateway);
    EXPECT_EQ(paths.to(Ipv4Address::of(10, 2, 0, 0)).neighbour, gateway);
}

TEST(Paths, ReachesTheLastAddressOfAll) {
    KernelTables some = tables();
    some.routes.push_back({prefix("255.255.255.0/24"), inner_gateway, 1, 0});
    const Paths paths{some};
    EXPECT_EQ(paths.to(Ipv4Address::of(255, 255, 255, 255)).neighbour, inner_gateway);
    EXPECT_EQ(paths.to(Ipv4Address::of(255, 255, 254, 255)).neighbour, gateway);
    EXPECT_EQ(paths.to(Ipv4Address::of(0, 0, 0, 0)).neighbour, gateway);
}

TEST(Paths, PrefersTheLeastMetricOfEqualPrefixes) {
    KernelTables some = tables();
    some.routes.push_back({prefix("10.0.0.0/8"), gateway, 0, 200});
    some.routes.push_back({prefix("10.0.0.0/8"), inner_gateway, 1, 100});
    EXPECT_EQ(Paths{some}.to(Ipv4Address::of(10, 9, 9, 9)).neighbour, inner_gateway);
    some.routes.back().metric = 300;
    EXPECT_EQ(Paths{some}.to(Ipv4Address::of(10, 9, 9, 9)).neighbour, gateway);
}

TEST(Paths, TakesTheFirstListedOfEqualMetrics) {
    KernelTables some = tables();
    some.routes.push_back({prefix("10.0.0.0/8"), inner_gateway, 1, 100});
    some.routes.push_back({prefix("10.0.0.0/8"), gateway, 0, 100});
    EXPECT_EQ(Paths{some}.to(Ipv4Address::of(10, 9, 9, 9)).neighbour, inner_gateway);
}

TEST(Paths, TakesAPrefixWithHostBitsForItsNetwork) {
    KernelTables some = tables();
    some.routes.push_back({prefix("10.7.7.7/8"), inner_gateway, 1, 0});
    EXPECT_EQ(Paths{some}.to(Ipv4Address::of(10, 0, 0, 1)).neighbour, inner_gateway);
}

// The longer prefix leaves by an interface of the kernel's own: the shorter must not stand in.
TEST(Paths, HasNoRouteThroughAnInterfaceThatIsNoTwin) {
    KernelTables some = tables();
    some.routes.push_back({prefix("10.0.0.0/8"), gateway, port_none, 0});
    some.routes.push_back({prefix("11.0.0.0/8"), gateway, 7, 0});
    const Paths paths{some};
    EXPECT_EQ(paths.to(Ipv4Address::of(10, 0, 0, 1)).hop->port, port_none);
    EXPECT_EQ(paths.to(Ipv4Address::of(11, 0, 0, 1)).hop->port, port_none);
    EXPECT_EQ(paths.to(Ipv4Address::of(11, 0, 0, 1)).neighbour, Ipv4Address::of(11, 0, 0, 1));
}

// The same address on another port is another machine.
TEST(Paths, TellsNeighboursOfDifferentPortsApart) {
    KernelTables some = tables();
    some.neighbours = {{web, 0, gateway_mac}};
    EXPECT_FALSE(Paths{some}.to(web).hop->is_resolved);
    some.neighbours.push_back({web, 1, web_mac});
    some.neighbours.push_back({web, 9, gateway_mac});
    EXPECT_EQ(Paths{some}.to(web).hop->destination, web_mac);
}

TEST(Paths, KnowsOurAddresses) {
    const Paths paths{tables()};
    EXPECT_TRUE(paths.is_ours(Ipv4Address::of(192, 168, 10, 2)));
    EXPECT_FALSE(paths.is_ours(web));
}

Ipv6Address v6(std::string_view text) { return parse_ipv6_address(text).value(); }

TEST(Paths, LeadIpv6BesideIpv4) {
    KernelTables some = tables();
    const auto add = [&](std::string_view prefix, const IpAddress& via, std::uint8_t port) {
        some.routes.push_back({parse_ip_prefix(prefix).value(), via, port, 0});
    };
    add("2001:db8:1::/64", {}, 0);
    add("2001:db8:2::/64", {}, 1);
    add("::/0", v6("fe80::1"), 0);
    add("2001:db8:2:0:8000::/65", v6("fe80::1"), 1);
    some.neighbours.push_back({v6("fe80::1"), 0, gateway_mac});
    some.neighbours.push_back({v6("2001:db8:2::11"), 1, web_mac});
    some.addresses.push_back(v6("2001:db8:1::2"));
    const Paths paths{some};
    EXPECT_EQ(paths.hop_to(v6("2001:db8:2::11")).destination, web_mac);
    EXPECT_EQ(paths.hop_to(v6("2001:db8:ffff::1")).destination, gateway_mac);
    EXPECT_EQ(paths.hop_to(v6("::")).destination, gateway_mac);
    EXPECT_EQ(paths.hop_to(v6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")).port, 0);
    EXPECT_FALSE(paths.hop_to(v6("2001:db8:1::99")).is_resolved);
    EXPECT_EQ(paths.to(v6("2001:db8:1::99")).neighbour, IpAddress{v6("2001:db8:1::99")});
    // fe80::1 on port 1 is another machine, and not known.
    EXPECT_EQ(paths.to(v6("2001:db8:2:0:8000::5")).neighbour, IpAddress{v6("fe80::1")});
    EXPECT_FALSE(paths.hop_to(v6("2001:db8:2:0:8000::5")).is_resolved);
    EXPECT_EQ(paths.hop_to(v6("2001:db8:2:0:8000::5")).port, 1);
    EXPECT_TRUE(paths.is_ours(v6("2001:db8:1::2")));
    EXPECT_FALSE(paths.is_ours(v6("2001:db8:1::3")));
    EXPECT_EQ(paths.to(web).hop->destination, web_mac);  // IPv4 as ever
}

TEST(Paths, KnowsItsPorts) {
    const Paths paths{tables()};
    ASSERT_EQ(paths.port_count(), 2U);
    EXPECT_EQ(paths.port(1).mac, lan_mac);
    EXPECT_EQ(paths.port(1).mtu, 9'000);
}

// The rule itself, without any cleverness.
std::optional<KernelRoute> longest(const std::vector<KernelRoute>& routes, Ipv4Address address) {
    std::optional<KernelRoute> best;
    for (const KernelRoute& route : routes) {
        if (route.prefix.contains(address) &&
            (!best || route.prefix.length > best->prefix.length ||
             (route.prefix.length == best->prefix.length && route.metric < best->metric))) {
            best = route;
        }
    }
    return best;
}

TEST(Paths, AgreeWithASearchOfAllRoutesForRandomTables) {
    std::mt19937 generator{7};  // NOLINT: the same every time
    const auto random = [&] { return static_cast<std::uint32_t>(generator()); };
    std::size_t wrong_count = 0;
    for (int round = 0; round < 50; ++round) {
        KernelTables some{.ports = {{wan_mac, 1'500}}};
        for (std::uint32_t i = 0; i < 60; ++i) {
            const auto length = static_cast<std::uint8_t>(random() % 33);
            const Ipv4Address address = Ipv4Address::from_host(random() & 0xC00000FFU);
            some.routes.push_back(
                {{address, length}, Ipv4Address::from_host(i + 1), 0, random() % 3});
        }
        const Paths paths{some};
        for (int i = 0; i < 500; ++i) {
            const Ipv4Address address = Ipv4Address::from_host(random() & 0xC00001FFU);
            const auto best = longest(some.routes, address);
            const IpAddress expected = best ? best->gateway : IpAddress{address};
            wrong_count += paths.to(address).neighbour == expected ? 0U : 1U;
        }
    }
    EXPECT_EQ(wrong_count, 0U);
}

TEST(Paths, OfIpv6AgreeWithASearchOfAllRoutesForRandomTables) {
    std::mt19937 generator{8};  // NOLINT: the same every time
    const auto random = [&] { return static_cast<std::uint32_t>(generator()); };
    // Few bits that may differ, so that prefixes nest; some behind the 64th.
    const auto random_address = [&] {
        Ipv6Address address;
        for (const std::size_t octet : {0U, 1U, 7U, 8U, 15U}) {
            address.octets[octet] = static_cast<std::uint8_t>(random() & 0x83);
        }
        return address;
    };
    std::size_t wrong_count = 0;
    for (int round = 0; round < 50; ++round) {
        KernelTables some{.ports = {{wan_mac, 1'500}}};
        for (std::uint32_t i = 0; i < 60; ++i) {
            const auto length = static_cast<std::uint8_t>(random() % 129);
            Ipv6Address via = v6("fe80::");
            via.octets[15] = static_cast<std::uint8_t>(i + 1);
            some.routes.push_back({{random_address(), length}, via, 0, random() % 3});
        }
        const Paths paths{some};
        for (int i = 0; i < 500; ++i) {
            const Ipv6Address address = random_address();
            std::optional<KernelRoute> best;
            for (const KernelRoute& route : some.routes) {
                if (route.prefix.contains(address) &&
                    (!best || route.prefix.length > best->prefix.length ||
                     (route.prefix.length == best->prefix.length && route.metric < best->metric))) {
                    best = route;
                }
            }
            const IpAddress expected = best ? best->gateway : IpAddress{address};
            wrong_count += paths.to(address).neighbour == expected ? 0U : 1U;
        }
    }
    EXPECT_EQ(wrong_count, 0U);
}

}  // namespace
}  // namespace fulcrum
