// Addresses and their text forms: what a person writes is understood exactly or refused.
#include "config/model/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

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

TEST(IpPrefix, KeepsHostBitsAndKnowsItsNetwork) {
    const auto prefix = parse_ip_prefix("192.168.10.2/24");
    ASSERT_TRUE(prefix.has_value());
    EXPECT_EQ(prefix->address, Ipv4Address::of(192, 168, 10, 2));
    EXPECT_EQ(prefix->network(), Ipv4Address::of(192, 168, 10, 0));
    EXPECT_EQ(to_string(*prefix), "192.168.10.2/24");
}

TEST(IpPrefix, ContainsItsFirstAndLastAddressAndNotTheirNeighbours) {
    const IpPrefix prefix{Ipv4Address::of(10, 1, 2, 0), 23};
    EXPECT_TRUE(prefix.contains(Ipv4Address::of(10, 1, 2, 0)));
    EXPECT_TRUE(prefix.contains(Ipv4Address::of(10, 1, 3, 255)));
    EXPECT_FALSE(prefix.contains(Ipv4Address::of(10, 1, 1, 255)));
    EXPECT_FALSE(prefix.contains(Ipv4Address::of(10, 1, 4, 0)));
}

TEST(IpPrefix, OfLengthZeroContainsEverything) {
    const IpPrefix everything{Ipv4Address::of(0, 0, 0, 0), 0};
    EXPECT_TRUE(everything.contains(Ipv4Address::of(255, 255, 255, 255)));
    EXPECT_FALSE(everything.contains(*parse_ip_address("2001:db8::1")));
}

TEST(IpPrefix, OfLength32ContainsItselfAlone) {
    const IpPrefix one{Ipv4Address::of(10, 0, 0, 1), 32};
    EXPECT_TRUE(one.contains(Ipv4Address::of(10, 0, 0, 1)));
    EXPECT_FALSE(one.contains(Ipv4Address::of(10, 0, 0, 0)));
}

TEST(IpPrefix, RefusesWhatIsNotExactlyOne) {
    for (const char* text : {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/032",
                             "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0/8", "/8", "10.0.0.0/8/8"}) {
        EXPECT_EQ(parse_ip_prefix(text), std::nullopt) << '"' << text << '"';
    }
}

Ipv6Address v6(std::string_view text) { return parse_ipv6_address(text).value(); }

// RFC 5952, section 4, and RFC 5735 for what has an IPv4 address in it.
TEST(Ipv6Address, IsWrittenAsItsRfcAsks) {
    const std::map<std::string, std::string> written{
        {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
        {"2001:DB8::ABCD", "2001:db8::abcd"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // one zero is not shortened
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},           // the longest run
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},     // of equal ones the first
        {"0:0:0:0:0:0:0:0", "::"},
        {"::1", "::1"},
        {"1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"},
        {"1:0:0:0:0:0:0:0", "1::"},
        {"::ffff:192.0.2.33", "::ffff:192.0.2.33"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
    };
    for (const auto& [text, expected] : written) {
        EXPECT_EQ(to_string(v6(text)), expected) << text;
    }
}

// The C library is the judge: what it takes is taken, with the same octets, and nothing else.
TEST(Ipv6Address, IsReadWhereTheCLibraryReadsOne) {
    std::mt19937 generator{11};  // NOLINT: the same every time
    const auto random = [&](std::uint32_t bound) {
        return static_cast<std::size_t>(generator() % bound);
    };
    constexpr std::array<std::string_view, 12> pieces{"0", "1", "db8", "ffff", "12345",   "g",
                                                      ":", ":", "::",  ":",    "1.2.3.4", "01"};
    std::size_t read_count = 0;
    for (int i = 0; i < 200'000; ++i) {
        std::string text;
        for (std::size_t length = random(17); length > 0; --length) {
            text += pieces[random(pieces.size())];
        }
        Ipv6Address expected;
        const bool is_one = inet_pton(AF_INET6, text.c_str(), expected.octets.data()) == 1;
        const auto read = parse_ipv6_address(text);
        ASSERT_EQ(read.has_value(), is_one) << '"' << text << '"';
        if (is_one) {
            ASSERT_EQ(*read, expected) << text;
            ++read_count;
        }
    }
    EXPECT_GT(read_count, 100U);
}

TEST(Ipv6Address, IsReadAsItWasWritten) {
    std::mt19937 generator{12};  // NOLINT: the same every time
    for (int i = 0; i < 10'000; ++i) {
        Ipv6Address address;
        for (std::uint8_t& octet : address.octets) {
            octet = static_cast<std::uint8_t>(generator() % 3 == 0 ? generator() : 0);
        }
        EXPECT_EQ(parse_ipv6_address(to_string(address)), address);
    }
}

TEST(Ipv6Address, RefusesZonesAndPrefixes) {
    for (const char* text : {"", ":", "fe80::1%eth0", "2001:db8::1/64", " ::1", "::1 ", "[::1]"}) {
        EXPECT_EQ(parse_ipv6_address(text), std::nullopt) << '"' << text << '"';
    }
}

TEST(Ipv6Address, KnowsItsKind) {
    EXPECT_TRUE(v6("::").is_unspecified());
    EXPECT_TRUE(v6("::1").is_loopback());
    EXPECT_FALSE(v6("::2").is_loopback());
    EXPECT_TRUE(v6("ff02::1").is_multicast());
    EXPECT_TRUE(v6("fe80::1").is_link_local());
    EXPECT_TRUE(v6("febf::1").is_link_local());
    EXPECT_FALSE(v6("fec0::1").is_link_local());
    EXPECT_TRUE(v6("::ffff:10.0.0.1").is_v4_mapped());
    EXPECT_FALSE(v6("::fffe:10.0.0.1").is_v4_mapped());
    EXPECT_LT(v6("2001:db8::1"), v6("2001:db8::1:0"));
}

TEST(IpAddress, KeepsEitherFamily) {
    const IpAddress four = Ipv4Address::of(192, 0, 2, 1);
    const IpAddress six = v6("2001:db8::1");
    EXPECT_TRUE(four.is_v4());
    EXPECT_EQ(four.v4(), Ipv4Address::of(192, 0, 2, 1));
    EXPECT_EQ(four.v6(), v6("::ffff:192.0.2.1"));
    EXPECT_FALSE(six.is_v4());
    EXPECT_NE(four, six);
    EXPECT_EQ(parse_ip_address("192.0.2.1"), four);
    EXPECT_EQ(parse_ip_address("2001:db8::1"), six);
    EXPECT_TRUE(IpAddress{}.is_v4());
    EXPECT_TRUE(IpAddress{}.is_unspecified());
    EXPECT_TRUE(IpAddress{Ipv6Address{}}.is_unspecified());
}

TEST(IpPrefix, OfIpv6ContainsItsAddressesAndNobodyElses) {
    const IpPrefix prefix = parse_ip_prefix("2001:db8:0:8000::7/49").value();
    EXPECT_EQ(prefix.network(), IpAddress{v6("2001:db8:0:8000::")});
    EXPECT_EQ(to_string(prefix), "2001:db8:0:8000::7/49");
    EXPECT_TRUE(prefix.contains(v6("2001:db8:0:ffff::1")));
    EXPECT_FALSE(prefix.contains(v6("2001:db8:0:7fff::1")));
    EXPECT_FALSE(prefix.contains(Ipv4Address::of(10, 0, 0, 1)));
    EXPECT_FALSE((IpPrefix{v6("::"), 0}).contains(Ipv4Address::of(10, 0, 0, 1)));
    EXPECT_TRUE((IpPrefix{v6("::1"), 128}).contains(v6("::1")));
    EXPECT_EQ(parse_ip_prefix("2001:db8::/129"), std::nullopt);
    EXPECT_EQ(parse_ip_prefix("10.0.0.0/64"), std::nullopt);
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

TEST(IpPrefix, ListsTheAddressesOfABlock) {
    EXPECT_EQ(
        addresses_in({Ipv4Address::of(10, 0, 0, 252), 30}),
        (std::vector<IpAddress>{Ipv4Address::of(10, 0, 0, 252), Ipv4Address::of(10, 0, 0, 253),
                                Ipv4Address::of(10, 0, 0, 254), Ipv4Address::of(10, 0, 0, 255)}));
    EXPECT_EQ(addresses_in({v6("2001:db8::fe"), 127}),
              (std::vector<IpAddress>{v6("2001:db8::fe"), v6("2001:db8::ff")}));
    EXPECT_EQ(addresses_in(IpPrefix::only(v6("::1"))), std::vector<IpAddress>{v6("::1")});
    EXPECT_TRUE(IpPrefix::only(Ipv4Address::of(10, 0, 0, 1)).is_single());
}

TEST(Endpoint, OfIpv6StandsInBrackets) {
    const Endpoint endpoint{v6("2001:db8::1"), be16{80}};
    EXPECT_EQ(to_string(endpoint), "[2001:db8::1]:80");
    EXPECT_EQ(parse_endpoint("[2001:db8::1]:80"), endpoint);
    EXPECT_EQ(parse_endpoint("10.0.0.1:80"), (Endpoint{Ipv4Address::of(10, 0, 0, 1), be16{80}}));
    for (const char* text :
         {"", "2001:db8::1:80", "[2001:db8::1]", "[2001:db8::1]80", "[10.0.0.1]:80", "10.0.0.1:0",
          "10.0.0.1:65536", "10.0.0.1:", "[::1]:080", ":80"}) {
        EXPECT_EQ(parse_endpoint(text), std::nullopt) << '"' << text << '"';
    }
}

}  // namespace
}  // namespace fulcrum
