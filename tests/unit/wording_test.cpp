// Quoting what may be hostile, and guessing at what was meant.
#include "config/wording.h"

#include <gtest/gtest.h>

#include <array>

namespace fulcrum {
namespace {

TEST(Wording, QuotesWithoutLettingControlsThrough) {
    EXPECT_EQ(in_quotes("web"), "\"web\"");
    EXPECT_EQ(in_quotes("\x1b[2J\n"), "\"\\x1b[2J\\x0a\"");
    EXPECT_EQ(in_quotes(std::string(61, 'x')), "\"" + std::string(60, 'x') + "...\"");
}

TEST(Wording, GuessesOneOrTwoSlips) {
    constexpr std::array<std::string_view, 4> known{"vip", "port", "protocol", "interval"};
    EXPECT_EQ(nearest_word("intervall", known), "interval");
    EXPECT_EQ(nearest_word("protokol", known), "protocol");
    EXPECT_EQ(nearest_word("vpi", known), "vip");
    EXPECT_EQ(nearest_word("prot", known), "port");
    EXPECT_EQ(nearest_word("Port", known), "port");
}

TEST(Wording, AllowsOneSlipInThreeLetters) {
    constexpr std::array<std::string_view, 3> known{"tcp", "udp", "maglev"};
    EXPECT_EQ(nearest_word("tpc", known), "tcp");
    EXPECT_EQ(nearest_word("tcpp", known), "tcp");
    EXPECT_EQ(nearest_word("sctp", known), "");  // one left out and two swapped
    EXPECT_EQ(nearest_word("utcq", known), "");
    EXPECT_EQ(nearest_word("malgef", known), "maglev");
    EXPECT_EQ(nearest_word("malgfe", known), "");
}

TEST(Wording, DoesNotGuessAtOtherWords) {
    constexpr std::array<std::string_view, 2> known{"vip", "interval"};
    EXPECT_EQ(nearest_word("peer", known), "");
    EXPECT_EQ(nearest_word("int", known), "");
    EXPECT_EQ(nearest_word("", known), "");
    EXPECT_EQ(nearest_word(std::string(100'000, 'i'), known), "");
}

TEST(Wording, NamesAPlaceThatHasALine) {
    EXPECT_EQ(at_place({"director.cfg", 41}), " at director.cfg:41");
    EXPECT_EQ(at_place({"director.cfg", 0}), "");
}

}  // namespace
}  // namespace fulcrum
