// The table of types against itself.
#include "config/model/check.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace fulcrum {
namespace {

TEST(Check, HasAWordOfItsOwnForEachType) {
    std::set<std::string_view> words;
    for (std::size_t place = 0; place < check_type_count; ++place) {
        const auto type = static_cast<CheckType>(place);
        EXPECT_TRUE(words.insert(to_string(type)).second) << to_string(type);
    }
    EXPECT_EQ(to_string(CheckType::none), "none");
    EXPECT_EQ(to_string(CheckType::tls), "tls");
    EXPECT_EQ(to_string(CheckType::pop3s), "pop3s");
    EXPECT_EQ(to_string(CheckType::pgsql), "pgsql");
}

TEST(Check, AsksNothingWhereTheAnswerIsSettled) {
    EXPECT_FALSE(is_asked(CheckType::none));
    EXPECT_FALSE(is_asked(CheckType::off));
    EXPECT_TRUE(is_asked(CheckType::connect));
    EXPECT_TRUE(is_asked(CheckType::program));
}

TEST(Check, WritesStatusesAsTheyAreRead) {
    EXPECT_EQ(to_string({{200, 299}, {401, 401}}), "200-299, 401");
}

}  // namespace
}  // namespace fulcrum
