// BER written by hand, from RFC 4511's grammar.
#include "controlplane/health/ldap_dialogue.h"

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

ProbeSpec spec_of(const std::string& expect = "") {
    ProbeSpec spec;
    spec.check.type = CheckType::ldap;
    spec.check.login = "cn=a";
    spec.check.password = "b";
    spec.check.query = "dc=x";
    spec.check.expect = expect;
    return spec;
}

std::string result(int id, int operation, int code) {
    return octets({0x30, 12, 2, 1, id, operation, 7, 10, 1, code, 4, 0, 4, 0});
}
const std::string entry = octets({0x30, 13, 2, 1, 2, 0x64, 8, 4, 4}) + "dc=x" + octets({0x30, 0});

std::string sentence_of(const DialogueTurn& turn) {
    return turn.outcome ? turn.outcome->sentence : "none yet";
}

TEST(LdapDialogue, BindsAndSearchesOneEntry) {
    LdapDialogue dialogue{spec_of()};
    EXPECT_EQ(dialogue.begin().send, octets({0x30, 17, 2, 1, 1, 0x60, 12, 2, 1, 3, 4, 4}) + "cn=a" +
                                         octets({0x80, 1}) + "b");
    const std::string search = dialogue.on_received(result(1, 0x61, 0)).send;
    EXPECT_EQ(search, octets({0x30, 46, 2, 1, 2, 0x63, 41, 4, 4}) + "dc=x" +
                          octets({10, 1, 0, 10, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0, 0x87, 11}) +
                          "objectClass" + octets({0x30, 5, 4, 3}) + "1.1");
    const DialogueTurn last = dialogue.on_received(entry + result(2, 0x65, 0));
    EXPECT_EQ(sentence_of(last), "LDAP entry found");
    EXPECT_EQ(last.send, octets({0x30, 5, 2, 1, 3, 0x42, 0}));
}

TEST(LdapDialogue, BindsAfterStartTls) {
    ProbeSpec spec = spec_of();
    spec.check.starttls = true;
    LdapDialogue dialogue{spec};
    EXPECT_EQ(dialogue.begin().send,
              octets({0x30, 29, 2, 1, 3, 0x77, 24, 0x80, 22}) + "1.3.6.1.4.1.1466.20037");
    const DialogueTurn turn = dialogue.on_received(result(3, 0x78, 0));
    EXPECT_TRUE(turn.starts_tls);
    EXPECT_EQ(turn.send.substr(0, 6), octets({0x30, 17, 2, 1, 1, 0x60}));
    LdapDialogue refused{spec};
    EXPECT_EQ(sentence_of(refused.on_received(result(3, 0x78, 52))), "LDAP StartTLS: unavailable");
}

TEST(LdapDialogue, ReadsMessagesThatComeInPieces) {
    LdapDialogue dialogue{spec_of("dc=x")};
    dialogue.begin();
    dialogue.on_received(result(1, 0x61, 0));
    const std::string all = entry + result(2, 0x65, 0);
    for (std::size_t at = 0; at + 1 < all.size(); ++at) {
        ASSERT_FALSE(dialogue.on_received(all.substr(at, 1)).outcome) << at;
    }
    EXPECT_EQ(sentence_of(dialogue.on_received(all.substr(all.size() - 1))), "LDAP entry found");
}

TEST(LdapDialogue, NamesWhatTheDirectorySays) {
    LdapDialogue refused{spec_of()};
    refused.begin();
    EXPECT_EQ(sentence_of(refused.on_received(result(1, 0x61, 49))),
              "LDAP bind: invalidCredentials");
    LdapDialogue lost{spec_of()};
    lost.begin();
    lost.on_received(result(1, 0x61, 0));
    EXPECT_EQ(sentence_of(lost.on_received(result(2, 0x65, 32))), "LDAP search: noSuchObject");
    LdapDialogue empty{spec_of()};
    empty.begin();
    empty.on_received(result(1, 0x61, 0));
    EXPECT_EQ(sentence_of(empty.on_received(result(2, 0x65, 0))), "LDAP search: no entry");
    LdapDialogue other{spec_of("dc=y")};
    other.begin();
    other.on_received(result(1, 0x61, 0));
    EXPECT_EQ(sentence_of(other.on_received(entry + result(2, 0x65, 0))),
              "the entry's name lacks \"dc=y\"");
}

TEST(LdapDialogue, RefusesWhatIsNoLdap) {
    for (const std::string& text :
         {std::string{"220 mail ESMTP\r\n"}, octets({0x30, 0x80, 0, 0}), octets({0x30, 2, 5, 0}),
          octets({0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF}), octets({0x30, 5, 2, 1, 1, 0x61, 9})}) {
        LdapDialogue dialogue{spec_of()};
        dialogue.begin();
        EXPECT_EQ(sentence_of(dialogue.on_received(text)), "the answer is not LDAP");
    }
}

}  // namespace
}  // namespace fulcrum
