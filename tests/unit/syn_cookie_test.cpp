// The mint against its twin, which has made the vectors.
#include "dataplane/syn_cookie.h"

#include <gtest/gtest.h>

#include "tests/support/syn_cookie_vectors.h"

namespace fulcrum::test {
namespace {

CookieFlow flow_of(const CookieVector& row) {
    return {.client = parse_ip_address(row.client).value().v6(),
            .vip = parse_ip_address(row.vip).value().v6(),
            .client_port = be16{row.client_port},
            .vip_port = be16{row.vip_port},
            .client_first = row.client_first};
}

constexpr const CookieVector& usual = cookie_vectors[0];

TEST(SynCookie, IsWhatItsTwinMakes) {
    CookieMint mint{vector_secret};
    for (const CookieVector& row : cookie_vectors) {
        EXPECT_EQ(mint.cookie_for(flow_of(row), row.mss, row.agreement, row.now_s), row.cookie)
            << row.client << " at " << row.now_s;
        EXPECT_EQ(mint.timestamp_for(row.agreement, row.now_s), row.timestamp);
    }
}

TEST(SynCookie, BringsTheGreatestSizeThatTheClientTakes) {
    CookieMint mint{vector_secret};
    const CookieFlow flow = flow_of(usual);
    const auto brought = [&](std::uint16_t asked) {
        return mint.mss_of(mint.cookie_for(flow, asked, {}, 500), flow, {}, 500).value_or(0);
    };
    EXPECT_EQ(brought(1'460), 1'460);
    EXPECT_EQ(brought(1'459), 1'440);
    EXPECT_EQ(brought(536), 536);
    EXPECT_EQ(brought(535), 216);
    EXPECT_EQ(brought(65'495), 8'940);
    EXPECT_EQ(brought(1), 216);  // the least that there is
}

TEST(SynCookie, HoldsInItsOwn64SecondsAndInTheNext) {
    CookieMint mint{vector_secret};
    const CookieFlow flow = flow_of(usual);
    // Made at 1000, in the count that ends with 1023.
    const auto holds_at = [&](std::uint32_t now_s) {
        return mint.mss_of(usual.cookie, flow, usual.agreement, now_s).has_value();
    };
    EXPECT_TRUE(holds_at(1'000));
    EXPECT_TRUE(holds_at(1'023));
    EXPECT_TRUE(holds_at(1'087));
    EXPECT_FALSE(holds_at(1'088));
    EXPECT_FALSE(holds_at(959));  // nobody has made it yet
    EXPECT_FALSE(holds_at(1'000 + 32 * CookieMint::count_s));
}

TEST(SynCookie, ProvesNothingForAnyOther) {
    CookieMint mint{vector_secret};
    const auto proves = [&](const CookieFlow& flow, std::uint32_t cookie,
                            const Agreement& agreement) {
        return mint.mss_of(cookie, flow, agreement, usual.now_s).has_value();
    };
    const CookieFlow flow = flow_of(usual);
    ASSERT_TRUE(proves(flow, usual.cookie, usual.agreement));
    for (unsigned bit = 0; bit < 32; ++bit) {
        EXPECT_FALSE(proves(flow, usual.cookie ^ (1U << bit), usual.agreement)) << "bit " << bit;
    }
    CookieFlow other = flow;
    other.client.octets[15] ^= 1;
    EXPECT_FALSE(proves(other, usual.cookie, usual.agreement));
    other = flow;
    other.vip.octets[15] ^= 1;
    EXPECT_FALSE(proves(other, usual.cookie, usual.agreement));
    other = flow;
    other.client_port = be16{40'001};
    EXPECT_FALSE(proves(other, usual.cookie, usual.agreement));
    other = flow;
    other.vip_port = be16{81};
    EXPECT_FALSE(proves(other, usual.cookie, usual.agreement));
    other = flow;
    ++other.client_first;
    EXPECT_FALSE(proves(other, usual.cookie, usual.agreement));
    EXPECT_FALSE(proves(flow, usual.cookie, {}));
    Agreement agreement = usual.agreement;
    agreement.has_sack = false;
    EXPECT_FALSE(proves(flow, usual.cookie, agreement));
    CookieMint elsewhere{{1, 2}};
    EXPECT_FALSE(elsewhere.mss_of(usual.cookie, flow, usual.agreement, usual.now_s).has_value());
}

TEST(SynCookie, ReadsFromATimestampWhatItHasWrittenThere) {
    for (const CookieVector& row : cookie_vectors) {
        EXPECT_EQ(Agreement::from_bits(row.timestamp & 0x3FF), row.agreement);
    }
}

}  // namespace
}  // namespace fulcrum::test
