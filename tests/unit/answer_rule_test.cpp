// A text, an expression, both or neither.
#include "controlplane/health/answer_rule.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

AnswerRule rule(const std::string& expect, const std::string& match) {
    Check check;
    check.expect = expect;
    check.match = match;
    return AnswerRule{check};
}

TEST(AnswerRule, IsSatisfiedByAnythingWhenItAsksNothing) {
    EXPECT_FALSE(rule("", "").asks_anything());
    EXPECT_TRUE(rule("", "").fits(""));
    EXPECT_TRUE(rule("", "").fits("what not"));
}

TEST(AnswerRule, WantsTheTextAndTheExpression) {
    const AnswerRule both = rule("PONG", "^\\+");
    EXPECT_TRUE(both.asks_anything());
    EXPECT_TRUE(both.fits("+PONG\r\n"));
    EXPECT_FALSE(both.fits("+PING\r\n"));
    EXPECT_FALSE(both.fits("-PONG\r\n"));
}

TEST(AnswerRule, NamesWhatTheAnswerLacks) {
    const AnswerRule both = rule("PO\r\nNG", "^[+]");
    EXPECT_EQ(both.lack_of("+PING"), "\"PO\\x0d\\x0aNG\"");
    EXPECT_EQ(both.lack_of("PO\r\nNG"), "a match of \"^[+]\"");
}

}  // namespace
}  // namespace fulcrum
