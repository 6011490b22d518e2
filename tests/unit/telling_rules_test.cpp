// Rules of log, mail and hook.
#include "config/telling_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fulcrum {
namespace {

Config config_with_mail(const std::string& from, const std::string& to) {
    Config config;
    config.mail = MailSettings{.server = "m", .from = from, .to = {to}, .when = {}};
    return config;
}

std::vector<std::string> sentences_of(const FindingList& list) {
    std::vector<std::string> sentences;
    for (const Finding& finding : list.kept()) {
        sentences.push_back(finding.sentence);
    }
    return sentences;
}

TEST(TellingRules, WantAFileWhereTheLogIsToBeOne) {
    Config config;
    config.log.to = LogPlace::file;
    Findings findings;
    check_telling(config, findings);
    EXPECT_EQ(sentences_of(findings.problems),
              std::vector<std::string>{"log: to: \"file\" needs the key file"});
}

TEST(TellingRules, WarnOfKeysWithoutEffect) {
    Config config;
    config.log.file = "/var/log/x";
    config.log.facility = 16;
    config.services.push_back({.name = "web", .mail_to = {"a@b"}});
    Findings findings;
    check_telling(config, findings);
    EXPECT_TRUE(findings.problems.empty());
    EXPECT_EQ(sentences_of(findings.warnings).size(), 3U);
}

TEST(TellingRules, TakeAddressesThatSmtpCanCarry) {
    for (const char* good : {"a@b", "ops+lb@mail.example.net", "root@localhost"}) {
        Findings findings;
        check_telling(config_with_mail(good, good), findings);
        EXPECT_TRUE(findings.problems.empty()) << good;
    }
    for (const char* bad :
         {"ops", "@b", "a@", "a b@c", "a@b@c", "<a@b>", "a@b,c@d", "a@\xC3\xA5"}) {
        Findings findings;
        check_telling(config_with_mail("a@b", bad), findings);
        EXPECT_EQ(findings.problems.kept().size(), 1U) << bad;
    }
}

}  // namespace
}  // namespace fulcrum
