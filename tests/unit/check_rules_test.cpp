// What a check asks for that cannot be, and what it says for nothing.
#include "config/check_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fulcrum {
namespace {

using Sentences = std::vector<std::string>;

const std::string head = "service \"web\": check: ";

VirtualService sound_service() {
    return {.name = "web",
            .vip = Ipv4Address::of(10, 0, 0, 80),
            .port = be16{80},
            .reals = {{.name = "web1", .endpoint = {Ipv4Address::of(10, 0, 0, 11), be16{8'080}}}}};
}

Sentences sentences_of(const FindingList& list) {
    Sentences sentences;
    for (const Finding& finding : list.kept()) {
        sentences.push_back(finding.sentence);
    }
    return sentences;
}

Sentences problems_of(const VirtualService& service) {
    Findings findings;
    check_checks(service, findings);
    return sentences_of(findings.problems);
}

Sentences warnings_of(const VirtualService& service) {
    Findings findings;
    check_checks(service, findings);
    return sentences_of(findings.warnings);
}

TEST(CheckRules, RefusesACheckThatOutlastsItsInterval) {
    VirtualService service = sound_service();
    service.check.interval = std::chrono::milliseconds{500};
    service.check.timeout = std::chrono::milliseconds{500};
    EXPECT_EQ(problems_of(service), Sentences{});
    service.check.timeout = std::chrono::milliseconds{501};
    EXPECT_EQ(problems_of(service), (Sentences{head + "timeout: 501ms is longer than the "
                                                      "interval of 500ms"}));
}

TEST(CheckRules, HoldEachOfSeveralChecksAndThoseOfReals) {
    VirtualService service = sound_service();
    service.further_checks = {{.type = CheckType::radius}, {.type = CheckType::none}};
    service.further_checks[0].port = 1'812;
    service.reals[0].checks = {{.type = CheckType::udp, .port = 53}};
    EXPECT_EQ(problems_of(service),
              (Sentences{head + "type: \"radius\" needs login and secret",
                         head + "type: \"none\" is no check among others: let it stand alone, or "
                                "leave it out",
                         head.substr(0, head.find("check: ")) +
                             "real \"web1\": check: type: \"udp\" needs something to say: set "
                             "send or send_hex"}));
}

TEST(CheckRules, KnowWhatStarttlsIsFor) {
    VirtualService service = sound_service();
    service.check = {
        .type = CheckType::smtp, .host = "mail.example.org", .starttls = true, .verify = true};
    EXPECT_EQ(warnings_of(service), Sentences{});
    service.check.starttls = false;
    EXPECT_EQ(warnings_of(service).size(), 2U) << "host and verify";
    service.check = {.type = CheckType::http, .starttls = true};
    EXPECT_EQ(warnings_of(service),
              (Sentences{head + "starttls has no effect with type = \"http\""}));
}

TEST(CheckRules, WantsATcpPortForTheCheckOfAUdpService) {
    VirtualService service = sound_service();
    service.protocol = L4Protocol::udp;
    service.check.type = CheckType::none;
    EXPECT_EQ(problems_of(service), Sentences{});
    for (const CheckType type : {CheckType::connect, CheckType::http}) {
        service.check.type = type;
        service.check.port = 0;
        EXPECT_EQ(problems_of(service),
                  (Sentences{head + "type: \"" + std::string{to_string(type)} +
                             "\" opens a TCP connection, which no UDP or SCTP port can answer: "
                             "name a TCP port of theirs with port, or set type = \"none\""}));
        service.check.port = 8'053;
        EXPECT_EQ(problems_of(service), Sentences{});
    }
}

TEST(CheckRules, WarnsOfKeysThatTheCheckDoesNotUse) {
    VirtualService service = sound_service();
    Check& check = service.check;
    check = {.type = CheckType::http,
             .path = "/x",
             .host = "h",
             .status = {{200, 200}},
             .expect = "e",
             .port = 81};
    EXPECT_EQ(warnings_of(service), Sentences{});
    check.type = CheckType::connect;
    EXPECT_EQ(warnings_of(service),
              (Sentences{head + "path has no effect with type = \"connect\"",
                         head + "host has no effect with type = \"connect\"",
                         head + "expect has no effect with type = \"connect\"",
                         head + "status has no effect with type = \"connect\""}));
    check = {.type = CheckType::none, .port = 81};
    EXPECT_EQ(warnings_of(service), (Sentences{head + "port has no effect with type = \"none\""}));
}

TEST(CheckRules, WantsAUdpPortForTheDatagramsOfATcpService) {
    VirtualService service = sound_service();
    service.check.type = CheckType::udp;
    service.check.send = "ping";
    EXPECT_EQ(problems_of(service),
              (Sentences{head + "type: \"udp\" sends a datagram, which no TCP or SCTP port can "
                                "answer: name a UDP port of theirs with port, or set type = "
                                "\"none\""}));
    service.check.port = 53;
    EXPECT_EQ(problems_of(service), Sentences{});
    service.check.port = 0;
    service.protocol = L4Protocol::udp;
    EXPECT_EQ(problems_of(service), Sentences{});
}

TEST(CheckRules, WantsSomethingToSayByDatagrams) {
    VirtualService service = sound_service();
    service.protocol = L4Protocol::udp;
    service.check.type = CheckType::udp;
    EXPECT_EQ(problems_of(service),
              (Sentences{head + "type: \"udp\" needs something to say: set send or send_hex"}));
}

TEST(CheckRules, WantsANameToAskFor) {
    VirtualService service = sound_service();
    service.protocol = L4Protocol::udp;
    service.check.type = CheckType::dns;
    EXPECT_EQ(problems_of(service),
              (Sentences{head + "type: \"dns\" needs a name to ask for: set query"}));
    service.check.query = "a..b";
    EXPECT_EQ(problems_of(service), (Sentences{head + "query: \"a..b\" is no name of the DNS"}));
    service.check.query = "www.example.net";
    EXPECT_EQ(problems_of(service), Sentences{});
}

TEST(CheckRules, WantsAProgramByItsPathAndKnownWordsForAddresses) {
    VirtualService service = sound_service();
    Check& check = service.check;
    check.type = CheckType::program;
    const Sentences path{head +
                         "type: \"program\" needs the absolute path of a program: set command"};
    EXPECT_EQ(problems_of(service), path);
    check.command = {"true"};
    EXPECT_EQ(problems_of(service), path);
    check.command = {"/bin/true", "%h:%p", "%H%%%P", "100%%"};
    EXPECT_EQ(problems_of(service), Sentences{});
    check.command = {"/bin/true", "%x", "%h%"};
    EXPECT_EQ(problems_of(service),
              (Sentences{head + "command: \"%x\" holds \"%x\": known are %h, %p, %H, %P and %%",
                         head + "command: \"%h%\" holds \"%\": known are %h, %p, %H, %P and %%"}));
}

TEST(CheckRules, RefusesAQuorumThatIsNeverReached) {
    VirtualService service = sound_service();
    service.quorum = 2;
    EXPECT_EQ(problems_of(service),
              (Sentences{"service \"web\": quorum: it comes up with 2, quorum and hysteresis, and "
                         "all its reals weigh 1"}));
    service.quorum = 1;
    EXPECT_EQ(problems_of(service), Sentences{});
    service.hysteresis = 1;
    EXPECT_EQ(problems_of(service).size(), 1U);
    service.reals[0].weight = 2;
    EXPECT_EQ(problems_of(service), Sentences{});
}

TEST(CheckRules, WantsALoginWhereOneIsNeeded) {
    VirtualService service = sound_service();
    service.check.type = CheckType::mysql;
    EXPECT_EQ(problems_of(service), Sentences{});
    service.check.query = "SELECT 1";
    EXPECT_EQ(problems_of(service), (Sentences{head + "query and database need a login"}));
    service.check.login = "checker";
    EXPECT_EQ(problems_of(service), Sentences{});
    service.protocol = L4Protocol::udp;
    service.check = {.type = CheckType::radius, .login = "checker"};
    EXPECT_EQ(problems_of(service), (Sentences{head + "type: \"radius\" needs login and secret"}));
}

}  // namespace
}  // namespace fulcrum
