// Devices taken and given back in a real kernel, checked by ethtool, nft, ip and a second network
// behind a veth pair.
#include "controlplane/kernel/taken_device.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/network_bench.h"

namespace fulcrum {
namespace {

//   this network                     the other network
//   eth1 10.0.0.1/24 ──── veth ──── eth9 10.0.0.9/24
class ATakenDevice : public testing::Test {
  protected:
    ATakenDevice() { plug(); }
    ~ATakenDevice() override { succeeds("ip link del eth1; nft flush ruleset"); }

    void plug() {
        EXPECT_TRUE(succeeds("ip link add eth1 type veth peer name eth9 netns " + other.pid()));
        EXPECT_TRUE(succeeds("ip addr add 10.0.0.1/24 dev eth1"));
        EXPECT_TRUE(succeeds("ip -6 addr add 2001:db8::1/64 dev eth1 nodad"));
        EXPECT_TRUE(succeeds("ethtool -K eth1 tso off gro on"));
        EXPECT_TRUE(succeeds("ip link set eth1 up"));
        EXPECT_TRUE(succeeds(other.inside("ip addr add 10.0.0.9/24 dev eth9")));
        EXPECT_TRUE(succeeds(other.inside("ip link set eth9 up")));
    }
    TakenDevice take() {
        auto taken = TakenDevice::take("eth1", folder.path());
        EXPECT_TRUE(taken) << (taken ? "" : taken.error().sentence);
        if (!taken) {
            std::abort();
        }
        return std::move(*taken);
    }
    // Everything that a taking may touch, as the system's tools print it. Our own link-local
    // address is made anew by the kernel and is "tentative" for a second.
    static std::string state() {
        return output_of(
            "ethtool -k eth1; nft list ruleset; ip -o link show eth1 | tail -n +1; "
            "ip -o addr show eth1 | sed 's/ tentative//' | sort; "
            "cat /proc/sys/net/ipv6/conf/eth1/disable_ipv6");
    }
    // Whether the kernel resets a connection to a port that nobody listens on.
    bool is_answered() const {
        return has(output_of(other.inside("timeout 0.5 bash -c '</dev/tcp/10.0.0.1/9'")),
                   "refused");
    }
    bool has_state_file() const { return std::ifstream{folder.path() + "/taken-eth1"}.good(); }

    // Takes it in a process that dies at once, without a chance to clean up.
    void take_and_be_killed() {
        const pid_t child = fork();
        if (child == 0) {
            const auto taken = TakenDevice::take("eth1", folder.path());
            kill(getpid(), SIGKILL);
            _exit(taken ? 0 : 1);
        }
        int status = 0;
        waitpid(child, &status, 0);
        EXPECT_TRUE(WIFSIGNALED(status));
    }

    SecondNetwork other;
    TemporaryFolder folder;
};

TEST_F(ATakenDevice, IsDeafForTheKernelAndNotForPacketSockets) {
    ASSERT_TRUE(eventually([&] { return is_answered(); }));
    TakenDevice taken = take();
    const FileDescriptor sniffer = packet_socket("eth1");
    EXPECT_FALSE(is_answered());
    EXPECT_FALSE(read_frame(sniffer.get()).empty());
    ASSERT_TRUE(taken.give_back());
    EXPECT_TRUE(is_answered());
}

TEST_F(ATakenDevice, HasTheMtuThatItIsAskedFor) {
    const std::string before = state();
    auto taken = TakenDevice::take("eth1", folder.path(), 9'000);
    ASSERT_TRUE(taken) << taken.error().sentence;
    EXPECT_TRUE(has(output_of("ip link show eth1"), "mtu 9000"));
    ASSERT_TRUE(taken->give_back());
    EXPECT_EQ(state(), before);
}

TEST_F(ATakenDevice, HasNoOffloadsAndNoIpv6) {
    const TakenDevice taken = take();
    const std::string features = output_of("ethtool -k eth1");
    for (const char* off : {"rx-checksumming: off", "tx-checksumming: off",
                            "tcp-segmentation-offload: off", "generic-segmentation-offload: off",
                            "generic-receive-offload: off", "large-receive-offload: off"}) {
        EXPECT_TRUE(has(features, off)) << off << " in\n" << features;
    }
    EXPECT_FALSE(has(output_of("ip addr show eth1"), "inet6"));
    EXPECT_TRUE(has(output_of("nft list table netdev fulcrum_eth1"), "policy drop"));
}

TEST_F(ATakenDevice, IsSetUpAndGivenBackDownIfItWasDown) {
    ASSERT_TRUE(succeeds("ip link set eth1 down"));
    TakenDevice taken = take();
    EXPECT_TRUE(has(output_of("ip link show eth1"), ",UP"));
    ASSERT_TRUE(taken.give_back());
    EXPECT_FALSE(has(output_of("ip link show eth1"), ",UP"));
}

TEST_F(ATakenDevice, IsGivenBackAsFound) {
    ASSERT_TRUE(eventually([] { return has(output_of("ip addr show eth1"), "fe80"); }));
    const std::string before = state();
    {
        TakenDevice taken = take();
        EXPECT_NE(state(), before);
        EXPECT_TRUE(has_state_file());
        // What the port's driver does to it meanwhile.
        succeeds("ip link set eth1 promisc on mtu 1300");
        const Status given = taken.give_back();
        ASSERT_TRUE(given) << given.error().sentence;
    }
    EXPECT_TRUE(eventually([&] { return state() == before; })) << before << "\nnow\n" << state();
    EXPECT_FALSE(has_state_file());
}

TEST_F(ATakenDevice, IsGivenBackByItsDestructor) {
    const std::string features = output_of("ethtool -k eth1");
    { const TakenDevice taken = take(); }
    EXPECT_EQ(output_of("ethtool -k eth1"), features);
    EXPECT_EQ(output_of("nft list ruleset"), "");
    EXPECT_FALSE(has_state_file());
}

TEST_F(ATakenDevice, StaysDeafAfterAKillAndIsGivenBackAsTheFirstFoundIt) {
    ASSERT_TRUE(eventually([] { return has(output_of("ip addr show eth1"), "fe80"); }));
    const std::string before = state();
    take_and_be_killed();
    EXPECT_TRUE(has_state_file());
    EXPECT_FALSE(is_answered());
    take_and_be_killed();
    TakenDevice taken = take();
    EXPECT_FALSE(is_answered());
    ASSERT_TRUE(taken.give_back());
    EXPECT_TRUE(eventually([&] { return state() == before; })) << before << "\nnow\n" << state();
}

TEST_F(ATakenDevice, DoesNotTakeTheStateOfAnotherDeviceOfItsName) {
    take_and_be_killed();
    ASSERT_TRUE(succeeds("ip link del eth1; nft flush ruleset"));
    plug();
    ASSERT_TRUE(succeeds("ethtool -K eth1 tso on gro off"));
    const std::string features = output_of("ethtool -k eth1");
    ASSERT_TRUE(take().give_back());
    EXPECT_EQ(output_of("ethtool -k eth1"), features);
}

TEST_F(ATakenDevice, BelongsToOneDirectorAtATime) {
    const TakenDevice taken = take();
    const auto second = TakenDevice::take("eth1", folder.path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().sentence,
              "device eth1: " + folder.path() + "/taken-eth1: is held by another running director");
    EXPECT_FALSE(is_answered());
}

TEST_F(ATakenDevice, IsMadeDeafAgainAfterSomebodyFlushedTheRuleSet) {
    TakenDevice taken = take();
    auto renewed = taken.renew();
    ASSERT_TRUE(renewed);
    EXPECT_FALSE(*renewed);
    ASSERT_TRUE(succeeds("nft flush ruleset"));
    renewed = taken.renew();
    ASSERT_TRUE(renewed);
    EXPECT_TRUE(*renewed);
    EXPECT_FALSE(is_answered());
}

TEST_F(ATakenDevice, LeavesOtherPeoplesChainsAlone) {
    ASSERT_TRUE(
        succeeds("nft add table netdev theirs && nft 'add chain netdev theirs c { type "
                 "filter hook ingress device eth1 priority 0; }'"));
    const std::string before = output_of("nft list ruleset");
    ASSERT_TRUE(take().give_back());
    EXPECT_EQ(output_of("nft list ruleset"), before);
}

TEST_F(ATakenDevice, MayVanishBeforeItIsGivenBack) {
    TakenDevice taken = take();
    ASSERT_TRUE(succeeds("ip link del eth1"));
    const Status given = taken.give_back();
    EXPECT_TRUE(given) << given.error().sentence;
    EXPECT_FALSE(has_state_file());
    EXPECT_EQ(output_of("nft list ruleset"), "");
}

TEST_F(ATakenDevice, WarnsOfAnAddressThatHidesTheTwin) {
    const TakenDevice taken = take();
    ASSERT_EQ(taken.warnings().size(), 1U);
    EXPECT_EQ(taken.warnings()[0],
              "device eth1: has the address 10.0.0.1/24, whose route hides the twin's; give it to "
              "the port instead (ip address del 10.0.0.1/24 dev eth1)");
}

TEST_F(ATakenDevice, MustExist) {
    const auto taken = TakenDevice::take("eth7", folder.path());
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().sentence, "interface eth7: no such device");
}

}  // namespace
}  // namespace fulcrum
