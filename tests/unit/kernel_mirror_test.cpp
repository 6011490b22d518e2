// The mirror beside a real kernel that is changed with ip, and neighbours that answer.
#include "controlplane/kernel/kernel_mirror.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <fstream>

#include "controlplane/kernel/twin_interface.h"
#include "tests/support/network_bench.h"

namespace fulcrum {
namespace {

constexpr MacAddress wan_mac{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress lan_mac{{2, 0, 0, 0, 0, 2}};
constexpr MacAddress real_mac{{2, 0, 0, 0, 0, 0x11}};
constexpr Ipv4Address real = Ipv4Address::of(192, 168, 10, 11);
constexpr IpPrefix wan_network{Ipv4Address::of(203, 0, 113, 0), 24};
constexpr IpPrefix lan_network{Ipv4Address::of(192, 168, 10, 0), 24};
constexpr IpPrefix everywhere{Ipv4Address{}, 0};

template <typename T>
T expect_value(Result<T> result) {
    if (!result) {
        ADD_FAILURE() << result.error().sentence;
        std::abort();
    }
    return std::move(*result);
}

class AKernelMirror : public testing::Test {
  protected:
    ~AKernelMirror() override { succeeds("ip link del wan; ip link del lan; ip link del eth0"); }

    // Works off what is readable, until the tables fulfil `is_so`.
    template <typename Predicate>
    bool comes_to(Predicate&& is_so) {
        return eventually([&] {
            pollfd ready{.fd = mirror.fd(), .events = POLLIN, .revents = 0};
            while (poll(&ready, 1, 0) == 1) {
                mirror.on_readable();
            }
            return is_so(mirror.tables());
        });
    }
    testing::AssertionResult routes_come_to(std::vector<KernelRoute> expected) {
        if (comes_to([&](const KernelTables& tables) { return tables.routes == expected; })) {
            return testing::AssertionSuccess();
        }
        auto failure = testing::AssertionFailure() << "the mirror has";
        for (const KernelRoute& route : mirror.tables().routes) {
            failure << ' ' << to_string(route.prefix) << " via " << to_string(route.gateway)
                    << " port " << unsigned{route.port} << " metric " << route.metric << ';';
        }
        return failure << " and the kernel\n" << output_of("ip route");
    }
    bool neighbours_come_to(std::vector<KernelNeighbour> expected) {
        return comes_to([&](const KernelTables& tables) { return tables.neighbours == expected; });
    }
    // Reads the lan twin until an ARP question for the real appears.
    bool sees_question(Arp& question) {
        return eventually([&] {
            return read_arp(read_frame(lan.fd()), question) && question.operation == 1 &&
                   question.target == std::array<std::uint8_t, 4>{192, 168, 10, 11};
        });
    }
    void answer(const Arp& question) {
        write_frame(lan.fd(), frame_of({.operation = 2,
                                        .sender_mac = real_mac.bytes,
                                        .sender = question.target,
                                        .target_mac = question.sender_mac,
                                        .target = question.sender},
                                       question.sender_mac));
    }

    TwinInterface wan = expect_value(
        TwinInterface::open({"wan", wan_mac, 1'500, {{Ipv4Address::of(203, 0, 113, 2), 24}}}));
    TwinInterface lan = expect_value(
        TwinInterface::open({"lan", lan_mac, 1'400, {{Ipv4Address::of(192, 168, 10, 2), 24}}}));
    KernelMirror mirror = expect_value(KernelMirror::open({"wan", "lan"}));
    const KernelRoute wan_link{wan_network, {}, 0, 0, Ipv4Address::of(203, 0, 113, 2)};
    const KernelRoute lan_link{lan_network, {}, 1, 0, Ipv4Address::of(192, 168, 10, 2)};
};

TEST_F(AKernelMirror, ShowsWhatIsThereWhenItOpens) {
    const KernelTables& tables = mirror.tables();
    EXPECT_EQ(tables.ports, (std::vector<PortLink>{{wan_mac, 1'500}, {lan_mac, 1'400}}));
    EXPECT_EQ(tables.routes, (std::vector<KernelRoute>{lan_link, wan_link}));
    EXPECT_EQ(tables.neighbours, std::vector<KernelNeighbour>{});
    EXPECT_EQ(tables.addresses,
              (std::vector<IpAddress>{*parse_ip_address("::1"), Ipv4Address::of(127, 0, 0, 1),
                                      Ipv4Address::of(192, 168, 10, 2),
                                      Ipv4Address::of(203, 0, 113, 2)}));
}

TEST_F(AKernelMirror, FollowsRoutes) {
    ASSERT_TRUE(succeeds("ip route add default via 203.0.113.1 metric 10"));
    EXPECT_TRUE(
        routes_come_to({{everywhere, Ipv4Address::of(203, 0, 113, 1), 0, 10}, lan_link, wan_link}));
    ASSERT_TRUE(succeeds("ip route replace default via 192.168.10.1 metric 10"));
    EXPECT_TRUE(routes_come_to(
        {{everywhere, Ipv4Address::of(192, 168, 10, 1), 1, 10}, lan_link, wan_link}));
    ASSERT_TRUE(succeeds("ip route del default"));
    EXPECT_TRUE(routes_come_to({lan_link, wan_link}));
}

TEST_F(AKernelMirror, FollowsRoutesThatTheKernelDropsInSilence) {
    ASSERT_TRUE(succeeds("ip route add default via 203.0.113.1"));
    ASSERT_TRUE(
        routes_come_to({{everywhere, Ipv4Address::of(203, 0, 113, 1), 0, 0}, lan_link, wan_link}));
    ASSERT_TRUE(succeeds("ip link set wan down"));
    EXPECT_TRUE(routes_come_to({lan_link}));
    ASSERT_TRUE(succeeds("ip link set wan up"));
    EXPECT_TRUE(routes_come_to({lan_link, wan_link}));
}

// A call's work is bounded: whatever the call ends with, what is left makes the descriptor
// readable.
TEST_F(AKernelMirror, FollowsSilentChangesAfterAnyNumberOfOthers) {
    for (int count = 0; count < 40; ++count) {
        std::string routes;
        for (int i = 1; i <= count; ++i) {
            routes += "route add 10.0.0." + std::to_string(i) + " via 203.0.113.1\n";
        }
        ASSERT_TRUE(succeeds("printf '" + routes + "' | ip -batch -; ip link set wan down"));
        ASSERT_TRUE(routes_come_to({lan_link})) << count;
        ASSERT_TRUE(succeeds("ip link set wan up"));
        ASSERT_TRUE(routes_come_to({lan_link, wan_link})) << count;
    }
}

TEST_F(AKernelMirror, TakesTheFirstHopOfARouteWithSeveral) {
    ASSERT_TRUE(succeeds("ip route add default nexthop via 203.0.113.1 nexthop via 192.168.10.1"));
    EXPECT_TRUE(
        routes_come_to({{everywhere, Ipv4Address::of(203, 0, 113, 1), 0, 0}, lan_link, wan_link}));
}

TEST_F(AKernelMirror, FollowsARouteOverANextHopObject) {
    ASSERT_TRUE(succeeds("ip nexthop add id 5 via 203.0.113.1 dev wan"));
    ASSERT_TRUE(succeeds("ip route add default nhid 5"));
    EXPECT_TRUE(
        routes_come_to({{everywhere, Ipv4Address::of(203, 0, 113, 1), 0, 0}, lan_link, wan_link}));
    succeeds("ip nexthop del id 5");
    EXPECT_TRUE(routes_come_to({lan_link, wan_link}));
}

TEST_F(AKernelMirror, ShowsBlackholesAndNotTheRoutesOfAManagementPort) {
    ASSERT_TRUE(succeeds("ip link add eth0 type veth peer name eth0peer"));
    ASSERT_TRUE(succeeds("ip link set eth0 up; ip addr add 10.5.0.2/24 dev eth0"));
    ASSERT_TRUE(succeeds("ip route add blackhole 198.51.100.0/24"));
    EXPECT_TRUE(routes_come_to(
        {lan_link, {{Ipv4Address::of(198, 51, 100, 0), 24}, {}, port_none, 0}, wan_link}));
    EXPECT_TRUE(comes_to([](const KernelTables& tables) {
        return std::ranges::count(tables.addresses, Ipv4Address::of(10, 5, 0, 2)) == 1;
    }));
    succeeds("ip route del blackhole 198.51.100.0/24");
}

TEST_F(AKernelMirror, FollowsNeighbours) {
    ASSERT_TRUE(succeeds("ip neigh add 192.168.10.11 lladdr 02:00:00:00:00:11 dev lan nud stale"));
    EXPECT_TRUE(neighbours_come_to({{real, 1, real_mac}}));
    ASSERT_TRUE(succeeds("ip neigh replace 192.168.10.11 lladdr 02:00:00:00:00:02 dev lan"));
    EXPECT_TRUE(neighbours_come_to({{real, 1, lan_mac}}));
    ASSERT_TRUE(succeeds("ip neigh del 192.168.10.11 dev lan"));
    EXPECT_TRUE(neighbours_come_to({}));
}

TEST_F(AKernelMirror, FollowsIpv6) {
    const auto v6 = [](const char* text) { return parse_ip_address(text).value(); };
    const IpPrefix network{v6("2001:db8:2::"), 64};
    const IpPrefix all{Ipv6Address{}, 0};
    ASSERT_TRUE(succeeds("ip addr add 2001:db8:2::1/64 dev lan nodad"));
    ASSERT_TRUE(succeeds("ip -6 route add default via 2001:db8:2::254 metric 10"));
    ASSERT_TRUE(succeeds("ip neigh add 2001:db8:2::11 lladdr 02:00:00:00:00:11 dev lan nud stale"));
    EXPECT_TRUE(comes_to([&](const KernelTables& tables) {
        const auto has_route = [&](const KernelRoute& route) {
            return std::ranges::find(tables.routes, route) != tables.routes.end();
        };
        return has_route({network, {}, 1, 256}) && has_route({all, v6("2001:db8:2::254"), 1, 10}) &&
               std::ranges::find(tables.addresses, v6("2001:db8:2::1")) != tables.addresses.end();
    })) << output_of("ip -6 route");
    EXPECT_TRUE(neighbours_come_to({{v6("2001:db8:2::11"), 1, real_mac}}));
    // What a mirror that opens now reads is the same.
    KernelMirror another = expect_value(KernelMirror::open({"wan", "lan"}));
    EXPECT_EQ(another.tables(), mirror.tables());
    ASSERT_TRUE(succeeds("ip addr del 2001:db8:2::1/64 dev lan"));
    EXPECT_TRUE(comes_to([&](const KernelTables& tables) {
        return std::ranges::none_of(
            tables.routes, [&](const KernelRoute& route) { return route.prefix == network; });
    }));
}

TEST_F(AKernelMirror, SolicitsANeighbourOfIpv6) {
    const IpAddress wanted = parse_ip_address("2001:db8:2::11").value();
    const TwinInterface speaking = expect_value(TwinInterface::open(
        {"six", lan_mac, 1'500, {parse_ip_prefix("2001:db8:2::1/64").value()}, true}));
    KernelMirror three = expect_value(KernelMirror::open({"wan", "lan", "six"}));
    ASSERT_TRUE(three.want_neighbour({2, wanted}));
    const auto is_solicitation = [&] {
        const std::vector<std::uint8_t> frame = read_frame(speaking.fd());
        constexpr std::size_t type_at = 14 + 40;
        constexpr std::size_t target_at = type_at + 8;
        return frame.size() >= target_at + 16 && frame[12] == 0x86 && frame[20] == 58 &&
               frame[type_at] == 135 &&
               std::equal(wanted.v6().octets.begin(), wanted.v6().octets.end(),
                          frame.begin() + target_at);
    };
    EXPECT_TRUE(eventually(is_solicitation));
    succeeds("ip link del six");
}

TEST_F(AKernelMirror, FollowsATwinsMacMtuAndEnd) {
    ASSERT_TRUE(succeeds("ip link set lan address 02:00:00:00:00:44 mtu 1300"));
    EXPECT_TRUE(comes_to([](const KernelTables& tables) {
        return tables.ports[1] == PortLink{{{2, 0, 0, 0, 0, 0x44}}, 1'300};
    }));
    ASSERT_TRUE(lan.remove());
    EXPECT_TRUE(comes_to([&](const KernelTables& tables) {
        return tables.ports[1] == PortLink{} && tables.routes == std::vector{wan_link} &&
               std::ranges::count(tables.addresses, Ipv4Address::of(192, 168, 10, 2)) == 0;
    }));
}

TEST_F(AKernelMirror, SaysWhetherItsTablesChanged) {
    succeeds("ip neigh add 192.168.10.11 lladdr 02:00:00:00:00:11 dev lan nud reachable");
    bool is_changed = false;
    EXPECT_TRUE(eventually([&] { return is_changed |= mirror.on_readable(); }));
    succeeds("ip neigh change 192.168.10.11 lladdr 02:00:00:00:00:11 dev lan nud stale");
    is_changed = false;
    EXPECT_TRUE(neighbours_come_to({{real, 1, real_mac}}));
    EXPECT_FALSE(mirror.on_readable());
}

TEST_F(AKernelMirror, HasAWantedNeighbourAskedForAtOnce) {
    ASSERT_TRUE(mirror.want_neighbour({1, real}));
    Arp question;
    ASSERT_TRUE(sees_question(question));
    EXPECT_EQ(question.sender, (std::array<std::uint8_t, 4>{192, 168, 10, 2}));
    EXPECT_EQ(question.sender_mac, lan_mac.bytes);
    EXPECT_TRUE(neighbours_come_to({}));
    answer(question);
    EXPECT_TRUE(neighbours_come_to({{real, 1, real_mac}}));
}

//   this network                                    the other network
//   lan (twin) ── pump ── eth1 ──────── veth ──────── eth9 192.168.10.11/24
TEST_F(AKernelMirror, ResolvesANeighbourThatIsARealHost) {
    const SecondNetwork other;
    ASSERT_TRUE(succeeds("ip link add eth1 type veth peer name eth9 netns " + other.pid()));
    ASSERT_TRUE(succeeds("ip link set eth1 up"));
    ASSERT_TRUE(succeeds(other.inside("ip link set eth9 address 02:00:00:00:00:11 up")));
    ASSERT_TRUE(succeeds(other.inside("ip addr add 192.168.10.11/24 dev eth9")));
    const FileDescriptor wire = packet_socket("eth1");
    ASSERT_TRUE(mirror.want_neighbour({1, real}));
    EXPECT_TRUE(comes_to([&](const KernelTables& tables) {
        pump(lan.fd(), wire.get());
        pump(wire.get(), lan.fd());
        return tables.neighbours == std::vector<KernelNeighbour>{{real, 1, real_mac}};
    }));
    succeeds("ip link del eth1");
}

TEST_F(AKernelMirror, HasAFailedNeighbourAskedForAgain) {
    succeeds("ip neigh add 192.168.10.11 dev lan nud failed");
    ASSERT_TRUE(neighbours_come_to({}));
    ASSERT_TRUE(mirror.want_neighbour({1, real}));
    Arp question;
    EXPECT_TRUE(sees_question(question));
}

TEST_F(AKernelMirror, HasAStaleNeighbourProbedAndKeptInUse) {
    ASSERT_TRUE(succeeds("echo 1 > /proc/sys/net/ipv4/neigh/lan/delay_first_probe_time"));
    succeeds("ip neigh add 192.168.10.11 lladdr 02:00:00:00:00:11 dev lan nud stale");
    ASSERT_TRUE(neighbours_come_to({{real, 1, real_mac}}));
    const std::array in_use{KernelMirror::Neighbour{1, real}};
    ASSERT_TRUE(mirror.keep_alive(in_use));
    Arp question;
    ASSERT_TRUE(sees_question(question));
    answer(question);
    EXPECT_TRUE(eventually([] { return has(output_of("ip neigh show dev lan"), "REACHABLE"); }));
    EXPECT_TRUE(neighbours_come_to({{real, 1, real_mac}}));
}

TEST_F(AKernelMirror, LeavesAPermanentNeighbourInPeace) {
    succeeds("ip neigh add 192.168.10.11 lladdr 02:00:00:00:00:11 dev lan nud permanent");
    ASSERT_TRUE(neighbours_come_to({{real, 1, real_mac}}));
    ASSERT_TRUE(mirror.want_neighbour({1, real}));
    EXPECT_TRUE(has(output_of("ip neigh show dev lan"), "PERMANENT"));
}

TEST_F(AKernelMirror, PassesOverANeighbourOnAPortWithoutATwin) {
    EXPECT_TRUE(mirror.want_neighbour({7, real}));
}

// More changes than the socket holds, none of them read meanwhile.
TEST_F(AKernelMirror, ReadsEverythingAgainAfterChangesWereLost) {
    constexpr std::uint32_t count = 40'000;
    TemporaryFolder folder;
    const auto batch = [&](const char* verb, std::uint32_t first, std::uint32_t last) {
        std::ofstream file{folder.path() + "/batch"};
        for (std::uint32_t i = first; i < last; ++i) {
            file << "route " << verb << ' ' << to_string(Ipv4Address::from_host(0x0A000000 + i))
                 << "/32 via 203.0.113.1\n";
        }
        file.close();
        return succeeds("ip -batch " + folder.path() + "/batch");
    };
    ASSERT_TRUE(batch("add", 0, count));
    EXPECT_TRUE(
        comes_to([](const KernelTables& tables) { return tables.routes.size() == count + 2; }));
    EXPECT_GE(mirror.overruns(), 1U);
    ASSERT_TRUE(batch("del", 0, count - 1));
    EXPECT_TRUE(routes_come_to({{{Ipv4Address::from_host(0x0A000000 + count - 1), 32},
                                 Ipv4Address::of(203, 0, 113, 1),
                                 0,
                                 0},
                                lan_link,
                                wan_link}));
}

}  // namespace
}  // namespace fulcrum
