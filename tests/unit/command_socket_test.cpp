// The command socket over a real Unix socket: plain clients, silent ones, flooding ones, absurd
// ones.
#include "controlplane/command_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/loop_until.h"

namespace fulcrum {
namespace {

// A client with plain system calls, never blocking: the loop that serves it runs on this thread.
class PlainClient {
  public:
    explicit PlainClient(const std::string& path)
        : socket_{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof(address.sun_path) - 1);
        is_connected =
            connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    }
    ~PlainClient() { close(socket_); }
    PlainClient(const PlainClient&) = delete;
    PlainClient& operator=(const PlainClient&) = delete;

    ssize_t send(const std::string& octets) {
        return ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
    }
    void send_no_more() { shutdown(socket_, SHUT_WR); }

    // What has come so far; sets `is_closed` at the end.
    const std::string& received() {
        std::array<char, 65'536> octets{};
        ssize_t count = 0;
        while ((count = recv(socket_, octets.data(), octets.size(), 0)) > 0) {
            text_.append(octets.data(), static_cast<std::size_t>(count));
        }
        is_closed |= count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
        return text_;
    }

    bool is_connected = false;
    bool is_closed = false;

  private:
    int socket_;
    std::string text_;
};

// Gives what a test puts in.
class ScriptedStream : public ReplyStream {
  public:
    struct Script {
        std::function<void(std::string)> give;  // somebody waits
        bool is_ended = false;                  // by the client
        bool is_gone = false;
    };
    explicit ScriptedStream(std::shared_ptr<Script> script) : script_{std::move(script)} {}
    ~ScriptedStream() override { script_->is_gone = true; }
    ScriptedStream(const ScriptedStream&) = delete;
    ScriptedStream& operator=(const ScriptedStream&) = delete;

    void next(std::function<void(std::string octets)> give) override {
        script_->give = std::move(give);
    }
    void end() override { script_->is_ended = true; }

  private:
    std::shared_ptr<Script> script_;
};

class CommandSocketTest : public testing::Test {
  protected:
    CommandSocketTest() {
        std::string pattern = testing::TempDir() + "command_socket_XXXXXX";
        folder_ = mkdtemp(pattern.data());
        control_.socket = folder_ + "/control.sock";
    }
    ~CommandSocketTest() override {
        socket_.reset();
        unlink(control_.socket.c_str());
        rmdir(folder_.c_str());
    }

    // Replies with the command's name; "later" is kept unanswered, "large" replies with 8 MB.
    void open(CommandLimits limits = {}) {
        auto opened = CommandSocket::open(
            loop_, control_,
            [this](const Request& request, const CommandSocket::Answer& answer) {
                if (request.command == "later") {
                    kept_.push_back(answer);
                } else if (request.command == "stream") {
                    Reply reply = Reply::of("here it comes");
                    reply.stream = std::make_shared<ScriptedStream>(script_);
                    answer(reply);
                } else if (request.command == "large") {
                    answer(Reply::of(std::string(8'000'000, 'x')));
                } else {
                    answer(Reply::of(request.command));
                }
            },
            limits);
        ASSERT_TRUE(opened) << opened.error().sentence;
        socket_ = std::move(*opened);
    }

    std::unique_ptr<PlainClient> client() { return std::make_unique<PlainClient>(control_.socket); }

    testing::AssertionResult gets(PlainClient& client, const std::string& wanted) {
        if (loop_until(
                loop_, [&] { return client.received().size() >= wanted.size(); }, 2s) &&
            client.received() == wanted) {
            return testing::AssertionSuccess();
        }
        return testing::AssertionFailure() << "got: " << client.received();
    }
    testing::AssertionResult is_served() {
        PlainClient next{control_.socket};
        next.send("{\"command\":\"hello\"}\n");
        return gets(next, "{\"ok\":true,\"result\":\"hello\"}\n");
    }

    EventLoop loop_;
    std::string folder_;
    Control control_;
    std::unique_ptr<CommandSocket> socket_;
    std::vector<CommandSocket::Answer> kept_;
    std::shared_ptr<ScriptedStream::Script> script_ = std::make_shared<ScriptedStream::Script>();
};

TEST_F(CommandSocketTest, AnswersALineWithALine) {
    open();
    EXPECT_TRUE(is_served());
}

TEST_F(CommandSocketTest, IsOpenToItsGroupAndToNobodyElse) {
    open();
    struct stat found {};
    ASSERT_EQ(stat(control_.socket.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0660U);
}

TEST_F(CommandSocketTest, WithReadersItIsOpenToAllAndAsksTheKernelWhoTheyAre) {
    control_.readers = "nogroup";
    open();
    struct stat found {};
    ASSERT_EQ(stat(control_.socket.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0666U);
    EXPECT_TRUE(is_served()) << "of the director's own user";
}

TEST_F(CommandSocketTest, KnowsACallerByTheKernelsWord) {
    std::array<int, 2> ends{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    const std::optional<Caller> caller = caller_of(ends[0]);
    close(ends[0]);
    close(ends[1]);
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->user, getuid());
    EXPECT_NE(std::ranges::find(caller->groups, getgid()), caller->groups.end());
}

TEST(Gatekeeper, LetsReadersAskAdminsChangeAndOthersDoNothing) {
    const Gatekeeper keeper{.owner = 500, .admins = 20, .readers = 30};
    EXPECT_EQ(keeper.permission_of({0, {}}), Permission::change);
    EXPECT_EQ(keeper.permission_of({500, {}}), Permission::change);
    EXPECT_EQ(keeper.permission_of({501, {20}}), Permission::change);
    EXPECT_EQ(keeper.permission_of({501, {7, 30}}), Permission::ask);
    EXPECT_EQ(keeper.permission_of({501, {30, 20}}), Permission::change);
    EXPECT_EQ(keeper.permission_of({501, {7}}), Permission::nothing);
}

TEST(Gatekeeper, LeavesItToTheSocketsModeWhereThereAreNoReaders) {
    const Gatekeeper keeper{.owner = 500, .admins = 20};
    EXPECT_EQ(keeper.permission_of({501, {7}}), Permission::change);
}

TEST_F(CommandSocketTest, TakesALineInPiecesAndSeveralAtOnce) {
    open();
    const auto asking = client();
    for (const char* piece :
         {"{\"comm", "and\":\"a\"}", "\n{\"command\":\"b\"}\n{\"comma", "nd\":\"c\"}\n"}) {
        asking->send(piece);
        loop_.run_for(3ms);
    }
    EXPECT_TRUE(gets(*asking,
                     "{\"ok\":true,\"result\":\"a\"}\n{\"ok\":true,\"result\":\"b\"}\n"
                     "{\"ok\":true,\"result\":\"c\"}\n"));
}

TEST_F(CommandSocketTest, AnswersAClientThatSendsNoMore) {
    open();
    const auto asking = client();
    asking->send("{\"command\":\"a\"}\n");
    asking->send_no_more();
    EXPECT_TRUE(gets(*asking, "{\"ok\":true,\"result\":\"a\"}\n"));
    EXPECT_TRUE(loop_until(loop_, [&] { return asking->received(), asking->is_closed; }));
}

TEST_F(CommandSocketTest, AnswersInOrderAlthoughACommandTakesLong) {
    open();
    const auto asking = client();
    asking->send("{\"command\":\"later\"}\n{\"command\":\"b\"}\n");
    ASSERT_TRUE(loop_until(loop_, [&] { return kept_.size() == 1; }));
    EXPECT_TRUE(is_served()) << "another client waits for nobody";
    EXPECT_EQ(asking->received(), "");
    kept_[0](Reply::of("at last"));
    kept_[0](Reply::of("twice"));
    EXPECT_TRUE(
        gets(*asking, "{\"ok\":true,\"result\":\"at last\"}\n{\"ok\":true,\"result\":\"b\"}\n"));
}

TEST_F(CommandSocketTest, TakesASecondAnswerForNoOtherRequests) {
    open();
    const auto asking = client();
    asking->send("{\"command\":\"later\"}\n{\"command\":\"later\"}\n");
    ASSERT_TRUE(loop_until(loop_, [&] { return kept_.size() == 1; }));
    kept_[0](Reply::of("first"));
    ASSERT_TRUE(loop_until(loop_, [&] { return kept_.size() == 2; }));
    kept_[0](Reply::of("first again"));
    kept_[1](Reply::of("second"));
    EXPECT_TRUE(
        gets(*asking, "{\"ok\":true,\"result\":\"first\"}\n{\"ok\":true,\"result\":\"second\"}\n"));
}

TEST_F(CommandSocketTest, ForgetsTheAnswerForAClientThatHasGone) {
    open();
    auto asking = client();
    asking->send("{\"command\":\"later\"}\n");
    ASSERT_TRUE(loop_until(loop_, [&] { return kept_.size() == 1; }));
    asking.reset();
    kept_[0](Reply::of("to nobody"));
    EXPECT_TRUE(loop_until(loop_, [&] { return socket_->client_count() == 0; }));
    socket_.reset();
    kept_[0](Reply::of("to nobody"));
}

TEST_F(CommandSocketTest, PassesOnAStreamPieceByPieceAndThenCloses) {
    open({.clients_max = 64, .idle = 50ms, .reading = 10s});
    const auto asking = client();
    asking->send("{\"command\":\"stream\"}\n");
    const std::string line = "{\"ok\":true,\"result\":\"here it comes\"}\n";
    for (const char* const piece : {"one", "two"}) {
        ASSERT_TRUE(loop_until(loop_, [&] { return script_->give != nullptr; }));
        loop_.run_for(60ms);  // longer than it may wait for a request: it has none to make
        std::exchange(script_->give, nullptr)(piece);
    }
    EXPECT_TRUE(gets(*asking, line + "onetwo"));
    ASSERT_TRUE(loop_until(loop_, [&] { return script_->give != nullptr; }));
    EXPECT_FALSE(script_->is_gone);
    std::exchange(script_->give, nullptr)({});
    EXPECT_TRUE(loop_until(loop_, [&] { return asking->received(), asking->is_closed; }));
    EXPECT_TRUE(script_->is_gone);
}

TEST_F(CommandSocketTest, EndsAStreamForAClientThatWantsNoMoreAndStillPassesOnTheRest) {
    open();
    const auto asking = client();
    asking->send("{\"command\":\"stream\"}\n");
    ASSERT_TRUE(loop_until(loop_, [&] { return script_->give != nullptr; }));
    asking->send("noise");
    asking->send_no_more();
    ASSERT_TRUE(loop_until(loop_, [&] { return script_->is_ended; }));
    EXPECT_FALSE(script_->is_gone);
    std::exchange(script_->give, nullptr)("rest");
    EXPECT_TRUE(gets(*asking, "{\"ok\":true,\"result\":\"here it comes\"}\nrest"));
}

TEST_F(CommandSocketTest, DropsTheStreamOfAClientThatHasGone) {
    open();
    auto asking = client();
    asking->send("{\"command\":\"stream\"}\n");
    ASSERT_TRUE(loop_until(loop_, [&] { return script_->give != nullptr; }));
    asking.reset();
    ASSERT_TRUE(loop_until(loop_, [&] { return script_->is_ended || script_->is_gone; }));
    if (!script_->is_gone) {  // its end may be that of half a connection, until it is written to
        std::exchange(script_->give, nullptr)("to nobody");
    }
    EXPECT_TRUE(loop_until(loop_, [&] { return script_->is_gone; }));
    EXPECT_EQ(socket_->client_count(), 0U);
    EXPECT_TRUE(is_served());
}

TEST_F(CommandSocketTest, DropsTheStreamOfAClientThatDoesNotRead) {
    open({.clients_max = 64, .idle = 10s, .reading = 50ms});
    const auto asking = client();
    asking->send("{\"command\":\"stream\"}\n");
    ASSERT_TRUE(loop_until(loop_, [&] { return script_->give != nullptr; }));
    std::exchange(script_->give, nullptr)(std::string(8'000'000, 'x'));
    EXPECT_TRUE(loop_until(
        loop_, [&] { return script_->is_gone; }, 2s));
}

TEST_F(CommandSocketTest, RefusesGarbageAndServesOn) {
    open();
    const auto asking = client();
    asking->send("\x01\x02garbage\n");
    const std::string refusal =
        "{\"ok\":false,\"error\":{\"code\":\"bad_request\",\"sentence\":"
        "\"the request is no JSON object on one line\"}}\n";
    EXPECT_TRUE(gets(*asking, refusal));
    asking->send("{\"command\":\"a\"}\n");
    EXPECT_TRUE(gets(*asking, refusal + "{\"ok\":true,\"result\":\"a\"}\n"));
}

TEST_F(CommandSocketTest, ClosesOnALineWithoutEnd) {
    open();
    const auto asking = client();
    const std::string piece(16'384, 'x');
    ASSERT_TRUE(loop_until(
        loop_, [&] { return asking->send(piece), asking->received(), asking->is_closed; }));
    EXPECT_NE(asking->received().find("longer than 65536 octets"), std::string::npos);
    EXPECT_TRUE(is_served());
}

TEST_F(CommandSocketTest, DropsAClientThatSendsHalfALineAndWaits) {
    open({.clients_max = 64, .idle = 50ms, .reading = 10s});
    const auto asking = client();
    asking->send("{\"command\":");
    EXPECT_TRUE(loop_until(
        loop_, [&] { return asking->received(), asking->is_closed; }, 2s));
    EXPECT_TRUE(is_served());
}

TEST_F(CommandSocketTest, DropsAClientThatDripsItsLine) {
    open({.clients_max = 64, .idle = 60ms, .reading = 10s});
    const auto asking = client();
    EXPECT_TRUE(loop_until(
        loop_, [&] { return asking->send("x") < 0; }, 2s));
}

TEST_F(CommandSocketTest, DropsAClientThatDoesNotRead) {
    open({.clients_max = 64, .idle = 10s, .reading = 50ms});
    const auto asking = client();
    asking->send("{\"command\":\"large\"}\n");
    ASSERT_TRUE(loop_until(loop_, [&] { return socket_->client_count() == 1; }));
    EXPECT_TRUE(is_served());
    EXPECT_TRUE(loop_until(
        loop_, [&] { return socket_->client_count() == 0; }, 2s));
}

TEST_F(CommandSocketTest, SendsALargeReplyWhole) {
    open();
    const auto asking = client();
    asking->send("{\"command\":\"large\"}\n");
    const std::string wanted = "{\"ok\":true,\"result\":\"" + std::string(8'000'000, 'x') + "\"}\n";
    ASSERT_TRUE(loop_until(loop_, [&] { return asking->received().size() >= wanted.size(); }));
    EXPECT_TRUE(asking->received() == wanted);
}

TEST_F(CommandSocketTest, ClosesWhoHasWaitedLongestWhenANewcomerFindsNoPlace) {
    open();
    std::vector<std::unique_ptr<PlainClient>> idle;
    for (int n = 0; n < 64; ++n) {
        idle.push_back(client());
        loop_.run_for(1ms);
    }
    ASSERT_TRUE(loop_until(loop_, [&] { return socket_->client_count() == 64; }));
    idle[0]->send("{\"command\":\"later\"}\n");  // being answered: not the one to go
    ASSERT_TRUE(loop_until(loop_, [&] { return kept_.size() == 1; }));
    EXPECT_TRUE(is_served());
    EXPECT_TRUE(loop_until(loop_, [&] { return idle[1]->received(), idle[1]->is_closed; }));
    idle[0]->received();
    idle[2]->received();
    EXPECT_FALSE(idle[0]->is_closed);
    EXPECT_FALSE(idle[2]->is_closed);
}

TEST_F(CommandSocketTest, TurnsAwayWhoFindsAllOthersBeingAnswered) {
    open({.clients_max = 2, .idle = 30s, .reading = 10s});
    const auto first = client();
    const auto second = client();
    first->send("{\"command\":\"later\"}\n");
    second->send("{\"command\":\"later\"}\n");
    ASSERT_TRUE(loop_until(loop_, [&] { return kept_.size() == 2; }));
    const auto late = client();
    ASSERT_TRUE(loop_until(loop_, [&] { return late->received(), late->is_closed; }));
    EXPECT_EQ(late->received(),
              "{\"ok\":false,\"error\":{\"code\":\"too_many_clients\",\"sentence\":"
              "\"2 clients are being answered: try again later\"}}\n");
    kept_[0](Reply::of("done"));
    EXPECT_TRUE(gets(*first, "{\"ok\":true,\"result\":\"done\"}\n"));
    EXPECT_TRUE(is_served());
}

TEST_F(CommandSocketTest, OutlivesTenThousandConnections) {
    open();
    int connected_count = 0;
    for (int n = 0; n < 10'000; ++n) {
        const auto passing = client();
        passing->send(n % 2 == 0 ? "{\"command\":\"a\"}\n" : "junk");
        connected_count += passing->is_connected ? 1 : 0;
        if (n % 50 == 0) {  // the backlog holds more
            loop_.run_for(2ms);
        }
    }
    EXPECT_GT(connected_count, 1'000);  // a busy machine leaves some to the full backlog
    loop_.run_for(20ms);                // whoever is still in the backlog
    EXPECT_TRUE(loop_until(loop_, [&] { return socket_->client_count() == 0; }));
    EXPECT_TRUE(is_served());
}

TEST_F(CommandSocketTest, ReplacesASocketThatNobodyListensOn) {
    const int left_over = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    control_.socket.copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(bind(left_over, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    close(left_over);
    open();
    EXPECT_TRUE(is_served());
}

TEST_F(CommandSocketTest, RefusesToReplaceALiveOne) {
    open();
    const auto second = CommandSocket::open(loop_, control_, nullptr);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().sentence, "another director answers on control.socket \"" +
                                           control_.socket + "\": stop it first");
    EXPECT_TRUE(is_served()) << "the live one must not have lost its name";
}

TEST_F(CommandSocketTest, RefusesToReplaceWhatIsNoSocket) {
    FILE* file = fopen(control_.socket.c_str(), "w");
    ASSERT_NE(file, nullptr);
    fclose(file);
    const auto refused = CommandSocket::open(loop_, control_, nullptr);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().sentence.find("is no socket"), std::string::npos);
}

TEST_F(CommandSocketTest, RefusesAGroupThatDoesNotExist) {
    control_.group = "no-such-group-here";
    const auto refused = CommandSocket::open(loop_, control_, nullptr);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().sentence,
              "control.group \"no-such-group-here\" does not exist on this host");
}

TEST_F(CommandSocketTest, RemovesItsNameAtTheEnd) {
    open();
    socket_.reset();
    EXPECT_NE(access(control_.socket.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace fulcrum
