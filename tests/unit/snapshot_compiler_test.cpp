// What workers are given for a plan written by hand.
#include "controlplane/snapshot_compiler.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "config/model/maglev.h"
#include "tests/support/small_config.h"

namespace fulcrum {
namespace {

using test::config;
using test::real;
using test::service;
using test::web;

constexpr MacAddress lan_mac{{2, 0, 0, 0, 0, 2}};
constexpr MacAddress web1_mac{{2, 0, 0, 0, 0, 11}};

// Every service of the configuration with all its reals usable, numbered as they stand.
CompileInput plan_of(std::vector<VirtualService> services, const std::string& seed = "fulcrum") {
    CompileInput input;
    input.epoch = 1;
    auto asked = std::make_shared<Config>(config(std::move(services)));
    asked->director.seed = seed;
    std::uint32_t tally = 0;
    for (const VirtualService& one : asked->services) {
        const auto position = static_cast<std::uint16_t>(input.services.size());
        ServicePlan plan{.asked = &one};
        for (const RealServer& server : one.reals) {
            plan.reals.push_back({.name = server.name,
                                  .endpoint = server.endpoint,
                                  .mode = server.forward,
                                  .standing = RealStanding::usable,
                                  .index = static_cast<std::uint16_t>(plan.reals.size()),
                                  .ring_weight = server.weight,
                                  .tally = tally++});
        }
        input.services.push_back(plan);
        input.listeners.push_back(
            {.point = listen_points(one).front(), .index = position, .service = position});
    }
    input.config = asked;
    input.kernel = std::make_shared<const KernelTables>(KernelTables{
        .ports = {{lan_mac, 1'500}},
        .routes = {{IpPrefix{Ipv4Address::of(192, 168, 10, 0), 24}, Ipv4Address{}, 0, 0}},
        .neighbours = {{Ipv4Address::of(192, 168, 10, 11), 0, web1_mac}}});
    return input;
}

std::uint64_t key(Endpoint endpoint, std::uint8_t protocol = 6) {
    return EndpointMap::key_of(endpoint.address.v4(), endpoint.port, protocol);
}
std::uint64_t key(const IpAddress& address) {
    return EndpointMap::key_of(address.v4(), be16{0}, 255);
}
Endpoint endpoint(std::uint8_t octet) { return real("", octet).endpoint; }

std::uint16_t sole_listener(const Snapshot& snapshot, Endpoint source, std::uint8_t protocol = 6) {
    const std::uint32_t at = snapshot.real_endpoints.find(key(source, protocol));
    return at == EndpointMap::absent ? std::uint16_t{12'345}
                                     : snapshot.reply_sources[at].sole_listener;
}

TEST(SnapshotCompiler, FindsAListenerByItsVipPortAndProtocol) {
    VirtualService dns = service("dns", 80, {real("ns1", 53)});
    dns.protocol = L4Protocol::udp;
    const Compiled compiled = compile(plan_of({web({real("web1", 11)}), dns}), {});
    const Snapshot& snapshot = *compiled.snapshot;
    const Endpoint vip{Ipv4Address::of(203, 0, 113, 80), be16{80}};
    EXPECT_EQ(snapshot.epoch, 1U);
    EXPECT_EQ(snapshot.listener_by_endpoint.find(key(vip, 6)), 0U);
    EXPECT_EQ(snapshot.listener_by_endpoint.find(key(vip, 17)), 1U);
    EXPECT_EQ(snapshot.listener_by_endpoint.find(key({vip.address, be16{81}})),
              EndpointMap::absent);
    EXPECT_EQ(snapshot.listeners[1].vip, vip.address);
    EXPECT_EQ(snapshot.listeners[1].port, vip.port);
    EXPECT_EQ(snapshot.listeners[1].protocol, L4Protocol::udp);
    EXPECT_EQ(snapshot.real_of(snapshot.listeners[1], 0).address,
              Ipv4Address::of(192, 168, 10, 53));
}

TEST(SnapshotCompiler, LaysRealsByTheirIndexWithHolesBetween) {
    CompileInput input = plan_of({web({real("web1", 11), real("web2", 21)})});
    input.services[0].reals[0].index = 3;
    input.services[0].reals[0].tally = 77;
    input.services[0].reals[1].index = 1;
    const Compiled compiled = compile(input, {});
    const Snapshot& snapshot = *compiled.snapshot;
    ASSERT_EQ(snapshot.services[0].real_count, 4U);
    const SnapshotListener& listener = snapshot.listeners[0];
    EXPECT_EQ(snapshot.real_of(listener, 0).standing, RealStanding::absent);
    EXPECT_EQ(snapshot.real_of(listener, 1).address, Ipv4Address::of(192, 168, 10, 21));
    EXPECT_EQ(snapshot.real_of(listener, 2).standing, RealStanding::absent);
    EXPECT_EQ(snapshot.real_of(listener, 3).address, Ipv4Address::of(192, 168, 10, 11));
    EXPECT_EQ(snapshot.real_of(listener, 3).port, be16{8'080});
    EXPECT_EQ(snapshot.real_of(listener, 3).tally, 77U);
}

TEST(SnapshotCompiler, KnowsTheWayToEachReal) {
    const Compiled compiled = compile(plan_of({web({real("web1", 11), real("web2", 21)})}), {});
    const Snapshot& snapshot = *compiled.snapshot;
    const NextHop& resolved = snapshot.real_of(snapshot.listeners[0], 0).hop;
    EXPECT_TRUE(resolved.is_resolved);
    EXPECT_EQ(resolved.destination, web1_mac);
    EXPECT_EQ(resolved.source, lan_mac);
    const NextHop& unresolved = snapshot.real_of(snapshot.listeners[0], 1).hop;
    EXPECT_FALSE(unresolved.is_resolved);
    EXPECT_EQ(unresolved.port, 0);
}

TEST(SnapshotCompiler, BuildsTheRingFromNamesWeightsAndSeed) {
    const Compiled compiled =
        compile(plan_of({web({real("web1", 11, 3), real("web2", 21, 1)})}), {});
    const std::vector<RingMember> members{{"web2", 1, 1}, {"web1", 3, 0}};
    const HashKey ring_key = derive_key("fulcrum", "ring");
    EXPECT_EQ(compiled.snapshot->ring_key, ring_key);
    EXPECT_EQ(*compiled.snapshot->services[0].ring, build_ring(members, 251, ring_key));
}

TEST(SnapshotCompiler, KeepsDownAndDrainedRealsOnTheRing) {
    CompileInput input = plan_of({web({real("web1", 11), real("web2", 21)})});
    const Compiled before = compile(input, {});
    input.services[0].reals[0].standing = RealStanding::draining;
    const Compiled after = compile(input, before.parts);
    EXPECT_EQ(before.snapshot->services[0].ring, after.snapshot->services[0].ring);
    EXPECT_TRUE(after.slots_moved.empty());
    EXPECT_TRUE(after.snapshot->services[0].has_usable_real);
    EXPECT_EQ(after.snapshot->real_of(after.snapshot->listeners[0], 0).standing,
              RealStanding::draining);
    input.services[0].reals[1].standing = RealStanding::draining;
    EXPECT_FALSE(compile(input, after.parts).snapshot->services[0].has_usable_real);
}

TEST(SnapshotCompiler, RebuildsTheRingWhenMembersWeightsSizeOrSeedChange) {
    const auto ring_of = [](VirtualService asked, const std::string& seed,
                            const CompiledParts& parts) {
        return compile(plan_of({std::move(asked)}, seed), parts).snapshot->services[0].ring;
    };
    const VirtualService asked = web({real("web1", 11, 2), real("web2", 21)});
    const Compiled first = compile(plan_of({asked}), {});
    const std::shared_ptr<const Ring> ring = first.snapshot->services[0].ring;
    EXPECT_EQ(ring_of(asked, "fulcrum", first.parts), ring);
    EXPECT_NE(*ring_of(asked, "another", first.parts), *ring);
    VirtualService heavier = asked;
    heavier.reals[0].weight = 3;
    EXPECT_NE(*ring_of(heavier, "fulcrum", first.parts), *ring);
    VirtualService larger = asked;
    larger.ring_size = 509;
    EXPECT_EQ(ring_of(larger, "fulcrum", first.parts)->size(), 509U);
    VirtualService renamed = asked;
    renamed.reals[0].name = "web9";
    EXPECT_NE(*ring_of(renamed, "fulcrum", first.parts), *ring);
    VirtualService moved = asked;  // another machine of the same name and index: the same slots
    moved.reals[0].endpoint = endpoint(12);
    EXPECT_EQ(ring_of(moved, "fulcrum", first.parts), ring);
}

// Slots say indexes, so the same names under other numbers need another ring.
TEST(SnapshotCompiler, RebuildsTheRingWhenARealHasAnotherIndex) {
    CompileInput input = plan_of({web({real("web1", 11), real("web2", 21)})});
    const Compiled first = compile(input, {});
    input.services[0].reals[1].index = 2;
    const Compiled second = compile(input, first.parts);
    const Ring& ring = *second.snapshot->services[0].ring;
    EXPECT_EQ(std::count(ring.begin(), ring.end(), 1), 0);
    EXPECT_GT(std::count(ring.begin(), ring.end(), 2), 0);
}

TEST(SnapshotCompiler, ReportsNothingWhenARebuiltRingIsTheSame) {
    const Compiled first = compile(plan_of({web({real("a", 1, 1), real("b", 2, 2)})}), {});
    const Compiled second =
        compile(plan_of({web({real("a", 1, 10), real("b", 2, 20)})}), first.parts);
    EXPECT_TRUE(second.slots_moved.empty());
}

TEST(SnapshotCompiler, SharesOneRingBetweenServicesWithTheSameMembers) {
    const Compiled compiled =
        compile(plan_of({service("a", 1, {real("web1", 11)}), service("b", 2, {real("web1", 12)}),
                         service("c", 3, {real("web2", 13)})}),
                {});
    const auto& services = compiled.snapshot->services;
    EXPECT_EQ(services[0].ring, services[1].ring);
    EXPECT_NE(services[0].ring, services[2].ring);
}

TEST(SnapshotCompiler, LaysAGateWhereOneIsAskedForAndMakesEqualListsOnce) {
    const auto rules_of = [](const char* denied) {
        return std::make_shared<const AccessRules>(
            AccessRules{.allow = {}, .deny = {IpPrefix::only(*parse_ip_address(denied))}});
    };
    std::vector<VirtualService> asked{service("open", 1, {}), service("a", 2, {}),
                                      service("b", 3, {}), service("c", 4, {})};
    asked[1].access.rules = rules_of("198.51.100.7");
    asked[2].access.rules = rules_of("198.51.100.7");
    asked[2].limits.packets_per_s = 5;
    asked[3].limits.client_sessions_per_s = 7;
    const Compiled first = compile(plan_of(asked), {});
    const auto& services = first.snapshot->services;
    EXPECT_EQ(services[0].gate, nullptr);
    EXPECT_EQ(services[1].gate->access, services[2].gate->access);
    EXPECT_FALSE(
        services[1].gate->access->admits(client_prefix_of(Ipv4Address::of(198, 51, 100, 7))));
    EXPECT_EQ(services[3].gate->access, nullptr);
    EXPECT_EQ(services[3].gate->limits.client_sessions_per_s, 7U);
    EXPECT_FALSE(first.snapshot->listeners[1].has_packet_limits);
    EXPECT_TRUE(first.snapshot->listeners[2].has_packet_limits);
    EXPECT_FALSE(first.snapshot->listeners[3].has_packet_limits);

    asked[1].access.rules = rules_of("198.51.100.7");  // read anew
    asked[2].access.rules = rules_of("198.51.100.8");
    const Compiled second = compile(plan_of(asked), first.parts);
    EXPECT_EQ(second.snapshot->services[1].gate->access, services[1].gate->access);
    EXPECT_NE(second.snapshot->services[2].gate->access, services[1].gate->access);
    EXPECT_EQ(second.parts.access.size(), 2U);
}

TEST(SnapshotCompiler, ReportsTheSlotsThatMovedByService) {
    const Compiled before = compile(
        plan_of({web({real("web1", 11), real("web2", 21)}), service("b", 2, {real("x", 1)})}), {});
    EXPECT_TRUE(before.slots_moved.empty());
    const Compiled after =
        compile(plan_of({web({real("web1", 11)}), service("b", 2, {real("x", 1)}),
                         service("new", 3, {real("y", 2)})}),
                before.parts);
    ASSERT_EQ(after.slots_moved.size(), 1U);
    const Ring& ring = *before.snapshot->services[0].ring;
    EXPECT_EQ(after.slots_moved.at("web"), std::count(ring.begin(), ring.end(), 1));
}

TEST(SnapshotCompiler, GivesAServiceWithoutWeightAnEmptyRing) {
    const Compiled compiled = compile(plan_of({web({real("web1", 11, 0)}), web({})}), {});
    ASSERT_NE(compiled.snapshot->services[0].ring, nullptr);
    EXPECT_TRUE(compiled.snapshot->services[0].ring->empty());
    EXPECT_FALSE(compiled.snapshot->services[0].has_usable_real);
    ASSERT_NE(compiled.snapshot->services[1].ring, nullptr);
}

TEST(SnapshotCompiler, GivesTheFallbackAnIndexAndNoSlots) {
    CompileInput input = plan_of({web({real("web1", 11)})});
    input.services[0].reals.push_back({.name = "sorry",
                                       .endpoint = endpoint(99),
                                       .standing = RealStanding::usable,
                                       .index = 1,
                                       .ring_weight = 0,
                                       .tally = 1});
    input.services[0].fallback = 1;
    const Compiled compiled = compile(input, {});
    const SnapshotService& made = compiled.snapshot->services[0];
    EXPECT_EQ(made.fallback, 1);
    EXPECT_EQ(std::count(made.ring->begin(), made.ring->end(), 1), 0);
    input.services[0].reals[0].standing = RealStanding::draining;
    EXPECT_FALSE(compile(input, {}).snapshot->services[0].has_usable_real);
}

TEST(SnapshotCompiler, LeavesAHoleWhereAListenerWas) {
    CompileInput input = plan_of({web({real("web1", 11)})});
    input.listeners[0].index = 2;
    ServicePlan removed;
    removed.reals.push_back({.endpoint = endpoint(31), .index = 1, .tally = 9});
    input.services.push_back(removed);
    input.listeners.push_back({.point = {Ipv4Address::of(203, 0, 113, 25), PortRange::only(25)},
                               .index = 4,
                               .is_present = false,
                               .service = 1});
    const Compiled compiled = compile(input, {});
    const Snapshot& snapshot = *compiled.snapshot;
    ASSERT_EQ(snapshot.listeners.size(), 5U);
    EXPECT_FALSE(snapshot.listeners[0].is_present);
    EXPECT_TRUE(snapshot.listeners[2].is_present);
    EXPECT_FALSE(snapshot.listeners[4].is_present);
    EXPECT_EQ(snapshot.listener_by_endpoint.find(key({input.listeners[1].point.vip, be16{25}})),
              EndpointMap::absent);
    EXPECT_EQ(snapshot.vips.find(key(input.listeners[1].point.vip)), EndpointMap::absent);
    // By the hole a worker still finds the tally of a session that it sweeps.
    const SnapshotReal& hole = snapshot.real_of(snapshot.listeners[4], 1);
    EXPECT_EQ(hole.standing, RealStanding::absent);
    EXPECT_EQ(hole.tally, 9U);
    EXPECT_EQ(snapshot.real_addresses.find(key(endpoint(31).address)), EndpointMap::absent);
}

TEST(SnapshotCompiler, TranslatesStatelesslyOnlyForRealsOfOneListener) {
    RealServer direct = real("d", 41);
    direct.forward = ForwardingMode::direct;
    VirtualService dns = service("dns", 53, {real("x", 11)});
    dns.protocol = L4Protocol::udp;
    const Compiled compiled =
        compile(plan_of({web({real("a", 11), real("b", 21), direct}),
                         service("shop", 81, {real("c", 21), real("d", 31)}), dns}),
                {});
    const Snapshot& snapshot = *compiled.snapshot;
    EXPECT_EQ(sole_listener(snapshot, endpoint(11)), 0);
    EXPECT_EQ(sole_listener(snapshot, endpoint(21)), limits::index_none);
    EXPECT_EQ(sole_listener(snapshot, endpoint(31)), 1);
    EXPECT_EQ(sole_listener(snapshot, endpoint(11), 17), 2);
    EXPECT_EQ(snapshot.real_endpoints.find(key(endpoint(41))), EndpointMap::absent);
}

// A real that was renamed: the old one drains beside the new.
TEST(SnapshotCompiler, TranslatesStatelesslyForTwoRealsOfOneListenerAtOneEndpoint) {
    CompileInput input = plan_of({web({real("old", 11), real("new", 11)})});
    input.services[0].reals[0].standing = RealStanding::draining;
    const Compiled compiled = compile(input, {});
    EXPECT_EQ(sole_listener(*compiled.snapshot, endpoint(11)), 0);
}

// A service that took another VIP: the old listener is a hole, and no session of it may live.
TEST(SnapshotCompiler, DoesNotCountAHoleAmongTheListenersOfItsReals) {
    CompileInput input = plan_of({web({real("web1", 11)})});
    input.listeners.push_back({.index = 1, .is_present = false, .service = 0});
    const Compiled compiled = compile(input, {});
    EXPECT_EQ(sole_listener(*compiled.snapshot, endpoint(11)), 0);
}

TEST(SnapshotCompiler, TakesRepliesOfDrainingRealsAndNotOfHoles) {
    CompileInput input = plan_of({web({real("a", 11), real("b", 21)})});
    input.services[0].reals[0].standing = RealStanding::draining;
    input.services[0].reals[1].standing = RealStanding::absent;
    const Compiled compiled = compile(input, {});
    EXPECT_EQ(sole_listener(*compiled.snapshot, endpoint(11)), 0);
    EXPECT_EQ(compiled.snapshot->real_endpoints.find(key(endpoint(21))), EndpointMap::absent);
}

TEST(SnapshotCompiler, KnowsVipsAndRealsByAddressAlone) {
    RealServer direct = real("d", 41);
    direct.forward = ForwardingMode::direct;
    const Compiled compiled = compile(plan_of({web({real("a", 11), direct})}), {});
    const Snapshot& snapshot = *compiled.snapshot;
    EXPECT_NE(snapshot.vips.find(key(Ipv4Address::of(203, 0, 113, 80))), EndpointMap::absent);
    EXPECT_EQ(snapshot.vips.find(key(Ipv4Address::of(203, 0, 113, 81))), EndpointMap::absent);
    EXPECT_NE(snapshot.real_addresses.find(key(endpoint(11).address)), EndpointMap::absent);
    EXPECT_NE(snapshot.real_addresses.find(key(endpoint(41).address)), EndpointMap::absent);
    EXPECT_EQ(snapshot.real_addresses.find(key(endpoint(12).address)), EndpointMap::absent);
}

TEST(SnapshotCompiler, AnswersSynsWhereEveryRealAnswersThroughUs) {
    RealServer far = real("far", 11);
    far.forward = ForwardingMode::full_nat;
    RealServer past_us = real("past", 31);
    past_us.forward = ForwardingMode::direct;
    VirtualService datagrams = service("dns", 82, {real("d", 41)});
    datagrams.protocol = L4Protocol::udp;
    const Compiled compiled =
        compile(plan_of({web({far, real("near", 21)}),
                         service("mixed", 81, {real("near", 21), past_us}), datagrams}),
                {});
    EXPECT_EQ(compiled.snapshot->services[0].syn_cookies, SynCookies::automatic);
    EXPECT_EQ(compiled.snapshot->services[1].syn_cookies, SynCookies::never);
    EXPECT_EQ(compiled.snapshot->services[2].syn_cookies, SynCookies::never);
}

TEST(SnapshotCompiler, LeavesATunnelWhatItsWayCarriesLessTheOuterHeader) {
    RealServer far = real("far", 11);
    far.forward = ForwardingMode::gue;
    CompileInput input = plan_of({web({far, real("near", 21)})});
    KernelTables kernel = *input.kernel;
    kernel.port_addresses = {{{Ipv4Address::of(192, 168, 10, 1), 24}, 0}};
    input.kernel = std::make_shared<const KernelTables>(kernel);
    const Compiled before = compile(input, {});
    EXPECT_EQ(before.snapshot->reals[0].hop.mtu, 1'500 - 32);
    EXPECT_EQ(before.snapshot->reals[1].hop.mtu, 1'500);

    input.path_mtus = {{far.endpoint.address, 1'400}, {endpoint(21).address, 1'300}};
    const Compiled after = compile(input, {});
    EXPECT_EQ(after.snapshot->reals[0].hop.mtu, 1'400 - 32);
    EXPECT_EQ(after.snapshot->tunnels[0].mtu, 1'400 - 32);
    EXPECT_EQ(after.snapshot->reals[1].hop.mtu, 1'500);  // no tunnel: nobody asks us
}

TEST(SnapshotCompiler, FindsATunnelByItsEnd) {
    RealServer ipip = real("a", 11);
    ipip.forward = ForwardingMode::ipip;
    RealServer gue = real("b", 21);
    gue.forward = ForwardingMode::gue;
    const Compiled compiled = compile(plan_of({web({ipip, gue, real("c", 31)})}), {});
    const Snapshot& snapshot = *compiled.snapshot;
    EXPECT_EQ(snapshot.tunnel_to({ipip.endpoint.address.v4(), be16{}}, IpFamily::v4),
              &snapshot.tunnels[0]);
    EXPECT_EQ(snapshot.tunnel_to({gue.endpoint.address.v4(), be16{6'080}}, IpFamily::v4),
              &snapshot.tunnels[1]);
    EXPECT_EQ(snapshot.tunnel_to({gue.endpoint.address.v4(), be16{}}, IpFamily::v4), nullptr);
    EXPECT_EQ(snapshot.tunnel_to({endpoint(31).address.v4(), be16{}}, IpFamily::v4), nullptr);
}

// Its name is a small number, which is some IPv4 address too.
TEST(SnapshotCompiler, FindsATunnelToIpv6ByTheNameOfItsEnd) {
    RealServer far = real("far", 11);
    far.endpoint.address = *parse_ipv6_address("2001:db8::11");
    far.forward = ForwardingMode::ipip;
    CompileInput input = plan_of({web({far})});
    KernelTables kernel = *input.kernel;
    kernel.port_addresses = {{{*parse_ipv6_address("fe80::1"), 64}, 0},
                             {{*parse_ipv6_address("2001:db8::1"), 64}, 0}};
    kernel.routes.push_back({{*parse_ipv6_address("2001:db8::"), 64}, {}, 0});
    input.kernel = std::make_shared<const KernelTables>(kernel);
    const Compiled compiled = compile(input, {});
    const Snapshot& snapshot = *compiled.snapshot;
    const AddressName name = snapshot.name_of(*parse_ipv6_address("2001:db8::11"));
    EXPECT_EQ(snapshot.tunnel_to({name, be16{}}, IpFamily::v6), &snapshot.tunnels[0]);
    EXPECT_EQ(snapshot.tunnel_to({name, be16{}}, IpFamily::v4), nullptr);
    EXPECT_EQ(snapshot.reals[0].hop.mtu, 1'500 - 40);
}

TEST(SnapshotCompiler, GivesEachStateItsTimeout) {
    VirtualService asked = web({});
    asked.timeouts = {.tcp_handshake_s = 1,
                      .tcp_established_s = 2,
                      .tcp_half_closed_s = 3,
                      .tcp_closed_s = 4,
                      .udp_one_way_s = 5,
                      .udp_s = 6,
                      .sctp_handshake_s = 11,
                      .sctp_established_s = 12,
                      .sctp_shutdown_s = 13,
                      .sctp_closed_s = 14};
    const Compiled compiled = compile(plan_of({asked}), {});
    const SnapshotService& made = compiled.snapshot->services[0];
    EXPECT_FALSE(made.timeouts_are_coarse);
    //   vacant, syn_seen, syn_answered, picked_up, one_way, direct_opening, established,
    //   client_closed, real_closed, two_way, reset_by_client, reset_by_real, closed; then SCTP's
    EXPECT_EQ(made.timeouts, (std::array<std::uint16_t, session_timeout_count>{
                                 0, 1,  1,  1,  5, 1,  2,  3,  3,  6, 4,  4,  4,  //
                                 0, 11, 11, 11, 5, 11, 12, 13, 13, 6, 14, 14, 14}));
}

TEST(SnapshotCompiler, CountsInUnitsOf64SecondsAboveEightHours) {
    VirtualService asked = web({});
    asked.timeouts.tcp_established_s = 28'800;
    EXPECT_FALSE(compile(plan_of({asked}), {}).snapshot->services[0].timeouts_are_coarse);
    asked.timeouts.tcp_established_s = 28'801;
    const Compiled compiled = compile(plan_of({asked}), {});
    const SnapshotService& made = compiled.snapshot->services[0];
    EXPECT_TRUE(made.timeouts_are_coarse);
    EXPECT_EQ(made.timeouts[6], 451);  // 450.02 units, rounded up
    EXPECT_EQ(made.timeouts[1], 1);    // 30 s
    EXPECT_EQ(made.timeouts[7], 2);    // 120 s
}

TEST(SnapshotCompiler, HoldsTheLongestTimeoutOfAll) {
    VirtualService asked = web({});
    asked.timeouts.tcp_established_s = limits::timeout_max_s;
    const Compiled compiled = compile(plan_of({asked}), {});
    EXPECT_EQ(compiled.snapshot->services[0].timeouts[6], 31 * 24 * 3'600 / 64);
}

TEST(SnapshotCompiler, KeepsPathsWhileTheKernelsTablesAreTheSame) {
    CompileInput input = plan_of({web({real("web1", 11)})});
    const Compiled first = compile(input, {});
    input.kernel = std::make_shared<const KernelTables>(*input.kernel);
    const Compiled second = compile(input, first.parts);
    EXPECT_EQ(second.snapshot->paths, first.snapshot->paths);
    KernelTables tables = *input.kernel;
    tables.neighbours.clear();
    input.kernel = std::make_shared<const KernelTables>(tables);
    const Compiled third = compile(input, second.parts);
    EXPECT_NE(third.snapshot->paths, first.snapshot->paths);
    EXPECT_FALSE(third.snapshot->reals[0].hop.is_resolved);
}

TEST(SnapshotCompiler, SaysWhatBecomesOfClientsWithoutAReal) {
    VirtualService asked = web({});
    EXPECT_EQ(compile(plan_of({asked}), {}).snapshot->services[0].no_real, NoReal::reset);
    asked.no_real = NoReal::silent;
    EXPECT_EQ(compile(plan_of({asked}), {}).snapshot->services[0].no_real, NoReal::silent);
}

void expect_same(const Snapshot& a, const Snapshot& b) {
    ASSERT_EQ(a.services.size(), b.services.size());
    ASSERT_EQ(a.reals.size(), b.reals.size());
    for (std::size_t i = 0; i < a.services.size(); ++i) {
        EXPECT_EQ(*a.services[i].ring, *b.services[i].ring);
        EXPECT_EQ(a.services[i].first_real, b.services[i].first_real);
        EXPECT_EQ(a.services[i].timeouts, b.services[i].timeouts);
    }
    for (std::size_t i = 0; i < a.reals.size(); ++i) {
        EXPECT_EQ(a.reals[i].address, b.reals[i].address);
        EXPECT_EQ(a.reals[i].tally, b.reals[i].tally);
        EXPECT_EQ(a.reals[i].standing, b.reals[i].standing);
        EXPECT_EQ(a.reals[i].hop, b.reals[i].hop);
    }
}

// Whatever was compiled before: nothing, the same, or something else.
TEST(SnapshotCompiler, MakesTheSameSnapshotOfTheSameInput) {
    const CompileInput input = plan_of(
        {web({real("web1", 11, 3), real("web2", 21)}), service("b", 2, {real("web1", 11, 2)})});
    const Compiled fresh = compile(input, {});
    const Compiled again = compile(input, fresh.parts);
    const Compiled other =
        compile(plan_of({web({real("web2", 21)}), service("c", 2, {real("web1", 11, 2)})}), {});
    const Compiled after_other = compile(input, other.parts);
    expect_same(*fresh.snapshot, *again.snapshot);
    expect_same(*fresh.snapshot, *after_other.snapshot);
}

TEST(SnapshotCompiler, ForgetsRingsThatNobodyUses) {
    const Compiled first = compile(plan_of({web({real("web1", 11)})}), {});
    const Compiled second = compile(plan_of({web({real("web2", 21)})}), first.parts);
    EXPECT_EQ(second.parts.rings.size(), 1U);
    EXPECT_EQ(first.snapshot->services[0].ring.use_count(), 3);  // snapshot, rings, ring_of
}

TEST(SnapshotCompiler, LeadsNobodyToAListenerOnStandbyAndKeepsItForItsSessions) {
    CompileInput input = plan_of({web({real("web1", 11)}), service("shop", 81, {real("s", 12)})});
    input.listeners[0].is_standby = true;
    const Compiled compiled = compile(input, {});
    const Snapshot& snapshot = *compiled.snapshot;
    const Endpoint vip{Ipv4Address::of(203, 0, 113, 80), be16{80}};
    const Endpoint other{Ipv4Address::of(203, 0, 113, 81), be16{80}};
    EXPECT_EQ(snapshot.listener_by_endpoint.find(key(vip)), EndpointMap::absent);
    EXPECT_EQ(snapshot.listener_by_endpoint.find(key(other)), 1U);
    EXPECT_FALSE(snapshot.is_vip(vip.address));
    EXPECT_TRUE(snapshot.is_vip(other.address));
    EXPECT_EQ(sole_listener(snapshot, endpoint(11)), 12'345);  // none
    EXPECT_EQ(sole_listener(snapshot, endpoint(12)), 1);
    EXPECT_TRUE(snapshot.listeners[0].is_present);
    EXPECT_TRUE(snapshot.listeners[0].is_standby);
    EXPECT_FALSE(snapshot.listeners[1].is_standby);
    EXPECT_EQ(snapshot.listeners[0].real_count, 1U);
}

TEST(SnapshotCompiler, LeadsLatePacketsToAListenerThatIsBeingLeft) {
    CompileInput input = plan_of({web({real("web1", 11)})});
    input.listeners[0].is_elsewhere = true;
    const Compiled compiled = compile(input, {});
    const Endpoint vip{Ipv4Address::of(203, 0, 113, 80), be16{80}};
    EXPECT_EQ(compiled.snapshot->listener_by_endpoint.find(key(vip)), 0U);
    EXPECT_TRUE(compiled.snapshot->listeners[0].is_standby)
        << "the other's word on sessions counts";
}

TEST(SnapshotCompiler, TakesNoRepliesAtALocalAddressThatAnotherDirectorHolds) {
    CompileInput input = plan_of({web({real("web1", 11)})});
    input.local_addresses = {
        {.address = Ipv4Address::of(192, 168, 10, 100), .place = 0},
        {.address = Ipv4Address::of(192, 168, 10, 101), .place = 1, .is_standby = true}};
    const Compiled compiled = compile(input, {});
    const Snapshot& snapshot = *compiled.snapshot;
    const auto place_of = [&](std::uint8_t octet) {
        return snapshot.local_places.find(EndpointMap::key_of(
            Ipv4Address::of(192, 168, 10, octet), be16{}, endpoint_kind::local_address));
    };
    EXPECT_EQ(place_of(100), 0U);
    EXPECT_EQ(place_of(101), EndpointMap::absent);
    EXPECT_EQ(snapshot.local_address(1), Ipv4Address::of(192, 168, 10, 101));
}

}  // namespace
}  // namespace fulcrum
