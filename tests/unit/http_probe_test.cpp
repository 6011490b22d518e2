// Probes over real sockets on a loopback of their own, against servers with one canned behaviour.
#include "controlplane/health/http_probe.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <optional>
#include <vector>

#include "tests/support/probing.h"
#include "tests/support/script_server.h"
#include "tests/support/stub_server.h"

namespace fulcrum {
namespace {

using Manner = StubServer::Manner;

const std::string hello = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nHello World\n";

ProbeSpec http_spec(Endpoint target, std::string expect = "") {
    ProbeSpec spec;
    spec.check.type = CheckType::http;
    spec.target = target;
    spec.check.path = "/ping.html";
    spec.check.expect = std::move(expect);
    spec.check.timeout = std::chrono::milliseconds{5'000};
    return spec;
}

TEST(HttpProbe, SucceedsOnTheExpectedText) {
    const StubServer server{Manner::answers, hello};
    const ProbeOutcome outcome = outcome_of<HttpProber>(http_spec(server.at(), "Hello World"));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::success);
    EXPECT_EQ(outcome.sentence, "HTTP 200");
}

TEST(HttpProbe, AsksForThePathUnderTheHostInOneRequest) {
    const StubServer server{Manner::answers, hello};
    ProbeSpec spec = http_spec(server.at());
    spec.check.path = "/a/../ping.html?x=1";
    spec.check.host = "www.example.org";
    outcome_of<HttpProber>(spec);
    const std::string request = server.last_request();
    EXPECT_EQ(request.substr(0, request.find("\r\n")), "GET /a/../ping.html?x=1 HTTP/1.1");
    EXPECT_NE(request.find("\r\nHost: www.example.org\r\n"), std::string::npos) << request;
    EXPECT_EQ(server.accepted_count(), 1);
}

TEST(HttpProbe, NamesTheRealInTheHostHeaderByDefault) {
    const StubServer server{Manner::answers, hello};
    outcome_of<HttpProber>(http_spec(server.at()));
    EXPECT_NE(server.last_request().find("\r\nHost: " + to_string(server.at()) + "\r\n"),
              std::string::npos);
}

TEST(HttpProbe, FailsWhenTheBodyLacksTheText) {
    const StubServer server{Manner::answers, hello};
    const ProbeOutcome outcome = outcome_of<HttpProber>(http_spec(server.at(), "Good Bye"));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome.sentence, "HTTP 200, body lacks \"Good Bye\"");
}

TEST(HttpProbe, FailsOnAnotherStatus) {
    const StubServer server{Manner::answers, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"};
    const ProbeOutcome outcome = outcome_of<HttpProber>(http_spec(server.at()));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome.sentence, "HTTP 503, wanted 200-299");
}

TEST(HttpProbe, DoesNotFollowARedirection) {
    const StubServer elsewhere{Manner::answers, hello};
    const StubServer server{Manner::answers, "HTTP/1.1 302 Found\r\nLocation: http://" +
                                                 to_string(elsewhere.at()) +
                                                 "/\r\nContent-Length: 0\r\n\r\n"};
    const ProbeOutcome outcome = outcome_of<HttpProber>(http_spec(server.at()));
    EXPECT_EQ(outcome.sentence, "HTTP 302, wanted 200-299");
    EXPECT_EQ(elsewhere.accepted_count(), 0);
}

TEST(HttpProbe, FailsAtItsTimeoutWhenNobodyAnswers) {
    const StubServer server{Manner::says_nothing, ""};
    const Instant start = std::chrono::steady_clock::now();
    ProbeSpec spec = http_spec(server.at());
    spec.check.timeout = std::chrono::milliseconds{300};
    const ProbeOutcome outcome = outcome_of<HttpProber>(spec);
    const Duration length = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(outcome.verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome.sentence, "no answer within 300 ms");
    EXPECT_GE(length, 290ms);
    EXPECT_LT(length, 2s);
}

TEST(HttpProbe, SaysConnectionRefused) {
    const ClosedPort closed;
    const ProbeOutcome outcome = outcome_of<HttpProber>(http_spec(closed.endpoint()));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome.sentence, "connection refused");
}

TEST(HttpProbe, FailsOnAnAnswerThatIsNotHttp) {
    const StubServer server{Manner::answers, "220 mail.example.org ESMTP\r\n"};
    const ProbeOutcome outcome = outcome_of<HttpProber>(http_spec(server.at()));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome.sentence, "the answer is not HTTP");
}

TEST(HttpProbe, FailsOnABodyShorterThanAnnounced) {
    const StubServer server{Manner::answers, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nHello"};
    const ProbeOutcome outcome = outcome_of<HttpProber>(http_spec(server.at(), "Hello"));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome.sentence, "connection closed before the answer's end");
}

TEST(HttpProbe, JudgesAnEndlessBodyByItsBeginning) {
    const StubServer server{Manner::never_ends, "HTTP/1.1 200 OK\r\n\r\nHello World\n"};
    EXPECT_EQ(outcome_of<HttpProber>(http_spec(server.at(), "Hello World")).verdict,
              ProbeVerdict::success);
    EXPECT_EQ(outcome_of<HttpProber>(http_spec(server.at(), "Good Bye")).verdict,
              ProbeVerdict::failure);
}

TEST(HttpProbe, RefusesAnEndlessHead) {
    const StubServer server{Manner::never_ends, "HTTP/1.1 200 OK\r\nX-Long: "};
    EXPECT_EQ(outcome_of<HttpProber>(http_spec(server.at())).verdict, ProbeVerdict::failure);
}

TEST(HttpProbe, TellsNobodyAfterItsEnd) {
    const StubServer server{Manner::says_nothing, ""};
    EventLoop loop;
    int told_count = 0;
    {
        HttpProber http{loop};
        ProbeSpec spec = http_spec(server.at());
        spec.check.timeout = std::chrono::milliseconds{300};
        http.probe(spec, [&](const ProbeOutcome&) { ++told_count; });
        loop.run_for(1ms);
    }
    loop.run_for(400ms);
    EXPECT_EQ(told_count, 0);
}

TEST(HttpProbe, IsNotDelayedByAThousandServersThatHang) {
    const StubServer hung{Manner::says_nothing, ""};
    const StubServer sound{Manner::answers, hello};
    EventLoop loop;
    HttpProber prober{loop};
    int timed_out_count = 0;
    for (unsigned n = 0; n < 1'000; ++n) {
        ProbeSpec spec = http_spec(hung.at(Ipv4Address::from_host(0x7F010000U + n + 1)));
        spec.check.timeout = std::chrono::milliseconds{5'000};
        prober.probe(spec, [&](const ProbeOutcome& outcome) {
            timed_out_count += outcome.sentence == "no answer within 5000 ms" ? 1 : 0;
        });
    }
    ASSERT_TRUE(loop_until(loop, [&] { return hung.accepted_count() == 1'000; }));
    ProbeSpec sound_spec = http_spec(sound.at(), "Hello");
    sound_spec.check.timeout = std::chrono::milliseconds{2'000};
    for (int n = 0; n < 10; ++n) {
        bool is_told = false;
        const Instant start = std::chrono::steady_clock::now();
        prober.probe(sound_spec, [&](const ProbeOutcome& outcome) {
            is_told = outcome.verdict == ProbeVerdict::success;
        });
        ASSERT_TRUE(loop_until(loop, [&] { return is_told; }));
        EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
    }
    EXPECT_EQ(timed_out_count, 0) << "the sound server was to be asked while the others hang";
    EXPECT_TRUE(loop_until(loop, [&] { return timed_out_count == 1'000; }));
}

// --- within TLS, and by HTTP/2 --------------------------------------------------

ProbeSpec spec_of(CheckType type, const Endpoint& target) {
    ProbeSpec spec;
    spec.check.type = type;
    spec.check.timeout = std::chrono::milliseconds{5'000};
    spec.target = target;
    return spec;
}

TEST(HttpProbe, SpeaksWithinTlsUnderTheHostsNameAndVerifiesItOnRequest) {
    const ScriptServer server{
        {.answer = [](const std::string&) { return hello; }, .tls_name = "www.example.org"}};
    const std::string file = testing::TempDir() + "http_probe_test.pem";
    server.write_certificate(file);
    ProbeSpec spec = spec_of(CheckType::https, server.at());
    EXPECT_EQ(outcome_of<HttpProber>(spec).sentence, "HTTP 200");
    EXPECT_EQ(server.name_asked_for(), "");
    spec.check.host = "www.example.org:8443";
    spec.check.verify = true;
    spec.check.ca_file = file;
    EXPECT_EQ(outcome_of<HttpProber>(spec).sentence, "HTTP 200");
    EXPECT_EQ(server.name_asked_for(), "www.example.org");
    EXPECT_NE(server.heard().find("\r\nHost: www.example.org:8443\r\n"), std::string::npos);
    spec.check.host = "mail.example.org";
    const ProbeOutcome other = outcome_of<HttpProber>(spec);
    EXPECT_EQ(other.verdict, ProbeVerdict::failure);
    EXPECT_EQ(other.sentence.substr(0, 5), "TLS: ") << other.sentence;
    spec.check.ca_file = "/does/not/exist.pem";
    EXPECT_EQ(outcome_of<HttpProber>(spec).verdict, ProbeVerdict::not_sent);
    std::remove(file.c_str());
}

TEST(HttpProbe, AsksByTheMethodAndWithTheHeadersWanted) {
    const StubServer server{Manner::answers, "HTTP/1.1 204 No Content\r\n\r\n"};
    ProbeSpec spec = http_spec(server.at());
    spec.check.method = "HEAD";
    spec.check.headers = {"X-Probe: yes", "Authorization: Basic eDp5"};
    EXPECT_EQ(outcome_of<HttpProber>(spec).sentence, "HTTP 204");
    EXPECT_EQ(server.last_request().substr(0, 5), "HEAD ");
    EXPECT_NE(server.last_request().find("\r\nX-Probe: yes\r\nAuthorization: Basic eDp5\r\n"),
              std::string::npos);
    spec.check.method = "OPTIONS";
    outcome_of<HttpProber>(spec);
    EXPECT_EQ(server.last_request().substr(0, 8), "OPTIONS ");
}

TEST(HttpProbe, BeginsWithVersion2WhereThatIsAskedFor) {
    const ScriptServer server{{.answer = [](const std::string&) { return std::nullopt; }}};
    ProbeSpec spec = spec_of(CheckType::http, server.at());
    spec.check.http2 = true;
    EXPECT_EQ(outcome_of<HttpProber>(spec).verdict, ProbeVerdict::failure);
    EXPECT_EQ(server.heard().substr(0, 14), "PRI * HTTP/2.0");  // RFC 9113, 3.4
}

TEST(HttpProbe, FindsWhatAnExpressionFits) {
    const StubServer server{Manner::answers, hello};
    ProbeSpec spec = http_spec(server.at());
    spec.check.match = "(?m)^Hello W.*d$";
    EXPECT_EQ(outcome_of<HttpProber>(spec).verdict, ProbeVerdict::success);
    spec.check.match = "^World";
    EXPECT_EQ(outcome_of<HttpProber>(spec).sentence, "HTTP 200, body lacks a match of \"^World\"");
}

}  // namespace
}  // namespace fulcrum
