// What is remembered of datagrams in pieces.
#include "dataplane/fragments.h"

#include <gtest/gtest.h>

#include "tests/support/packet.h"

namespace fulcrum::test {
namespace {

Ipv4Header header(std::uint16_t identification, std::uint8_t protocol = 17) {
    Ipv4Header ip{};
    ip.identification = be16{identification};
    ip.protocol = protocol;
    ip.source = Ipv4Address::of(198, 51, 100, 7);
    ip.destination = Ipv4Address::of(10, 1, 0, 80);
    return ip;
}

Decision decision_of(std::uint32_t tally) {
    Decision decision;
    decision.verdict = Verdict::transmit;
    decision.tally = tally;
    return decision;
}

const DatagramKey datagram = datagram_key(header(7));

TEST(Fragments, ADatagramIsItsAddressesProtocolAndIdentification) {
    EXPECT_EQ(datagram, datagram_key(header(7)));
    EXPECT_NE(datagram, datagram_key(header(8)));
    EXPECT_NE(datagram, datagram_key(header(7, 6)));
    Ipv4Header turned = header(7);
    std::swap(turned.source, turned.destination);
    EXPECT_NE(datagram, datagram_key(turned));
}

TEST(Fragments, TheDecisionOnTheFirstOneIsFoundForAFewSeconds) {
    FragmentTable table;
    EXPECT_EQ(table.find(datagram, 100), nullptr);
    table.remember(datagram, decision_of(42), 100);
    ASSERT_NE(table.find(datagram, 100), nullptr);
    EXPECT_EQ(table.find(datagram, 100 + limits::fragments_follow_s)->tally, 42U);
    EXPECT_EQ(table.find(datagram, 101 + limits::fragments_follow_s), nullptr);
    EXPECT_EQ(table.find(datagram_key(header(8)), 100), nullptr);
}

TEST(Fragments, EveryFirstOneIsNews) {
    FragmentTable table;
    const std::uint64_t before = table.news_count();
    table.remember(datagram, decision_of(1), 100);
    EXPECT_EQ(table.news_count(), before + 1);
}

TEST(Fragments, NoOctetGoesTwice) {
    FragmentTable table;
    table.remember(datagram, decision_of(1), 100);
    EXPECT_TRUE(table.cover(datagram, {10, 20}));
    for (const Stretch again : {Stretch{10, 20}, Stretch{12, 15}, Stretch{5, 11}, Stretch{19, 25},
                                Stretch{5, 25}, Stretch{10, 11}, Stretch{19, 20}}) {
        EXPECT_FALSE(table.cover(datagram, again)) << again.begin << " to " << again.end;
    }
    EXPECT_TRUE(table.cover(datagram, {5, 10}));
    EXPECT_TRUE(table.cover(datagram, {20, 25}));
    EXPECT_FALSE(table.cover(datagram, {5, 25}));
    EXPECT_TRUE(table.cover(datagram, {30, 40}));
    EXPECT_TRUE(table.cover(datagram, {25, 30}));  // closes the gap
    EXPECT_FALSE(table.cover(datagram, {29, 31}));
    EXPECT_TRUE(table.cover(datagram, {0, 5}));
}

// Beside a plain map of octets, in whatever order.
TEST(Fragments, CoversLikeAMapOfOctets) {
    std::uint64_t draw = 1;
    const auto drawn = [&](unsigned bound) {
        draw = draw * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
        return static_cast<std::uint16_t>((draw >> 33) % bound);
    };
    for (int round = 0; round < 200; ++round) {
        FragmentTable table;
        table.remember(datagram, decision_of(1), 100);
        std::array<bool, 40> covered{};  // so short that it never falls into nine stretches
        for (int step = 0; step < 60; ++step) {
            const std::uint16_t begin = drawn(36);
            const auto end = static_cast<std::uint16_t>(begin + 3 + drawn(2));
            bool is_fresh = true;
            for (std::uint16_t at = begin; at < end; ++at) {
                is_fresh &= !covered[at];
            }
            ASSERT_EQ(table.cover(datagram, {begin, end}), is_fresh);
            for (std::uint16_t at = begin; is_fresh && at < end; ++at) {
                covered[at] = true;
            }
        }
    }
}

TEST(Fragments, MoreThanEightStretchesApartAreRefused) {
    FragmentTable table;
    table.remember(datagram, decision_of(1), 100);
    for (std::uint16_t n = 0; n < 8; ++n) {
        EXPECT_TRUE(table.cover(datagram, {static_cast<std::uint16_t>(n * 10),
                                           static_cast<std::uint16_t>(n * 10 + 5)}));
    }
    EXPECT_FALSE(table.cover(datagram, {80, 85}));
    EXPECT_TRUE(table.cover(datagram, {5, 10}));  // two become one
    EXPECT_TRUE(table.cover(datagram, {80, 85}));
}

TEST(Fragments, AnIdentificationThatComesRoundAgainBeginsAnew) {
    FragmentTable table;
    table.remember(datagram, decision_of(1), 100);
    EXPECT_TRUE(table.cover(datagram, {0, 10}));
    table.remember(datagram, decision_of(2), 101);  // a copy of the first fragment, say
    EXPECT_FALSE(table.cover(datagram, {0, 10}));
    table.remember(datagram, decision_of(3), 200);
    EXPECT_TRUE(table.cover(datagram, {0, 10}));
    EXPECT_EQ(table.find(datagram, 200)->tally, 3U);
}

TEST(Fragments, ACrowdCostsOldDatagramsTheirRecordAndNothingElse) {
    FragmentTable table;
    for (std::uint32_t n = 0; n < 60'000; ++n) {
        const DatagramKey one = datagram_key(header(static_cast<std::uint16_t>(n)));
        table.remember(one, decision_of(n), 100 + n / 1'000);
        ASSERT_NE(table.find(one, 100 + n / 1'000), nullptr);
    }
}

}  // namespace
}  // namespace fulcrum::test
