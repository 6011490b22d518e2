// Probes over real sockets on a loopback of their own, against servers with one canned behaviour.
#include "controlplane/health/probe.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "controlplane/health/connect_probe.h"
#include "controlplane/health/http_probe.h"
#include "tests/support/loop_until.h"
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
    spec.check.timeout = std::chrono::milliseconds{300};
    return spec;
}

ProbeSpec connect_spec(Endpoint target) {
    ProbeSpec spec;
    spec.target = target;
    spec.check.timeout = std::chrono::milliseconds{300};
    return spec;
}

template <typename AnyProber>
ProbeOutcome outcome_of(const ProbeSpec& spec) {
    EventLoop loop;
    AnyProber prober{loop};
    std::optional<ProbeOutcome> outcome;
    prober.probe(spec, [&](ProbeOutcome told) { outcome = std::move(told); });
    EXPECT_FALSE(outcome.has_value()) << "told within the call";
    EXPECT_TRUE(loop_until(loop, [&] { return outcome.has_value(); }));
    return outcome.value_or(ProbeOutcome{});
}

// A port on which nobody listens: bound, and so given to nobody else, for the test's length.
class ClosedPort {
  public:
    ClosedPort() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        ::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
        socklen_t length = sizeof(address);
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
        endpoint_ = {Ipv4Address::of(127, 0, 0, 1), be16{ntohs(address.sin_port)}};
    }
    ~ClosedPort() { ::close(socket_); }

    Endpoint endpoint() const { return endpoint_; }

  private:
    int socket_;
    Endpoint endpoint_;
};

TEST(ConnectProbe, SucceedsWhereAConnectionIsAccepted) {
    const StubServer server{Manner::says_nothing, ""};
    const ProbeOutcome outcome = outcome_of<ConnectProber>(connect_spec(server.at()));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::success);
}

TEST(ConnectProbe, SaysConnectionRefused) {
    const ClosedPort closed;
    const ProbeOutcome outcome = outcome_of<ConnectProber>(connect_spec(closed.endpoint()));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome.sentence, "connection refused");
}

TEST(ConnectProbe, SaysThatThereIsNoRoute) {
    const Endpoint nowhere{Ipv4Address::of(192, 0, 2, 1), be16{80}};
    const ProbeOutcome outcome = outcome_of<ConnectProber>(connect_spec(nowhere));
    EXPECT_EQ(outcome.verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome.sentence, "network is unreachable");
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
    const ProbeOutcome outcome = outcome_of<HttpProber>(http_spec(server.at()));
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
        ConnectProber connect{loop};
        http.probe(http_spec(server.at()), [&](const ProbeOutcome&) { ++told_count; });
        connect.probe(connect_spec(server.at()), [&](const ProbeOutcome&) { ++told_count; });
        loop.run_for(1ms);
        told_count = 0;
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

TEST(ProbeOutcomes, BlameUsForWantOfDescriptorsAndTheRealForTheRest) {
    EXPECT_EQ(outcome_of_refusal(EMFILE).verdict, ProbeVerdict::not_sent);
    EXPECT_EQ(outcome_of_refusal(EADDRNOTAVAIL).verdict, ProbeVerdict::not_sent);
    EXPECT_EQ(outcome_of_refusal(EHOSTUNREACH).verdict, ProbeVerdict::failure);
    EXPECT_EQ(outcome_of_refusal(EHOSTUNREACH).sentence, "no route to host");
}

}  // namespace
}  // namespace fulcrum
