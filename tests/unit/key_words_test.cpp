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

TEST(KeyWords, AreElementsOfListsByTheirNumbers) {
    EXPECT_EQ(told({"checks.1.type=http", "checks.1.status=200", "checks.2.type=smtp",
                    "checks.2.port=25", "checks.2.starttls=true"}),
              R"({"checks":[{"type":"http","status":"200"},)"
              R"({"type":"smtp","port":25,"starttls":true}]})");
    EXPECT_EQ(told({"checks.1.headers=A: b,C: d"}, "services[].reals[]."),
              R"({"checks":[{"headers":["A: b","C: d"]}]})");
    EXPECT_EQ(told({"listen.1.vip=203.0.113.80", "listen.1.port=80"}),
              R"({"listen":[{"vip":"203.0.113.80","port":80}]})");
    std::vector<std::string> many;
    for (int number = 1; number <= 11; ++number) {
        many.push_back("checks." + std::to_string(number) + ".port=" + std::to_string(number));
    }
    EXPECT_TRUE(told(many).ends_with(R"({"port":10},{"port":11}]})")) << told(many);
}

TEST(KeyWords, RefuseElementsOutOfTurn) {
    EXPECT_EQ(told({"checks.2.type=http"}),
              "the key \"checks.2.type\" comes out of turn: elements are told one after the other, "
              "and the next is 1");
    EXPECT_EQ(told({"checks.1.type=http", "checks.3.type=ping"}),
              "the key \"checks.3.type\" comes out of turn: elements are told one after the other, "
              "and the next is 2");
    EXPECT_EQ(told({"checks.1.type=http", "checks.1.type=ping"}),
              "the key \"checks.1.type\" stands there twice");
    EXPECT_EQ(told({"checks.1.type=http", "checks.type=ping"}),
              "the key \"checks.type\" stands there twice");
    EXPECT_EQ(told({"check.type=http", "check.1.type=ping"}),
              "the key \"check.1.type\" stands there twice");
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
