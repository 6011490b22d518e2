// What is kept of a device over a crash: whole or not at all.
#include "controlplane/kernel/found_state.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

constexpr std::string_view text_of_example =
    "fulcrum found state 1\n"
    "boot 5e2f0a4c\n"
    "namespace 4026\n"
    "index 7\n"
    "up yes\n"
    "promiscuous no\n"
    "allmulti no\n"
    "mtu 9000\n"
    "disable_ipv6 0\n"
    "feature rx-gro on\n"
    "feature tx-checksum-ip-generic off\n"
    "ipv6 2001:db8::5/64 128\n"
    "end\n";

FoundState example() {
    FoundState state;
    state.identity = {"5e2f0a4c", 4026, 7};
    state.is_up = true;
    state.mtu = 9'000;
    state.disable_ipv6 = "0";
    state.features = {{"rx-gro", true}, {"tx-checksum-ip-generic", false}};
    state.ipv6_addresses.push_back(
        {{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5}, 64, 128});
    return state;
}

TEST(FoundState, IsWrittenAsTheHeaderSays) { EXPECT_EQ(encode(example()), text_of_example); }

TEST(FoundState, IsReadFromItsText) {
    const auto state = decode_found_state(text_of_example);
    ASSERT_TRUE(state);
    EXPECT_EQ(*state, example());
}

TEST(FoundState, IsNothingWhenAnyEndIsMissing) {
    for (std::size_t size = 0; size < text_of_example.size(); ++size) {
        EXPECT_FALSE(decode_found_state(text_of_example.substr(0, size))) << size << " octets";
    }
}

TEST(FoundState, IsNothingWhenALineIsNotUnderstood) {
    for (const char* line :
         {"up maybe", "mtu", "mtu 15x", "mtu -1", "feature rx-gro", "ipv6 ::1", "ipv6 ::1/129 0",
          "ipv6 x/64 0", "ipv6 0/::1 5", "colour red", "", " ", "boot"}) {
        const std::string text = std::string{"fulcrum found state 1\n"} + line + "\nend\n";
        EXPECT_FALSE(decode_found_state(text)) << line;
    }
}

TEST(FoundState, IsNothingWhenMoreFollowsItsEnd) {
    EXPECT_FALSE(decode_found_state(std::string{text_of_example} + "up no\n"));
}

TEST(FoundState, HasNoIpv6LineWhereTheKernelHasNone) {
    FoundState state = example();
    state.disable_ipv6.reset();
    EXPECT_EQ(encode(state).find("disable_ipv6"), std::string::npos);
    EXPECT_EQ(decode_found_state(encode(state)), state);
}

TEST(Offloads, InTheWayAreThoseThatMergeFramesOrLeaveChecksumsOpen) {
    for (const char* name :
         {"rx-gro", "rx-lro", "rx-gro-hw", "rx-checksum", "tx-checksum-ipv4",
          "tx-checksum-ip-generic", "tx-tcp-segmentation", "tx-tcp6-segmentation",
          "tx-udp-segmentation", "tx-generic-segmentation", "tx-gre-csum-segmentation"}) {
        EXPECT_TRUE(is_offload_in_the_way(name)) << name;
    }
    for (const char* name : {"rx-vlan-filter", "tx-scatter-gather", "highdma", "rx-ntuple-filter",
                             "hw-tc-offload", "rx-hashing", "tx-nocache-copy"}) {
        EXPECT_FALSE(is_offload_in_the_way(name)) << name;
    }
}

}  // namespace
}  // namespace fulcrum
