// Lines as they arrive at the other end of a pipe.
#include "controlplane/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
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

}  // namespace
}  // namespace fulcrum
