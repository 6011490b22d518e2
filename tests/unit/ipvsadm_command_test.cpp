// ipvsadm's rooms: what a command line comes to, what it asks of a director, and how the director's
// table reads in ipvsadm's columns. End to end they are held against a real IPVS's transcript.
#include <gtest/gtest.h>

#include "controlplane/ipvsadm/command_line.h"
#include "controlplane/ipvsadm/connections_text.h"
#include "controlplane/ipvsadm/operations.h"
#include "controlplane/ipvsadm/table_text.h"

namespace fulcrum {
namespace {

using Words = std::vector<std::string>;

Invocation read(const Words& words) {
    const auto outcome = read_command_line(words, "ipvsadm");
    const auto* complaint = std::get_if<Complaint>(&outcome);
    EXPECT_EQ(complaint, nullptr) << complaint->text;
    return complaint == nullptr ? std::get<Invocation>(outcome) : Invocation{};
}

std::string complaint_about(const Words& words) {
    const auto outcome = read_command_line(words, "ipvsadm");
    const auto* complaint = std::get_if<Complaint>(&outcome);
    return complaint == nullptr ? "none"
                                : std::to_string(complaint->status) + " " + complaint->text;
}

std::string asked_by(const Words& words) { return operation_of(read(words)).dump(); }

TEST(IpvsadmCommandLine, TakesLettersTogetherAndTextsThatStickToThem) {
    const Invocation told = read({"-At", "192.0.2.1:80", "-srr", "-p60"});
    EXPECT_EQ(told.verb, Verb::add_service);
    EXPECT_EQ(told.service.vip, Ipv4Address::of(192, 0, 2, 1));
    EXPECT_EQ(told.service.port, 80);
    EXPECT_EQ(told.scheduler, "rr");
    EXPECT_EQ(told.persistent_s, 60U);
    EXPECT_EQ(read({"-a", "-t192.0.2.1:80", "-r", "192.0.2.7", "-m", "-w1"}).weight, 1U);
}

TEST(IpvsadmCommandLine, TakesANumberForPersistenceOnlyWhereOneStands) {
    EXPECT_EQ(read({"-A", "-t", "192.0.2.1:80", "-p", "-s", "rr"}).persistent_s, 360U);
    EXPECT_EQ(read({"-A", "-t", "192.0.2.1:80", "-s", "rr", "-p"}).persistent_s, 360U);
    EXPECT_EQ(read({"-A", "-t", "192.0.2.1:80", "-p", "5"}).persistent_s, 5U);
}

TEST(IpvsadmCommandLine, ListsWithoutAWord) {
    EXPECT_EQ(read({}).verb, Verb::list);
    EXPECT_TRUE(read({}).given.none());
}

TEST(IpvsadmCommandLine, GivesARealTheServicesPortWhereItHasNone) {
    EXPECT_EQ(read({"-a", "-r", "192.0.2.7", "-t", "192.0.2.1:80"}).real.port, be16{80});
    EXPECT_EQ(read({"-a", "-f", "7", "-r", "192.0.2.7"}).real.port, be16{0});
    EXPECT_EQ(read({"-a", "-t", "[2001:db8::1]:80", "-r", "[2001:db8::7]:8080", "-m"}).real,
              (Endpoint{*parse_ipv6_address("2001:db8::7"), be16{8'080}}));
}

TEST(IpvsadmCommandLine, ComplainsInIpvsadmsWordsWithItsStatuses) {
    EXPECT_EQ(complaint_about({"-n", "-L"}),
              "255 Try `ipvsadm -h' or 'ipvsadm --help' for more information.");
    EXPECT_EQ(complaint_about({"-A", "-t"}), "255 -t: missing argument");
    EXPECT_EQ(complaint_about({"-A", "-D"}), "2 invalid option `-D'");
    EXPECT_EQ(complaint_about({"-A", "-t", "192.0.2.1:80", "-w", "1"}),
              "2 Illegal 'weight' option with the 'add-service' command");
    EXPECT_EQ(complaint_about({"-a", "-t", "192.0.2.1:80", "-r", "192.0.2.7", "-w", "-1"}),
              "2 illegal weight specified");
    EXPECT_EQ(complaint_about({"-A", "-t", "192.0.2.1"}),
              "2 Zero port specified for non-persistent service");
    EXPECT_EQ(complaint_about({"-A", "-t", "192.0.2.1:80", "-p", "-M", "255.0.255.0"}),
              "2 illegal virtual server persistent mask specified")
        << "clients are told apart by their leading bits";
}

TEST(IpvsadmOperations, SayAServiceInTheFilesWords) {
    EXPECT_EQ(
        asked_by({"-A", "-t", "192.0.2.1:0", "-s", "sh", "-b", "sh-port", "-p", "60", "-M",
                  "255.255.255.0"}),
        R"({"operation":"add-service","set":{"protocol":"tcp","vip":"192.0.2.1","port":"any",)"
        R"("scheduler":"sh","scheduler_flags":["port"],"one_packet":false,)"
        R"("affinity":{"timeout":"60s","prefix":24},"check":{"type":"none"}}})");
    EXPECT_EQ(asked_by({"-E", "-f", "7", "-6"}),
              R"({"operation":"change-service","service":{"mark6":7},"set":{"scheduler":"wlc",)"
              R"("scheduler_flags":[],"one_packet":false,"affinity":null}})");
    EXPECT_EQ(asked_by({"-D", "-u", "192.0.2.1:53"}),
              R"({"operation":"remove-service",)"
              R"("service":{"protocol":"udp","vip":"192.0.2.1","port":53}})");
}

std::string forward_of(const Words& more) {
    Words words{"-a", "-t", "192.0.2.1:80", "-r"};
    words.insert(words.end(), more.begin(), more.end());
    const Json set = operation_of(read(words))["set"];
    return set["forward"].get<std::string>() + " " + set["port"].dump();
}

TEST(IpvsadmOperations, TellTheWaysOfForwardingApart) {
    EXPECT_EQ(forward_of({"192.0.2.7:8080"}), "direct 80") << "nobody rewrites the port";
    EXPECT_EQ(forward_of({"192.0.2.7:8080", "-m"}), "nat 8080");
    EXPECT_EQ(forward_of({"192.0.2.7:8080", "--fullnat"}), "fullnat 8080");
    EXPECT_EQ(forward_of({"192.0.2.7", "-i"}), "ipip 80");
    EXPECT_EQ(forward_of({"192.0.2.7", "-i", "--tun-type", "gre"}), "gre 80");
    EXPECT_EQ(forward_of({"192.0.2.7", "-i", "--tun-type", "gue", "--tun-port", "7"}), "gue 80");
    EXPECT_EQ(forward_of({"127.0.0.1:80"}), "nat 80") << "the director itself needs no route";
}

TEST(IpvsadmOperations, AnEditedRealReturnsToWhatIsNotSaid) {
    const Json set =
        operation_of(read({"-e", "-t", "192.0.2.1:80", "-r", "192.0.2.7:80", "-m"}))["set"];
    EXPECT_EQ(set["weight"], 1);
    EXPECT_TRUE(set["connections"].is_null());
    EXPECT_EQ(operation_of(read({"-e", "-t", "192.0.2.1:80", "-r", "192.0.2.7:80", "-x", "9", "-y",
                                 "5"}))["set"]["connections"]
                  .dump(),
              R"({"upper":9,"lower":5})");
}

TEST(IpvsadmOperations, ObjectToWhatNoDirectorDoes) {
    EXPECT_EQ(objection_to(read({"-A", "-t", "192.0.2.1:80", "-s", "nosuch"})),
              "Scheduler or persistence engine not found");
    EXPECT_EQ(objection_to(read({"-A", "-t", "192.0.2.1:80", "--pe", "sip", "-p"})),
              "Scheduler or persistence engine not found");
    EXPECT_EQ(objection_to(read({"-a", "-t", "192.0.2.1:80", "-r", "192.0.2.7", "-y", "1"})),
              "Numerical result out of range");
    EXPECT_EQ(objection_to(read({"-A", "-t", "192.0.2.1:80", "-s", "maglev"})), "");
}

Json totals_of(std::uint64_t sessions, std::uint64_t in_bytes) {
    return {{"sessions_opened", sessions},
            {"in_packets", 12},
            {"out_packets", 0},
            {"in_bytes", in_bytes},
            {"out_bytes", 0}};
}

Json real_of(const std::string& address, unsigned port, const std::string& forward = "nat") {
    return {{"name", address},
            {"address", address},
            {"port", port},
            {"forward", forward},
            {"is_local", false},
            {"is_fallback", false},
            {"weight", 1},
            {"weight_configured", 3},
            {"tunnel_port", 6080},
            {"tunnel_checksum", false},
            {"upper", 0},
            {"lower", 0},
            {"sessions", 7},
            {"sessions_active", 5},
            {"totals", totals_of(99'999'999, 100'000'000)},
            {"rates", totals_of(4, 123'456'789'012)}};
}

Json table_of(Json listeners, Json reals) {
    Json service{{"name", "web"},
                 {"listeners", std::move(listeners)},
                 {"mark", 0},
                 {"mark6", 0},
                 {"scheduler", "maglev"},
                 {"falls_back", false},
                 {"uses_port", false},
                 {"affinity_s", 0},
                 {"prefix", 32},
                 {"prefix6", 128},
                 {"one_packet", false},
                 {"has_more", false},
                 {"totals", totals_of(1'000'000'000, 100'000'000'000)},
                 {"rates", totals_of(0, 0)},
                 {"reals", std::move(reals)}};
    return {{"timeouts_s", {900, 120, 300}}, {"services", Json::array({std::move(service)})}};
}
Json listener_of(const std::string& vip, Json port) {
    return {{"vip", vip}, {"protocol", "tcp"}, {"port", std::move(port)}};
}

// The lines behind the titles.
std::string rows_of(const Json& table, const Words& words) {
    const std::string text = list_text(table, Json::object(), read(words)).value_or("none\n\n\n");
    std::size_t at = 0;
    for (int line = 0; line < 3; ++line) {
        at = text.find('\n', at) + 1;
    }
    return text.substr(at);
}

TEST(IpvsadmTable, ShortensNumbersFromAHundredMillionOn) {
    const Json table = table_of(Json::array({listener_of("192.0.2.1", 80)}),
                                Json::array({real_of("10.0.0.7", 80)}));
    EXPECT_EQ(rows_of(table, {"-Ln", "--stats"}),
              "TCP  192.0.2.1:80                    1000M       12        0     100G        0\n"
              "  -> 10.0.0.7:80                  99999999       12        0  100000K        0\n");
    EXPECT_EQ(rows_of(table, {"-Ln", "--rate"}),
              "TCP  192.0.2.1:80                        0       12        0        0        0\n"
              "  -> 10.0.0.7:80                         4       12        0     123G        0\n");
    EXPECT_TRUE(rows_of(table, {"-Ln", "--stats", "--exact"})
                    .starts_with("TCP  192.0.2.1:80                 1000000000       12        0 "
                                 "100000000000        0\n"));
}

TEST(IpvsadmTable, ShowsWhatIpvsadmHasNoWordsFor) {
    const Json table = table_of(
        Json::array({listener_of("192.0.2.0/28", "8000-8099"), listener_of("192.0.2.99", 0)}),
        Json::array({real_of("10.0.0.7", 0, "fullnat"), real_of("10.0.0.8", 0, "gre")}));
    EXPECT_EQ(rows_of(table, {"-Ln"}),
              "TCP  192.0.2.0/28:8000-8099 maglev\n"
              "  -> 10.0.0.7:0                   FullNat 1      5          2         \n"
              "  -> 10.0.0.8:0                   Tunnel  1      5          2         \n"
              "TCP  192.0.2.99:0 maglev\n"
              "  -> 10.0.0.7:0                   FullNat 1      5          2         \n"
              "  -> 10.0.0.8:0                   Tunnel  1      5          2         \n");
    std::vector<std::string> unsaid;
    EXPECT_EQ(save_text(table, read({"-Sn"}), unsaid), "");
    EXPECT_EQ(unsaid, Words{"service \"web\" is left out: ipvsadm has no words for what it listens "
                            "on"});
}

TEST(IpvsadmTable, SavesTheWeightThatWasAskedFor) {
    std::vector<std::string> unsaid;
    Json reals = Json::array({real_of("10.0.0.7", 80, "fullnat"), real_of("10.0.0.8", 80, "gre")});
    reals[1]["upper"] = 9;
    const Json table = table_of(Json::array({listener_of("192.0.2.1", 80)}), reals);
    EXPECT_EQ(save_text(table, read({"-Sn"}), unsaid),
              "-A -t 192.0.2.1:80 -s maglev\n"
              "-a -t 192.0.2.1:80 -r 10.0.0.7:80 --fullnat -w 3\n"
              "-a -t 192.0.2.1:80 -r 10.0.0.8:80 -i -w 3 --tun-type gre --tun-nocsum\n");
    EXPECT_EQ(unsaid, Words{"thresholds are left out; --extended has them, too"});
}

TEST(IpvsadmTable, ListsTheNewestFirstInsteadOfSorting) {
    const Json table = table_of(Json::array({listener_of("192.0.2.1", 80)}),
                                Json::array({real_of("10.0.0.9", 80), real_of("10.0.0.10", 80)}));
    EXPECT_LT(rows_of(table, {"-Ln"}).find("10.0.0.9"), rows_of(table, {"-Ln"}).find("10.0.0.10"));
    EXPECT_GT(rows_of(table, {"-Ln", "--nosort"}).find("10.0.0.9"),
              rows_of(table, {"-Ln", "--nosort"}).find("10.0.0.10"));
}

TEST(IpvsadmConnections, AreInTheStatesThatIpvsWouldHaveThemIn) {
    const Json table = table_of(Json::array({listener_of("192.0.2.1", 80)}),
                                Json::array({real_of("10.0.0.7", 0)}));
    const auto row_of = [&](const std::string& protocol, const std::string& state) {
        const Json session{{"client", "198.51.100.9:4000"},
                           {"vip", "192.0.2.1:80"},
                           {"service", "web"},
                           {"real", "10.0.0.7"},
                           {"protocol", protocol},
                           {"state", state},
                           {"idle_s", 30},
                           {"timeout_s", 930}};
        const std::string text = connections_text(table, {{"sessions", Json::array({session})}},
                                                  {{"clients", Json::array()}}, read({"-Lnc"}));
        return text.substr(text.find('\n', text.find('\n') + 1) + 1);
    };
    EXPECT_EQ(row_of("tcp", "established"),
              "TCP 15:00  ESTABLISHED 198.51.100.9:4000  192.0.2.1:80       10.0.0.7:80\n");
    EXPECT_EQ(row_of("tcp", "real_closed"),
              "TCP 15:00  FIN_WAIT    198.51.100.9:4000  192.0.2.1:80       10.0.0.7:80\n");
    EXPECT_EQ(row_of("udp", "two_way"),
              "UDP 15:00  UDP         198.51.100.9:4000  192.0.2.1:80       10.0.0.7:80\n");
}

}  // namespace
}  // namespace fulcrum
