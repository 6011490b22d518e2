// Messages written by hand; SCRAM as RFC 7677's example has it, where the nonce allows.
#include "controlplane/health/pgsql_dialogue.h"

#include <gtest/gtest.h>

#include "controlplane/health/digests.h"

namespace fulcrum {
namespace {

std::string octets(std::initializer_list<int> values) {
    std::string text;
    for (const int value : values) {
        text.push_back(static_cast<char>(value));
    }
    return text;
}

std::string message(char kind, const std::string& body) {
    return kind + octets({0, 0, 0, static_cast<int>(body.size()) + 4}) + body;
}
std::string authentication(int kind, const std::string& rest = "") {
    return message('R', octets({0, 0, 0, kind}) + rest);
}
std::string error(const std::string& code, const std::string& words) {
    const std::string end(1, '\0');
    return message('E', "SFATAL" + end + "C" + code + end + "M" + words + end + end);
}
const std::string ready = message('Z', "I");

ProbeSpec spec_of(const std::string& login, const std::string& password = "",
                  const std::string& query = "") {
    ProbeSpec spec;
    spec.check.type = CheckType::pgsql;
    spec.check.login = login;
    spec.check.password = password;
    spec.check.query = query;
    return spec;
}

ProbeOutcome after(const ProbeSpec& spec, const std::string& answer) {
    PgsqlDialogue dialogue{spec};
    dialogue.begin();
    return dialogue.on_received(answer).outcome.value_or(
        ProbeOutcome{ProbeVerdict::not_sent, "none yet"});
}

TEST(PgsqlDialogue, BeginsUnderAName) {
    PgsqlDialogue dialogue{spec_of("me")};
    const std::string end(1, '\0');
    EXPECT_EQ(dialogue.begin().send,
              octets({0, 0, 0, 17, 0, 3, 0, 0}) + "user" + end + "me" + end + end);
}

TEST(PgsqlDialogue, TakesAQuestionForAPasswordForAnAnswer) {
    EXPECT_EQ(after(spec_of(""), authentication(10)).verdict, ProbeVerdict::success);
    EXPECT_EQ(after(spec_of(""), error("28000", "no entry")).verdict, ProbeVerdict::success);
    EXPECT_EQ(after(spec_of(""), error("3D000", "no database")).verdict, ProbeVerdict::success);
    EXPECT_EQ(after(spec_of(""), error("57P03", "the database system is starting up")).sentence,
              "PostgreSQL: 57P03 the database system is starting up");
    EXPECT_EQ(after(spec_of("me"), error("28P01", "wrong password")).verdict,
              ProbeVerdict::failure);
}

TEST(PgsqlDialogue, ProvesThePasswordInPlainAndByMd5) {
    const std::string end(1, '\0');
    PgsqlDialogue plain{spec_of("me", "pw")};
    plain.begin();
    EXPECT_EQ(plain.on_received(authentication(3)).send, message('p', "pw" + end));
    PgsqlDialogue digest{spec_of("me", "pw")};
    digest.begin();
    const std::string proof = in_hexadecimal(md5(in_hexadecimal(md5("pwme")) + "salt"));
    EXPECT_EQ(digest.on_received(authentication(5, "salt")).send,
              message('p', "md5" + proof + end));
    EXPECT_FALSE(digest.on_received(authentication(0)).outcome);
    EXPECT_EQ(digest.on_received(ready).outcome.value().sentence, "PostgreSQL login accepted");
}

// The server's side of RFC 5802, from what it stores.
TEST(PgsqlDialogue, ProvesThePasswordByScram) {
    const std::string end(1, '\0');
    const std::string salt = from_base64("W22ZaJ0SNY7soEsUEjb6gQ==");
    const std::string salted = pbkdf2_sha256("pencil", salt, 4'096);
    PgsqlDialogue dialogue{spec_of("user", "pencil")};
    dialogue.begin();
    const std::string first =
        dialogue.on_received(authentication(10, "SCRAM-SHA-256" + end + end)).send;
    const std::string bare = first.substr(first.find("n=,r="));
    const std::string challenge = "r=" + bare.substr(5) + "more,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    const std::string last = dialogue.on_received(authentication(11, challenge)).send;
    const std::string words = last.substr(5, last.find(",p=") - 5);
    const std::string all = bare + "," + challenge + "," + words;
    const std::string stored = sha256(hmac_sha256(salted, "Client Key"));
    const std::string key =
        xor_of(from_base64(last.substr(last.find(",p=") + 3)), hmac_sha256(stored, all));
    EXPECT_EQ(sha256(key), stored);
    const std::string proof = hmac_sha256(hmac_sha256(salted, "Server Key"), all);
    EXPECT_FALSE(dialogue.on_received(authentication(12, "v=" + in_base64(proof))).outcome);
    EXPECT_EQ(dialogue.on_received(authentication(0) + ready).outcome.value().verdict,
              ProbeVerdict::success);
}

TEST(PgsqlDialogue, WantsAServerThatKnowsThePasswordToo) {
    const std::string end(1, '\0');
    PgsqlDialogue dialogue{spec_of("user", "pencil")};
    dialogue.begin();
    const std::string first =
        dialogue.on_received(authentication(10, "SCRAM-SHA-256" + end + end)).send;
    const std::string nonce = first.substr(first.find("r=") + 2);
    dialogue.on_received(authentication(11, "r=" + nonce + "x,s=AAAA,i=4096"));
    EXPECT_EQ(dialogue.on_received(authentication(12, "v=AAAA")).outcome.value().sentence,
              "PostgreSQL does not know the password itself");
    PgsqlDialogue patient{spec_of("user", "pencil")};
    patient.begin();
    patient.on_received(authentication(10, "SCRAM-SHA-256" + end + end));
    EXPECT_EQ(patient.on_received(authentication(11, "r=x,s=AAAA,i=99999999")).outcome->verdict,
              ProbeVerdict::failure);
}

TEST(PgsqlDialogue, WantsARowOfItsQuery) {
    const auto asked = [](const std::string& answer) {
        PgsqlDialogue dialogue{spec_of("me", "", "SELECT 1")};
        dialogue.begin();
        EXPECT_EQ(dialogue.on_received(authentication(0) + ready).send,
                  message('Q', std::string{"SELECT 1"} + '\0'));
        return dialogue.on_received(answer).outcome.value().sentence;
    };
    EXPECT_EQ(asked(message('T', "") + message('D', "1") + message('C', "") + ready),
              "PostgreSQL query answered");
    EXPECT_EQ(asked(message('T', "") + message('C', "") + ready),
              "PostgreSQL: the query found no row");
    EXPECT_EQ(asked(error("42P01", "no such table")), "PostgreSQL: 42P01 no such table");
}

TEST(PgsqlDialogue, RefusesWhatIsNoPostgresql) {
    EXPECT_EQ(after(spec_of(""), "HTTP/1.1 400 Bad Request\r\n").sentence,
              "the answer is not PostgreSQL's");
}

}  // namespace
}  // namespace fulcrum
