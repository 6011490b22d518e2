// Conversations over TCP and TLS against real sockets on a loopback of their own.
#include "controlplane/health/stream_probe.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "tests/support/probing.h"
#include "tests/support/script_server.h"
#include "tests/support/stub_server.h"

namespace fulcrum {
namespace {

using Manner = StubServer::Manner;

ProbeSpec spec_of(CheckType type, const Endpoint& target, const std::string& send = "",
                  const std::string& expect = "") {
    ProbeSpec spec;
    spec.check.type = type;
    spec.check.send = send;
    spec.check.expect = expect;
    spec.check.timeout = std::chrono::milliseconds{5'000};
    spec.target = target;
    return spec;
}

ScriptServer::Script pong_within_tls() {
    return {.answer = [](const std::string&) { return "+PONG\r\n"; },
            .tls_name = "www.example.org"};
}

TEST(StreamProbe, SucceedsWhereAConnectionIsAccepted) {
    const StubServer server{Manner::says_nothing, ""};
    const ProbeOutcome outcome = outcome_of<StreamProber>(spec_of(CheckType::connect, server.at()));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::success);
}

TEST(StreamProbe, SaysConnectionRefused) {
    const ClosedPort closed;
    for (const CheckType type : {CheckType::connect, CheckType::tcp, CheckType::tls}) {
        const ProbeOutcome outcome = outcome_of<StreamProber>(spec_of(type, closed.endpoint()));
        EXPECT_EQ(outcome.verdict, ProbeVerdict::failure);
        EXPECT_EQ(outcome.sentence, "connection refused");
    }
}

TEST(StreamProbe, SaysThatThereIsNoRoute) {
    const Endpoint nowhere{Ipv4Address::of(192, 0, 2, 1), be16{80}};
    const ProbeOutcome outcome = outcome_of<StreamProber>(spec_of(CheckType::connect, nowhere));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome.sentence, "network is unreachable");
}

TEST(StreamProbe, SendsAndFindsWhatItExpects) {
    const StubServer server{Manner::answers, "+PONG\r\n"};
    const std::string request = "GET /\r\n\r\n";
    EXPECT_EQ(
        outcome_of<StreamProber>(spec_of(CheckType::tcp, server.at(), request, "PONG")).verdict,
        ProbeVerdict::success);
    EXPECT_EQ(server.last_request(), request);
    EXPECT_EQ(
        outcome_of<StreamProber>(spec_of(CheckType::tcp, server.at(), request, "PANG")).sentence,
        "the answer \"+PONG\\x0d\\x0a\" lacks \"PANG\" at its end");
}

TEST(StreamProbe, FindsAGreetingWithoutAWord) {
    const StubServer server{Manner::greets, "220 ready\r\n"};
    EXPECT_EQ(outcome_of<StreamProber>(spec_of(CheckType::tcp, server.at(), "", "220 ")).verdict,
              ProbeVerdict::success);
}

TEST(StreamProbe, FailsAtItsTimeoutWhenNobodyAnswers) {
    const StubServer server{Manner::says_nothing, ""};
    for (const CheckType type : {CheckType::tcp, CheckType::tls}) {
        ProbeSpec spec = spec_of(type, server.at(), "hello", "OK");
        spec.check.timeout = std::chrono::milliseconds{300};
        const ProbeOutcome outcome = outcome_of<StreamProber>(spec);
        EXPECT_EQ(outcome.verdict, ProbeVerdict::failure);
        EXPECT_EQ(outcome.sentence, "no answer within 300 ms");
    }
}

TEST(StreamProbe, ReadsAnEndlessAnswerToItsBound) {
    const StubServer server{Manner::never_ends, "hello"};
    const ProbeSpec spec = spec_of(CheckType::tcp, server.at(), "\r\n\r\n", "OK");
    EXPECT_EQ(outcome_of<StreamProber>(spec).verdict, ProbeVerdict::failure);
}

TEST(StreamProbe, SpeaksWithinTlsAndAsksForTheHost) {
    const ScriptServer server{pong_within_tls()};
    ProbeSpec spec = spec_of(CheckType::tls, server.at(), "PING\r\n", "PONG");
    EXPECT_EQ(outcome_of<StreamProber>(spec).verdict, ProbeVerdict::success);
    EXPECT_EQ(server.name_asked_for(), "");
    spec.check.host = "www.example.org:443";
    EXPECT_EQ(outcome_of<StreamProber>(spec).verdict, ProbeVerdict::success);
    EXPECT_EQ(server.name_asked_for(), "www.example.org");
}

// A mail server that has a login for those within TLS alone.
ScriptServer::Script mail_behind_starttls(const std::string& upgrade_answer) {
    const auto answer = [is_greeted = 0](const std::string& heard) mutable {
        is_greeted += heard.starts_with("EHLO") ? 1 : 0;
        return heard.starts_with("AUTH") && is_greeted < 2 ? "538 encrypt first\r\n"
                                                           : "235 go on\r\n";
    };
    return {.greeting = "220 mail\r\n",
            .answer = answer,
            .tls_name = "mail.example.org",
            .upgrades_on = "STARTTLS\r\n",
            .upgrade_answer = upgrade_answer};
}

TEST(StreamProbe, GoesOnWithinTlsAfterStarttls) {
    const ScriptServer server{mail_behind_starttls("220 ready\r\n")};
    ProbeSpec spec = spec_of(CheckType::smtp, server.at());
    spec.check.login = "u";
    spec.check.password = "p";
    spec.check.host = "mail.example.org";
    EXPECT_EQ(outcome_of<StreamProber>(spec).sentence, "the server said \"538 encrypt first\"");
    spec.check.starttls = true;
    const ProbeOutcome outcome = outcome_of<StreamProber>(spec);
    EXPECT_EQ(outcome.verdict, ProbeVerdict::success) << outcome.sentence;
    EXPECT_EQ(server.name_asked_for(), "mail.example.org");
}

TEST(StreamProbe, VerifiesTheCertificateAfterStarttlsToo) {
    const ScriptServer server{mail_behind_starttls("220 ready\r\n")};
    ProbeSpec spec = spec_of(CheckType::smtp, server.at());
    spec.check.starttls = true;
    spec.check.verify = true;
    spec.check.host = "mail.example.org";
    const ProbeOutcome outcome = outcome_of<StreamProber>(spec);
    EXPECT_EQ(outcome.verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome.sentence.substr(0, 5), "TLS: ") << outcome.sentence;
}

TEST(StreamProbe, TrustsNothingThatAServerSaysBetweenStarttlsAndTls) {
    const ScriptServer server{mail_behind_starttls("220 ready\r\n250 injected\r\n")};
    ProbeSpec spec = spec_of(CheckType::smtp, server.at());
    spec.check.starttls = true;
    EXPECT_EQ(outcome_of<StreamProber>(spec).sentence,
              "the server went on in clear text after STARTTLS");
}

TEST(StreamProbe, SaysThatAServerDoesNotSpeakTls) {
    const StubServer server{Manner::greets, "220 mail.example.org ESMTP\r\n"};
    const ProbeOutcome outcome = outcome_of<StreamProber>(spec_of(CheckType::tls, server.at()));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome.sentence.substr(0, 5), "TLS: ") << outcome.sentence;
    const StubServer mute{Manner::greets_and_closes, ""};
    EXPECT_EQ(outcome_of<StreamProber>(spec_of(CheckType::tls, mute.at())).verdict,
              ProbeVerdict::failure);
}

TEST(StreamProbe, VerifiesTheCertificateOnRequest) {
    const ScriptServer server{pong_within_tls()};
    const std::string file = testing::TempDir() + "stream_probe_test.pem";
    server.write_certificate(file);
    ProbeSpec spec = spec_of(CheckType::tls, server.at(), "PING\r\n", "PONG");
    spec.check.verify = true;
    spec.check.host = "www.example.org";
    const ProbeOutcome by_strangers = outcome_of<StreamProber>(spec);
    EXPECT_EQ(by_strangers.verdict, ProbeVerdict::failure);
    EXPECT_NE(by_strangers.sentence.find("certificate verify failed"), std::string::npos)
        << by_strangers.sentence;
    spec.check.ca_file = file;
    EXPECT_EQ(outcome_of<StreamProber>(spec).sentence, "answered as expected");
    spec.check.host = "mail.example.org";
    EXPECT_EQ(outcome_of<StreamProber>(spec).verdict, ProbeVerdict::failure);
    spec.check.host = "";
    EXPECT_EQ(outcome_of<StreamProber>(spec).verdict, ProbeVerdict::failure);
    std::remove(file.c_str());
}

TEST(StreamProbe, BlamesTheConfigurationForAFileOfIssuersThatIsNone) {
    const ScriptServer server{pong_within_tls()};
    ProbeSpec spec = spec_of(CheckType::tls, server.at());
    spec.check.verify = true;
    spec.check.ca_file = "/does/not/exist.pem";
    const ProbeOutcome outcome = outcome_of<StreamProber>(spec);
    EXPECT_EQ(outcome.verdict, ProbeVerdict::not_sent);
    EXPECT_EQ(outcome.sentence.substr(0, 47), "probe not sent: ca_file /does/not/exist.pem: No");
}

TEST(StreamProbe, TellsNobodyAfterItsEnd) {
    const StubServer server{Manner::says_nothing, ""};
    EventLoop loop;
    int told_count = 0;
    {
        StreamProber prober{loop};
        ProbeSpec spec = spec_of(CheckType::tcp, server.at(), "hello");
        spec.check.timeout = std::chrono::milliseconds{300};
        prober.probe(spec, [&](const ProbeOutcome&) { ++told_count; });
        loop.run_for(1ms);
    }
    loop.run_for(400ms);
    EXPECT_EQ(told_count, 0);
}

}  // namespace
}  // namespace fulcrum
