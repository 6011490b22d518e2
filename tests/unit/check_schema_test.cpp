// The check's keys as they stand in a file.
#include "config/check_schema.h"

#include <gtest/gtest.h>

#include <string>

#include "config/loader.h"

namespace fulcrum {
namespace {

LoadOutcome loaded(const std::string& check) {
    return load_config_text(
        "director = { workers = [ 0 ]; };\n"
        "ports = ( { name = \"p\"; device = \"vdev:net_null0\"; } );\n"
        "services = ( { name = \"s\"; vip = \"10.0.0.1\"; port = 80;\n"
        "check = { " +
            check + " };\nreals = ( { name = \"r\"; address = \"10.0.0.2\"; } ); } );\n",
        "test.cfg");
}

TEST(CheckSchema, MeansTheTypeThatItsWordSays) {
    for (const SchemaKey& key : check_keys()) {
        if (key.name() != "type") {
            continue;
        }
        for (const std::string_view word : key.type.words) {
            const LoadOutcome outcome = loaded("type = \"" + std::string{word} + "\";");
            ASSERT_EQ(outcome.config.services.size(), 1U) << word;
            EXPECT_EQ(to_string(outcome.config.services[0].check.type), word);
        }
    }
}

TEST(CheckSchema, ReadsStatuses) {
    const LoadOutcome outcome = loaded("type = \"http\"; status = \"200, 301-302\";");
    EXPECT_EQ(outcome.problems, std::vector<std::string>{});
    EXPECT_EQ(outcome.config.services.at(0).check.status,
              (std::vector<StatusRange>{{200, 200}, {301, 302}}));
}

TEST(CheckSchema, ReadsWhatIsSaidInOctets) {
    const Check by_text =
        loaded(R"(type = "tcp"; send = "a\r\n\x01";)").config.services.at(0).check;
    EXPECT_EQ(by_text.send, "a\r\n\x01");
    const Check by_digits =
        loaded(R"(type = "tcp"; send_hex = "0D0a00ff";)").config.services.at(0).check;
    EXPECT_EQ(by_digits.send, (std::string{"\r\n\0\xff", 4}));
    EXPECT_EQ(loaded(R"(type = "tcp"; send_hex = "0d0";)").problems.size(), 1U);
    EXPECT_EQ(loaded(R"(type = "tcp"; send_hex = "0g";)").problems.size(), 1U);
}

TEST(CheckSchema, RefusesWhatIsNoRegularExpression) {
    EXPECT_EQ(loaded(R"(type = "tcp"; match = "^a.*(b|c)$";)").problems,
              std::vector<std::string>{});
    const LoadOutcome outcome = loaded(R"(type = "tcp"; match = "(a";)");
    ASSERT_EQ(outcome.problems.size(), 1U);
    EXPECT_NE(outcome.problems[0].find("match: \"(a\" is not a regular expression"),
              std::string::npos)
        << outcome.problems[0];
}

}  // namespace
}  // namespace fulcrum
