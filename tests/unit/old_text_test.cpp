// Pieces of old files.
#include "config/import/old_text.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

TEST(OldText, CountsLinesFromOne) {
    const std::vector<OldLine> lines = lines_in("f", "a\n\nb");
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[2].text, "b");
    EXPECT_EQ(lines[2].place.line, 3U);
    EXPECT_EQ(lines_in("f", "a\n").size(), 1U);
}

TEST(OldText, HoldsQuotedWordsTogether) {
    EXPECT_EQ(words_in(" a \"b c\"  d'e f'g \"\""),
              (std::vector<std::string>{"a", "b c", "de fg", ""}));
}

TEST(OldText, TakesOnlyWholeNumbers) {
    EXPECT_EQ(number_in("65536"), 65'536);
    EXPECT_EQ(number_in("-1"), -1);
    for (const char* text : {"", "1x", "0x10", " 1", "99999999999999999999"}) {
        EXPECT_EQ(number_in(text), std::nullopt) << text;
    }
}

TEST(OldText, KnowsWhenAPatternIsAText) {
    EXPECT_EQ(only_match_of("Hello World"), "Hello World");
    EXPECT_EQ(only_match_of("a\\.b\\/c"), "a.b/c");
    EXPECT_EQ(only_match_of("a.b"), "a.b");
    EXPECT_TRUE(has_wild_dot("a.b"));
    EXPECT_FALSE(has_wild_dot("a\\.b"));
    for (const char* pattern : {"a*", "^a", "a$", "[ab]", "(a|b)", "a+", "\\d", "\\bword", "a\\"}) {
        EXPECT_EQ(only_match_of(pattern), std::nullopt) << pattern;
    }
}

TEST(OldText, MakesNamesOfAddresses) {
    EXPECT_EQ(name_of(*parse_ip_address("192.0.2.1"), 0), "192.0.2.1");
    EXPECT_EQ(name_of(*parse_ip_address("2001:db8::1"), 80), "2001-db8--1-80");
    EXPECT_EQ(name_of(*parse_endpoint("192.0.2.1:53"), L4Protocol::udp), "192.0.2.1-53-udp");
}

TEST(OldText, KnowsTheEscapesOfLineEnds) {
    EXPECT_EQ(unescaped("a\\r\\n\\t\\\\b\\q"), "a\r\n\t\\b\\q");
}

}  // namespace
}  // namespace fulcrum
