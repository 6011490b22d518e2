// Where positions come to lie, by hand: before the header is acknowledged, after that, and where
// numbers come round.
#include "dataplane/stream_shift.h"

#include <gtest/gtest.h>

#include "tests/support/packet.h"

namespace fulcrum::test {
namespace {

constexpr std::uint8_t length = 28;

struct Case {
    const char* name;
    std::uint32_t first;
};

// The stream's first octet, well within the numbers' round and at its end.
class StreamShiftAt : public testing::TestWithParam<Case> {
  protected:
    static std::uint32_t first() { return GetParam().first; }
    static StreamShift known() { return {.first = first(), .length = length}; }
    static StreamShift announced() {
        StreamShift shift = known();
        shift.is_announced = true;
        return shift;
    }
    static StreamShift accepted() {
        StreamShift shift = announced();
        shift.is_accepted = true;
        return shift;
    }
    static TcpHeader segment(std::uint32_t position, std::uint8_t flags = tcp_flag::ack) {
        TcpHeader tcp{};
        tcp.sequence_number = be32{position};
        tcp.flags = flags;
        return tcp;
    }
    static Announcement announcement(StreamShift shift, const TcpHeader& tcp, bool has_content) {
        return announcement_with(shift, tcp, has_content);
    }
    // The frame of a reply, before and behind.
    static Packet reply(std::uint32_t acknowledged, const Frame& options = {}) {
        return Packet::tcp({Ipv4Address::of(10, 2, 0, 11), be16{8'080}},
                           {Ipv4Address::of(10, 2, 0, 100), be16{2'000}})
            .acknowledges(acknowledged)
            .tcp_options(options)
            .payload("odd");
    }
    static Frame shifted(StreamShift& shift, const Packet& packet) {
        Frame frame = packet.bytes();
        shift_reply(shift, frame.data() + l4_at, frame.size() - l4_at);
        return frame;
    }
    // NOP, NOP, SACK with blocks of `first` plus these, as the real counts or as the client does.
    static Frame blocks(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& edges) {
        Frame options{1, 1, 5, static_cast<std::uint8_t>(2 + 8 * edges.size())};
        for (const auto& [left, right] : edges) {
            for (const std::uint32_t edge : {first() + left, first() + right}) {
                for (const unsigned bits : {24U, 16U, 8U, 0U}) {
                    options.push_back(static_cast<std::uint8_t>(edge >> bits));
                }
            }
        }
        return options;
    }
    static Frame padded(Frame options, std::size_t size) {
        options.resize(size, 1);
        return options;
    }
};

TEST_P(StreamShiftAt, BeginsBehindTheSyn) {
    StreamShift shift;
    note_beginning(shift, segment(first() - 1, tcp_flag::syn), length);
    EXPECT_EQ(shift.first, first());
    EXPECT_EQ(shift.length, length);
}

TEST_P(StreamShiftAt, StaysWhereItIsWhenASynComesLate) {
    StreamShift shift = announced();
    note_beginning(shift, segment(first() + 70'000, tcp_flag::syn), length);
    EXPECT_EQ(shift.first, first());
}

TEST_P(StreamShiftAt, AnnouncesWithEveryAckOfTheHandshake) {
    EXPECT_EQ(announcement(known(), segment(first()), false), Announcement::instead);
    EXPECT_EQ(announcement(announced(), segment(first()), false), Announcement::instead);
}

TEST_P(StreamShiftAt, AnnouncesWithAKeepAliveProbeUntilItIsAccepted) {
    EXPECT_EQ(announcement(announced(), segment(first() - 1), true), Announcement::instead);
    EXPECT_EQ(announcement(accepted(), segment(first() - 1), true), Announcement::none);
}

TEST_P(StreamShiftAt, AnnouncesBeforeContentThatComesFirstOrAgainAndNotWithTheFirstBehindIt) {
    StreamShift shift = known();
    EXPECT_EQ(announcement_with(shift, segment(first()), true), Announcement::before);
    EXPECT_EQ(announcement_with(shift, segment(first()), true), Announcement::before);
    shift = known();
    EXPECT_EQ(announcement_with(shift, segment(first()), false), Announcement::instead);
    EXPECT_EQ(announcement_with(shift, segment(first()), true), Announcement::none);
    EXPECT_EQ(announcement_with(shift, segment(first()), true), Announcement::before);
}

TEST_P(StreamShiftAt, AnnouncesBeforeContentOnceTheRealHasSaidThatItLacksTheHeader) {
    StreamShift shift = announced();
    shifted(shift, reply(first()).flags(tcp_flag::syn | tcp_flag::ack));
    EXPECT_EQ(announcement(shift, segment(first()), true), Announcement::none);
    shifted(shift, reply(first()));  // a window that has been shut until now
    EXPECT_EQ(announcement(shift, segment(first()), true), Announcement::before);
}

TEST_P(StreamShiftAt, AnnouncesNothingWithLaterOctetsWithResetsOrWithoutAnAcknowledgement) {
    EXPECT_EQ(announcement(known(), segment(first() + 1), true), Announcement::none);
    EXPECT_EQ(announcement(known(), segment(first(), tcp_flag::rst | tcp_flag::ack), false),
              Announcement::none);
    EXPECT_EQ(announcement(known(), segment(first(), tcp_flag::fin), true), Announcement::none);
    EXPECT_EQ(announcement(StreamShift{}, segment(first()), false), Announcement::none);
}

TEST_P(StreamShiftAt, MovesTheClientsOctetsBehindTheHeader) {
    for (const StreamShift& shift : {announced(), accepted()}) {
        EXPECT_EQ(shift.octet_at_real(first()), first() + length);
        EXPECT_EQ(shift.octet_at_real(first() + 5), first() + length + 5);
    }
    EXPECT_EQ(announced().octet_at_real(first() - 1), first() - 1);
    EXPECT_EQ(accepted().octet_at_real(first() - 1), first() + length - 1);
}

TEST_P(StreamShiftAt, HoldsForAllNumbersOnceItIsAccepted) {
    constexpr std::uint32_t far = 0x9000'0000;
    EXPECT_EQ(accepted().octet_at_real(first() + far), first() + far + length);
    EXPECT_EQ(accepted().at_client(first() + far), first() + far - length);
}

TEST_P(StreamShiftAt, HoldsAcknowledgementsBackAtTheFirstOctetUntilTheHeaderIsThere) {
    StreamShift shift = announced();
    for (const std::uint32_t within : {0U, 1U, length - 1U}) {
        EXPECT_EQ(shifted(shift, reply(first() + within)), reply(first()).bytes());
        EXPECT_FALSE(shift.is_accepted);
    }
    EXPECT_EQ(shifted(shift, reply(first() + length)), reply(first()).bytes());
    EXPECT_TRUE(shift.is_accepted);
    EXPECT_EQ(shifted(shift, reply(first() + length + 9)), reply(first() + 9).bytes());
}

TEST_P(StreamShiftAt, IsNotAcceptedBeforeItWasAnnounced) {
    StreamShift shift = known();
    shifted(shift, reply(first() + 70'000));
    EXPECT_FALSE(shift.is_accepted);
}

TEST_P(StreamShiftAt, MovesSackBlocksBack) {
    StreamShift shift = accepted();
    EXPECT_EQ(shifted(shift, reply(first() + length + 10, blocks({{length + 40, length + 50},
                                                                  {length + 20, length + 30}}))),
              reply(first() + 10, blocks({{40, 50}, {20, 30}})).bytes());
}

TEST_P(StreamShiftAt, TakesBlocksOutThatAreAboutTheHeaderAlone) {
    StreamShift shift = accepted();
    EXPECT_EQ(shifted(shift, reply(first() + length + 10,
                                   blocks({{0, length}, {length + 20, length + 30}}))),
              reply(first() + 10, padded(blocks({{20, 30}}), 20)).bytes());
    EXPECT_EQ(shifted(shift, reply(first() + length + 10, blocks({{0, length}}))),
              reply(first() + 10, Frame(12, 1)).bytes());
}

TEST_P(StreamShiftAt, CutsABlockThatBeginsWithinTheHeader) {
    StreamShift shift = accepted();
    EXPECT_EQ(shifted(shift, reply(first() + length + 10, blocks({{0, length + 10}}))),
              reply(first() + 10, blocks({{0, 10}})).bytes());
}

TEST_P(StreamShiftAt, TellsOfNoOctetsAtTheVeryEdgeThatIsHeldBack) {
    StreamShift shift = announced();
    EXPECT_EQ(shifted(shift, reply(first(), blocks({{length, length + 10}}))),
              reply(first(), Frame(12, 1)).bytes());
    EXPECT_EQ(shifted(shift, reply(first(), blocks({{length + 5, length + 10}}))),
              reply(first(), blocks({{5, 10}})).bytes());
}

TEST_P(StreamShiftAt, LeavesOptionsThatMakeNoSense) {
    StreamShift shift = accepted();
    const Frame cut_short{5, 30, 1, 2, 3, 4, 5, 6};
    EXPECT_EQ(shifted(shift, reply(first() + length, cut_short)),
              reply(first(), cut_short).bytes());
    const Frame of_odd_length{5, 7, 1, 2, 3, 4, 5, 1};
    const Frame emptied{1, 1, 1, 1, 1, 1, 1, 1};
    EXPECT_EQ(shifted(shift, reply(first() + length, of_odd_length)),
              reply(first(), emptied).bytes());
}

TEST_P(StreamShiftAt, LeavesAReplyWithoutAnAcknowledgement) {
    StreamShift shift = accepted();
    const Packet reset = reply(first() + 99).flags(tcp_flag::rst);
    EXPECT_EQ(shifted(shift, reset), reset.bytes());
}

TEST_P(StreamShiftAt, ShiftsAResetOnlyWhenTheHeaderHasGone) {
    const auto sent = [](const StreamShift& shift) {
        Frame frame = reply(1).flags(tcp_flag::rst).sequence(first()).bytes();
        shift_request(shift, frame.data() + l4_at, frame.size() - l4_at);
        return frame;
    };
    EXPECT_EQ(sent(known()), reply(1).flags(tcp_flag::rst).sequence(first()).bytes());
    EXPECT_EQ(sent(announced()), reply(1).flags(tcp_flag::rst).sequence(first() + length).bytes());
}

TEST_P(StreamShiftAt, TurnsEveryPositionBack) {
    for (const StreamShift& shift : {announced(), accepted()}) {
        for (const std::uint32_t ahead : {0U, 1U, 1'460U, 0x7FFF'0000U}) {
            EXPECT_EQ(shift.at_client(shift.octet_at_real(first() + ahead)), first() + ahead);
            EXPECT_EQ(shift.at_client(shift.edge_at_real(first() + ahead)), first() + ahead);
        }
    }
    EXPECT_EQ(announced().edge_at_real(first()), first());
}

INSTANTIATE_TEST_SUITE_P(Numbers, StreamShiftAt,
                         testing::Values(Case{"Low", 1'001}, Case{"AtTheEnd", 0xFFFF'FFF0},
                                         Case{"AtTheVeryEnd", 0xFFFF'FFFF}, Case{"AtZero", 0},
                                         Case{"Halfway", 0x7FFF'FFF8}),
                         [](const auto& chosen) { return std::string{chosen.param.name}; });

}  // namespace
}  // namespace fulcrum::test
