// Questions and answers octet by octet; the expected octets are RFC 1035's, written by hand.
#include "controlplane/health/dns_dialogue.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

std::string octets(std::initializer_list<int> values) {
    std::string text;
    for (const int value : values) {
        text.push_back(static_cast<char>(value));
    }
    return text;
}

const std::string a_net = octets({1, 'a', 3, 'n', 'e', 't', 0});

ProbeSpec spec_of(const std::string& query, const std::string& record = "A",
                  const std::string& expect = "") {
    ProbeSpec spec;
    spec.check.type = CheckType::dns;
    spec.check.query = query;
    spec.check.record = record;
    spec.check.expect = expect;
    return spec;
}

// An answer to `question` with this code and these records.
std::string answer_to(const std::string& question, int code, int count,
                      const std::string& records) {
    return question.substr(0, 2) + octets({0x81, 0x80 | code}) + question.substr(4, 2) +
           octets({0, count, 0, 0, 0, 0}) + question.substr(12) + records;
}

// A record of 192.0.2.1 whose name is a jump to the question's.
const std::string address_record = octets({0xC0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1});

TEST(DnsQuestion, IsWrittenAsRfc1035HasIt) {
    EXPECT_EQ(dns_question("a.net", "A", 0x1234),
              octets({0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}) + a_net + octets({0, 1, 0, 1}));
    EXPECT_EQ(dns_question("a.net.", "AAAA", 1)->substr(12), a_net + octets({0, 28, 0, 1}));
    EXPECT_EQ(dns_question(".", "SOA", 1)->substr(12), octets({0, 0, 6, 0, 1}));
}

TEST(DnsQuestion, TurnsAnAddressRoundForItsName) {
    EXPECT_EQ(dns_question("192.0.2.10", "PTR", 1)->substr(12, 29),
              octets({2, '1', '0', 1, '2', 1, '0', 3, '1', '9', '2', 7}) + "in-addr" + octets({4}) +
                  "arpa" + octets({0, 0, 12, 0, 1}).substr(0, 5));
    const std::string v6 = *dns_question("2001:db8::1", "PTR", 1);
    EXPECT_EQ(v6.substr(12, 4), octets({1, '1', 1, '0'}));
    EXPECT_EQ(v6.size(), 12 + 64 + 10 + 4U);
}

TEST(DnsQuestion, RefusesWhatIsNoName) {
    for (const char* name : {"a..b", ".a"}) {
        EXPECT_FALSE(dns_question(name, "A", 1)) << name;
    }
    EXPECT_FALSE(dns_question(std::string(64, 'a'), "A", 1));
    EXPECT_FALSE(dns_question("a.net", "HINFO", 1));
}

TEST(DnsDialogue, SucceedsWithAnAnswerWithoutAnError) {
    DnsDialogue dialogue{spec_of("a.net")};
    const std::string question = dialogue.begin().send;
    const DialogueTurn turn = dialogue.on_received(answer_to(question, 0, 0, ""));
    ASSERT_TRUE(turn.outcome);
    EXPECT_EQ(turn.outcome->sentence, "DNS NOERROR");
}

TEST(DnsDialogue, NamesTheErrorOfTheServer) {
    DnsDialogue dialogue{spec_of("a.net")};
    const std::string question = dialogue.begin().send;
    EXPECT_EQ(dialogue.on_received(answer_to(question, 2, 0, "")).outcome.value().sentence,
              "DNS SERVFAIL");
    EXPECT_EQ(dialogue.on_received(answer_to(question, 3, 0, "")).outcome.value().verdict,
              ProbeVerdict::failure);
}

TEST(DnsDialogue, WantsTheRecordsExpected) {
    DnsDialogue dialogue{spec_of("a.net", "A", "a.net A 192.0.2.1\n")};
    const std::string question = dialogue.begin().send;
    EXPECT_EQ(dialogue.on_received(answer_to(question, 0, 1, address_record)).outcome->verdict,
              ProbeVerdict::success);
    EXPECT_EQ(dialogue.on_received(answer_to(question, 0, 0, "")).outcome->sentence,
              "the DNS records lack \"a.net A 192.0.2.1\\x0a\"");
}

TEST(DnsDialogue, PassesOverWhatAnswersAnotherQuestion) {
    DnsDialogue dialogue{spec_of("a.net")};
    const std::string question = dialogue.begin().send;
    std::string other_id = answer_to(question, 0, 0, "");
    other_id[0] = static_cast<char>(other_id[0] ^ 1);
    EXPECT_FALSE(dialogue.on_received(other_id).outcome);
    const std::string other_name = *dns_question("b.net", "A", 0);
    EXPECT_FALSE(
        dialogue.on_received(answer_to(question.substr(0, 12) + other_name.substr(12), 0, 0, ""))
            .outcome);
    EXPECT_FALSE(dialogue.on_received(question).outcome) << "no response";
    EXPECT_FALSE(dialogue.on_received("short").outcome);
    std::string capitals = answer_to(question, 0, 0, "");
    capitals[13] = 'A';
    EXPECT_TRUE(dialogue.on_received(capitals).outcome);
}

TEST(DnsRecords, AreReadOfAllKindsThatOneMayAskFor) {
    const std::string question = *dns_question("a.net", "A", 1);
    const auto record = [](int type, const std::string& data) {
        return octets({0xC0, 12, 0, type, 0, 1, 0, 0, 0, 1, 0, static_cast<int>(data.size())}) +
               data;
    };
    const std::string jump = octets({0xC0, 12});
    const std::string records =
        record(28, octets({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})) +
        record(5, octets({1, 'c'}) + jump) + record(15, octets({0, 10, 2, 'm', 'x'}) + jump) +
        record(16, octets({2, 'h', 'i'})) + record(33, octets({0, 1, 0, 2, 19, 196}) + jump) +
        record(99, "???");
    EXPECT_EQ(dns_records(answer_to(question, 0, 6, records)),
              "a.net AAAA 2001:db8::1\na.net CNAME c.a.net\na.net MX 10 mx.a.net\n"
              "a.net TXT hi\na.net SRV a.net 5060\na.net TYPE99 ?\n");
}

TEST(DnsRecords, AreNothingWhereTheAnswerIsMalformed) {
    const std::string question = *dns_question("a.net", "A", 1);
    const std::string whole = answer_to(question, 0, 1, address_record);
    ASSERT_TRUE(dns_records(whole));
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_FALSE(dns_records(whole.substr(0, length))) << length;
    }
    std::string loop = whole;
    loop[whole.size() - 15] = static_cast<char>(whole.size() - 16);  // a name that jumps to itself
    EXPECT_FALSE(dns_records(loop));
}

}  // namespace
}  // namespace fulcrum
