// Sentences about syntax, and agreement with libconfig about what is none.
#include "config/grammar.h"

#include <gtest/gtest.h>

#include <libconfig.h++>
#include <string>

#include "config/file_limits.h"

namespace fulcrum {
namespace {

// "line: sentence" of the first problem; empty: none.
std::string complaint_about(const std::string& text) {
    const std::vector<LineProblem> problems = check_grammar(text);
    return problems.empty()
               ? ""
               : std::to_string(problems.front().line) + ": " + problems.front().sentence;
}

bool libconfig_accepts(const std::string& text) {
    libconfig::Config parsed;
    try {
        parsed.readString(text);
        return true;
    } catch (const libconfig::ParseException&) {
        return false;
    }
}

TEST(Grammar, AcceptsWhatLibconfigAccepts) {
    for (const char* text :
         {"", "# nothing\n", "a=1", "a=1;", "a:1,b=2", "a=1 b=2", "a={};b=();c=[];", "a={b={c=1}};",
          "a=(1,\"x\",(2),{b=1},[3,4]);", "a=[1,2];b=[\"x\",\"y\"];c=[true,FALSE];d=[1.5];",
          "a=\"x\" \"y\"\n \"z\";", "a=0x10;b=-5;c=5L;d=1.5e-3;", "a-b=1;a_b=2;"}) {
        EXPECT_EQ(complaint_about(text), "") << text;
        EXPECT_TRUE(libconfig_accepts(text)) << text;
    }
}

TEST(Grammar, RefusesWhatLibconfigRefuses) {
    for (const char* text :
         {"a",       "a=",      "=1",      "a=;",         "a=1;;",      "a={",
          "a=}",     "a=(",     "a=)",     "a=[",         "a=]",        "{",
          "}",       "a=(1,);", "a=[1,];", "a=[,1]",      "a=(1 2)",    "a=[1 2]",
          "a=[(1)]", "a=[[1]]", "a=[{}]",  "a=[1,\"x\"]", "a=[1,2L]",   "a=b",
          "a={1}",   "a=1=2",   "true=1",  "a=1;a=2",     "a={b=1;b=2}"}) {
        EXPECT_NE(complaint_about(text), "") << text;
        EXPECT_FALSE(libconfig_accepts(text)) << text;
    }
}

TEST(Grammar, NamesTheElementBeforeAMissingComma) {
    EXPECT_EQ(complaint_about("reals = (\n  { a = 1; }\n  { a = 2; }\n);"),
              "2: a comma is missing between the elements, after \"}\" (column 12)");
    EXPECT_EQ(complaint_about("workers = [ 1 2 ];"),
              "1: a comma is missing between the elements, after \"1\" (column 13)");
}

// libconfig would join the two into one text.
TEST(Grammar, TakesAdjacentTextsInAnArrayForAMissingComma) {
    EXPECT_EQ(complaint_about("a = [ \"10.0.0.1/24\" \"10.0.0.2/24\" ];"),
              "1: a comma is missing between the elements, after \"10.0.0.1/24\" (column 7)");
}

TEST(Grammar, RefusesACommaBehindTheLastElement) {
    EXPECT_EQ(complaint_about("a = (\n  { b = 1; },\n);"),
              "2: no element follows the last comma before \")\": remove the comma");
}

TEST(Grammar, SaysWhatWasExpectedAndWhatStandsThere) {
    EXPECT_EQ(complaint_about("port 80;"),
              "1: expected \"=\" after the key \"port\", found \"80\" "
              "(column 6)");
    EXPECT_EQ(
        complaint_about("a = web;"),
        "1: expected a value (texts stand in double quotes, booleans are true or false), found "
        "\"web\" (column 5)");
    EXPECT_EQ(complaint_about("ports = [ { name = \"wan\"; } ];"),
              "1: groups stand in a list: write ( ) around them, not [ ]");
    EXPECT_EQ(complaint_about("a = 1;\n};"), "2: expected a key, found \"}\" (column 1)");
}

TEST(Grammar, NamesTheBracketThatIsNotClosed) {
    EXPECT_EQ(complaint_about("director = {\n  workers = [ 1 ];\n"),
              "2: expected a key or \"}\", found the end of the file; a bracket of line 1 is not "
              "closed");
    EXPECT_EQ(complaint_about("a = (\n{ b = 1; }\n"),
              "2: expected \",\" or \")\", found the end of the file; a bracket of line 1 is not "
              "closed");
}

TEST(Grammar, RefusesAKeyThatStandsTwiceInItsGroup) {
    EXPECT_EQ(complaint_about("a = 1;\nb = { a = 2; };\na = 3;"),
              "3: the key \"a\" stands here for the second time: remove one");
}

TEST(Grammar, ReportsBadTokensBehindASyntaxError) {
    const std::vector<LineProblem> problems = check_grammar("a = = 1;\nb = 5000000000;\nc = 007;");
    ASSERT_EQ(problems.size(), 3U);
    EXPECT_EQ(problems[1].line, 2U);
    EXPECT_EQ(problems[2].line, 3U);
    EXPECT_FALSE(problems[0].still_parses);
    EXPECT_TRUE(problems[1].still_parses);
}

TEST(Grammar, BoundsNestingAndKeys) {
    const auto nested = [](unsigned depth) {
        return "a = " + std::string(depth, '(') + std::string(depth, ')');
    };
    EXPECT_EQ(complaint_about(nested(limits::nesting_max)), "");
    EXPECT_EQ(complaint_about(nested(limits::nesting_max + 1)),
              "1: the brackets nest deeper than 16");
    EXPECT_EQ(complaint_about(nested(1'000'000)).substr(0, 15), "1: the brackets");
    std::string keys;
    for (std::size_t i = 0; i < limits::keys_per_group_max; ++i) {
        keys.append("k").append(std::to_string(i)).append(" = 1; ");
    }
    EXPECT_EQ(complaint_about(keys), "");
    EXPECT_EQ(complaint_about(keys + "one_more = 1;"), "1: the group has more than 64 keys");
}

TEST(Grammar, BoundsTheNumberOfValues) {
    std::string text = "a = [ 1";  // two values: the array and its first element
    for (std::size_t i = 2; i < limits::values_max; ++i) {
        text += i % 1'000 == 0 ? ",\n1" : ",1";
    }
    EXPECT_EQ(complaint_about(text + "];"), "");
    EXPECT_EQ(complaint_about(text + "\n,1];"), "2001: the file has more than 2000000 values");
}

}  // namespace
}  // namespace fulcrum
