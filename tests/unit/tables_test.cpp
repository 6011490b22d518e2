// What fulcrumctl prints, letter by letter.
#include "controlplane/fulcrumctl/tables.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fulcrum {
namespace {

Json real_row(const std::string& name, const Json& out_packets) {
    return {{"service", "web"},
            {"name", name},
            {"address", "10.2.0.11"},
            {"port", 8080},
            {"forward", "nat"},
            {"weight", 1},
            {"state", "up"},
            {"since_s", 3'725},
            {"sessions", 2},
            {"sessions_active", 1},
            {"connections_upper", nullptr},
            {"sessions_opened", 5},
            {"in_packets", 1'000},
            {"out_packets", out_packets},
            {"check", "HTTP 200"}};
}

TEST(Tables, ShowRealsInColumns) {
    EXPECT_EQ(
        show_reals({{"reals", Json::array({real_row("web1", 900)})}}),
        "SERVICE       REAL          ADDRESS                FORWARD  WEIGHT  STATE      SINCE"
        "   SESSIONS     ACTIVE       LIMIT      OPENED    IN PACKETS   OUT PACKETS  CHECK\n"
        "web           web1          10.2.0.11:8080         nat           1  up          1h2m"
        "          2          1           -           5          1000           900  HTTP 200\n");
}

TEST(Tables, ShowWhatIsUnknownAsNotAvailable) {
    EXPECT_NE(show_reals({{"reals", Json::array({real_row("web1", nullptr)})}}).find("  n/a  "),
              std::string::npos);
}

TEST(Tables, ShowWhomClientsAreBoundTo) {
    const Json row{
        {"client", "198.51.100.0/24"}, {"service", "web"},  {"real", "web1"}, {"sessions", 2},
        {"remaining_s", 65},           {"confirmed", true}, {"worker", 1}};
    EXPECT_EQ(
        show_affinity({{"clients", Json::array({row})}, {"truncated", true}}),
        "CLIENT                 SERVICE       REAL           SESSIONS  REMAINING  SERVED  WORKER\n"
        "198.51.100.0/24        web           web1                  2       1m5s  yes          1\n"
        "there are more: narrow the question or raise --limit\n");
}

TEST(Tables, ShowWhatBecameOfACapture) {
    EXPECT_EQ(show_capture({{"frames", 1'000}, {"lost", 0}, {"ended_by", "packets"}}),
              "1000 frames captured, 0 lost; its limit of packets is met\n");
    EXPECT_EQ(show_capture({{"frames", 3}, {"lost", 7}, {"ended_by", "client"}}),
              "3 frames captured, 7 lost; ended by you\n");
}

TEST(Tables, ShowServicesDropsByReason) {
    const Json drop{{"reason", "no_real"}, {"packets", 12}, {"sentence", "nobody serves"}};
    const Json web{{"name", "web"}, {"drops", Json::array({drop})}};
    const Json quiet{{"name", "quiet"}, {"drops", Json::array()}};
    EXPECT_EQ(show_service_drops({{"services", {web, quiet}}}),
              "SERVICE       REASON                     PACKETS  MEANING\n"
              "web           no_real                         12  nobody serves\n");
}

TEST(Tables, ShowASchedulersFlags) {
    const Json service{{"name", "web"},     {"vip", "10.1.0.80"},
                       {"port", 80},        {"protocol", "tcp"},
                       {"scheduler", "sh"}, {"scheduler_flags", {"fallback", "port"}}};
    EXPECT_NE(show_services({{"services", Json::array({service})}}).find(" sh+fallback+port "),
              std::string::npos);
}

TEST(Tables, StandStillWhileNumbersGrow) {
    const std::string before = show_reals({{"reals", Json::array({real_row("web1", 1)})}});
    const std::string after = show_reals({{"reals", Json::array({real_row("web1", 123'456'789)})}});
    EXPECT_EQ(before.find("HTTP 200"), after.find("HTTP 200"));
}

TEST(Tables, KeepControlCharactersFromTheTerminal) {
    Json row = real_row("web1", 1);
    row["check"] = "body lacks \"\x1b[2J\n\"";
    const std::string text = show_reals({{"reals", Json::array({row})}});
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(Tables, ShowStatusWithItsProblems) {
    Json result{{"name", "lb1"},
                {"version", "0.1.0"},
                {"epoch", 17},
                {"uptime_s", 90},
                {"role", "active"},
                {"workers", Json::array({{{"worker", 0},
                                          {"cpu", 1},
                                          {"busy_share", 0.125},
                                          {"sessions", 12},
                                          {"turns", 1'000},
                                          {"longest_turn_us", 41.26}}})},
                {"ports", Json::array()},
                {"services", {{"total", 2}, {"up", 1}}},
                {"memory", Json::array({{{"what", "sessions"}, {"bytes", 1'572'864}}})},
                {"problems", Json::array({"service \"dns\" has no usable real"})},
                {"notes", Json::array({"the wind blows"})}};
    const std::string text = show_status(result);
    EXPECT_TRUE(
        text.starts_with("lb1: fulcrum 0.1.0, active, up 1m30s, epoch 17, services up 1 of 2\n"))
        << text;
    EXPECT_NE(text.find("12.5 %"), std::string::npos);
    EXPECT_NE(text.find("41.3 us"), std::string::npos);
    EXPECT_NE(text.find("1.5 MiB"), std::string::npos);
    EXPECT_TRUE(
        text.ends_with("\nproblems:\n  service \"dns\" has no usable real\n"
                       "note: the wind blows\n"))
        << text;
    result["problems"] = result["notes"] = Json::array();
    EXPECT_TRUE(show_status(result).ends_with("\nno problems\n"));
}

TEST(Tables, ShowWhatAReloadHasChanged) {
    EXPECT_EQ(show_reload({{"epoch", 18},
                           {"changes", Json::array({"service \"web\": real \"web3\" added"})},
                           {"slots_moved", {{"web", 214}}}}),
              "epoch 18 is in force\n"
              "  service \"web\": real \"web3\" added\n"
              "  service \"web\": 214 slots moved\n");
    EXPECT_EQ(
        show_reload({{"epoch", 18}, {"changes", Json::array()}, {"slots_moved", Json::object()}}),
        "epoch 18 is in force\n  nothing has changed\n");
}

TEST(Tables, ShowADrainInASentence) {
    const Json result{{"epoch", 9}, {"service", "web"}, {"real", "web1"}, {"sessions", 12}};
    EXPECT_EQ(show_drain(result), "web/web1 is drained as of epoch 9; 12 sessions live on\n");
    EXPECT_EQ(show_undrain(result), "web/web1 is no longer drained as of epoch 9\n");
}

TEST(Tables, ShowWhatAPacketsFateHangsOn) {
    const Json result{{"epoch", 3},
                      {"arrives_at", "wan"},
                      {"worker", 1},
                      {"class", "request"},
                      {"punt_class", nullptr},
                      {"service", "web"},
                      {"session", nullptr},
                      {"opens_session", true},
                      {"ring_slot", 4'711},
                      {"real",
                       {{"name", "web1"},
                        {"address", "10.2.0.11"},
                        {"port", 8080},
                        {"forward", "nat"},
                        {"state", "up"}}},
                      {"verdict", "transmit"},
                      {"reason", nullptr},
                      {"sentence", nullptr},
                      {"leaves",
                       {{"port", "lan"},
                        {"neighbour", "10.2.0.11"},
                        {"destination_mac", "02:00:00:00:00:0b"},
                        {"mtu", 1'500},
                        {"packet", {"ipv4 10.1.0.7 > 10.2.0.11", "tcp 1000 > 8080"}}}}};
    EXPECT_EQ(show_explain(result),
              "a packet that arrives at port wan, by epoch 3\n"
              "  class       request\n"
              "  worker      1\n"
              "  service     web\n"
              "  session     none: one is opened, at slot 4711\n"
              "  real        web1 at 10.2.0.11:8080, nat, up\n"
              "  verdict     transmit\n"
              "  leaves      by port lan to 10.2.0.11, MAC 02:00:00:00:00:0b, MTU 1500\n"
              "              ipv4 10.1.0.7 > 10.2.0.11\n"
              "              tcp 1000 > 8080\n");
}

TEST(Tables, ShowWhyAPacketIsDropped) {
    Json result{{"epoch", 3},
                {"arrives_at", "wan"},
                {"worker", 0},
                {"class", "refused"},
                {"punt_class", nullptr},
                {"service", nullptr},
                {"session", nullptr},
                {"real", nullptr},
                {"verdict", "drop"},
                {"reason", "destination"},
                {"sentence", "nobody's"},
                {"leaves", nullptr}};
    EXPECT_NE(show_explain(result).find("  verdict     drop destination: nobody's\n"),
              std::string::npos);
    result["punt_class"] = "routing";
    EXPECT_NE(show_explain(result).find("  class       routing (for the kernel)\n"),
              std::string::npos);
}

}  // namespace
}  // namespace fulcrum
