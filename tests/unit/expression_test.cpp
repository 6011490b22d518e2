// What fits, what is no expression, and that nothing takes long.
#include "config/expression.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace fulcrum {
namespace {

bool fits(const std::string& expression, std::string_view text) {
    const Result<Expression> compiled = Expression::compile(expression);
    EXPECT_TRUE(compiled) << expression;
    return compiled && compiled->fits(text);
}

TEST(Expression, FitsSomewhereInTheText) {
    EXPECT_TRUE(fits("Hello W.rld", "<p>Hello World</p>"));
    EXPECT_FALSE(fits("^Hello", "<p>Hello World</p>"));
    EXPECT_TRUE(fits("(?m)^250 OK\\r$", "250-SIZE\r\n250 OK\r\n"));
    EXPECT_TRUE(fits("(?i)ok", "OK"));
}

TEST(Expression, ReadsOctetsThatAreNoText) {
    EXPECT_TRUE(fits("^\\x00\\xff.\\x80$", std::string_view{"\0\xff\xc3\x80", 4}));
    EXPECT_TRUE(fits("gr\xc3\xbc\xc3\x9f", "sch\xc3\xb6n gr\xc3\xbc\xc3\x9f dich"));
}

TEST(Expression, SaysWhatIsWrongInIt) {
    const Result<Expression> unclosed = Expression::compile("(abc");
    ASSERT_FALSE(unclosed);
    EXPECT_NE(unclosed.error().sentence.find("missing"), std::string::npos)
        << unclosed.error().sentence;
    EXPECT_FALSE(Expression::compile("a{1001}"));
    EXPECT_FALSE(Expression::compile("(a{100}){100}{100}"));
    EXPECT_FALSE(Expression::compile("(a)\\1"));
}

// Engines that try every way need ages for this.
TEST(Expression, TakesNoTimeWhereOthersNeedForEver) {
    const std::string many(60'000, 'a');
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(fits("(a*)*(a|aa)*b", many));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{1});
}

}  // namespace
}  // namespace fulcrum
