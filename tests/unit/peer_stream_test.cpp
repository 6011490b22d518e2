// Messages in order, whatever the network does.
#include "controlplane/peer/peer_stream.h"

#include <gtest/gtest.h>

#include <string>

namespace fulcrum {
namespace {

constexpr Instant begin{1'000s};

Octets message(std::uint64_t n) {
    const std::string text = "message " + std::to_string(n);
    return {text.begin(), text.end()};
}

// All that may go now, by number.
std::vector<std::uint64_t> gone(PeerStream& stream, Instant now) {
    std::vector<std::uint64_t> numbers;
    while (const auto outgoing = stream.next_to_go(now)) {
        numbers.push_back(outgoing->number);
    }
    return numbers;
}

PeerStream::Acknowledgement up_to(std::uint64_t next) {
    return {.next = next, .room = PeerStream::window, .behind = {}};
}

TEST(PeerStream, GivesMessagesInTheirOrderHoweverTheyCome) {
    PeerStream stream;
    EXPECT_TRUE(stream.take(1, message(1)));
    EXPECT_FALSE(stream.fetch().has_value());
    EXPECT_TRUE(stream.take(0, message(0)));
    EXPECT_EQ(stream.fetch(), message(0));
    EXPECT_EQ(stream.fetch(), message(1));
    EXPECT_FALSE(stream.fetch().has_value());
}

TEST(PeerStream, TakesEachMessageOnce) {
    PeerStream stream;
    EXPECT_TRUE(stream.take(0, message(0)));
    EXPECT_FALSE(stream.take(0, message(0)));
    EXPECT_EQ(stream.fetch(), message(0));
    EXPECT_FALSE(stream.take(0, message(0)));
    EXPECT_FALSE(stream.fetch().has_value());
}

TEST(PeerStream, KeepsNoMoreThanItsWindow) {
    PeerStream stream;
    EXPECT_TRUE(stream.take(PeerStream::window - 1, message(1)));
    EXPECT_FALSE(stream.take(PeerStream::window, message(1)));
    EXPECT_FALSE(stream.take(UINT64_MAX, message(1)));
}

TEST(PeerStream, SaysWhatIsHereAndWhatIsMissing) {
    PeerStream stream;
    stream.take(0, message(0));
    stream.take(2, message(2));
    stream.take(5, message(5));
    const PeerStream::Acknowledgement told = stream.acknowledgement();
    EXPECT_EQ(told.next, 1U);
    EXPECT_EQ(told.room, PeerStream::window - 1);
    EXPECT_TRUE(told.behind.test(0));
    EXPECT_FALSE(told.behind.test(1));
    EXPECT_TRUE(told.behind.test(3));
    EXPECT_EQ(told.behind.count(), 2U);
}

TEST(PeerStream, HasLessRoomUntilItsMessagesAreFetched) {
    PeerStream stream;
    for (std::uint64_t n = 0; n < PeerStream::window; ++n) {
        EXPECT_TRUE(stream.take(n, message(n)));
    }
    EXPECT_EQ(stream.acknowledgement().room, 0U);
    ASSERT_TRUE(stream.fetch().has_value());
    EXPECT_EQ(stream.acknowledgement().room, 1U);
    EXPECT_EQ(stream.acknowledgement().next, PeerStream::window);
}

TEST(PeerStream, SendsNothingThatThePeerHasNoRoomFor) {
    PeerStream stream;
    stream.send(message(0));
    EXPECT_EQ(gone(stream, begin), (std::vector<std::uint64_t>{0}));
    for (std::uint64_t n = 1; n < 10; ++n) {
        stream.send(message(n));
    }
    PeerStream full;
    for (std::uint64_t n = 0; n < PeerStream::window; ++n) {
        full.send(message(n));
    }
    EXPECT_EQ(full.free_count(), 0U);
    full.on_acknowledged({.next = 0, .room = 0, .behind = {}});
    // What it began with it may still use; a peer takes no room back.
    EXPECT_EQ(gone(full, begin).size(), 16U);
}

TEST(PeerStream, SendsAgainWhatIsNotConfirmedInTime) {
    PeerStream stream;
    stream.send(message(0));
    EXPECT_EQ(gone(stream, begin), (std::vector<std::uint64_t>{0}));
    EXPECT_TRUE(gone(stream, begin + 99ms).empty());
    EXPECT_EQ(gone(stream, begin + 100ms), (std::vector<std::uint64_t>{0}));
    EXPECT_TRUE(gone(stream, begin + 299ms).empty())
        << "the second time it waits for twice as long";
    EXPECT_EQ(gone(stream, begin + 300ms), (std::vector<std::uint64_t>{0}));
    EXPECT_EQ(stream.sent_again_count(), 2U);
}

TEST(PeerStream, WaitsAsLongAsTheMeasuredRoundTripTells) {
    PeerStream stream;
    stream.on_round_trip(40ms);
    stream.send(message(0));
    EXPECT_EQ(gone(stream, begin).size(), 1U);
    // 40 ms and four times half of it, as RFC 6298 begins.
    EXPECT_EQ(stream.next_due(), begin + 120ms);
}

TEST(PeerStream, SendsAgainAtOnceWhatThreeLaterOnesHaveOvertaken) {
    PeerStream stream;
    for (std::uint64_t n = 0; n < 5; ++n) {
        stream.send(message(n));
    }
    EXPECT_EQ(gone(stream, begin).size(), 5U);
    PeerStream::Acknowledgement told = up_to(0);
    told.behind.set(0);  // message 1
    told.behind.set(1);
    stream.on_acknowledged(told);
    EXPECT_TRUE(gone(stream, begin).empty());
    told.behind.set(2);
    stream.on_acknowledged(told);
    EXPECT_EQ(gone(stream, begin), (std::vector<std::uint64_t>{0}));
    EXPECT_TRUE(gone(stream, begin).empty());
}

TEST(PeerStream, ForgetsWhatIsConfirmed) {
    PeerStream stream;
    for (std::uint64_t n = 0; n < 3; ++n) {
        stream.send(message(n));
    }
    gone(stream, begin);
    stream.on_acknowledged(up_to(2));
    EXPECT_EQ(stream.unconfirmed_count(), 1U);
    EXPECT_EQ(gone(stream, begin + 5s), (std::vector<std::uint64_t>{2}));
    stream.on_acknowledged(up_to(3));
    EXPECT_EQ(stream.unconfirmed_count(), 0U);
    EXPECT_EQ(stream.lag(begin + 6s), Duration{});
}

TEST(PeerStream, DoesNotHeedConfirmationsOfWhatItNeverSent) {
    PeerStream stream;
    stream.send(message(0));
    stream.on_acknowledged(up_to(2));
    EXPECT_EQ(stream.unconfirmed_count(), 1U);
    PeerStream::Acknowledgement told = up_to(0);
    told.behind.set();
    stream.on_acknowledged(told);
    EXPECT_EQ(gone(stream, begin), (std::vector<std::uint64_t>{0}));
}

TEST(PeerStream, TellsHowLongItsOldestMessageHasWaited) {
    PeerStream stream;
    stream.send(message(0));
    EXPECT_EQ(stream.lag(begin), Duration{});
    gone(stream, begin);
    gone(stream, begin + 150ms);
    EXPECT_EQ(stream.lag(begin + 200ms), 200ms);
}

}  // namespace
}  // namespace fulcrum
