// What becomes a mail, and when.
#include "controlplane/telling/mail_digest.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

using namespace std::chrono_literals;

const Instant start = Instant{} + 1h;

MailSettings settings() {
    return {.server = "m", .from = "lb1@example.net", .to = {"ops@example.net"}, .when = {}};
}

RealChange change(const std::string& real, const std::string& from, const std::string& to) {
    return {.time = 1'700'000'000,
            .director = "lb1",
            .service = "web",
            .listeners = "203.0.113.80:80/tcp",
            .real = real,
            .endpoint = "10.0.0.1:8080",
            .from = from,
            .to = to,
            .reason = "connection refused",
            .up_count = 1,
            .real_count = 2};
}

class MailDigestTest : public testing::Test {
  protected:
    void follow(const std::optional<MailSettings>& mail) {
        digest_.follow(
            mail, [this](const std::string&, const std::string& real) { return real != gone_; });
    }
    MailDigest digest_;
    std::string gone_;
};

TEST_F(MailDigestTest, TellsOfAChangeWithServiceVirtualRealAndBothStates) {
    follow(settings());
    digest_.add(change("web1", "up", "down"), start);
    EXPECT_EQ(digest_.next(), start + 5s);
    EXPECT_TRUE(digest_.due(start + 4s).empty());
    const std::vector<Mail> mails = digest_.due(start + 5s);
    ASSERT_EQ(mails.size(), 1U);
    EXPECT_EQ(mails[0].to, std::vector<std::string>{"ops@example.net"});
    EXPECT_EQ(mails[0].subject, "[lb1] web/web1 is down");
    EXPECT_EQ(mails[0].body,
              "2023-11-14T22:13:20Z service \"web\" (203.0.113.80:80/tcp): real \"web1\" "
              "(10.0.0.1:8080): up becomes down: connection refused; 1 of 2 reals are up\n");
    EXPECT_EQ(digest_.next(), std::nullopt);
}

TEST_F(MailDigestTest, PutsWhatHappensTogetherIntoOneMail) {
    follow(settings());
    digest_.add(change("web1", "up", "down"), start);
    digest_.add(change("web2", "up", "down"), start + 1s);
    digest_.add(change("web3", "down", "up"), start + 4s);
    const std::vector<Mail> mails = digest_.due(start + 5s);
    ASSERT_EQ(mails.size(), 1U);
    EXPECT_EQ(mails[0].subject, "[lb1] reals: 2 down, 1 up");
    EXPECT_EQ(std::count(mails[0].body.begin(), mails[0].body.end(), '\n'), 3);
}

TEST_F(MailDigestTest, GivesAServicesRecipientsAMailOfTheirOwn) {
    follow(settings());
    RealChange own = change("web2", "up", "down");
    own.mail_to = {"web@example.net"};
    digest_.add(change("web1", "up", "down"), start);
    digest_.add(own, start);
    const std::vector<Mail> mails = digest_.due(start + 5s);
    ASSERT_EQ(mails.size(), 2U);
    EXPECT_NE(mails[0].to, mails[1].to);
}

TEST_F(MailDigestTest, RepeatsWhileARealIsDownAndNotAfterwards) {
    MailSettings repeating = settings();
    repeating.repeat_s = 60;
    follow(repeating);
    digest_.add(change("web1", "up", "down"), start);
    digest_.due(start + 5s);
    EXPECT_EQ(digest_.next(), start + 60s);
    for (const int minute : {1, 2}) {
        const std::vector<Mail> mails = digest_.due(start + minute * 60s);
        ASSERT_EQ(mails.size(), 1U) << minute;
        EXPECT_EQ(mails[0].subject, "[lb1] web/web1 is still down");
    }
    digest_.add(change("web1", "down", "up"), start + 150s);
    EXPECT_EQ(digest_.due(start + 155s).size(), 1U);
    EXPECT_EQ(digest_.next(), std::nullopt);
}

TEST_F(MailDigestTest, ForgetsARealThatIsGone) {
    MailSettings repeating = settings();
    repeating.repeat_s = 60;
    follow(repeating);
    digest_.add(change("web1", "up", "down"), start);
    digest_.due(start + 5s);
    gone_ = "web1";
    follow(repeating);
    EXPECT_EQ(digest_.next(), std::nullopt);
}

TEST_F(MailDigestTest, TellsOfThePhasesThatAreAskedFor) {
    for (const TellingPhase phase :
         {TellingPhase::starting, TellingPhase::running, TellingPhase::reloading}) {
        MailSettings one = settings();
        one.when = {phase == TellingPhase::starting, phase == TellingPhase::running,
                    phase == TellingPhase::reloading};
        MailDigest digest;
        digest.follow(one, [](const std::string&, const std::string&) { return true; });
        for (const TellingPhase happened :
             {TellingPhase::starting, TellingPhase::running, TellingPhase::reloading}) {
            RealChange each = change("web1", "unknown", "down");
            each.phase = happened;
            digest.add(each, start);
            EXPECT_EQ(digest.due(start + 5s).size(), happened == phase ? 1U : 0U);
        }
    }
}

TEST_F(MailDigestTest, KeepsNothingWithoutSettings) {
    follow(std::nullopt);
    digest_.add(change("web1", "up", "down"), start);
    EXPECT_EQ(digest_.next(), std::nullopt);
    EXPECT_TRUE(digest_.due(start + 1h).empty());
}

TEST_F(MailDigestTest, KeepsAServersAnswerOutOfTheHeader) {
    follow(settings());
    RealChange odd = change("web1", "up", "down");
    odd.reason = "HTTP 500\r\n.\r\nBcc: all@example.net";
    digest_.add(odd, start);
    const std::vector<Mail> mails = digest_.due(start + 5s);
    const std::string message = message_of(mails.at(0), "lb1@example.net", 1'700'000'000, "1@lb1");
    EXPECT_EQ(message.find("\nBcc"), std::string::npos);
    EXPECT_EQ(message.find("Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"), 0U);
    EXPECT_NE(message.find("\r\nTo: ops@example.net\r\nSubject: [lb1] web/web1 is down\r\n"),
              std::string::npos);
    const std::string head = message.substr(0, message.find("\r\n\r\n"));
    EXPECT_NE(head.find("\r\nMessage-ID: <1@lb1>"), std::string::npos);
    for (std::size_t at = message.find('\n'); at != std::string::npos;
         at = message.find('\n', at + 1)) {
        EXPECT_EQ(message[at - 1], '\r');
    }
}

}  // namespace
}  // namespace fulcrum
