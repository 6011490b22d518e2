// Who owns a client: Toeplitz against Microsoft's verification suite and DPDK's own, and what the
// table of slots promises.
#include "dataplane/steering.h"

#include <gtest/gtest.h>
#include <rte_thash.h>

#include <random>
#include <set>
#include <span>
#include <vector>

namespace fulcrum {
namespace {

// "Verifying the RSS Hash Calculation": the key, and hashes of source and destination address.
constexpr ToeplitzKey reference_key{0x6D, 0x5A, 0x56, 0xDA, 0x25, 0x5B, 0x0E, 0xC2, 0x41, 0x67,
                                    0x25, 0x3D, 0x43, 0xA3, 0x8F, 0xB0, 0xD0, 0xCA, 0x2B, 0xCB,
                                    0xAE, 0x7B, 0x30, 0xB4, 0x77, 0xCB, 0x2D, 0xA3, 0x80, 0x30,
                                    0xF2, 0x0C, 0x6A, 0x42, 0xB7, 0x3B, 0xBE, 0xAC, 0x01, 0xFA};

// The hash is linear, and its second word meets the key 32 bits further on.
std::uint32_t hash_of_pair(Ipv4Address source, Ipv4Address destination) {
    ToeplitzKey shifted{};
    std::copy(reference_key.begin() + 4, reference_key.end(), shifted.begin());
    return toeplitz(reference_key, source) ^ toeplitz(shifted, destination);
}

TEST(Toeplitz, AgreesWithMicrosoftsVerificationSuite) {
    EXPECT_EQ(hash_of_pair(Ipv4Address::of(66, 9, 149, 187), Ipv4Address::of(161, 142, 100, 80)),
              0x323E8FC2U);
    EXPECT_EQ(hash_of_pair(Ipv4Address::of(199, 92, 111, 2), Ipv4Address::of(65, 69, 140, 83)),
              0xD718262AU);
    EXPECT_EQ(hash_of_pair(Ipv4Address::of(24, 19, 198, 95), Ipv4Address::of(12, 22, 207, 184)),
              0xD2D0A5DEU);
    EXPECT_EQ(hash_of_pair(Ipv4Address::of(38, 27, 205, 30), Ipv4Address::of(209, 142, 163, 6)),
              0x82989176U);
    EXPECT_EQ(hash_of_pair(Ipv4Address::of(153, 39, 163, 191), Ipv4Address::of(202, 188, 127, 2)),
              0x5D1809C5U);
}

// The same suite's vectors of IPv6: source and destination, of all their octets.
TEST(Toeplitz, AgreesWithMicrosoftsVerificationSuiteForIpv6) {
    const auto hash_of = [](const char* source, const char* destination) {
        std::vector<std::uint8_t> octets;
        for (const char* text : {source, destination}) {
            const Ipv6Address address = parse_ipv6_address(text).value();
            octets.insert(octets.end(), address.octets.begin(), address.octets.end());
        }
        return toeplitz(reference_key, octets);
    };
    EXPECT_EQ(hash_of("3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1"), 0x2CC18CD5U);
    EXPECT_EQ(hash_of("3ffe:501:8::260:97ff:fe40:efab", "ff02::1"), 0x0F0C461CU);
    EXPECT_EQ(hash_of("3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf"),
              0x4B61E985U);
}

TEST(Steering, KeepsAClientOfIpv6WhereverInHisNetworkHeIs) {
    const ToeplitzKey key = owner_key("fulcrum");
    const Steering steering{key, 7};
    std::mt19937 random{6};
    for (unsigned i = 0; i < 1'000; ++i) {
        Ipv6Address one;
        for (std::uint8_t& octet : one.octets) {
            octet = static_cast<std::uint8_t>(random());
        }
        Ipv6Address other = one;
        other.octets[8] = static_cast<std::uint8_t>(other.octets[8] + 1);
        ASSERT_EQ(steering.owner_of(one), steering.owner_of(other));
        ASSERT_EQ(steering.slot_of(one),
                  toeplitz(steering.key_v6(), std::span{one.octets}.first(8)) & 63);
    }
}

TEST(Toeplitz, AgreesWithWhatNetworkCardsAreModelledByInDpdk) {
    const ToeplitzKey key = owner_key("any seed");
    std::mt19937 random{3};
    for (unsigned i = 0; i < 10'000; ++i) {
        auto host = static_cast<std::uint32_t>(random());
        ASSERT_EQ(toeplitz(key, Ipv4Address::from_host(host)), rte_softrss(&host, 1, key.data()));
    }
}

TEST(Steering, ASlotIsTheLowSixBitsOfTheHash) {
    const ToeplitzKey key = owner_key("fulcrum");
    const Steering steering{key, 3};
    std::mt19937 random{5};
    for (unsigned i = 0; i < 10'000; ++i) {
        const Ipv4Address client = Ipv4Address::from_host(static_cast<std::uint32_t>(random()));
        ASSERT_EQ(steering.slot_of(client), toeplitz(steering.key_v4(), client) & 63);
    }
}

TEST(Steering, UnderAShorterPrefixAllItsClientsHaveTheNetworksOwner) {
    const ToeplitzKey key = owner_key("fulcrum");
    std::mt19937 random{7};
    for (const std::uint8_t length : {std::uint8_t{24}, std::uint8_t{20}, std::uint8_t{9}}) {
        const Steering steering{key, 3, {.v4 = length}};
        for (unsigned i = 0; i < 1'000; ++i) {
            const Ipv4Address client = Ipv4Address::from_host(static_cast<std::uint32_t>(random()));
            const Ipv4Address network = IpPrefix{client, length}.network().v4();
            ASSERT_EQ(steering.slot_of(client), steering.slot_of(network));
        }
    }
}

TEST(Steering, AgreesAboutSlotsWhateverTheNumberOfWorkers) {
    const ToeplitzKey key = owner_key("fulcrum");
    const Steering one{key, 1};
    const Steering seven{key, 7};
    for (std::uint32_t i = 0; i < 1'000; ++i) {
        const Ipv4Address client = Ipv4Address::from_host(0x0A00'0000 + i * 977);
        ASSERT_EQ(one.slot_of(client), seven.slot_of(client));
    }
}

TEST(Steering, GivesEveryWorkerItsShareOfClients) {
    for (const unsigned workers : {1U, 2U, 3U, 4U, 8U, 16U}) {
        const Steering steering{owner_key("fulcrum"), workers};
        std::vector<unsigned> clients(workers);
        for (std::uint32_t i = 0; i < 64'000; ++i) {
            ++clients.at(steering.owner_of(Ipv4Address::from_host(0xC000'0200 + i)));
        }
        for (const unsigned count : clients) {
            // 64 slots do not divide evenly: a worker has one slot more or less than its share.
            EXPECT_NEAR(count, 64'000.0 / workers, 64'000.0 / 64 + 1'000);
        }
    }
}

TEST(Steering, NeighbouringClientsSpreadOverAllSlots) {
    const Steering steering{owner_key("fulcrum"), 2};
    std::set<unsigned> slots;
    for (std::uint32_t i = 0; i < 256; ++i) {
        slots.insert(steering.slot_of(Ipv4Address::from_host(0xC000'0200 + i)));
    }
    EXPECT_EQ(slots.size(), 64U);
}

TEST(Steering, NoTwoOfSixtyFourNeighboursShareASlot) {
    for (const char* seed : {"fulcrum", "another", "a third"}) {
        const Steering steering{owner_key(seed), 2};
        std::set<unsigned> slots;
        std::set<unsigned> slots_of_networks;
        for (std::uint32_t i = 0; i < 64; ++i) {
            slots.insert(steering.slot_of(Ipv4Address::from_host(0xC000'0240 + i)));
            slots_of_networks.insert(steering.slot_of(Ipv4Address::from_host((i << 26) + 9)));
        }
        EXPECT_EQ(slots.size(), 64U);
        EXPECT_EQ(slots_of_networks.size(), 64U);
    }
}

TEST(Steering, FewNeighboursAlreadyKeepAllWorkersBusy) {
    for (const unsigned workers : {2U, 4U, 8U}) {
        const Steering steering{owner_key("fulcrum"), workers};
        std::set<unsigned> owners;
        for (std::uint32_t i = 0; i < workers; ++i) {
            owners.insert(steering.owner_of(Ipv4Address::from_host(0xC633'6400 + i)));
        }
        EXPECT_EQ(owners.size(), workers);
    }
}

TEST(Steering, AnotherSeedIsAnotherKey) {
    EXPECT_EQ(owner_key("a"), owner_key("a"));
    EXPECT_NE(owner_key("a"), owner_key("b"));
}

}  // namespace
}  // namespace fulcrum
