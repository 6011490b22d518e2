// Lines as they arrive at the other end of a pipe.
#include "controlplane/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace fulcrum {
namespace {

class LogTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(pipe(ends_.data()), 0);
        fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    }
    void TearDown() override {
        close(ends_[0]);
        close(ends_[1]);
        unsetenv("JOURNAL_STREAM");
    }

    std::string written() {
        std::string text;
        std::array<char, 65'536> octets{};
        for (ssize_t n = 0; (n = read(ends_[0], octets.data(), octets.size())) > 0;) {
            text.append(octets.data(), static_cast<std::size_t>(n));
        }
        return text;
    }

    std::array<int, 2> ends_{};
};

TEST_F(LogTest, WritesOneLineWithTimeSeverityAndArea) {
    unsetenv("JOURNAL_STREAM");
    Log log{ends_[1]};
    log.notice(LogArea::health, "service web: real web1 is down: connection refused");
    const std::string line = written();
    ASSERT_GT(line.size(), 21U);
    EXPECT_EQ(line[10], 'T');
    EXPECT_EQ(line[19], 'Z');
    EXPECT_EQ(line.substr(20),
              " notice health: service web: real web1 is down: connection refused\n");
}

TEST_F(LogTest, SpeaksTheJournalsFormUnderTheServiceManager) {
    setenv("JOURNAL_STREAM", "8:1", 1);
    Log log{ends_[1]};
    log.error(LogArea::config, "broken");
    EXPECT_EQ(written(), "<3>config: broken\n");
}

TEST_F(LogTest, KeepsAnAnswersLineBreaksOutOfTheLine) {
    setenv("JOURNAL_STREAM", "8:1", 1);
    Log log{ends_[1]};
    log.notice(LogArea::health, "body lacks \"a\nb\x1b[31m\"");
    EXPECT_EQ(written(), "<5>health: body lacks \"a b [31m\"\n");
}

TEST_F(LogTest, LeavesOutWhatIsLessImportantThanAsked) {
    Log log{ends_[1], Severity::warning};
    log.notice(LogArea::health, "not this");
    EXPECT_EQ(written(), "");
}

TEST_F(LogTest, NeverWaitsForAReaderThatDoesNotRead) {
    setenv("JOURNAL_STREAM", "8:1", 1);
    Log log{ends_[1]};
    const std::string long_sentence(2'000, 'x');
    for (int n = 0; n < 200; ++n) {  // 400 kB into a pipe of 64
        log.notice(LogArea::control, long_sentence);
    }
    EXPECT_GT(log.dropped_count(), 100U);
}

TEST_F(LogTest, LetsOneAreaNotDrownAnother) {
    setenv("JOURNAL_STREAM", "8:1", 1);
    Log log{ends_[1]};
    std::string text;
    for (int n = 0; n < 2'000; ++n) {
        log.notice(LogArea::health, "again");
        text += written();
    }
    log.notice(LogArea::control, "still heard");
    text += written();
    EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 1'000);
    EXPECT_NE(text.find("<5>control: still heard\n"), std::string::npos);
}

// --- as the configuration asks -----------------------------------------------------------------

class LogPlaces : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "log_test.XXXXXX").string();
        folder_ = mkdtemp(name.data());
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string file() const { return folder_ / "fulcrum.log"; }
    std::string content() const {
        std::ostringstream text;
        text << std::ifstream{file()}.rdbuf();
        return text.str();
    }

    std::filesystem::path folder_;
};

TEST_F(LogPlaces, WritesToAFileWithTheNodeAndOnlyWhatIsGraveEnough) {
    Log log{{.to = LogPlace::file, .file = file(), .level = LogLevel::warning}, "lb1"};
    log.notice(LogArea::health, "not this");
    log.warning(LogArea::health, "this");
    const std::string line = content();
    ASSERT_GT(line.size(), 21U);
    EXPECT_EQ(line.substr(20), " lb1 warning health: this\n");
}

TEST_F(LogPlaces, MakesAFileAnewThatSomebodyHasMovedAway) {
    Log log{{.to = LogPlace::file, .file = file()}, "lb1"};
    log.notice(LogArea::health, "before");
    std::filesystem::rename(file(), folder_ / "fulcrum.log.1");
    log.notice(LogArea::health, "after");
    EXPECT_EQ(content().find("before"), std::string::npos);
    EXPECT_NE(content().find("after"), std::string::npos);
}

TEST_F(LogPlaces, CountsWhatCannotBeWritten) {
    Log log{{.to = LogPlace::file, .file = folder_ / "no" / "such" / "folder"}, "lb1"};
    log.notice(LogArea::health, "lost");
    EXPECT_EQ(log.dropped_count(), 1U);
}

TEST_F(LogPlaces, GivesAProgramTheSentenceInParts) {
    Log log{{.to = LogPlace::file, .file = file(), .form = LogForm::json}, "lb1"};
    log.write(Severity::notice, LogArea::health, "real \"a\" is down: \x01",
              {{"service", "web"}, {"real", "a"}, {"state", "down"}, {"reason", "a\\b"}});
    const std::string line = content();
    EXPECT_EQ(line.substr(0, 10), "{\"time\": \"");
    EXPECT_EQ(
        line.substr(line.find(", \"node\"")),
        ", \"node\": \"lb1\", \"level\": \"notice\", \"area\": \"health\", \"service\": \"web\", "
        "\"real\": \"a\", \"state\": \"down\", \"reason\": \"a\\\\b\", "
        "\"sentence\": \"real \\\"a\\\" is down: \\u0001\"}\n");
}

// A syslog's end of its socket.
class SyslogTwin {
  public:
    explicit SyslogTwin(const std::string& path)
        : wire_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        EXPECT_EQ(::bind(wire_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }
    ~SyslogTwin() { ::close(wire_); }
    std::string heard() const {
        std::array<char, 4'096> octets{};
        const ssize_t length = ::recv(wire_, octets.data(), octets.size(), 0);
        return length < 0 ? "" : std::string{octets.data(), static_cast<std::size_t>(length)};
    }

  private:
    int wire_;
};

TEST_F(LogPlaces, SpeaksToASyslogAndToTheOneThatTakesItsPlace) {
    const std::string path = folder_ / "log";
    const std::unique_ptr<LogSink> sink = log_to_syslog(path);
    EXPECT_FALSE(sink->put("nobody there"));
    {
        const SyslogTwin first{path};
        EXPECT_TRUE(sink->put("one"));
        EXPECT_EQ(first.heard(), "one");
    }
    std::filesystem::remove(path);
    const SyslogTwin second{path};
    EXPECT_TRUE(sink->put("two"));
    EXPECT_EQ(second.heard(), "two");
}

}  // namespace
}  // namespace fulcrum
