// Rates by a scripted clock of a thousand cycles a second, against numbers worked out by hand.
#include "dataplane/limiter.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

constexpr HashKey key{0x0123'4567'89AB'CDEF, 0xFEDC'BA98'7654'3211};
constexpr std::uint64_t hz = 1'000;

Account account_of(std::uint32_t client, std::uint16_t service = 1,
                   Account::Of of = Account::Of::sessions) {
    return {service, of, client_prefix_of(Ipv4Address::from_host(client))};
}

// How many of `asked` are granted.
unsigned taken(Limiter& limiter, const Account& account, std::uint32_t per_s, unsigned asked,
               unsigned share = 1) {
    unsigned count = 0;
    for (unsigned i = 0; i < asked; ++i) {
        count += limiter.take(account, per_s, share) ? 1U : 0U;
    }
    return count;
}

TEST(Limiter, GrantsASecondsWorthAtOnceAndThenOneAtATime) {
    Limiter limiter{64, key, hz};
    limiter.tick(5'000);
    EXPECT_EQ(taken(limiter, account_of(7), 10, 100), 10U);
    limiter.tick(5'099);
    EXPECT_EQ(taken(limiter, account_of(7), 10, 100), 0U);
    limiter.tick(5'100);
    EXPECT_EQ(taken(limiter, account_of(7), 10, 100), 1U);
    limiter.tick(5'350);  // two and a half have come due
    EXPECT_EQ(taken(limiter, account_of(7), 10, 100), 2U);
    limiter.tick(5'400);
    EXPECT_EQ(taken(limiter, account_of(7), 10, 100), 1U);
}

TEST(Limiter, SavesUpNoMoreThanASecondsWorth) {
    Limiter limiter{64, key, hz};
    limiter.tick(1'000);
    EXPECT_EQ(taken(limiter, account_of(7), 4, 1), 1U);
    limiter.tick(1'000'000);
    EXPECT_EQ(taken(limiter, account_of(7), 4, 100), 4U);
}

TEST(Limiter, GrantsARateOfOne) {
    Limiter limiter{64, key, hz};
    unsigned count = 0;
    for (std::uint64_t now = 0; now < 10'000; now += 10) {
        limiter.tick(now);
        count += limiter.take(account_of(7), 1) ? 1U : 0U;
    }
    EXPECT_EQ(count, 10U);
}

TEST(Limiter, KeepsClientsServicesAndKindsApart) {
    Limiter limiter{64, key, hz};
    EXPECT_EQ(taken(limiter, account_of(7), 3, 9), 3U);
    EXPECT_EQ(taken(limiter, account_of(8), 3, 9), 3U);
    EXPECT_EQ(taken(limiter, account_of(7, 2), 3, 9), 3U);
    EXPECT_EQ(taken(limiter, account_of(7, 1, Account::Of::packets), 3, 9), 3U);
    EXPECT_EQ(taken(limiter, {1, Account::Of::sessions, {}}, 3, 9), 3U) << "all of them together";
    EXPECT_EQ(taken(limiter, account_of(7), 3, 9), 0U);
}

TEST(Limiter, GivesEachOfSeveralWorkersItsShare) {
    Limiter limiter{64, key, hz};
    limiter.tick(1'000);
    EXPECT_EQ(taken(limiter, account_of(7), 100, 1'000, 4), 25U);
    limiter.tick(1'040);
    EXPECT_EQ(taken(limiter, account_of(7), 100, 1'000, 4), 1U);
}

TEST(Limiter, LeavesNoTraceInARehearsal) {
    Limiter limiter{64, key, hz};
    limiter.rehearse(true);
    EXPECT_EQ(taken(limiter, account_of(7), 2, 50), 50U);
    limiter.rehearse(false);
    EXPECT_EQ(taken(limiter, account_of(7), 2, 50), 2U);
    limiter.rehearse(true);
    EXPECT_EQ(taken(limiter, account_of(7), 2, 50), 0U) << "but it tells the truth";
}

// Eight places, a flood of a million addresses through them, and one who is at his limit.
TEST(Limiter, AFloodOfAddressesFreesNoKnownOffender) {
    Limiter limiter{8, key, hz};
    limiter.tick(1'000);
    EXPECT_EQ(taken(limiter, account_of(7), 10, 100), 10U);
    for (std::uint32_t client = 100; client < 1'000'100; ++client) {
        EXPECT_TRUE(limiter.take(account_of(client), 10)) << client;
    }
    EXPECT_EQ(taken(limiter, account_of(7), 10, 100), 0U);
    limiter.tick(1'100);
    EXPECT_EQ(taken(limiter, account_of(7), 10, 100), 1U) << "he still gets his rate";
}

TEST(Limiter, RemembersAsManyAsItHasRoomFor) {
    constexpr std::uint32_t count = 10'000;
    Limiter limiter{2 * count, key, hz};
    for (std::uint32_t client = 0; client < count; ++client) {
        EXPECT_EQ(taken(limiter, account_of(client), 2, 3), 2U);
    }
    std::uint32_t remembered = 0;
    for (std::uint32_t client = 0; client < count; ++client) {
        remembered += limiter.take(account_of(client), 2) ? 0U : 1U;
    }
    EXPECT_GT(remembered, count * 99 / 100);
}

}  // namespace
}  // namespace fulcrum
