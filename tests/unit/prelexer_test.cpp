// Tokens as libconfig's manual describes them, and what libconfig would get wrong without a word.
#include "config/prelexer.h"

#include <gtest/gtest.h>

#include <string>

#include "config/file_limits.h"

namespace fulcrum {
namespace {

using enum TokenKind;

std::vector<TokenKind> kinds_of(std::string_view text) {
    Prelexer lexer{text};
    std::vector<TokenKind> kinds;
    for (Token token = lexer.next(); token.kind != end; token = lexer.next()) {
        kinds.push_back(token.kind);
    }
    return kinds;
}

// The first sentence that is said about `text`; empty: none.
std::string complaint_about(std::string_view text) {
    Prelexer lexer{text};
    while (lexer.next().kind != end) {
    }
    return lexer.problems().empty() ? "" : lexer.problems().front().sentence;
}

bool still_parses(std::string_view text) {
    Prelexer lexer{text};
    while (lexer.next().kind != end) {
    }
    return !lexer.problems().empty() && lexer.problems().front().still_parses;
}

TEST(Prelexer, TellsTokensApart) {
    EXPECT_EQ(
        kinds_of("a = 1; b : \"x\", c = [ ] ( ) { }"),
        (std::vector{name, equals, integer, semicolon, name, equals, text, comma, name, equals,
                     open_array, close_array, open_list, close_list, open_group, close_group}));
    EXPECT_EQ(kinds_of("TRUE False 5L 5LL 0xFF 1.5 -1.5e+3"),
              (std::vector{boolean, boolean, integer64, integer64, integer, floating, floating}));
}

TEST(Prelexer, PassesOverAllThreeKindsOfComments) {
    EXPECT_EQ(kinds_of("# one\n// two\n/* three\n * lines */ a /**/ b /***/ # end"),
              (std::vector{name, name}));
    EXPECT_EQ(kinds_of("a /* \"no text\" */ \"/* no comment */\""), (std::vector{name, text}));
}

TEST(Prelexer, NumbersLinesAndColumnsFromOne) {
    Prelexer lexer{"a\n  /* \n */ b\r\n\tc"};
    const Token a = lexer.next();
    const Token b = lexer.next();
    const Token c = lexer.next();
    EXPECT_EQ(a.line, 1U);
    EXPECT_EQ(a.column, 1U);
    EXPECT_EQ(b.line, 3U);
    EXPECT_EQ(b.column, 5U);
    EXPECT_EQ(c.line, 4U);
    EXPECT_EQ(c.column, 2U);
    EXPECT_EQ(lexer.next().line, 4U);
    EXPECT_EQ(lexer.next().line, 4U);  // the end, again and again
}

TEST(Prelexer, AcceptsIntegersUpToTheBoundsOfTheirType) {
    EXPECT_EQ(complaint_about("2147483647 -2147483648 0x7fffffff 0 -0 +5"), "");
    EXPECT_EQ(complaint_about("9223372036854775807L -9223372036854775808L"), "");
    EXPECT_EQ(complaint_about("0x7fffffffffffffffL"), "");
}

TEST(Prelexer, RefusesIntegersThatLibconfigWouldWrap) {
    EXPECT_EQ(complaint_about("2147483648"),
              "the integer \"2147483648\" does not fit into 32 bits");
    EXPECT_EQ(complaint_about("-2147483649"),
              "the integer \"-2147483649\" does not fit into 32 bits");
    EXPECT_EQ(complaint_about("0x80000000"),
              "the integer \"0x80000000\" does not fit into 32 bits");
    EXPECT_EQ(complaint_about("9223372036854775808L"),
              "the integer \"9223372036854775808L\" does not fit into 64 bits");
    EXPECT_EQ(complaint_about("99999999999999999999"),
              "the integer \"99999999999999999999\" does not fit into 32 bits");
    EXPECT_EQ(complaint_about("0x10000000000000000"),
              "the integer \"0x10000000000000000\" does not fit into 32 bits");
    EXPECT_TRUE(still_parses("2147483648"));
}

TEST(Prelexer, RefusesALeadingZeroBecauseSomeReadItAsOctal) {
    EXPECT_EQ(complaint_about("010"), "the integer \"010\" begins with a zero: write it without");
    EXPECT_TRUE(still_parses("-08"));
    EXPECT_EQ(complaint_about("0"), "");
}

TEST(Prelexer, RefusesNumbersThatAreNone) {
    for (const char* text : {"5s", "10.0.0.1", "1.2.3", "-", "+", ".", "1.", ".5", "1e3", "0x",
                             "0xg", "-0x5", "1-2", "5LLL", "5l", "1.5L", "L5-"}) {
        const bool is_name = text[0] == 'L';
        EXPECT_EQ(complaint_about(text).find("is no number") != std::string::npos, !is_name)
            << text;
        EXPECT_FALSE(still_parses(text)) << text;
    }
}

TEST(Prelexer, AcceptsTheEscapesOfLibconfigAndNoOthers) {
    EXPECT_EQ(complaint_about(R"("\" \\ \n \r \t \f \x41 \x7f")"), "");
    for (const char* text :
         {R"("\q")", R"("\x0")", R"("\x00")", R"("\x80")", R"("\xg1")", R"("\x")"}) {
        EXPECT_NE(complaint_about(text).find("unknown escape"), std::string::npos) << text;
    }
}

TEST(Prelexer, KeepsATextWithinItsLine) {
    EXPECT_EQ(complaint_about("\"web;\nport = 80;"),
              "the text that begins with \"web;\" is not closed before the line's end: a double "
              "quote is missing");
    for (const char* text : {"\"", "\"\\", "\"\\\"", "\"a\\\n\""}) {
        EXPECT_NE(complaint_about(text).find("not closed"), std::string::npos) << text;
    }
}

TEST(Prelexer, RefusesTextsThatAreNotUtf8OrHoldControls) {
    EXPECT_EQ(complaint_about("\"gr\xC3\xBC\xC3\x9F dich\""), "");
    EXPECT_EQ(complaint_about("\"gr\xFC\xDF dich\""),
              "the text \"gr\\xfc\\xdf dich\" is not UTF-8");
    EXPECT_EQ(complaint_about("\"bell \x07\""),
              "the text \"bell \\x07\" holds a control character");
    EXPECT_EQ(complaint_about("# gr\xFC\xDF in a comment"), "");
}

// RFC 3629, sections 3 and 4, and the examples of section 7.
TEST(Prelexer, KnowsUtf8FromItsImitations) {
    EXPECT_TRUE(is_utf8("A\xE2\x89\xA2\xCE\x91."));
    EXPECT_TRUE(is_utf8("\xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4"));
    EXPECT_TRUE(is_utf8("\xF0\xA3\x8E\xB4\xF4\x8F\xBF\xBF"));
    EXPECT_FALSE(is_utf8("\xC0\x80"));          // overlong NUL
    EXPECT_FALSE(is_utf8("\xE0\x9F\xBF"));      // overlong
    EXPECT_FALSE(is_utf8("\xF0\x8F\xBF\xBF"));  // overlong
    EXPECT_FALSE(is_utf8("\xED\xA0\x80"));      // surrogate
    EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));  // above U+10FFFF
    EXPECT_FALSE(is_utf8("\xE2\x89"));          // cut off
    EXPECT_FALSE(is_utf8("\x80"));              // no lead byte
    EXPECT_FALSE(is_utf8("\xE2\x28\xA1"));      // no tail byte
}

TEST(Prelexer, SaysWhatIsWrongWithStrangeCharacters) {
    EXPECT_EQ(complaint_about("'web'"),
              "a single quote opens nothing: texts stand in double quotes");
    EXPECT_EQ(complaint_about("a = $x"), "unexpected character \"$\"");
    EXPECT_EQ(complaint_about(std::string_view{"a\0b", 3}), "unexpected character \"\\x00\"");
    EXPECT_EQ(complaint_about("\xEF\xBB\xBF# made elsewhere"),
              "the file begins with a byte order mark: save it as plain UTF-8");
}

TEST(Prelexer, BoundsLinesAndNames) {
    EXPECT_EQ(complaint_about(std::string(limits::line_size_max, ' ') + "\na"), "");
    EXPECT_EQ(complaint_about("a\n" + std::string(limits::line_size_max + 1, ' ') + "\n"),
              "the line has 16385 bytes, more than 16384: break it up");
    EXPECT_EQ(complaint_about(std::string(limits::line_size_max + 1, ' ')),
              "the line has 16385 bytes, more than 16384: break it up");
    EXPECT_EQ(complaint_about(std::string(limits::identifier_length_max, 'a')), "");
    EXPECT_EQ(complaint_about(std::string(limits::identifier_length_max + 1, 'a')),
              "the name \"" + std::string(60, 'a') + "...\" has 129 characters, more than 128");
}

TEST(Prelexer, ReportsTheLineOfACommentWithoutEnd) {
    Prelexer lexer{"a = 1;\n/* never\nclosed"};
    while (lexer.next().kind != end) {
    }
    EXPECT_EQ(lexer.open_comment_line(), 2U);
}

TEST(Prelexer, ReadsIncludeDirectives) {
    Prelexer lexer{"x @include \t\"sub/other.cfg\" y"};
    lexer.next();
    const Token directive = lexer.next();
    EXPECT_EQ(directive.kind, include);
    EXPECT_EQ(include_path(directive), "sub/other.cfg");
    EXPECT_EQ(lexer.next().text, "y");
    for (const char* text :
         {"@include", "@include other", "@include \"\"", "@include \"a\n\"", "@x"}) {
        EXPECT_EQ(complaint_about(text), "a directive is written @include \"other.cfg\"") << text;
    }
}

TEST(Prelexer, KeepsABoundedNumberOfProblems) {
    std::string text;
    for (int i = 0; i < 1'000; ++i) {
        text += "$ ";
    }
    Prelexer lexer{text};
    while (lexer.next().kind != end) {
    }
    EXPECT_EQ(lexer.problems().size(), limits::findings_max);
}

}  // namespace
}  // namespace fulcrum
