// The kernel's reports to the tables that workers read. Expected tables are written by hand.
#include "controlplane/kernel/kernel_view.h"

#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

namespace fulcrum {
namespace {

constexpr int wan = 11;
constexpr int lan = 12;
constexpr int management = 2;
constexpr MacAddress wan_mac{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress router_mac{{2, 0, 0, 0, 0, 0xfe}};
constexpr Ipv4Address router = Ipv4Address::of(203, 0, 113, 1);
constexpr IpPrefix everywhere{Ipv4Address{}, 0};

LinkEvent link(int interface, const std::string& name) {
    return {.interface = interface, .name = name, .mac = wan_mac, .mtu = 1'500, .flags = IFF_UP};
}

RouteEvent route(IpPrefix prefix, int interface, Ipv4Address gateway = {},
                 std::uint32_t metric = 0) {
    return {.table = RT_TABLE_MAIN,
            .prefix = prefix,
            .metric = metric,
            .interface = interface,
            .gateway = gateway};
}

NeighbourEvent neighbour(int state) {
    return {.interface = wan,
            .address = router,
            .mac = router_mac,
            .state = static_cast<std::uint16_t>(state)};
}

class AKernelView : public testing::Test {
  protected:
    AKernelView() {
        view.apply(link(wan, "wan"));
        view.apply(link(lan, "lan"));
        view.apply(link(management, "eth0"));
        view.take_routes_doubt();
    }
    KernelView view{{"wan", "lan"}};
};

TEST_F(AKernelView, KnowsPortsInTheOrderOfTheConfiguration) {
    LinkEvent changed = link(lan, "lan");
    changed.mtu = 9'000;
    changed.mac = router_mac;
    EXPECT_TRUE(view.apply(changed));
    EXPECT_EQ(view.tables().ports, (std::vector<PortLink>{{wan_mac, 1'500}, {router_mac, 9'000}}));
}

TEST_F(AKernelView, ListsRoutesByTwinsAndNotThoseByOtherInterfaces) {
    EXPECT_TRUE(view.apply(route(everywhere, wan, router, 100)));
    view.apply(route(everywhere, management, Ipv4Address::of(192, 168, 0, 1)));
    EXPECT_EQ(view.tables().routes, (std::vector<KernelRoute>{{everywhere, router, 0, 100}}));
}

TEST_F(AKernelView, KnowsUnderWhichAddressARouteWantsUsToSpeakAndWhatThePortsHold) {
    RouteEvent event = route(everywhere, wan, router, 100);
    event.source = Ipv4Address::of(203, 0, 113, 2);
    view.apply(event);
    EXPECT_EQ(view.tables().routes,
              (std::vector<KernelRoute>{{everywhere, router, 0, 100, event.source}}));
    view.apply(AddressEvent{.interface = lan, .address = {event.source, 24}});
    view.apply(AddressEvent{.interface = management, .address = {router, 24}});
    EXPECT_EQ(view.tables().port_addresses, (std::vector<KernelAddress>{{{event.source, 24}, 1}}));
}

TEST_F(AKernelView, ListsARefusingRouteWithoutAPort) {
    RouteEvent blackhole = route({Ipv4Address::of(198, 51, 100, 0), 24}, 0);
    blackhole.is_refusal = true;
    EXPECT_TRUE(view.apply(blackhole));
    EXPECT_EQ(
        view.tables().routes,
        (std::vector<KernelRoute>{{{Ipv4Address::of(198, 51, 100, 0), 24}, {}, port_none, 0}}));
}

TEST_F(AKernelView, IgnoresRoutesOfOtherTables) {
    RouteEvent other = route(everywhere, wan, router);
    other.table = RT_TABLE_LOCAL;
    EXPECT_FALSE(view.apply(other));
    other.table = 1'000;
    EXPECT_FALSE(view.apply(other));
    EXPECT_TRUE(view.tables().routes.empty());
}

TEST_F(AKernelView, TakesAReplacementForTheRouteBefore) {
    view.apply(route(everywhere, wan, router));
    RouteEvent replacement = route(everywhere, lan, Ipv4Address::of(10, 0, 0, 1));
    replacement.is_replacement = true;
    EXPECT_TRUE(view.apply(replacement));
    EXPECT_EQ(view.tables().routes,
              (std::vector<KernelRoute>{{everywhere, Ipv4Address::of(10, 0, 0, 1), 1, 0}}));
    EXPECT_FALSE(view.take_routes_doubt());
}

TEST_F(AKernelView, DoubtsItsRoutesWhenOneOfSeveralEqualOnesIsReplaced) {
    view.apply(route(everywhere, wan, router));
    view.apply(route(everywhere, lan, Ipv4Address::of(10, 0, 0, 1)));
    view.take_routes_doubt();
    RouteEvent replacement = route(everywhere, lan, Ipv4Address::of(10, 0, 0, 9));
    replacement.is_replacement = true;
    view.apply(replacement);
    EXPECT_TRUE(view.take_routes_doubt());
    EXPECT_FALSE(view.take_routes_doubt());
}

TEST_F(AKernelView, DoubtsItsRoutesWhenALinkGoesDownOrAnAddressGoes) {
    LinkEvent down = link(wan, "wan");
    down.flags = 0;
    view.apply(down);
    EXPECT_TRUE(view.take_routes_doubt());
    view.apply(AddressEvent{.is_gone = true, .interface = wan, .address = {router, 24}});
    EXPECT_TRUE(view.take_routes_doubt());
}

TEST_F(AKernelView, UsesNeighboursOfEveryStateThatHasAnAddress) {
    for (const int state :
         {NUD_REACHABLE, NUD_STALE, NUD_DELAY, NUD_PROBE, NUD_PERMANENT, NUD_NOARP}) {
        view.apply(neighbour(state));
        EXPECT_EQ(view.tables().neighbours, (std::vector<KernelNeighbour>{{router, 0, router_mac}}))
            << state;
    }
    for (const int state : {NUD_INCOMPLETE, NUD_FAILED, NUD_NONE}) {
        view.apply(neighbour(state));
        EXPECT_TRUE(view.tables().neighbours.empty()) << state;
    }
}

TEST_F(AKernelView, SeesNoChangeWhenANeighbourOnlyAges) {
    EXPECT_TRUE(view.apply(neighbour(NUD_REACHABLE)));
    EXPECT_FALSE(view.apply(neighbour(NUD_STALE)));
    EXPECT_FALSE(view.apply(neighbour(NUD_PROBE)));
    EXPECT_TRUE(view.apply(neighbour(NUD_FAILED)));
    EXPECT_FALSE(view.apply(neighbour(NUD_INCOMPLETE)));
}

TEST_F(AKernelView, SeesAChangeWhenANeighbourMovesToAnotherMac) {
    view.apply(neighbour(NUD_REACHABLE));
    NeighbourEvent moved = neighbour(NUD_STALE);
    moved.mac = wan_mac;
    EXPECT_TRUE(view.apply(moved));
    EXPECT_EQ(view.tables().neighbours[0].mac, wan_mac);
}

TEST_F(AKernelView, LeavesOutGroups) {
    NeighbourEvent group = neighbour(NUD_NOARP);
    group.address = Ipv4Address::of(224, 0, 0, 18);
    group.mac = {{1, 0, 0x5e, 0, 0, 18}};
    EXPECT_FALSE(view.apply(group));
    EXPECT_TRUE(view.tables().neighbours.empty());
}

TEST_F(AKernelView, KnowsHowANeighbourStands) {
    using Standing = KernelView::Standing;
    EXPECT_EQ(view.neighbour(0, router), Standing::unknown);
    view.apply(neighbour(NUD_INCOMPLETE));
    EXPECT_EQ(view.neighbour(0, router), Standing::unusable);
    view.apply(neighbour(NUD_REACHABLE));
    EXPECT_EQ(view.neighbour(0, router), Standing::usable);
    EXPECT_EQ(view.neighbour(1, router), Standing::unknown);
    view.apply(neighbour(NUD_STALE));
    EXPECT_EQ(view.neighbour(0, router), Standing::stale);
    view.apply(neighbour(NUD_PERMANENT));
    EXPECT_EQ(view.neighbour(0, router), Standing::permanent);
}

TEST_F(AKernelView, HoldsTheAddressesOfAllInterfacesOnce) {
    const IpPrefix shared{Ipv4Address::of(10, 0, 0, 2), 24};
    EXPECT_TRUE(view.apply(AddressEvent{.interface = management, .address = shared}));
    view.apply(AddressEvent{.interface = lan, .address = {shared.address, 32}});
    view.apply(AddressEvent{.interface = 1, .address = {Ipv4Address::of(127, 0, 0, 1), 8}});
    EXPECT_EQ(view.tables().addresses, (std::vector<IpAddress>{Ipv4Address::of(10, 0, 0, 2),
                                                               Ipv4Address::of(127, 0, 0, 1)}));
}

TEST_F(AKernelView, ForgetsWhatBelongedToALinkThatIsGone) {
    view.apply(neighbour(NUD_REACHABLE));
    view.apply(AddressEvent{.interface = wan, .address = {Ipv4Address::of(203, 0, 113, 2), 24}});
    view.apply(route(everywhere, wan, router));
    LinkEvent gone = link(wan, "wan");
    gone.is_gone = true;
    EXPECT_TRUE(view.apply(gone));
    const KernelTables tables = view.tables();
    EXPECT_TRUE(tables.neighbours.empty());
    EXPECT_TRUE(tables.addresses.empty());
    EXPECT_TRUE(tables.routes.empty());
    EXPECT_EQ(tables.ports[0], PortLink{});
}

TEST_F(AKernelView, FollowsATwinThatWasMadeAgain) {
    LinkEvent gone = link(wan, "wan");
    gone.is_gone = true;
    view.apply(gone);
    EXPECT_TRUE(view.apply(link(30, "wan")));
    EXPECT_EQ(view.interface_of(0), 30);
    EXPECT_EQ(view.tables().ports[0].mac, wan_mac);
}

TEST_F(AKernelView, TakesOverATableFromADump) {
    view.apply(route(everywhere, wan, router));
    KernelView fresh{{"wan", "lan"}};
    fresh.apply(route({Ipv4Address::of(10, 0, 0, 0), 8}, lan));
    EXPECT_TRUE(view.adopt(KernelTable::routes, fresh));
    EXPECT_EQ(view.tables().routes,
              (std::vector<KernelRoute>{{{Ipv4Address::of(10, 0, 0, 0), 8}, {}, 1, 0}}));
    KernelView same{{"wan", "lan"}};
    same.apply(route({Ipv4Address::of(10, 0, 0, 0), 8}, lan));
    EXPECT_FALSE(view.adopt(KernelTable::routes, same));
}

}  // namespace
}  // namespace fulcrum
