// Words of a command line as the director is told them.
#include "controlplane/fulcrumctl/key_words.h"

#include <gtest/gtest.h>

namespace fulcrum {
namespace {

std::string told(const std::vector<std::string>& words, std::string_view of = "services[].") {
    const Result<Json> keys = keys_from(words, of);
    return keys ? keys->dump() : keys.error().sentence;
}

TEST(KeyWords, AreOfTheKindThatTheTableTells) {
    EXPECT_EQ(told({"vip=203.0.113.80", "port=80", "one_packet=true", "scheduler=wlc"}),
              R"({"vip":"203.0.113.80","port":80,"one_packet":true,"scheduler":"wlc"})");
    EXPECT_EQ(told({"weight=2", "name=2"}, "services[].reals[]."), R"({"weight":2,"name":"2"})");
    EXPECT_EQ(told({"port=8000-8099"}), R"({"port":"8000-8099"})");
}

TEST(KeyWords, GoIntoGroupsByTheirDots) {
    EXPECT_EQ(told({"affinity.timeout=10m", "affinity.prefix=24", "timeouts.udp=5s"}),
              R"({"affinity":{"timeout":"10m","prefix":24},"timeouts":{"udp":"5s"}})");
}

TEST(KeyWords, AreArraysByTheirCommas) {
    EXPECT_EQ(told({"bind=wan,lan", "scheduler_flags=port"}),
              R"({"bind":["wan","lan"],"scheduler_flags":["port"]})");
}

TEST(KeyWords, TakeAwayWithoutAValue) { EXPECT_EQ(told({"affinity="}), R"({"affinity":null})"); }

TEST(KeyWords, LeaveWhatTheTableDoesNotKnowToTheDirector) {
    EXPECT_EQ(told({"wieght=2"}), R"({"wieght":"2"})");
}

TEST(KeyWords, RefuseWhatIsNoKeyWithAValue) {
    EXPECT_EQ(told({"weight"}), "\"weight\" does not read KEY=VALUE");
    EXPECT_EQ(told({"=5"}), "\"=5\" does not read KEY=VALUE");
    EXPECT_EQ(told({"port=80", "port=81"}), "the key \"port\" stands there twice");
    EXPECT_EQ(told({"affinity=x", "affinity.prefix=1"}),
              "the key \"affinity.prefix\" stands there twice");
}

}  // namespace
}  // namespace fulcrum
