// What an edit makes of a configuration, and that it makes nothing of it when anything is wrong.
#include "controlplane/edit.h"

#include <gtest/gtest.h>

#include "tests/support/small_config.h"

namespace fulcrum {
namespace {

class EditTest : public testing::Test {
  protected:
    EditTest() {
        running_ = test::config({test::web({test::real("web1", 11), test::real("web2", 12, 5)})});
        running_.ports = {{.name = "wan"}};
    }

    // The one edit of these operations, which is to succeed.
    const Config& edited(const std::string& operations) {
        outcome_ = edit(running_, Json::parse(operations));
        EXPECT_FALSE(outcome_.refusal) << outcome_.refusal->sentences.front();
        return outcome_.config;
    }
    std::string refusal_of(const std::string& operations) {
        outcome_ = edit(running_, Json::parse(operations));
        return outcome_.refusal
                   ? outcome_.refusal->code + ": " + outcome_.refusal->sentences.front()
                   : "none";
    }

    Config running_;
    Edited outcome_;
};

TEST_F(EditTest, AddsAServiceInTheFilesWordsUnderANameThatTellsWhatItIs) {
    const Config& after = edited(R"([{"operation":"add-service","set":
        {"vip":"203.0.113.81","port":443,"scheduler":"wlc","affinity":{"timeout":"10m"}}}])");
    ASSERT_EQ(after.services.size(), 2U);
    const VirtualService& added = after.services[1];
    EXPECT_EQ(added.name, "tcp-203.0.113.81-443");
    EXPECT_EQ(added.vip, Ipv4Address::of(203, 0, 113, 81));
    EXPECT_EQ(added.port, be16{443});
    EXPECT_EQ(added.scheduler, Scheduler::wlc);
    EXPECT_EQ(added.affinity->timeout_s, 600U);
    EXPECT_EQ(after.services[0], running_.services[0]);
}

TEST_F(EditTest, MakesNamesOfAddressesOfBothIpVersions) {
    const Config& after = edited(R"([
        {"operation":"add-service","set":{"vip":"2001:db8::1","port":"any","protocol":"udp"}},
        {"operation":"add-service","set":{"mark":80}},
        {"operation":"add-real","service":{"vip":"2001:db8::1","port":0,"protocol":"udp"},
         "set":{"address":"2001:db8::2"}},
        {"operation":"add-real","service":"web","set":{"address":"192.168.10.13","port":8080}}])");
    EXPECT_EQ(after.services[1].name, "udp-2001_db8__1-any");
    EXPECT_EQ(after.services[1].reals[0].name, "2001_db8__2");
    EXPECT_EQ(after.services[2].name, "mark-80");
    EXPECT_EQ(after.services[0].reals[2].name, "192.168.10.13-8080");
}

TEST_F(EditTest, GivesANameThatIsTakenANumber) {
    running_.services[0].name = "tcp-203.0.113.81-80";
    EXPECT_EQ(edited(R"([{"operation":"add-service","set":{"vip":"203.0.113.81","port":80}}])")
                  .services[1]
                  .name,
              "tcp-203.0.113.81-80-2");
}

TEST_F(EditTest, ChangesWhatIsSetAndNothingElse) {
    running_.services[0].affinity = Affinity{.timeout_s = 60, .on_drain = OnDrain::move};
    Config expected = running_;
    expected.services[0].affinity->timeout_s = 600;
    expected.services[0].timeouts.udp_s = 7;
    expected.services[0].reals[0].weight = 9;
    EXPECT_EQ(edited(R"([
        {"operation":"change-service","service":"web",
         "set":{"affinity":{"timeout":"10m"},"timeouts":{"udp":"7s"}}},
        {"operation":"change-real","service":"web","real":"web1","set":{"weight":9}}])"),
              expected);
}

TEST_F(EditTest, SetsSeveralChecksInPlaceOfThoseThatThereWere) {
    const Config& several = edited(R"([{"operation":"change-service","service":"web",
        "set":{"checks":[{"type":"http","path":"/ready"},{"type":"ping"}]}}])");
    EXPECT_EQ(several.services[0].check.type, CheckType::http);
    EXPECT_EQ(several.services[0].check.path, "/ready");
    ASSERT_EQ(several.services[0].further_checks.size(), 1U);
    EXPECT_EQ(several.services[0].further_checks[0].type, CheckType::ping);

    running_ = several;
    const Config& others = edited(R"([{"operation":"change-service","service":"web",
        "set":{"checks":[{"type":"connect","port":25}]}}])");
    EXPECT_EQ(others.services[0].check, (Check{.type = CheckType::connect, .port = 25}))
        << "nothing of the old one";
    EXPECT_TRUE(others.services[0].further_checks.empty());

    const Config& one =
        edited(R"([{"operation":"change-service","service":"web","set":{"checks":null}}])");
    EXPECT_EQ(one.services[0].check.type, CheckType::http);
    EXPECT_TRUE(one.services[0].further_checks.empty());

    const Config& at_a_real = edited(R"([{"operation":"change-real","service":"web","real":"web1",
        "set":{"checks":[{"type":"ping"},{"type":"tcp","expect":"220"}]}}])");
    ASSERT_EQ(at_a_real.services[0].reals[0].checks.size(), 2U);
    EXPECT_EQ(at_a_real.services[0].reals[0].checks[1].expect, "220");
}

TEST_F(EditTest, TakesAwayWhatIsSetToNull) {
    running_.services[0].affinity.emplace();
    running_.services[0].reals[0].connections = {100, 50};
    running_.services[0].scheduler_flags.port = true;
    Config expected = running_;
    expected.services[0].affinity.reset();
    expected.services[0].reals[0].connections = {};
    expected.services[0].scheduler_flags = {.fallback = true};
    EXPECT_EQ(edited(R"([
        {"operation":"change-service","service":"web",
         "set":{"affinity":null,"scheduler_flags":["fallback"]}},
        {"operation":"change-real","service":"web","real":{"address":"192.168.10.11","port":8080},
         "set":{"connections":null}}])"),
              expected);
}

TEST_F(EditTest, FindsAServiceByWhatItListensOnAndARealByWhereItIs) {
    const Config& after = edited(R"([
        {"operation":"remove-real","service":{"vip":"203.0.113.80","port":80,"protocol":"tcp"},
         "real":{"address":"192.168.10.11","port":8080}}])");
    ASSERT_EQ(after.services[0].reals.size(), 1U);
    EXPECT_EQ(after.services[0].reals[0].name, "web2");
}

TEST_F(EditTest, RemovesServices) {
    EXPECT_TRUE(edited(R"([{"operation":"remove-service","service":"web"}])").services.empty());
    EXPECT_TRUE(edited(R"([{"operation":"remove-services"}])").services.empty());
    EXPECT_EQ(edited(R"([{"operation":"remove-services"},
        {"operation":"add-service","set":{"vip":"203.0.113.80","port":80}}])")
                  .services[0]
                  .name,
              "tcp-203.0.113.80-80");
}

TEST_F(EditTest, GeneralTimeoutsAreFollowedByServicesThatHaveNoneOfTheirOwn) {
    running_.services.push_back(test::service("own", 81, {}));
    running_.services[1].timeouts.udp_s = 7;
    const Config& after =
        edited(R"([{"operation":"change-timeouts","set":{"tcp_established":"2h","udp":"1m"}}])");
    EXPECT_EQ(after.timeouts.tcp_established_s, 7200U);
    EXPECT_EQ(after.services[0].timeouts.tcp_established_s, 7200U);
    EXPECT_EQ(after.services[0].timeouts.udp_s, 60U);
    EXPECT_EQ(after.services[1].timeouts.udp_s, 7U);
}

TEST_F(EditTest, RefusesTheWholeForOneOperationAndTellsWhichOne) {
    EXPECT_EQ(refusal_of(R"([{"operation":"change-real","service":"web","real":"web1",
                              "set":{"weight":9}},
                             {"operation":"remove-real","service":"web","real":"web3"}])"),
              "unknown_real: service \"web\": there is no real \"web3\": did you mean \"web1\"?");
    EXPECT_EQ(outcome_.refusal->operation, 1U);
}

TEST_F(EditTest, RefusesWhatExistsAndWhatDoesNot) {
    EXPECT_EQ(refusal_of(R"([{"operation":"add-service","set":{"vip":"203.0.113.80","port":80}}])"),
              "service_exists: 203.0.113.80:80/tcp is already the service \"web\"");
    EXPECT_EQ(refusal_of(R"([{"operation":"add-service",
                              "set":{"name":"web","vip":"203.0.113.81","port":80}}])"),
              "service_exists: there is a service \"web\"");
    EXPECT_EQ(refusal_of(R"([{"operation":"add-real","service":"web",
                              "set":{"address":"192.168.10.12","port":8080}}])"),
              "real_exists: service \"web\": 192.168.10.12:8080 is already the real \"web2\"");
    EXPECT_EQ(refusal_of(R"([{"operation":"remove-service","service":"wbe"}])"),
              "unknown_service: there is no service \"wbe\": did you mean \"web\"?");
    EXPECT_EQ(refusal_of(R"([{"operation":"remove-service","service":{"mark":7}}])"),
              "unknown_service: there is no service at mark 7");
    EXPECT_TRUE(refusal_of(R"([{"operation":"remove-service",
                                "service":{"vip":"224.0.0.1","port":80}}])")
                    .starts_with("unknown_service: "));
    EXPECT_EQ(refusal_of(R"([{"operation":"remove-real","service":"web","real":"printer"}])"),
              "unknown_real: service \"web\": there is no real \"printer\": there are web1, web2");
    EXPECT_EQ(refusal_of(R"([{"operation":"remove-real","service":"web",
                              "real":{"address":"192.168.10.11","port":80}}])"),
              "unknown_real: service \"web\" has no real at 192.168.10.11:80");
}

TEST_F(EditTest, RefusesValuesInTheWordsOfTheFile) {
    EXPECT_EQ(
        refusal_of(R"([{"operation":"change-real","service":"web","real":"web1",
                              "set":{"weight":-1}}])"),
        "bad_arguments: service \"web\": real \"web1\": weight: -1 is not an integer from 0 to "
        "2147483647");
    EXPECT_EQ(refusal_of(R"([{"operation":"change-service","service":"web",
                              "set":{"schedulr":"wlc"}}])"),
              "bad_arguments: service \"web\": unknown key \"schedulr\": did you mean "
              "\"scheduler\"?");
    EXPECT_EQ(refusal_of(R"([{"operation":"add-service","set":{"vip":"203.0.113.81"}}])"),
              "bad_arguments: service \"new\": the key port is missing: it holds an integer "
              "from 1 to 65535, a range as in \"8000-8099\", or \"any\"");
    EXPECT_EQ(refusal_of(R"([{"operation":"change-service","service":"web","set":{"port":81}}])"),
              "bad_arguments: service \"web\": port cannot be changed: remove the service and add "
              "it anew, or change the file");
}

TEST_F(EditTest, RefusesWhatAFileMayNotSayEither) {
    EXPECT_EQ(refusal_of(R"([{"operation":"add-real","service":"web",
                              "set":{"address":"192.168.10.13","port":81,"forward":"direct"}}])"),
              "config_invalid: service \"web\": real \"192.168.10.13-81\": port: 81 is not the "
              "service's 80, and forward = \"direct\" rewrites no port");
    EXPECT_FALSE(outcome_.refusal->operation);
}

TEST_F(EditTest, RefusesOperationsThatAreNone) {
    EXPECT_EQ(refusal_of("[7]"), "bad_arguments: there is no operation \"\"");
    EXPECT_EQ(refusal_of(R"([{"operation":"fly"}])"),
              "bad_arguments: there is no operation \"fly\"");
    EXPECT_EQ(refusal_of(R"([{"operation":"remove-service"}])"),
              "bad_arguments: remove-service needs \"service\", a name or what it is at");
    EXPECT_EQ(refusal_of(R"([{"operation":"add-service","set":{},"real":"x"}])"),
              "bad_arguments: add-service knows no member \"real\"");
    EXPECT_EQ(refusal_of(R"([{"operation":"remove-real","service":"web","real":{"port":80}}])"),
              "bad_arguments: a real is meant by its name, or by address and port");
}

TEST_F(EditTest, ListsOfClientsTakeEffect) {
    const Config& after = edited(R"([{"operation":"change-service","service":"web",
                                      "set":{"deny":["198.51.100.0/24"]}}])");
    ASSERT_NE(after.services[0].access.rules, nullptr);
    EXPECT_EQ(after.services[0].access.rules->deny.size(), 1U);
    running_ = after;
    EXPECT_EQ(edited(R"([{"operation":"change-service","service":"web","set":{"deny":null}}])")
                  .services[0]
                  .access.rules,
              nullptr);
}

TEST_F(EditTest, AServiceWithAMarkGetsItsRules) {
    running_.marks = {
        {80,
         {.vip = IpPrefix::only(Ipv4Address::of(203, 0, 113, 80)), .ports = PortRange::only(443)}}};
    const Config& after = edited(R"([{"operation":"add-service","set":{"mark":80}},
        {"operation":"add-real","service":{"mark":80},"set":{"address":"192.168.10.21"}}])");
    ASSERT_EQ(listen_points(after.services[1]).size(), 1U);
    EXPECT_EQ(to_string(listen_points(after.services[1])[0]), "203.0.113.80:443/tcp");
}

TEST_F(EditTest, WarnsOfWhatIsNewAlone) {
    running_.services[0].reals[0].weight = 0;
    running_.services[0].reals[1].weight = 0;
    edited(R"([{"operation":"change-service","service":"web","set":{"mss_max":1400}}])");
    EXPECT_EQ(outcome_.warnings, std::vector<std::string>{});
    edited(R"([{"operation":"add-service","set":{"vip":"203.0.113.81","port":80}}])");
    EXPECT_EQ(outcome_.warnings,
              std::vector<std::string>{"service \"tcp-203.0.113.81-80\": it has no reals"});
}

}  // namespace
}  // namespace fulcrum
