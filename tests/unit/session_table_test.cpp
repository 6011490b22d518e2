// The session table against a plain map, under churn, in a crowd and in a flood. What is looked up
// here was stored by code at full optimisation: reading keys as wider integers is where compilers
// have misled such tables before.
#include "dataplane/session_table.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <unordered_map>

#include "tests/support/rooms.h"

namespace fulcrum::test {
namespace {

using enum SessionState;

constexpr std::uint32_t timeout_s = 1'000;

struct TestAges {
    std::uint32_t now_s = 10'000;

    std::uint16_t stamp() const { return static_cast<std::uint16_t>(now_s); }
    std::uint32_t age_s(const Session& session) const {
        return static_cast<std::uint16_t>(stamp() - session.last_seen);
    }
    bool is_expired(const Session& session) const { return age_s(session) > timeout_s; }
};

Session session_number(std::uint32_t number, SessionState state, std::uint16_t last_seen = 10'000) {
    Session session;
    session.client_address = Ipv4Address::from_host(0x0A00'0000 + number / 60'000);
    session.client_port = be16{static_cast<std::uint16_t>(1 + number % 60'000)};
    session.listener = static_cast<std::uint16_t>(number % 7);
    session.vip_port = be16{static_cast<std::uint16_t>(number % 1'000)};
    session.real = static_cast<std::uint16_t>(number % 13);
    session.tag = SessionTag{state, number % 2 == 0 ? L4Protocol::tcp : L4Protocol::udp};
    session.last_seen = last_seen;
    return session;
}

SessionTable::Home home_of(const SessionTable& table, const Session& session) {
    return table.home_of(client_key_of(session));
}

SessionTable::Insertion insert(OwnedTable& table, const Session& session,
                               const TestAges& ages = {}) {
    return table->insert(session, home_of(*table, session), ages);
}

Session* find(OwnedTable& table, const Session& session) {
    return table->find(home_of(*table, session), client_key_of(session), [&](const Session& other) {
        return other.listener == session.listener && other.vip_port == session.vip_port;
    });
}

bool is_same(const Session& a, const Session& b) {
    return a.client_address == b.client_address && a.client_port == b.client_port &&
           a.listener == b.listener && a.vip_port == b.vip_port && a.real == b.real &&
           a.tag.state() == b.tag.state() && a.tag.protocol() == b.tag.protocol() &&
           a.last_seen == b.last_seen;
}

std::size_t counted(OwnedTable& table) {
    std::size_t count = 0;
    table->walk(0, table->swept_count(), [&](const Session&) { ++count; });
    return count;
}

// --- plain use -------------------------------------------------------------------------------

TEST(SessionTable, FindsWhatWasInserted) {
    OwnedTable table{1'024};
    for (std::uint32_t number = 0; number < 2'000; ++number) {
        ASSERT_NE(insert(table, session_number(number, established)).placed, nullptr);
    }
    for (std::uint32_t number = 0; number < 2'000; ++number) {
        const Session* found = find(table, session_number(number, established));
        ASSERT_NE(found, nullptr) << number;
        ASSERT_TRUE(is_same(*found, session_number(number, established)));
    }
}

TEST(SessionTable, DoesNotFindWhatWasNot) {
    OwnedTable table{1'024};
    for (std::uint32_t number = 0; number < 2'000; ++number) {
        insert(table, session_number(number, established));
    }
    for (std::uint32_t number = 2'000; number < 4'000; ++number) {
        ASSERT_EQ(find(table, session_number(number, established)), nullptr);
    }
}

TEST(SessionTable, TellsTheProtocolsOfOneClientPortApart) {
    OwnedTable table{64};
    Session tcp = session_number(2, established);
    Session udp = tcp;
    udp.tag = SessionTag{two_way, L4Protocol::udp};
    insert(table, tcp);
    EXPECT_EQ(find(table, udp), nullptr);
    insert(table, udp);
    EXPECT_EQ(find(table, udp)->tag.state(), two_way);
    EXPECT_EQ(find(table, tcp)->tag.state(), established);
}

TEST(SessionTable, KeepsSeveralSessionsOfOneClientPort) {
    OwnedTable table{64};
    for (std::uint16_t listener = 0; listener < 8; ++listener) {
        Session session = session_number(2, established);
        session.listener = listener;
        ASSERT_NE(insert(table, session).placed, nullptr);
    }
    for (std::uint16_t listener = 0; listener < 8; ++listener) {
        Session session = session_number(2, established);
        session.listener = listener;
        EXPECT_EQ(find(table, session)->listener, listener);
    }
}

TEST(SessionTable, ForgetsWhatWasRemoved) {
    OwnedTable table{64};
    insert(table, session_number(1, established));
    insert(table, session_number(2, established));
    table->remove(*find(table, session_number(1, established)));
    EXPECT_EQ(find(table, session_number(1, established)), nullptr);
    EXPECT_NE(find(table, session_number(2, established)), nullptr);
    EXPECT_EQ(table->live_count(), 1U);
}

TEST(SessionTable, CountsTheUnconfirmed) {
    OwnedTable table{64};
    insert(table, session_number(1, syn_seen));
    insert(table, session_number(2, established));
    EXPECT_EQ(table->unconfirmed_count(), 1U);
    table->set_state(*find(table, session_number(1, established)), established);
    EXPECT_EQ(table->unconfirmed_count(), 0U);
    table->remove(*find(table, session_number(1, established)));
    EXPECT_EQ(table->unconfirmed_count(), 0U);
    EXPECT_EQ(table->live_count(), 1U);
}

TEST(SessionTable, HasRoomForHalfAsManyAgainAsAskedFor) {
    // Two thirds of the slots are the design load.
    EXPECT_EQ(SessionTable::bucket_count_for(1'000'000) * SessionTable::slots_per_bucket,
              1'500'000U);
    EXPECT_EQ(SessionTable::bucket_count_for(1'000'001) * SessionTable::slots_per_bucket,
              1'500'004U);
    EXPECT_GE(SessionTable::bucket_count_for(0), 1U);
}

TEST(SessionTable, TakesTwentyFourAndAHalfBytesASessionAtTheDesignLoad) {
    const std::size_t size = SessionTable::size_for(SessionTable::bucket_count_for(1'000'000));
    EXPECT_LE(static_cast<double>(size) / 1'000'000, 24.5);
}

// --- against a map ---------------------------------------------------------------------------

struct ModelKey {
    std::uint64_t client;
    std::uint16_t listener;
    std::uint16_t vip_port;

    friend auto operator<=>(const ModelKey&, const ModelKey&) = default;
};

ModelKey key_of(const Session& session) {
    return {client_key_of(session), session.listener, session.vip_port.host()};
}

// Random operations on both. `numbers`: how many different sessions there are.
class TwinRun {
  public:
    TwinRun(std::size_t bucket_count, std::uint32_t numbers, std::uint32_t seed)
        : table_{bucket_count}, numbers_{numbers}, random_{seed} {}

    void step() {
        const Session about = session_number(draw(numbers_), random_state(), ages_.stamp());
        Session* found = find(table_, about);
        const auto known = model_.find(key_of(about));
        ASSERT_EQ(found != nullptr, known != model_.end());
        if (found == nullptr) {
            add(about);
        } else {
            ASSERT_TRUE(is_same(*found, known->second));
            change(*found, known->second);
        }
        if (draw(500) == 0) {
            ages_.now_s += draw(timeout_s);
        }
        if (draw(50) == 0) {
            sweep();
        }
    }

    void compare() {
        ASSERT_EQ(table_->live_count(), model_.size());
        ASSERT_EQ(counted(table_), model_.size());
        std::size_t unconfirmed = 0;
        for (const auto& [key, session] : model_) {
            const Session* found = find(table_, session);
            ASSERT_NE(found, nullptr);
            ASSERT_TRUE(is_same(*found, session));
            unconfirmed += is_confirmed(session.tag.state()) ? 0 : 1;
        }
        ASSERT_EQ(table_->unconfirmed_count(), unconfirmed);
    }

    OwnedTable& table() { return table_; }
    std::size_t refused_count() const { return refused_count_; }
    std::size_t evicted_count() const { return evicted_count_; }

  private:
    std::uint32_t draw(std::uint32_t bound) {
        return static_cast<std::uint32_t>(random_() % bound);
    }
    SessionState random_state() { return static_cast<SessionState>(1 + draw(12)); }

    void add(const Session& newcomer) {
        const SessionTable::Insertion insertion = insert(table_, newcomer, ages_);
        if (insertion.removed_expired || insertion.removed_evicted) {
            const auto gone = model_.find(key_of(insertion.removed));
            ASSERT_NE(gone, model_.end());
            ASSERT_EQ(ages_.is_expired(gone->second), insertion.removed_expired);
            if (insertion.removed_evicted) {
                const SessionState state = gone->second.tag.state();
                ASSERT_TRUE(!is_confirmed(state) || state == closed || state == two_way)
                    << to_string(state);
                ++evicted_count_;
            }
            model_.erase(gone);
        }
        if (insertion.placed == nullptr) {
            ++refused_count_;
            return;
        }
        ASSERT_TRUE(is_same(*insertion.placed, newcomer));
        model_[key_of(newcomer)] = newcomer;
    }

    void change(Session& found, Session& known) {
        switch (draw(3)) {
            case 0:
                table_->remove(found);
                model_.erase(key_of(Session{known}));
                break;
            case 1: {
                const SessionState state = random_state();
                table_->set_state(found, state);
                known.tag.set_state(state);
                break;
            }
            default:
                found.last_seen = known.last_seen = ages_.stamp();
        }
    }

    void sweep() {
        table_->sweep(1 + draw(64), ages_, [&](const Session& session) {
            const auto gone = model_.find(key_of(session));
            ASSERT_NE(gone, model_.end());
            ASSERT_TRUE(ages_.is_expired(gone->second));
            model_.erase(gone);
        });
    }

    OwnedTable table_;
    std::uint32_t numbers_;
    std::mt19937 random_;
    TestAges ages_;
    std::map<ModelKey, Session> model_;
    std::size_t refused_count_ = 0;
    std::size_t evicted_count_ = 0;
};

void run_twins(TwinRun& twins, unsigned step_count) {
    for (unsigned step = 0; step < step_count; ++step) {
        twins.step();
        if (testing::Test::HasFatalFailure()) {
            FAIL() << "at step " << step;
        }
        if (step % 10'000 == 0) {
            twins.compare();
        }
    }
    twins.compare();
}

TEST(SessionTable, EqualsAMapUnderRandomOperationsAndTime) {
    TwinRun twins{256, 1'200,
                  static_cast<std::uint32_t>(testing::UnitTest::GetInstance()->random_seed() + 1)};
    run_twins(twins, 300'000);
    EXPECT_EQ(twins.refused_count(), 0U);
}

TEST(SessionTable, EqualsAMapInACrowd) {
    // Twice as many sessions as slots: moves, overflow, evictions and refusals.
    TwinRun twins{64, 512,
                  static_cast<std::uint32_t>(testing::UnitTest::GetInstance()->random_seed() + 2)};
    run_twins(twins, 300'000);
    EXPECT_GT(twins.refused_count() + twins.evicted_count(), 1'000U);
    EXPECT_GT(twins.table()->moved_count(), 100U);
}

// --- at the design load ----------------------------------------------------------------------

TEST(SessionTable, LeavesFewerThanOneInAHundredThousandUntrackedAfterTwoTurnovers) {
    constexpr std::uint32_t load = 150'000;
    OwnedTable table{SessionTable::bucket_count_for(load)};
    std::vector<std::uint32_t> live;
    std::mt19937 random{17};
    std::uint32_t next = 0;
    std::size_t untracked = 0;
    const auto arrive = [&] {
        const bool is_placed = insert(table, session_number(next, established)).placed != nullptr;
        untracked += is_placed ? 0 : 1;
        if (is_placed) {
            live.push_back(next);
        }
        ++next;
    };
    while (next < load) {
        arrive();
    }
    while (next < 3 * load) {
        const std::size_t leaving = random() % live.size();
        Session* session = find(table, session_number(live[leaving], established));
        ASSERT_NE(session, nullptr);
        table->remove(*session);
        live[leaving] = live.back();
        live.pop_back();
        arrive();
    }
    EXPECT_LT(untracked, next / 100'000);
    for (const std::uint32_t number : live) {
        ASSERT_NE(find(table, session_number(number, established)), nullptr);
    }
}

// --- who goes when there is no room ----------------------------------------------------------

// Sixteen buckets, every slot and all overflow taken by confirmed sessions that are not old.
class CrowdedTable : public testing::Test {
  protected:
    CrowdedTable() {
        for (unsigned refused_in_a_row = 0; refused_in_a_row < 200; ++next_number_) {
            const bool is_placed =
                insert(table_, session_number(next_number_, established), ages_).placed != nullptr;
            refused_in_a_row = is_placed ? 0 : refused_in_a_row + 1;
        }
        newcomer_ = session_number(next_number_, established);
    }

    // The session in this slot of the newcomer's two buckets, 0 to 7.
    Session& candidate(unsigned slot) {
        const SessionTable::Home home = home_of(*table_, newcomer_);
        const std::uint32_t bucket = slot < 4 ? home.first : home.second;
        Session in_slot;
        unsigned at = 0;
        table_->walk(bucket, 1, [&](const Session& session) {
            if (at++ == slot % 4) {
                in_slot = session;
            }
        });
        return *find(table_, in_slot);
    }

    void prepare(unsigned slot, SessionState state, std::uint32_t age_s) {
        Session& session = candidate(slot);
        table_->set_state(session, state);
        session.last_seen = static_cast<std::uint16_t>(ages_.stamp() - age_s);
    }

    // Inserts the newcomer, tells who went for it, and makes everything as it was before.
    std::optional<Session> who_goes() {
        const SessionTable::Insertion insertion = insert(table_, newcomer_, ages_);
        if (insertion.placed == nullptr) {
            return std::nullopt;
        }
        EXPECT_TRUE(insertion.removed_expired || insertion.removed_evicted);
        EXPECT_EQ(insertion.removed_expired, ages_.is_expired(insertion.removed));
        // What came instead is as good as the rest of the crowd from here on.
        newcomer_ = session_number(++next_number_, established);
        while (home_of(*table_, newcomer_).first != home_of(*table_, *insertion.placed).first ||
               home_of(*table_, newcomer_).second != home_of(*table_, *insertion.placed).second) {
            newcomer_ = session_number(++next_number_, established);
        }
        return insertion.removed;
    }

    TestAges ages_;
    OwnedTable table_{16};
    std::uint32_t next_number_ = 0;
    Session newcomer_;
};

TEST_F(CrowdedTable, RefusesANewcomerWhenAllOthersAreConfirmed) {
    EXPECT_EQ(table_->live_count(), 64U + 32U);
    EXPECT_EQ(who_goes(), std::nullopt);
    EXPECT_EQ(table_->live_count(), 64U + 32U);
}

TEST_F(CrowdedTable, EvictsInTheOrderOfWorth) {
    prepare(1, closed, 30);
    prepare(2, syn_seen, 10);
    prepare(3, closed, 40);
    prepare(4, one_way, 20);
    prepare(5, two_way, 3);
    prepare(0, two_way, 200);
    prepare(6, established, timeout_s + 1);
    prepare(7, client_closed, 500);

    const auto goes = [&](SessionState state, std::uint32_t age_s) {
        const std::optional<Session> gone = who_goes();
        ASSERT_TRUE(gone.has_value());
        EXPECT_EQ(to_string(gone->tag.state()), to_string(state));
        EXPECT_EQ(ages_.age_s(*gone), age_s);
    };
    goes(established, timeout_s + 1);  // expired
    goes(one_way, 20);                 // unconfirmed, oldest first
    goes(syn_seen, 10);
    goes(closed, 40);  // closed on both sides, oldest first
    goes(closed, 30);
    goes(two_way, 200);  // datagrams', though they are confirmed
    goes(two_way, 3);
    EXPECT_EQ(who_goes(),
              std::nullopt);  // a confirmed connection never; half-closed counts as confirmed
}

TEST_F(CrowdedTable, NeverEvictsAConfirmedConnection) {
    const SessionState confirmed[] = {established, client_closed, real_closed, reset_by_client,
                                      reset_by_real};
    for (unsigned slot = 0; slot < 5; ++slot) {
        prepare(slot, confirmed[slot], timeout_s);
    }
    EXPECT_EQ(who_goes(), std::nullopt);
}

// --- moves and overflow ----------------------------------------------------------------------

TEST(SessionTable, MovesANeighbourToMakeRoom) {
    OwnedTable table{64};
    std::uint32_t number = 0;
    while (table->moved_count() == 0) {
        ASSERT_LT(number, 256U);
        ASSERT_NE(insert(table, session_number(number++, established)).placed, nullptr);
    }
    for (std::uint32_t other = 0; other < number; ++other) {
        EXPECT_NE(find(table, session_number(other, established)), nullptr);
    }
}

TEST(SessionTable, FindsWhatLiesInTheOverflowTable) {
    OwnedTable table{16};
    std::uint32_t number = 0;
    std::vector<std::uint32_t> placed;
    while (table->overflow_live_count() < 8) {
        ASSERT_LT(number, 200U);
        if (insert(table, session_number(number, established)).placed != nullptr) {
            placed.push_back(number);
        }
        ++number;
    }
    for (const std::uint32_t other : placed) {
        EXPECT_NE(find(table, session_number(other, established)), nullptr);
    }
}

// The mark lies in the highest bit of a bucket's first tag, at octets 12 and 13 of its line.
unsigned marked_buckets(OwnedTable& table) {
    unsigned count = 0;
    for (std::size_t bucket = 0; bucket < table->bucket_count(); ++bucket) {
        count += static_cast<unsigned>(table.memory()[bucket * 64 + 13]) >> 7;
    }
    return count;
}

TEST(SessionTable, ClearsABucketsMarkWhenNothingOfItIsInTheOverflowTable) {
    OwnedTable table{16};
    std::vector<std::uint32_t> placed;
    for (std::uint32_t number = 0; number < 300; ++number) {
        if (insert(table, session_number(number, established)).placed != nullptr) {
            placed.push_back(number);
        }
    }
    const auto sweep = [&] {
        while (!table->sweep(16, TestAges{}, [](const Session&) {})) {
        }
    };
    ASSERT_GT(marked_buckets(table), 0U);
    const std::size_t half = placed.size() / 2;
    for (std::size_t i = 0; i < half; ++i) {
        table->remove(*find(table, session_number(placed[i], established)));
    }
    sweep();
    for (std::size_t i = half; i < placed.size(); ++i) {
        ASSERT_NE(find(table, session_number(placed[i], established)), nullptr);
    }
    for (std::size_t i = half; i < placed.size(); ++i) {
        table->remove(*find(table, session_number(placed[i], established)));
    }
    sweep();
    EXPECT_EQ(marked_buckets(table), 0U);
    EXPECT_EQ(table->overflow_live_count(), 0U);
}

// --- floods ----------------------------------------------------------------------------------

TEST(SessionTable, AFloodIsMoreUnconfirmedSessionsThanTheirQuota) {
    OwnedTable table{1'024};
    EXPECT_EQ(table->unconfirmed_quota(), 1'024U);  // a quarter of the slots
    std::uint32_t number = 0;
    while (table->unconfirmed_count() < 1'024) {
        insert(table, session_number(number++, syn_seen));
    }
    EXPECT_FALSE(table->is_flooded());
    insert(table, session_number(number, syn_seen));
    EXPECT_TRUE(table->is_flooded());
}

TEST(SessionTable, InAFloodNobodyIsMovedForANewcomer) {
    OwnedTable table{256};
    std::uint32_t number = 0;
    while (!table->is_flooded()) {
        insert(table, session_number(number++, syn_seen));
    }
    const std::uint64_t moved_before = table->moved_count();
    for (unsigned i = 0; i < 10'000; ++i) {
        ASSERT_NE(insert(table, session_number(number++, syn_seen)).placed, nullptr);
    }
    EXPECT_EQ(table->moved_count(), moved_before);
    EXPECT_EQ(table->overflow_live_count(), 0U);
}

TEST(SessionTable, AFloodLeavesEveryConfirmedSession) {
    OwnedTable table{1'024};
    for (std::uint32_t number = 0; number < 2'700; ++number) {  // the design load
        ASSERT_NE(insert(table, session_number(number, established)).placed, nullptr);
    }
    for (std::uint32_t number = 10'000; number < 51'000; ++number) {
        insert(table, session_number(number, syn_seen));
    }
    for (std::uint32_t number = 0; number < 2'700; ++number) {
        ASSERT_NE(find(table, session_number(number, established)), nullptr);
    }
}

// --- sweeps and walks ------------------------------------------------------------------------

TEST(SessionTable, ASweepRemovesTheExpiredAndTellsOfEach) {
    OwnedTable table{64};
    TestAges ages;
    for (std::uint32_t number = 0; number < 100; ++number) {
        const std::uint32_t age_s = number % 2 == 0 ? timeout_s + 1 : timeout_s;
        insert(table, session_number(number, established,
                                     static_cast<std::uint16_t>(ages.stamp() - age_s)));
    }
    std::vector<std::uint16_t> told;
    while (!table->sweep(
        7, ages, [&](const Session& session) { told.push_back(session.client_port.host()); })) {
    }
    EXPECT_EQ(told.size(), 50U);
    EXPECT_EQ(table->live_count(), 50U);
    for (std::uint32_t number = 0; number < 100; ++number) {
        EXPECT_EQ(find(table, session_number(number, established)) == nullptr, number % 2 == 0);
    }
}

TEST(SessionTable, ASweepsRoundIsAsLongAsTheTable) {
    OwnedTable table{64};
    const TestAges ages;
    for (unsigned round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i + 1 < table->swept_count(); ++i) {
            ASSERT_FALSE(table->sweep(1, ages, [](const Session&) {}));
        }
        ASSERT_TRUE(table->sweep(1, ages, [](const Session&) {}));
    }
}

TEST(SessionTable, AWalkInStepsVisitsEverySessionOnce) {
    OwnedTable table{16};
    for (std::uint32_t number = 0; number < 300; ++number) {
        insert(table, session_number(number, established));
    }
    ASSERT_GT(table->overflow_live_count(), 0U);
    std::map<ModelKey, unsigned> visits;
    std::size_t from = 0;
    while (table->walk(from, 5, [&](const Session& session) { ++visits[key_of(session)]; })) {
        from += 5;
    }
    EXPECT_EQ(visits.size(), table->live_count());
    for (const auto& [key, count] : visits) {
        EXPECT_EQ(count, 1U);
    }
}

TEST(SessionTable, SaysWhenPointersHaveGoneStale) {
    OwnedTable table{64};
    std::uint32_t number = 0;
    insert(table, session_number(number++, established));
    const std::uint64_t before = table->disturbances();
    insert(table, session_number(number++, established));
    EXPECT_EQ(table->disturbances(), before);
    table->remove(*find(table, session_number(0, established)));
    EXPECT_GT(table->disturbances(), before);
    const std::uint64_t after_removal = table->disturbances();
    while (table->moved_count() == 0) {
        insert(table, session_number(number++, established));
    }
    EXPECT_GT(table->disturbances(), after_removal);
}

// --- what an earlier process has left --------------------------------------------------------

TEST(SessionTable, FindsAndCountsWhatATableBeforeItHasLeftInItsMemory) {
    OwnedTable before{256};
    for (std::uint32_t number = 0; number < 1'020; ++number) {  // so many that some lie in overflow
        ASSERT_NE(
            insert(before, session_number(number, number % 5 == 0 ? syn_seen : established)).placed,
            nullptr);
    }
    ASSERT_GT(before->overflow_live_count(), 0U);
    SessionTable after{before.octets(), 256, OwnedTable::default_key};
    std::size_t kept_count = 0;
    after.take_up(TestAges{}, [&](Session&) { return ++kept_count > 0; });
    EXPECT_EQ(kept_count, counted(before));
    EXPECT_EQ(after.live_count(), before->live_count());
    EXPECT_EQ(after.unconfirmed_count(), before->unconfirmed_count());
    EXPECT_EQ(after.overflow_live_count(), before->overflow_live_count());
    before->walk(0, before->swept_count(), [&](const Session& session) {
        const Session* found =
            after.find(home_of(after, session), client_key_of(session), [&](const Session& other) {
                return other.listener == session.listener && other.vip_port == session.vip_port;
            });
        ASSERT_NE(found, nullptr);
        EXPECT_TRUE(is_same(*found, session));
    });
}

TEST(SessionTable, TakesUpNothingThatHasExpiredOrIsNotWanted) {
    OwnedTable before{64};
    insert(before, session_number(1, established));
    insert(before, session_number(2, established, 10'000 - timeout_s - 1));
    insert(before, session_number(3, established));
    SessionTable after{before.octets(), 64, OwnedTable::default_key};
    after.take_up(TestAges{}, [](Session& session) { return session.client_port != be16{4}; });
    EXPECT_EQ(after.live_count(), 1U);
}

// Under another secret nothing lies where it is looked for, and of random octets next to nothing
// does by chance.
TEST(SessionTable, TakesUpNothingThatLiesWhereNobodyWouldLookForIt) {
    OwnedTable before{1'024};
    for (std::uint32_t number = 0; number < 3'000; ++number) {
        insert(before, session_number(number, established));
    }
    SessionTable elsewhere{before.octets(), 1'024, {77, 78}};
    elsewhere.take_up(TestAges{}, [](Session&) { return true; });
    EXPECT_LT(elsewhere.live_count(), 30U);
    std::mt19937_64 random{7};
    for (std::byte& octet : before.octets()) {
        octet = static_cast<std::byte>(random());
    }
    SessionTable damaged{before.octets(), 1'024, OwnedTable::default_key};
    damaged.take_up(TestAges{}, [](Session&) { return true; });
    EXPECT_LT(damaged.live_count(), 30U);
    EXPECT_EQ(damaged.live_count(), [&] {
        std::size_t count = 0;
        damaged.walk(0, damaged.swept_count(), [&](const Session&) { ++count; });
        return count;
    }());
}

}  // namespace
}  // namespace fulcrum::test
