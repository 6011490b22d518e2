// Packets written by hand; the proof of the password is checked as a server checks it.
#include "controlplane/health/mysql_dialogue.h"

#include <gtest/gtest.h>

#include "controlplane/health/digests.h"

namespace fulcrum {
namespace {

const std::string challenge = "0123456789abcdefghij";

std::string packet(int sequence, const std::string& body) {
    return std::string{static_cast<char>(body.size()), 0, 0, static_cast<char>(sequence)} + body;
}

std::string greeting() {
    return packet(0, std::string{"\x0a"} + "8.0.1" + std::string(1, '\0') + "thrd" +
                         challenge.substr(0, 8) + std::string(19, '\0') + challenge.substr(8) +
                         std::string(1, '\0'));
}

std::string refusal(int sequence, int number, const std::string& words) {
    return packet(sequence, std::string{'\xff', static_cast<char>(number & 0xFF),
                                        static_cast<char>(number >> 8)} +
                                "#28000" + words);
}
const std::string ok = packet(2, std::string(7, '\0'));

ProbeSpec spec_of(const std::string& login, const std::string& password = "",
                  const std::string& query = "") {
    ProbeSpec spec;
    spec.check.type = CheckType::mysql;
    spec.check.login = login;
    spec.check.password = password;
    spec.check.query = query;
    return spec;
}

std::string sentence_of(const DialogueTurn& turn) {
    return turn.outcome ? turn.outcome->sentence : "none yet";
}

TEST(MysqlDialogue, TakesTheRefusalOfAStrangerForAnAnswer) {
    MysqlDialogue dialogue{spec_of("")};
    EXPECT_TRUE(dialogue.begin().send.empty());
    const std::string login = dialogue.on_received(greeting()).send;
    EXPECT_EQ(login[3], 1);
    EXPECT_NE(login.find("fulcrum"), std::string::npos);
    const DialogueTurn turn = dialogue.on_received(refusal(2, 1'045, "Access denied"));
    EXPECT_EQ(sentence_of(turn), "MySQL 8.0.1");
    EXPECT_EQ(turn.outcome->verdict, ProbeVerdict::success);
}

TEST(MysqlDialogue, FailsWhereTheServerHasNoRoom) {
    MysqlDialogue full{spec_of("")};
    EXPECT_EQ(sentence_of(full.on_received(
                  packet(0, std::string{'\xff', 0x10, 0x04} + "Too many connections"))),
              "MySQL: 1040 Too many connections");
    MysqlDialogue strict{spec_of("probe", "wrong")};
    strict.on_received(greeting());
    EXPECT_EQ(sentence_of(strict.on_received(refusal(2, 1'045, "Access denied"))),
              "MySQL: 1045 Access denied");
}

// What a server knows is SHA1(SHA1(password)); the proof hides SHA1(password).
TEST(MysqlDialogue, ProvesThatItKnowsThePassword) {
    MysqlDialogue dialogue{spec_of("probe", "secret")};
    const std::string login = dialogue.on_received(greeting()).send;
    const std::size_t at = login.find("probe") + 6;
    ASSERT_EQ(login[at], 20);
    const std::string known = sha1(sha1("secret"));
    const std::string once = xor_of(login.substr(at + 1, 20), sha1(challenge + known));
    EXPECT_EQ(sha1(once), known);
    const DialogueTurn turn = dialogue.on_received(ok);
    EXPECT_EQ(sentence_of(turn), "MySQL 8.0.1");
    EXPECT_EQ(turn.send, packet(0, "\x01"));  // it takes its leave
}

TEST(MysqlDialogue, ChangesTheMethodOnRequest) {
    MysqlDialogue dialogue{spec_of("probe", "secret")};
    dialogue.on_received(greeting());
    const std::string again = "abcdefghij0123456789";
    const std::string request = std::string{'\xfe'} + "caching_sha2_password" +
                                std::string(1, '\0') + again + std::string(1, '\0');
    const std::string proof = dialogue.on_received(packet(2, request)).send;
    ASSERT_EQ(proof.size(), 36U);
    EXPECT_EQ(proof[3], 3);
    const std::string once = sha256("secret");
    EXPECT_EQ(xor_of(proof.substr(4), sha256(sha256(once) + again)), once);
    EXPECT_FALSE(dialogue.on_received(packet(4, "\x01\x03")).outcome);
    EXPECT_EQ(sentence_of(dialogue.on_received(ok)), "MySQL 8.0.1");
}

TEST(MysqlDialogue, WantsARowOfItsQuery) {
    const std::string column = packet(2, "def");
    const std::string end = packet(3, std::string{'\xfe', 0, 0, 2, 0});
    const auto asked = [&](const std::string& rows) {
        MysqlDialogue dialogue{spec_of("probe", "secret", "SELECT 1")};
        dialogue.on_received(greeting());
        EXPECT_EQ(dialogue.on_received(ok).send, packet(0, "\x03SELECT 1"));
        return sentence_of(dialogue.on_received(packet(1, "\x01") + column + end + rows));
    };
    EXPECT_EQ(asked(packet(4,
                           "\x01"
                           "1")),
              "MySQL query answered");
    EXPECT_EQ(asked(packet(4, std::string{'\xfe', 0, 0, 2, 0})), "MySQL: the query found no row");
    EXPECT_EQ(asked(refusal(4, 1'146, "no such table")), "MySQL: 1146 no such table");
}

TEST(MysqlDialogue, RefusesWhatIsNoGreeting) {
    for (const std::string& text :
         {std::string{"SSH-2.0-x\r\n"},
          packet(0,
                 "\x0a"
                 "8.0"),
          packet(0, std::string{"\x09"} + "3.23" + std::string(40, '\0')), std::string(4, '\0')}) {
        MysqlDialogue dialogue{spec_of("")};
        const DialogueTurn turn = dialogue.on_received(text + std::string(70'000, 'x'));
        ASSERT_TRUE(turn.outcome);
        EXPECT_EQ(turn.outcome->verdict, ProbeVerdict::failure);
    }
}

}  // namespace
}  // namespace fulcrum
