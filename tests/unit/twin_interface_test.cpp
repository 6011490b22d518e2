// Twins in a real kernel, checked by ip and by frames.
#include "controlplane/kernel/twin_interface.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "tests/support/network_bench.h"

namespace fulcrum {
namespace {

constexpr MacAddress wan_mac{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress client_mac{{2, 0, 0, 0, 0, 0x99}};
constexpr MacAddress broadcast_mac{{255, 255, 255, 255, 255, 255}};
const TwinWish wish{
    .name = "wan", .mac = wan_mac, .mtu = 1'400, .addresses = {{Ipv4Address::of(10, 0, 0, 2), 24}}};

std::string setting(const std::string& name) {
    std::string value;
    std::ifstream{"/proc/sys/net/ipv4/conf/wan/" + name} >> value;
    return value;
}

class ATwin : public testing::Test {
  protected:
    ~ATwin() override { succeeds("ip link del wan"); }

    static TwinInterface open(const TwinWish& wanted = wish) {
        auto twin = TwinInterface::open(wanted);
        EXPECT_TRUE(twin) << (twin ? "" : twin.error().sentence);
        if (!twin) {
            std::abort();
        }
        EXPECT_EQ(twin->warnings(), std::vector<std::string>{});
        return std::move(*twin);
    }
    // The answer to "who has `target`", or operation 0 when none comes.
    static Arp ask(const TwinInterface& twin, std::array<std::uint8_t, 4> target) {
        const Arp question{
            .sender_mac = client_mac.bytes, .sender = {10, 0, 0, 77}, .target = target};
        write_frame(twin.fd(), frame_of(question, broadcast_mac.bytes));
        Arp answer{.operation = 0};
        const auto is_answered = [&] {
            Arp seen;
            if (read_arp(read_frame(twin.fd()), seen) && seen.operation == 2) {
                answer = seen;
            }
            return answer.operation == 2;
        };
        eventually(is_answered, std::chrono::milliseconds{300});
        return answer;
    }
};

TEST_F(ATwin, HasItsPortsNameMacMtuAndAddresses) {
    const TwinInterface twin = open();
    const std::string shown = output_of("ip addr show wan");
    EXPECT_TRUE(has(shown, "UP")) << shown;
    EXPECT_TRUE(has(shown, "mtu 1400")) << shown;
    EXPECT_TRUE(has(shown, "link/ether 02:00:00:00:00:01")) << shown;
    EXPECT_TRUE(has(shown, "inet 10.0.0.2/24")) << shown;
    EXPECT_FALSE(has(shown, "inet6")) << shown;
    EXPECT_TRUE(has(output_of("ip route"), "10.0.0.0/24 dev wan"));
    EXPECT_EQ(setting("arp_ignore"), "1");
    EXPECT_EQ(setting("arp_announce"), "2");
    EXPECT_EQ(setting("rp_filter"), "0");
}

TEST_F(ATwin, SpeaksIpv6WhenAskedTo) {
    TwinWish wanted = wish;
    wanted.addresses.push_back(parse_ip_prefix("2001:db8::2/64").value());
    wanted.speaks_ipv6 = true;
    TwinInterface twin = open(wanted);
    ASSERT_TRUE(twin.set_vips({parse_ip_address("2001:db8::80").value()}));
    const std::string shown = output_of("ip -6 -o addr show wan");
    EXPECT_TRUE(has(shown, "2001:db8::2/64")) << shown;
    EXPECT_TRUE(has(shown, "fe80::ff:fe00:1/64")) << shown;  // of 02:00:00:00:00:01
    EXPECT_TRUE(has(shown, "2001:db8::80/128")) << shown;
    EXPECT_FALSE(has(shown, "tentative")) << shown;
    const std::string vip = output_of("ip -6 -o addr show dev wan to 2001:db8::80/128");
    EXPECT_TRUE(has(vip, "deprecated") && has(vip, "noprefixroute") && has(vip, "nodad")) << vip;
    EXPECT_TRUE(has(output_of("ip -6 route"), "2001:db8::/64 dev wan"));
    EXPECT_FALSE(has(output_of("ip -6 route"), "2001:db8::80 dev wan proto"));
    // Its clean end takes the VIP away, and the next start finds the rest or puts it there.
    ASSERT_TRUE(twin.retire());
    EXPECT_FALSE(has(output_of("ip -6 -o addr show wan"), "2001:db8::80"));
}

TEST_F(ATwin, OutbidsAStrictReversePathFilterOfAllInterfaces) {
    ASSERT_TRUE(succeeds("echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter"));
    const TwinInterface twin = open();
    EXPECT_EQ(setting("rp_filter"), "2");
    succeeds("echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter");
}

TEST_F(ATwin, FollowsTheConfigurationsAddressesAndKeepsTheOperators) {
    TwinInterface twin = open();
    ASSERT_TRUE(succeeds("ip addr add 10.7.7.7/24 dev wan"));
    ASSERT_TRUE(twin.set_addresses({{Ipv4Address::of(10, 1, 0, 2), 16}}));
    const std::string shown = output_of("ip -4 -o addr show wan");
    EXPECT_TRUE(has(shown, "10.7.7.7/24")) << shown;
    EXPECT_TRUE(has(shown, "10.1.0.2/16")) << shown;
    EXPECT_FALSE(has(shown, "10.0.0.2/24")) << shown;
}

// The kernel throws a network's other addresses away together with its first.
TEST_F(ATwin, KeepsAnAddressWhoseNetworksFirstAddressGoes) {
    TwinInterface twin = open();
    ASSERT_TRUE(twin.set_addresses(
        {{Ipv4Address::of(10, 0, 0, 2), 24}, {Ipv4Address::of(10, 0, 0, 3), 24}}));
    ASSERT_TRUE(twin.set_addresses(
        {{Ipv4Address::of(10, 0, 0, 3), 24}, {Ipv4Address::of(10, 0, 0, 4), 24}}));
    const std::string shown = output_of("ip -4 -o addr show wan");
    EXPECT_FALSE(has(shown, "10.0.0.2/24")) << shown;
    EXPECT_TRUE(has(shown, "10.0.0.3/24")) << shown;
    EXPECT_TRUE(has(shown, "10.0.0.4/24")) << shown;
}

TEST_F(ATwin, HoldsVipsAsDeprecatedHostAddressesWithoutARoute) {
    TwinInterface twin = open();
    ASSERT_TRUE(twin.set_vips({Ipv4Address::of(10, 0, 0, 80)}));
    const std::string shown = output_of("ip -4 addr show wan");
    EXPECT_TRUE(has(shown, "inet 10.0.0.80/32")) << shown;
    EXPECT_TRUE(has(shown, "deprecated")) << shown;
    EXPECT_TRUE(has(shown, "noprefixroute")) << shown;
    EXPECT_FALSE(has(output_of("ip route show table main"), "10.0.0.80"));
    EXPECT_TRUE(has(output_of("ip route show table local"), "local 10.0.0.80 dev wan"));
}

TEST_F(ATwin, NeverMakesAVipTheSourceOfItsOwnTraffic) {
    TwinInterface twin = open();
    ASSERT_TRUE(twin.set_vips({Ipv4Address::of(10, 0, 0, 80), Ipv4Address::of(10, 0, 0, 1)}));
    ASSERT_TRUE(succeeds("ip route add default via 10.0.0.254"));
    EXPECT_TRUE(has(output_of("ip route get 10.0.0.9"), "src 10.0.0.2"));
    EXPECT_TRUE(has(output_of("ip route get 192.0.2.1"), "src 10.0.0.2"));
}

TEST_F(ATwin, AnswersArpForItsAddressesAndVipsAndForNothingElse) {
    TwinInterface twin = open();
    ASSERT_TRUE(twin.set_vips({Ipv4Address::of(10, 0, 0, 80)}));
    ASSERT_TRUE(succeeds("ip addr add 172.16.0.1/24 dev lo"));
    const Arp own = ask(twin, {10, 0, 0, 2});
    EXPECT_EQ(own.operation, 2);
    EXPECT_EQ(own.sender_mac, wan_mac.bytes);
    const Arp vip = ask(twin, {10, 0, 0, 80});
    EXPECT_EQ(vip.operation, 2);
    EXPECT_EQ(vip.sender, (std::array<std::uint8_t, 4>{10, 0, 0, 80}));
    EXPECT_EQ(ask(twin, {172, 16, 0, 1}).operation, 0);
    EXPECT_EQ(ask(twin, {10, 0, 0, 81}).operation, 0);
    succeeds("ip addr del 172.16.0.1/24 dev lo");
}

TEST_F(ATwin, OutlivesItsProcessAndGivesVipsOfAnEarlierRunAway) {
    {
        TwinInterface first = open();
        ASSERT_TRUE(first.set_vips({Ipv4Address::of(10, 0, 0, 80), Ipv4Address::of(10, 0, 0, 81)}));
    }
    ASSERT_TRUE(has(output_of("ip -4 -o addr show wan"), "10.0.0.80/32"));
    ASSERT_TRUE(succeeds("ip addr add 10.0.0.90/32 dev wan"));
    TwinInterface second = open();
    ASSERT_TRUE(second.set_vips({Ipv4Address::of(10, 0, 0, 81), Ipv4Address::of(10, 0, 0, 82)}));
    const std::string shown = output_of("ip -4 -o addr show wan");
    EXPECT_FALSE(has(shown, "10.0.0.80/32")) << shown;
    EXPECT_TRUE(has(shown, "10.0.0.81/32")) << shown;
    EXPECT_TRUE(has(shown, "10.0.0.82/32")) << shown;
    EXPECT_TRUE(has(shown, "10.0.0.90/32")) << shown;
    EXPECT_TRUE(has(shown, "10.0.0.2/24")) << shown;
}

TEST_F(ATwin, PutsBackAVipThatSomebodyTookAway) {
    TwinInterface twin = open();
    const std::vector<IpAddress> vips{Ipv4Address::of(10, 0, 0, 80)};
    ASSERT_TRUE(twin.set_vips(vips));
    ASSERT_TRUE(succeeds("ip addr del 10.0.0.80/32 dev wan"));
    ASSERT_TRUE(twin.set_vips(vips));
    EXPECT_TRUE(has(output_of("ip -4 -o addr show wan"), "10.0.0.80/32"));
}

TEST_F(ATwin, ChangesItsVipsInStepsWhenAskedTo) {
    TwinInterface twin = open();
    ASSERT_TRUE(twin.set_vips({Ipv4Address::of(10, 0, 0, 80), Ipv4Address::of(10, 0, 0, 81)}));
    const std::vector<IpAddress> wanted{Ipv4Address::of(10, 0, 0, 90),
                                        Ipv4Address::of(10, 0, 0, 91),
                                        Ipv4Address::of(10, 0, 0, 92)};
    const auto count = [] { return std::ranges::count(output_of("ip -4 -o addr show wan"), '\n'); };
    EXPECT_EQ(twin.set_vips(wanted, 1).value(), false);
    EXPECT_EQ(count(), 2);  // the port's own, and one VIP
    EXPECT_EQ(twin.set_vips(wanted, 2).value(), false);
    EXPECT_EQ(count(), 2);
    EXPECT_EQ(twin.set_vips(wanted, 2).value(), true);
    EXPECT_EQ(count(), 4);
    EXPECT_EQ(twin.set_vips(wanted, 2).value(), true);
    const std::string shown = output_of("ip -4 -o addr show wan");
    EXPECT_TRUE(has(shown, "10.0.0.90/32") && has(shown, "10.0.0.92/32")) << shown;
}

TEST_F(ATwin, CarriesFiveThousandVips) {
    TwinInterface twin = open();
    std::vector<IpAddress> vips;
    for (std::uint32_t i = 0; i < 5'000; ++i) {
        vips.push_back(Ipv4Address::from_host(0xC6120000 + i));  // 198.18.0.0/15
    }
    const auto begin = std::chrono::steady_clock::now();
    const Result<bool> set = twin.set_vips(vips);
    const auto after_set = std::chrono::steady_clock::now();
    ASSERT_TRUE(set) << set.error().sentence;
    const std::string shown = output_of("ip -4 -o addr show wan");
    EXPECT_EQ(std::ranges::count(shown, '\n'), 5'001);
    const auto before_same = std::chrono::steady_clock::now();
    ASSERT_TRUE(twin.set_vips(vips));
    const auto after_same = std::chrono::steady_clock::now();
    ASSERT_TRUE(twin.set_vips({}));
    const auto end = std::chrono::steady_clock::now();
    const auto us = [](auto duration) {
        return static_cast<int>(
            std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
    };
    RecordProperty("add_us", us(after_set - begin));
    RecordProperty("same_us", us(after_same - before_same));
    RecordProperty("remove_us", us(end - after_same));
    EXPECT_EQ(std::ranges::count(output_of("ip -4 -o addr show wan"), '\n'), 1);
}

TEST_F(ATwin, RetiresDownAndWithoutVipsButWithItsAddresses) {
    TwinInterface twin = open();
    ASSERT_TRUE(twin.set_vips({Ipv4Address::of(10, 0, 0, 80)}));
    ASSERT_TRUE(twin.retire());
    const std::string shown = output_of("ip -4 addr show wan");
    EXPECT_FALSE(has(shown, "UP")) << shown;
    EXPECT_FALSE(has(shown, "10.0.0.80")) << shown;
    EXPECT_TRUE(has(shown, "10.0.0.2/24")) << shown;
    EXPECT_FALSE(has(output_of("ip route"), "dev wan"));
}

TEST_F(ATwin, VanishesWhenRemoved) {
    TwinInterface twin = open();
    ASSERT_TRUE(twin.remove());
    EXPECT_TRUE(has(output_of("ip link show wan"), "does not exist"));
}

TEST_F(ATwin, IsRefusedWhereAnotherKindOfInterfaceHasItsName) {
    ASSERT_TRUE(succeeds("ip link add wan type veth peer name other"));
    const auto twin = TwinInterface::open(wish);
    ASSERT_FALSE(twin);
    EXPECT_EQ(twin.error().sentence,
              "port \"wan\": an interface wan exists and is no TAP; give the port another name");
}

TEST_F(ATwin, IsRefusedWhileAnotherProgramHoldsIt) {
    const TwinInterface first = open();
    const auto second = TwinInterface::open(wish);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().sentence,
              "port \"wan\": interface wan is in use by another program; is another director "
              "running?");
}

TEST_F(ATwin, IsRefusedUnderANameThatIsTooLong) {
    TwinWish wrong = wish;
    wrong.name = "a-name-of-sixteen";
    EXPECT_FALSE(TwinInterface::open(wrong));
}

}  // namespace
}  // namespace fulcrum
