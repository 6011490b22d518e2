// The keys of log, mail and hook.
#include "config/telling_schema.h"

#include <gtest/gtest.h>

#include <string>

#include "config/loader.h"

namespace fulcrum {
namespace {

Config loaded(const std::string& keys) {
    const LoadOutcome outcome = load_config_text(
        "director = { workers = [ 0 ]; };\n"
        "ports = ( { name = \"p\"; device = \"vdev:net_null0\"; } );\n" +
            keys,
        "test.cfg");
    EXPECT_EQ(outcome.problems, std::vector<std::string>{});
    return outcome.config;
}

TEST(TellingSchema, GivesFacilitiesTheirNumbersOfSyslog) {
    EXPECT_EQ(loaded("log = { to = \"syslog\"; facility = \"kern\"; };").log.facility, 0);
    EXPECT_EQ(loaded("log = { to = \"syslog\"; facility = \"authpriv\"; };").log.facility, 10);
    EXPECT_EQ(loaded("log = { to = \"syslog\"; facility = \"local0\"; };").log.facility, 16);
    EXPECT_EQ(loaded("log = { to = \"syslog\"; facility = \"local7\"; };").log.facility, 23);
}

TEST(TellingSchema, TakesPhasesInThePlaceOfAllOfThem) {
    const std::string mail = "mail = { server = \"m\"; from = \"a@b\"; to = [ \"c@d\" ]; ";
    EXPECT_EQ(loaded(mail + "};").mail.value().when, (MailPhases{true, true, true}));
    EXPECT_EQ(loaded(mail + "when = [ \"running\" ]; };").mail.value().when,
              (MailPhases{false, true, false}));
    EXPECT_EQ(loaded(mail + "when = [ \"reloading\", \"starting\" ]; };").mail.value().when,
              (MailPhases{true, false, true}));
}

TEST(TellingSchema, SendsNoMailAndCallsNobodyUnlessTold) {
    const Config config = loaded("");
    EXPECT_EQ(config.mail, std::nullopt);
    EXPECT_EQ(config.hook, std::nullopt);
    EXPECT_EQ(config.log, LogSettings{});
}

}  // namespace
}  // namespace fulcrum
