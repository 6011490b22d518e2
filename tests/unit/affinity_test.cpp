// The table of clients' affinity by itself: what it remembers, how long, and who makes way for whom
// when it is full.
#include "dataplane/affinity.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

constexpr std::uint32_t timeout_s = 300;

class AffinityTest : public testing::Test {
  protected:
    AffinityTest() {
        scene_.service("web", {Ipv4Address::of(10, 1, 0, 80), be16{80}})
            .real("a", {Ipv4Address::of(10, 2, 0, 11), be16{80}})
            .real("b", {Ipv4Address::of(10, 2, 0, 12), be16{80}});
        scene_.last_service().affinity = Affinity{.timeout_s = timeout_s};
        snapshot_ = scene_.snapshot();
    }

    AffinityRules rules() const { return {*snapshot_, now_s_}; }
    static AffinityTable::Key client(std::uint32_t number) {
        return {client_prefix_of(Ipv4Address::from_host(0xC633'6400 + number)), 0};
    }
    std::uint16_t real_of(std::uint32_t number) { return table_.real_of(client(number), rules()); }
    bool hold(std::uint32_t number, std::uint16_t real, bool is_confirmed = true) {
        return table_.hold(client(number), real, is_confirmed, rules());
    }
    void release(std::uint32_t number) { table_.release(client(number), now_s_); }

    Scene scene_;
    std::unique_ptr<const Snapshot> snapshot_;
    AffinityTable table_{16, OwnedTable::default_key};  // three buckets of eight
    std::uint32_t now_s_ = 5'000;
};

TEST_F(AffinityTest, AClientIsRememberedForTheTimeoutAfterItsSessionAndNoLonger) {
    hold(1, 1);
    now_s_ += 10'000;
    EXPECT_EQ(real_of(1), 1U) << "while the session lives";
    release(1);
    now_s_ += timeout_s;
    EXPECT_EQ(real_of(1), 1U);
    now_s_ += 1;
    EXPECT_EQ(real_of(1), limits::index_none);
}

TEST_F(AffinityTest, TheTimeoutRunsFromTheEndOfTheLastSessionInFullEachTime) {
    for (int visits = 0; visits < 5; ++visits) {
        hold(1, 1);
        hold(1, 1);
        release(1);
        now_s_ += 4 * timeout_s;
        EXPECT_EQ(real_of(1), 1U) << "one of two sessions lives";
        release(1);
        now_s_ += timeout_s;
        EXPECT_EQ(real_of(1), 1U);
    }
}

TEST_F(AffinityTest, ASessionThatEndedBeforeItWasSeenToEndCountsFromThen) {
    hold(1, 1);
    now_s_ += 100;
    table_.release(client(1), now_s_ - 10);
    now_s_ += timeout_s - 10;
    EXPECT_EQ(real_of(1), 1U);
    now_s_ += 1;
    EXPECT_EQ(real_of(1), limits::index_none);
}

TEST_F(AffinityTest, GroupsAndLengthsAreKeptApart) {
    hold(1, 1);
    AffinityTable::Key other = client(1);
    other.group = 1;
    EXPECT_EQ(table_.real_of(other, rules()), limits::index_none);
    other = client(1);
    other.client = cut(other.client, 96 + 24);
    EXPECT_EQ(table_.real_of(other, rules()), limits::index_none);
}

TEST_F(AffinityTest, ALaterSessionElsewhereTakesTheClientAlong) {
    hold(1, 0);
    hold(1, 1);
    EXPECT_EQ(real_of(1), 1U);
}

TEST_F(AffinityTest, ARealOrServiceThatIsGoneIsForgotten) {
    hold(1, 7);  // the service has no such real
    EXPECT_EQ(real_of(1), limits::index_none);
    hold(2, 1);
    scene_.last_service().affinity.reset();
    snapshot_ = scene_.snapshot();
    EXPECT_EQ(real_of(2), limits::index_none);
    table_.sweep(table_.bucket_count(), rules());
    EXPECT_TRUE(table_.is_round_done());
    EXPECT_EQ(table_.live_count(), 0U);
}

TEST_F(AffinityTest, TheSweepLeavesWhatIsNotOver) {
    hold(1, 1);
    hold(2, 1);
    release(2);
    now_s_ += timeout_s + 1;
    table_.sweep(table_.bucket_count(), rules());
    EXPECT_EQ(table_.live_count(), 1U);
    EXPECT_EQ(real_of(1), 1U);
}

// --- full ------------------------------------------------------------------------------------

constexpr std::uint32_t places = 24;

TEST_F(AffinityTest, AClientWithASessionIsNeverEvicted) {
    for (std::uint32_t number = 0; number < 500; ++number) {
        hold(number, 1);
    }
    EXPECT_LE(table_.live_count(), places);
    EXPECT_EQ(table_.refused_count(), 500 - table_.live_count());
    EXPECT_EQ(table_.evicted_count(), 0U);
}

TEST_F(AffinityTest, StrangersPushOutStrangersAndNobodyWhoWasServed) {
    std::vector<std::uint32_t> served;
    for (std::uint32_t number = 0; number < 8; ++number) {
        hold(number, 1);
        release(number);
        served.push_back(number);
    }
    for (std::uint32_t number = 100; number < 1'100; ++number) {
        now_s_ += number % 8 == 0 ? 1 : 0;
        if (hold(number, 0, /*is_confirmed=*/false)) {
            release(number);
        }
    }
    EXPECT_GT(table_.evicted_count(), 500U);
    for (const std::uint32_t number : served) {
        EXPECT_EQ(real_of(number), 1U) << number;
    }
}

TEST_F(AffinityTest, OfTheServedTheOneThatIdlesLongestMakesWayForOneWhoIsServed) {
    for (std::uint32_t number = 0; number < places; ++number) {
        now_s_ += 1;
        if (hold(number, 1)) {
            release(number);
        }
    }
    const std::uint64_t evicted = table_.evicted_count();
    EXPECT_FALSE(hold(1'000, 0, /*is_confirmed=*/false) && table_.evicted_count() > evicted)
        << "a stranger does not push out who was served";
    for (std::uint32_t number = 2'000; number < 2'100; ++number) {
        EXPECT_TRUE(hold(number, 0));
        release(number);
        now_s_ += 1;
    }
    EXPECT_EQ(real_of(0), limits::index_none);
    EXPECT_EQ(real_of(2'099), 0U);
}

TEST_F(AffinityTest, TwoThirdsOfItsPlacesFindRoomForNearlyEverybody) {
    AffinityTable table{60'000, OwnedTable::default_key};
    for (std::uint32_t number = 0; number < 60'000; ++number) {
        table.hold(client(number), 1, /*is_confirmed=*/true, rules());
    }
    EXPECT_GE(table.live_count(), 60'000U - 60U);
}

// --- what an earlier process has left --------------------------------------------------------

TEST_F(AffinityTest, ARecordIsTakenUpAndCountsOnlySessionsThatRejoinIt) {
    const auto memory = std::make_unique<OwnedTable>(64);
    AffinityTable before{memory->octets(), 16, OwnedTable::default_key};
    ASSERT_TRUE(before.hold(client(1), 1, true, rules()));
    ASSERT_TRUE(before.hold(client(1), 1, true, rules()));
    ASSERT_TRUE(before.hold(client(2), 0, true, rules()));
    before.release(client(2), now_s_ - timeout_s - 1);
    now_s_ += 5;

    AffinityTable after{memory->octets(), 16, OwnedTable::default_key};
    after.take_up(rules());
    EXPECT_EQ(after.live_count(), 1U) << "one is over";
    EXPECT_TRUE(after.rejoin(client(1), rules()));
    EXPECT_FALSE(after.rejoin(client(2), rules()));
    now_s_ += 10 * timeout_s;
    EXPECT_EQ(after.real_of(client(1), rules()), 1U) << "while the one session lives";
    after.release(client(1), now_s_);
    now_s_ += timeout_s + 1;
    EXPECT_EQ(after.real_of(client(1), rules()), limits::index_none);
}

TEST_F(AffinityTest, ARecordWithoutItsSessionsLastsTheFullTimeFromTheTakeOver) {
    const auto memory = std::make_unique<OwnedTable>(64);
    AffinityTable before{memory->octets(), 16, OwnedTable::default_key};
    before.hold(client(1), 1, true, rules());
    now_s_ += 10 * timeout_s;
    AffinityTable after{memory->octets(), 16, OwnedTable::default_key};
    after.take_up(rules());
    now_s_ += timeout_s;
    EXPECT_EQ(after.real_of(client(1), rules()), 1U);
    now_s_ += 1;
    EXPECT_EQ(after.real_of(client(1), rules()), limits::index_none);
}

TEST_F(AffinityTest, RecordsOfATableOfAnotherSizeAreFoundWhereTheyArePlaced) {
    AffinityTable other{600, {5, 7}};
    for (std::uint32_t number = 0; number < 12; ++number) {
        other.hold(client(number), static_cast<std::uint16_t>(number % 2), true, rules());
    }
    other.walk(0, other.bucket_count(),
               [&](const AffinityRecord& record) { EXPECT_TRUE(table_.place(record)); });
    for (std::uint32_t number = 0; number < 12; ++number) {
        EXPECT_EQ(real_of(number), number % 2);
    }
}

}  // namespace
}  // namespace fulcrum::test
