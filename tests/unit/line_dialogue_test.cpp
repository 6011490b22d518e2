// The parts of both sides, line by line; answers as the RFCs show them.
#include "controlplane/health/line_dialogue.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fulcrum {
namespace {

Check check_of(CheckType type, const std::string& login = "", const std::string& password = "") {
    return {.type = type, .login = login, .password = password};
}

// What is said to these answers, and at last how it ended.
struct Course {
    std::vector<std::string> said;
    std::string sentence = "still waiting";
    bool is_sound = false;
};

Course course_of(const Check& check, const std::vector<std::string>& answers) {
    ProbeSpec spec;
    spec.check = check;
    LineDialogue dialogue{spec};
    Course course;
    const auto take = [&](const DialogueTurn& turn) {
        if (!turn.send.empty()) {
            course.said.push_back(turn.send);
        }
        if (turn.outcome) {
            course.sentence = turn.outcome->sentence;
            course.is_sound = turn.outcome->verdict == ProbeVerdict::success;
        }
        return turn.outcome.has_value();
    };
    bool is_over = take(dialogue.begin());
    for (std::size_t at = 0; at < answers.size() && !is_over; ++at) {
        is_over = take(dialogue.on_received(answers[at]));
    }
    return course;
}

using Lines = std::vector<std::string>;

TEST(LineDialogue, GreetsAMailServerAndLeaves) {
    const Course course = course_of(
        check_of(CheckType::smtp), {"220-mail.example.net\r\n220 ESMTP\r\n",
                                    "250-mail\r\n250-SIZE 1000\r\n25", "0 HELP\r\n", "250 OK\r\n"});
    EXPECT_TRUE(course.is_sound) << course.sentence;
    EXPECT_EQ(course.said, (Lines{"EHLO fulcrum\r\n", "NOOP\r\n", "QUIT\r\n"}));
    EXPECT_EQ(course_of(check_of(CheckType::smtps), {"421 too busy\r\n"}).sentence,
              "the server said \"421 too busy\"");
}

TEST(LineDialogue, LogsInToAMailServer) {
    const Check check = check_of(CheckType::smtp, "user", "pencil");
    const Course course = course_of(check, {"220 x\r\n", "250 AUTH PLAIN\r\n", "235 welcome\r\n"});
    EXPECT_TRUE(course.is_sound);
    EXPECT_EQ(course.said[1], "AUTH PLAIN AHVzZXIAcGVuY2ls\r\n");
    EXPECT_EQ(course_of(check, {"220 x\r\n", "250 x\r\n", "535 no\r\n"}).sentence,
              "the server said \"535 no\"");
}

TEST(LineDialogue, LogsInToAFileServerAndAsksForAFile) {
    Check check = check_of(CheckType::ftp);
    const Course plain = course_of(check, {"220 x\r\n", "331 password?\r\n", "230 in\r\n"});
    EXPECT_TRUE(plain.is_sound);
    EXPECT_EQ(plain.said, (Lines{"USER anonymous\r\n", "PASS fulcrum@\r\n", "QUIT\r\n"}));
    EXPECT_TRUE(course_of(check, {"220 x\r\n", "230 no password needed\r\n"}).is_sound);
    EXPECT_FALSE(course_of(check, {"120 in a minute\r\n"}).is_sound);
    EXPECT_FALSE(course_of(check, {"220 x\r\n", "331 ?\r\n", "530 no\r\n"}).is_sound);
    check.path = "/status";
    const Lines until_file{"220 x\r\n", "331 ?\r\n", "230 in\r\n", "200 binary\r\n"};
    Lines found = until_file;
    found.push_back("213 12\r\n");
    Lines missing = until_file;
    missing.push_back("550 none\r\n");
    EXPECT_TRUE(course_of(check, found).is_sound);
    EXPECT_EQ(course_of(check, found).said[3], "SIZE /status\r\n");
    EXPECT_EQ(course_of(check, missing).sentence, "the server said \"550 none\"");
}

TEST(LineDialogue, SpeaksImapWithItsTagsAndQuotes) {
    const Course course =
        course_of(check_of(CheckType::imap, "a\"b", "c\\d"),
                  {"* OK ready\r\n", "* CAPABILITY IMAP4rev2\r\na1 OK done\r\n", "a2 OK in\r\n"});
    EXPECT_TRUE(course.is_sound) << course.sentence;
    EXPECT_EQ(course.said[1], "a2 LOGIN \"a\\\"b\" \"c\\\\d\"\r\n");
    EXPECT_FALSE(course_of(check_of(CheckType::imap), {"* BYE overloaded\r\n"}).is_sound);
    EXPECT_FALSE(course_of(check_of(CheckType::imaps), {"* OK\r\n", "a1 NO what\r\n"}).is_sound);
}

TEST(LineDialogue, SpeaksPop3) {
    const Course course =
        course_of(check_of(CheckType::pop3, "me", "it"), {"+OK\r\n", "+OK\r\n", "+OK in\r\n"});
    EXPECT_TRUE(course.is_sound);
    EXPECT_EQ(course.said, (Lines{"USER me\r\n", "PASS it\r\n", "QUIT\r\n"}));
    EXPECT_FALSE(course_of(check_of(CheckType::pop3), {"-ERR locked\r\n"}).is_sound);
}

// What is said before and behind the upgrade, by each protocol's own word for it.
TEST(LineDialogue, AsksEachProtocolForTlsInItsOwnWords) {
    struct Upgrade {
        CheckType type;
        Lines answers;
        Lines said;
    };
    const std::vector<Upgrade> upgrades{
        {CheckType::smtp,
         {"220 x\r\n", "250 STARTTLS\r\n", "220 go\r\n", "250 x\r\n", "250 OK\r\n"},
         {"EHLO fulcrum\r\n", "STARTTLS\r\n", "EHLO fulcrum\r\n", "NOOP\r\n", "QUIT\r\n"}},
        {CheckType::imap,
         {"* OK x\r\n", "a0 OK begin\r\n", "* CAPABILITY x\r\na1 OK\r\n"},
         {"a0 STARTTLS\r\n", "a1 CAPABILITY\r\n", "a9 LOGOUT\r\n"}},
        {CheckType::pop3,
         {"+OK x\r\n", "+OK begin\r\n", "-ERR log in first\r\n"},
         {"STLS\r\n", "NOOP\r\n", "QUIT\r\n"}},
        {CheckType::ftp,
         {"220 x\r\n", "234 begin\r\n", "331 password\r\n", "230 in\r\n"},
         {"AUTH TLS\r\n", "USER anonymous\r\n", "PASS fulcrum@\r\n", "QUIT\r\n"}}};
    for (const Upgrade& upgrade : upgrades) {
        Check check = check_of(upgrade.type);
        check.starttls = true;
        const Course course = course_of(check, upgrade.answers);
        EXPECT_TRUE(course.is_sound) << to_string(upgrade.type) << ": " << course.sentence;
        EXPECT_EQ(course.said, upgrade.said);
    }
}

TEST(LineDialogue, FailsWhereAServerHasNoTls) {
    Check check = check_of(CheckType::smtp);
    check.starttls = true;
    EXPECT_EQ(course_of(check, {"220 x\r\n", "250 x\r\n", "502 no such command\r\n"}).sentence,
              "the server said \"502 no such command\"");
}

TEST(LineDialogue, HearsTheGreetingOfANewsServer) {
    EXPECT_TRUE(course_of(check_of(CheckType::nntp), {"201 no posting\r\n"}).is_sound);
    EXPECT_FALSE(course_of(check_of(CheckType::nntp), {"400 later\r\n"}).is_sound);
}

TEST(LineDialogue, PingsRedisAfterALogin) {
    EXPECT_EQ(course_of(check_of(CheckType::redis), {"+PONG\r\n"}).said,
              (Lines{"*1\r\n$4\r\nPING\r\n"}));
    const Course course =
        course_of(check_of(CheckType::redis, "", "a b"), {"+OK\r\n", "+PONG\r\n"});
    EXPECT_TRUE(course.is_sound);
    EXPECT_EQ(course.said[0], "*2\r\n$4\r\nAUTH\r\n$3\r\na b\r\n");
    EXPECT_EQ(course_of(check_of(CheckType::redis), {"-LOADING the dataset\r\n"}).sentence,
              "the server said \"-LOADING the dataset\"");
}

TEST(LineDialogue, WaitsForWholeLines) {
    EXPECT_EQ(course_of(check_of(CheckType::nntp), {"20", "0 rea"}).sentence, "still waiting");
    EXPECT_TRUE(course_of(check_of(CheckType::nntp), {"20", "0 ready\n"}).is_sound);
}

}  // namespace
}  // namespace fulcrum
