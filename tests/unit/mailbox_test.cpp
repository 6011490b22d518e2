// The door for records: nothing is lost, doubled or torn, and a full mailbox says so.
#include "dataplane/mailbox.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

namespace fulcrum {
namespace {

struct Record {
    std::uint64_t number = 0;
    std::array<std::uint64_t, 6> copies{};  // of the number: a torn record shows

    static Record of(std::uint64_t number) {
        Record record{number, {}};
        record.copies.fill(number);
        return record;
    }
    bool is_whole() const {
        for (const std::uint64_t copy : copies) {
            if (copy != number) {
                return false;
            }
        }
        return true;
    }
};

TEST(Mailbox, GivesRecordsInTheOrderInWhichTheyWerePosted) {
    const auto mailbox = Mailbox<Record>::create("test_order", 8);
    ASSERT_NE(mailbox, nullptr);
    EXPECT_TRUE(mailbox->post(Record::of(1)));
    EXPECT_TRUE(mailbox->post(Record::of(2)));
    std::array<Record, 8> records;
    ASSERT_EQ(mailbox->collect(records.data(), records.size()), 2U);
    EXPECT_EQ(records[0].number, 1U);
    EXPECT_EQ(records[1].number, 2U);
    EXPECT_TRUE(mailbox->is_empty());
}

TEST(Mailbox, HoldsExactlyAsManyAsAskedFor) {
    for (const std::size_t capacity : {1U, 5U, 8U, 100U}) {
        const auto mailbox = Mailbox<Record>::create("test_capacity", capacity);
        ASSERT_NE(mailbox, nullptr);
        for (std::size_t i = 0; i < capacity; ++i) {
            ASSERT_TRUE(mailbox->post(Record::of(i)));
        }
        EXPECT_EQ(mailbox->count(), capacity);
        EXPECT_FALSE(mailbox->post(Record::of(capacity)));
    }
}

TEST(Mailbox, TakesTheFrontOfWhatDoesNotFit) {
    const auto mailbox = Mailbox<Record>::create("test_front", 3);
    const std::array<Record, 5> records{Record::of(1), Record::of(2), Record::of(3), Record::of(4),
                                        Record::of(5)};
    EXPECT_EQ(mailbox->post(records.data(), records.size()), 3U);
    std::array<Record, 5> collected;
    ASSERT_EQ(mailbox->collect(collected.data(), collected.size()), 3U);
    EXPECT_EQ(collected[2].number, 3U);
}

TEST(Mailbox, GivesNoMoreThanAskedFor) {
    const auto mailbox = Mailbox<Record>::create("test_part", 8);
    for (std::uint64_t number = 0; number < 8; ++number) {
        mailbox->post(Record::of(number));
    }
    std::array<Record, 3> records;
    EXPECT_EQ(mailbox->collect(records.data(), records.size()), 3U);
    EXPECT_EQ(mailbox->count(), 5U);
}

TEST(Mailbox, TwoOfOneNameCannotBe) {
    const auto first = Mailbox<Record>::create("test_same", 8);
    EXPECT_EQ(Mailbox<Record>::create("test_same", 8), nullptr);
}

TEST(Mailbox, LosesNothingBetweenTwoThreads) {
    constexpr std::uint64_t record_count = 100'000;
    const auto mailbox = Mailbox<Record>::create("test_threads", 64);
    ASSERT_NE(mailbox, nullptr);
    std::thread producer{[&] {
        std::array<Record, 7> burst;
        for (std::uint64_t next = 0; next < record_count;) {
            const std::uint64_t wanted =
                std::min<std::uint64_t>(1 + next % burst.size(), record_count - next);
            for (std::uint64_t i = 0; i < wanted; ++i) {
                burst[i] = Record::of(next + i);
            }
            const unsigned posted = mailbox->post(burst.data(), static_cast<unsigned>(wanted));
            if (posted == 0) {
                std::this_thread::yield();
            }
            next += posted;
        }
    }};
    std::uint64_t expected = 0;
    bool was_well = true;
    std::array<Record, 10> burst;
    while (expected < record_count) {
        const unsigned count = mailbox->collect(burst.data(), burst.size());
        for (unsigned i = 0; i < count; ++i) {
            was_well = was_well && burst[i].number == expected && burst[i].is_whole();
            ++expected;
        }
        if (count == 0) {
            std::this_thread::yield();
        }
    }
    producer.join();
    EXPECT_TRUE(was_well);
    EXPECT_TRUE(mailbox->is_empty());
}

}  // namespace
}  // namespace fulcrum
