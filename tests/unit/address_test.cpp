// Addresses and their text forms: what a person writes is understood exactly or refused.
#include "config/model/address.h"

#include <gtest/gtest.h>

#include <cstring>

namespace fulcrum {
namespace {

TEST(BigEndian, LiesInNetworkOrder) {
    const be16 port{0x1F90};  // 8080
    const be32 word{0x01020304};
    EXPECT_EQ(std::memcmp(&port, "\x1F\x90", 2), 0);
    EXPECT_EQ(std::memcmp(&word, "\x01\x02\x03\x04", 4), 0);
}

TEST(BigEndian, GivesTheHostValueBack) {
    EXPECT_EQ(be16{8080}.host(), 8080);
    EXPECT_EQ(be32{0x01020304}.host(), 0x01020304U);
    EXPECT_EQ(be16::from_wire(0x901F).host(), 0x1F90);
}

TEST(BigEndian, IsOrderedAsAPersonCounts) {
    EXPECT_LT(be16{255}, be16{256});
    EXPECT_LT(be32{0x000000FF}, be32{0x01000000});
}

TEST(Ipv4Address, IsReadFromDottedDecimals) {
    EXPECT_EQ(parse_ipv4_address("192.0.2.1"), Ipv4Address::of(192, 0, 2, 1));
    EXPECT_EQ(parse_ipv4_address("0.0.0.0"), Ipv4Address::of(0, 0, 0, 0));
    EXPECT_EQ(parse_ipv4_address("255.255.255.255"), Ipv4Address::of(255, 255, 255, 255));
}

TEST(Ipv4Address, RefusesWhatIsNotExactlyOne) {
    for (const char* text :
         {"",          ".",         "1",          "1.2.3",      "1.2.3.",   "1.2.3.4.",
          "1.2.3.4.5", "256.1.1.1", "1.2.3.256",  "1.2.3.1000", "01.2.3.4", "1.2.3.04",
          "1.2.3.00",  " 1.2.3.4",  "1.2.3.4 ",   "1..2.3",     "-1.2.3.4", "+1.2.3.4",
          "1.2.3.0x4", "a.b.c.d",   "1.2.3.4/24", "::1"}) {
        EXPECT_EQ(parse_ipv4_address(text), std::nullopt) << '"' << text << '"';
    }
}

TEST(Ipv4Address, IsWrittenAsItIsRead) {
    EXPECT_EQ(to_string(Ipv4Address::of(10, 0, 200, 7)), "10.0.200.7");
    EXPECT_EQ(to_string(Ipv4Address::of(255, 255, 255, 255)), "255.255.255.255");
}

TEST(Ipv4Address, KnowsItsKinds) {
    EXPECT_TRUE(Ipv4Address::of(224, 0, 0, 18).is_multicast());
    EXPECT_TRUE(Ipv4Address::of(239, 255, 255, 255).is_multicast());
    EXPECT_FALSE(Ipv4Address::of(223, 255, 255, 255).is_multicast());
    EXPECT_FALSE(Ipv4Address::of(240, 0, 0, 1).is_multicast());
    EXPECT_TRUE(Ipv4Address::of(127, 1, 2, 3).is_loopback());
    EXPECT_FALSE(Ipv4Address::of(128, 0, 0, 1).is_loopback());
    EXPECT_TRUE(Ipv4Address::of(255, 255, 255, 255).is_broadcast());
    EXPECT_TRUE(Ipv4Address::of(0, 0, 0, 0).is_unspecified());
}

TEST(Ipv4Address, IsOrderedByItsNumber) {
    EXPECT_LT(Ipv4Address::of(9, 255, 255, 255), Ipv4Address::of(10, 0, 0, 0));
}

TEST(Ipv4Prefix, KeepsHostBitsAndKnowsItsNetwork) {
    const auto prefix = parse_ipv4_prefix("192.168.10.2/24");
    ASSERT_TRUE(prefix.has_value());
    EXPECT_EQ(prefix->address, Ipv4Address::of(192, 168, 10, 2));
    EXPECT_EQ(prefix->network(), Ipv4Address::of(192, 168, 10, 0));
    EXPECT_EQ(to_string(*prefix), "192.168.10.2/24");
}

TEST(Ipv4Prefix, ContainsItsFirstAndLastAddressAndNotTheirNeighbours) {
    const Ipv4Prefix prefix{Ipv4Address::of(10, 1, 2, 0), 23};
    EXPECT_TRUE(prefix.contains(Ipv4Address::of(10, 1, 2, 0)));
    EXPECT_TRUE(prefix.contains(Ipv4Address::of(10, 1, 3, 255)));
    EXPECT_FALSE(prefix.contains(Ipv4Address::of(10, 1, 1, 255)));
    EXPECT_FALSE(prefix.contains(Ipv4Address::of(10, 1, 4, 0)));
}

TEST(Ipv4Prefix, OfLengthZeroContainsEverything) {
    const Ipv4Prefix everything{Ipv4Address::of(0, 0, 0, 0), 0};
    EXPECT_TRUE(everything.contains(Ipv4Address::of(255, 255, 255, 255)));
    EXPECT_EQ(everything.mask(), 0U);
}

TEST(Ipv4Prefix, OfLength32ContainsItselfAlone) {
    const Ipv4Prefix one{Ipv4Address::of(10, 0, 0, 1), 32};
    EXPECT_TRUE(one.contains(Ipv4Address::of(10, 0, 0, 1)));
    EXPECT_FALSE(one.contains(Ipv4Address::of(10, 0, 0, 0)));
}

TEST(Ipv4Prefix, RefusesWhatIsNotExactlyOne) {
    for (const char* text : {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/032",
                             "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0/8", "/8", "10.0.0.0/8/8"}) {
        EXPECT_EQ(parse_ipv4_prefix(text), std::nullopt) << '"' << text << '"';
    }
}

TEST(MacAddress, IsReadAndWrittenInColonForm) {
    const auto mac = parse_mac_address("02:00:5e:AB:cd:ff");
    ASSERT_TRUE(mac.has_value());
    EXPECT_EQ(mac->bytes, (std::array<std::uint8_t, 6>{0x02, 0x00, 0x5e, 0xab, 0xcd, 0xff}));
    EXPECT_EQ(to_string(*mac), "02:00:5e:ab:cd:ff");
}

TEST(MacAddress, RefusesWhatIsNotExactlyOne) {
    for (const char* text :
         {"", "02:00:5e:ab:cd", "02:00:5e:ab:cd:f", "02:00:5e:ab:cd:fff", "02-00-5e-ab-cd-ff",
          "02:00:5e:ab:cd:fg", "2:00:5e:ab:cd:fff", "02:00:5e:ab:cd:-1"}) {
        EXPECT_EQ(parse_mac_address(text), std::nullopt) << '"' << text << '"';
    }
}

TEST(Endpoint, IsWrittenWithItsPortAndOrderedByAddressFirst) {
    const Endpoint low{Ipv4Address::of(10, 0, 0, 1), be16{9'000}};
    const Endpoint high{Ipv4Address::of(10, 0, 0, 2), be16{80}};
    EXPECT_EQ(to_string(low), "10.0.0.1:9000");
    EXPECT_LT(low, high);
    EXPECT_LT(high, (Endpoint{high.address, be16{81}}));
}

}  // namespace
}  // namespace fulcrum
