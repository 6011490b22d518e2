// When connections that fail tell of a failing real, by hand-made counts and time.
#include "controlplane/health/opening_judge.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

using namespace std::chrono_literals;

// Looks every half second, as the director does.
class OpeningJudgeTest : public testing::Test {
  protected:
    std::optional<FailedOpenings> look() {
        now_ += opening_look_period;
        return judge_.look(counts_, now_);
    }
    std::optional<FailedOpenings> look_often(int times) {
        std::optional<FailedOpenings> last;
        for (int n = 0; n < times; ++n) {
            last = look();
        }
        return last;
    }

    OpeningCounts counts_{.asked = 1'000, .answered = 900, .refused = 50};
    Instant now_ = Instant{} + 1h;
    OpeningJudge judge_{counts_, now_};
};

TEST_F(OpeningJudgeTest, HoldsNothingAgainstARealThatNobodyAsks) { EXPECT_FALSE(look_often(100)); }

TEST_F(OpeningJudgeTest, TakesThreeRefusalsAtOnceForAFailure) {
    counts_.asked += 3;
    counts_.refused += 3;
    const auto failed = look();
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->count, 3U);
    EXPECT_EQ(failed->refused, 3U);
    EXPECT_TRUE(failed->is_news);
}

TEST_F(OpeningJudgeTest, DoesNotTakeTwoForOne) {
    counts_.asked += 2;
    counts_.refused += 2;
    EXPECT_FALSE(look_often(4));
}

TEST_F(OpeningJudgeTest, WaitsASecondForAnAnswer) {
    counts_.asked += 12;
    EXPECT_FALSE(look()) << "they have just been asked";
    EXPECT_FALSE(look()) << "half a second ago";
    const auto failed = look();
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->count, 12U);
    EXPECT_EQ(failed->refused, 0U);
}

TEST_F(OpeningJudgeTest, IsClearedByOneAnswerAmongManyFailures) {
    for (int n = 0; n < 20; ++n) {
        counts_.asked += 100;
        counts_.refused += 50;
        counts_.answered += 1;
        EXPECT_FALSE(look());
    }
}

TEST_F(OpeningJudgeTest, IsClearedByAnAnswerThatComesLate) {
    counts_.asked += 100;
    EXPECT_FALSE(look_often(2));
    counts_.answered += 1;
    EXPECT_FALSE(look_often(20));
}

TEST_F(OpeningJudgeTest, ForgetsFailuresThatLieFarApart) {
    for (int n = 0; n < 10; ++n) {
        counts_.asked += 1;
        counts_.refused += 1;
        EXPECT_FALSE(look_often(16)) << "one in eight seconds";
    }
}

TEST_F(OpeningJudgeTest, SumsUpFailuresThatComeSlowly) {
    bool has_failed = false;
    for (int n = 0; n < 3; ++n) {
        counts_.asked += 1;
        has_failed |= look_often(4).has_value();  // one in two seconds
    }
    EXPECT_TRUE(has_failed);
}

TEST_F(OpeningJudgeTest, BeginsToCountAnewOnceACheckDecides) {
    counts_.asked += 50;
    counts_.refused += 50;
    ASSERT_TRUE(look());
    judge_.settle(counts_, now_);
    EXPECT_FALSE(look_often(10));
    counts_.refused += 3;
    const auto failed = look();
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->count, 3U);
    EXPECT_FALSE(failed->is_news) << "it has not answered since";
}

TEST_F(OpeningJudgeTest, IsNewsAgainAfterAnAnswer) {
    counts_.refused += 3;
    ASSERT_TRUE(look());
    judge_.settle(counts_, now_);
    counts_.answered += 1;
    EXPECT_FALSE(look());
    counts_.refused += 3;
    const auto failed = look();
    ASSERT_TRUE(failed);
    EXPECT_TRUE(failed->is_news);
}

TEST_F(OpeningJudgeTest, GoesOnTellingUntilSomebodyActs) {
    counts_.refused += 3;
    EXPECT_TRUE(look());
    EXPECT_TRUE(look_often(3));
}

}  // namespace
}  // namespace fulcrum
