// What is remembered of datagrams in pieces.
#include "dataplane/fragments.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "tests/support/packet.h"

namespace fulcrum::test {
namespace {

FragmentPlace place_of(const Frame& frame) {
    MacAddress receiver;
    std::memcpy(&receiver, frame.data(), sizeof(receiver));
    ParsedPacket packet;
    parse(frame, static_cast<std::uint32_t>(frame.size()), receiver, packet);
    EXPECT_EQ(packet.kind, PacketKind::fragment);
    return fragment_place_of(frame.data(), packet);
}

constexpr Ipv4Address client = Ipv4Address::of(198, 51, 100, 7);
constexpr Ipv4Address vip = Ipv4Address::of(10, 1, 0, 80);

DatagramKey datagram_of(std::uint16_t identification, std::uint8_t protocol = 17) {
    const Frame frame =
        Packet::ipv4(client, vip, protocol).fragment(3, false).payload("12345678").bytes();
    return place_of(fixed(with_word(frame, ip_at + 4, identification))).datagram;
}

// `rest` is offset and flags, then the identification.
Frame piece6(std::array<std::uint8_t, 6> rest, const char* source = "2001:db8:ff::7") {
    const Frame header{17, 0, rest[0], rest[1], rest[2], rest[3], rest[4], rest[5]};
    return Packet::udp({*parse_ip_address(source), be16{5'000}},
                       {*parse_ip_address("2001:db8:1::80"), be16{53}})
        .extensions(44, header)
        .payload("12345678")
        .bytes();
}

Decision decision_of(std::uint32_t tally) {
    Decision decision;
    decision.verdict = Verdict::transmit;
    decision.tally = tally;
    return decision;
}

FragmentPlace first_of(const DatagramKey& datagram) { return {datagram, {0, 3}}; }

const DatagramKey datagram = datagram_of(7);

TEST(Fragments, ADatagramIsItsAddressesProtocolAndIdentification) {
    EXPECT_EQ(datagram, datagram_of(7));
    EXPECT_NE(datagram, datagram_of(8));
    EXPECT_NE(datagram, datagram_of(7, 6));
    const Frame turned =
        Packet::ipv4(vip, client, 17).fragment(3, false).payload("12345678").bytes();
    EXPECT_NE(datagram, place_of(fixed(with_word(turned, ip_at + 4, 7))).datagram);
}

// RFC 8200, 4.5: 13 bits of offset in units of eight, two reserved ones, "more", identification.
TEST(Fragments, OfIpv6AreTakenTogetherByAddressesAndIdentification) {
    const FragmentPlace first = place_of(piece6({0, 1, 1, 2, 3, 4}));
    const FragmentPlace later = place_of(piece6({0x05, 0xC8, 1, 2, 3, 4}));
    EXPECT_EQ(first.datagram, later.datagram);
    EXPECT_FALSE(first.is_later());
    EXPECT_TRUE(later.is_later());
    EXPECT_EQ(first.stretch.begin, 0);
    EXPECT_EQ(first.stretch.end, 2);  // a UDP header and eight octets
    EXPECT_EQ(later.stretch.begin, 0x05C8 / 8);
    EXPECT_EQ(later.stretch.end, 0x05C8 / 8 + 2);
    EXPECT_NE(first.datagram, place_of(piece6({0, 1, 1, 2, 3, 5})).datagram);
    EXPECT_NE(first.datagram, place_of(piece6({0, 1, 1, 2, 3, 4}, "2001:db8:ff::8")).datagram);
}

TEST(Fragments, TheDecisionOnTheFirstOneIsFoundForAFewSeconds) {
    FragmentTable table;
    EXPECT_EQ(table.find(datagram, 100), nullptr);
    table.remember(first_of(datagram), decision_of(42), 100);
    ASSERT_NE(table.find(datagram, 100), nullptr);
    EXPECT_EQ(table.find(datagram, 100 + limits::fragments_follow_s)->tally, 42U);
    EXPECT_EQ(table.find(datagram, 101 + limits::fragments_follow_s), nullptr);
    EXPECT_EQ(table.find(datagram_of(8), 100), nullptr);
}

TEST(Fragments, EveryFirstOneIsNews) {
    FragmentTable table;
    const std::uint64_t before = table.news_count();
    table.remember(first_of(datagram), decision_of(1), 100);
    EXPECT_EQ(table.news_count(), before + 1);
}

TEST(Fragments, NoOctetGoesTwice) {
    FragmentTable table;
    table.remember(first_of(datagram), decision_of(1), 100);
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
        table.remember(first_of(datagram), decision_of(1), 100);
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
    table.remember(first_of(datagram), decision_of(1), 100);
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
    table.remember(first_of(datagram), decision_of(1), 100);
    EXPECT_TRUE(table.cover(datagram, {0, 10}));
    table.remember(first_of(datagram), decision_of(2), 101);  // a copy of the first fragment, say
    EXPECT_FALSE(table.cover(datagram, {0, 10}));
    EXPECT_EQ(table.find(datagram, 101)->tally, 1U);
    table.remember(first_of(datagram), decision_of(3), 200);
    EXPECT_TRUE(table.cover(datagram, {0, 10}));
    EXPECT_EQ(table.find(datagram, 200)->tally, 3U);
}

TEST(Fragments, ASecondFirstOneTakesTheOthersNowhereElse) {
    FragmentTable table;
    table.remember(first_of(datagram), decision_of(1), 100);
    table.remember(first_of(datagram), decision_of(2), 100);  // of the first one, nothing has gone
    EXPECT_EQ(table.find(datagram, 100)->tally, 2U);
    EXPECT_TRUE(table.cover(datagram, {0, 3}));
    const std::uint64_t news = table.news_count();
    table.remember({datagram, {0, 1}}, decision_of(3), 101);
    EXPECT_EQ(table.find(datagram, 101)->tally, 2U);
    EXPECT_EQ(table.news_count(), news);
}

TEST(Fragments, ACrowdCostsOldDatagramsTheirRecordAndNothingElse) {
    FragmentTable table;
    for (std::uint32_t n = 0; n < 60'000; ++n) {
        const DatagramKey one = datagram_of(static_cast<std::uint16_t>(n));
        table.remember(first_of(one), decision_of(n), 100 + n / 1'000);
        ASSERT_NE(table.find(one, 100 + n / 1'000), nullptr);
    }
}

}  // namespace
}  // namespace fulcrum::test
