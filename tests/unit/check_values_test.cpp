// Statuses, headers and digits.
#include "config/check_values.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

TEST(CheckValues, ReadStatusesAndRangesOfThem) {
    EXPECT_EQ(parse_statuses("204"), (std::vector<StatusRange>{{204, 204}}));
    EXPECT_EQ(parse_statuses("200-399"), (std::vector<StatusRange>{{200, 399}}));
    EXPECT_EQ(parse_statuses("200-299,401, 403"),
              (std::vector<StatusRange>{{200, 299}, {401, 401}, {403, 403}}));
    std::string many = "200";
    for (int n = 0; n < 15; ++n) {
        many += ",200";
    }
    EXPECT_TRUE(parse_statuses(many));
    EXPECT_FALSE(parse_statuses(many + ",200"));
}

TEST(CheckValues, ReadOctetsInDigits) {
    EXPECT_TRUE(is_hexadecimal("00fFA0"));
    EXPECT_FALSE(is_hexadecimal("00f"));
    EXPECT_FALSE(is_hexadecimal("0x00"));
    EXPECT_EQ(octets_of_hex("0041ff"), (std::string{"\0A\xff", 3}));
}

TEST(CheckValues, KnowANameOfTheDns) {
    for (const char* text : {".", "net", "www.example.net", "example.net.", "_sip._tcp.example.net",
                             "192.0.2.1", "2001:db8::1"}) {
        EXPECT_TRUE(is_dns_name(text)) << text;
    }
    EXPECT_TRUE(is_dns_name(std::string(63, 'a') + ".net"));
    for (const char* text : {"", "..", ".net", "a..b", "a b.net", "a\n"}) {
        EXPECT_FALSE(is_dns_name(text)) << text;
    }
    EXPECT_FALSE(is_dns_name(std::string(64, 'a') + ".net"));
}

TEST(CheckValues, KnowAHeaderLine) {
    EXPECT_TRUE(is_http_header("Accept: text/html, */*"));
    EXPECT_TRUE(is_http_header("X-A_b: c"));
    for (const char* text : {"", "Accept", ": x", "Accept:x", "A b: c", "A: ", "A: b\r\nC: d"}) {
        EXPECT_FALSE(is_http_header(text)) << text;
    }
}

}  // namespace
}  // namespace fulcrum
