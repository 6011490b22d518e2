// The sentences of a reload, one for each thing that can change.
#include "controlplane/config_diff.h"

#include <gtest/gtest.h>

#include "tests/support/small_config.h"

namespace fulcrum {
namespace {

using test::config;
using test::real;
using test::service;
using test::web;
using Sentences = std::vector<std::string>;

Sentences changes(const VirtualService& before, const VirtualService& after) {
    return compare(config({before}), config({after})).changes;
}

TEST(ConfigDiff, HasNothingToSayOfEqualConfigurations) {
    const Config asked = config({web({real("web1", 11)})});
    const ConfigDiff diff = compare(asked, asked);
    EXPECT_TRUE(diff.changes.empty());
    EXPECT_TRUE(diff.restart_needed.empty());
}

TEST(ConfigDiff, HasNothingToSayOfAnotherOrder) {
    EXPECT_TRUE(compare(config({web({real("a", 1), real("b", 2)}), service("mail", 25, {})}),
                        config({service("mail", 25, {}), web({real("b", 2), real("a", 1)})}))
                    .changes.empty());
}

TEST(ConfigDiff, NamesServicesThatComeAndGo) {
    const Config before = config({web({real("web1", 11)}), service("mail", 25, {})});
    const Config after = config({web({real("web1", 11)}), service("dns", 53, {real("n", 1)})});
    EXPECT_EQ(compare(before, after).changes,
              (Sentences{"service \"dns\" added (203.0.113.53:80/tcp, 1 reals)",
                         "service \"mail\" removed (203.0.113.25:80/tcp); its sessions end"}));
}

TEST(ConfigDiff, NamesRealsThatComeAndGo) {
    EXPECT_EQ(changes(web({real("web1", 11), real("web2", 21)}),
                      web({real("web2", 21), real("web3", 31, 4)})),
              (Sentences{"service \"web\": real \"web3\" added (192.168.10.31:8080, weight 4, nat)",
                         "service \"web\": real \"web1\" removed; its sessions live on"}));
}

TEST(ConfigDiff, NamesWhatChangesOfAReal) {
    RealServer after = real("web1", 12, 9);
    after.forward = ForwardingMode::full_nat;
    after.client_address = ClientAddressBy::proxy;
    EXPECT_EQ(changes(web({real("web1", 11)}), web({after})),
              (Sentences{"service \"web\": real \"web1\": address 192.168.10.11:8080 becomes "
                         "192.168.10.12:8080",
                         "service \"web\": real \"web1\": weight 1 becomes 9",
                         "service \"web\": real \"web1\": forward nat becomes fullnat",
                         "service \"web\": real \"web1\": client_address none becomes proxy"}));
}

TEST(ConfigDiff, NamesWhatChangesOfPlacing) {
    VirtualService before = web({real("web1", 11)});
    VirtualService after = before;
    after.scheduler = Scheduler::sh;
    after.scheduler_flags = {.fallback = true, .port = true};
    after.affinity = Affinity{.timeout_s = 600, .prefix = 24};
    after.reals[0].connections = {.upper = 10, .lower = 5};
    EXPECT_EQ(changes(before, after),
              (Sentences{"service \"web\": scheduler maglev becomes sh",
                         "service \"web\": scheduler_flags none becomes fallback port",
                         "service \"web\": affinity none becomes of 600 s, prefix 24, prefix6 64, "
                         "on_drain keep",
                         "service \"web\": real \"web1\": connections unlimited becomes upper 10 "
                         "lower 5"}));
}

TEST(ConfigDiff, NamesWhatChangesOfTheGate) {
    const VirtualService before = web({real("web1", 11)});
    VirtualService after = before;
    const auto rules_of = [](const char* denied) {
        return std::make_shared<const AccessRules>(
            AccessRules{.allow = {}, .deny = {IpPrefix::only(*parse_ip_address(denied))}});
    };
    after.access.rules = rules_of("198.51.100.7");
    after.limits = {.client_sessions_per_s = 10, .packets_per_s = 1'000, .prefix = 24};
    EXPECT_EQ(changes(before, after),
              (Sentences{"service \"web\": allow and deny: no prefixes, now 0 and 1 prefixes",
                         "service \"web\": limits none becomes client_sessions_per_s 10, "
                         "packets_per_s 1000, prefix 24, prefix6 64"}));
    VirtualService other = after;
    other.access.rules = rules_of("198.51.100.8");  // of a file, perhaps
    EXPECT_EQ(changes(after, other),
              (Sentences{"service \"web\": allow and deny: 0 and 1 prefixes, now 0 and 1 "
                         "prefixes"}));
    other.access.rules = rules_of("198.51.100.7");
    EXPECT_EQ(changes(after, other), Sentences{});
}

TEST(ConfigDiff, NamesWhatChangesOfTheFallback) {
    VirtualService with = web({});
    with.fallback = real("sorry", 99);
    VirtualService moved = with;
    moved.fallback = real("pardon", 98);
    EXPECT_EQ(changes(web({}), with),
              (Sentences{"service \"web\": fallback added (192.168.10.99:8080, weight 1, nat)"}));
    EXPECT_EQ(changes(with, web({})), (Sentences{"service \"web\": fallback removed"}));
    EXPECT_EQ(changes(with, moved),
              (Sentences{"service \"web\": fallback: name sorry becomes pardon",
                         "service \"web\": fallback: address 192.168.10.99:8080 becomes "
                         "192.168.10.98:8080"}));
}

TEST(ConfigDiff, NamesWhatChangesOfAService) {
    VirtualService after = web({});
    after.port = be16{443};
    after.ring_size = 509;
    after.no_real = NoReal::silent;
    after.bind = {"wan", "lan.20"};
    after.quorum = 3;
    after.hysteresis = 1;
    after.slow_start_s = 30;
    after.quiescent = false;
    EXPECT_EQ(
        changes(web({}), after),
        (Sentences{"service \"web\": VIP 203.0.113.80:80/tcp becomes 203.0.113.80:443/tcp",
                   "service \"web\": bind any port becomes wan, lan.20",
                   "service \"web\": ring_size 251 becomes 509",
                   "service \"web\": no_real reset becomes silent",
                   "service \"web\": quorum 1 becomes 3", "service \"web\": hysteresis 0 becomes 1",
                   "service \"web\": slow_start 0 s becomes 30 s",
                   "service \"web\": quiescent true becomes false"}));
}

TEST(ConfigDiff, NamesWhatChangesOfAVip) {
    const Config before = test::config({web({})});
    Config after = before;
    after.vips = {{.addresses = IpPrefix::only(Ipv4Address::of(203, 0, 113, 80)),
                   .other = OtherTraffic::reset}};
    EXPECT_EQ(compare(before, after).changes,
              (Sentences{"vip 203.0.113.80: other punt becomes reset"}));
    EXPECT_EQ(compare(after, before).changes,
              (Sentences{"vip 203.0.113.80: other reset becomes punt"}));
}

TEST(ConfigDiff, NamesEveryTimeout) {
    VirtualService after = web({});
    after.timeouts = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11};
    EXPECT_EQ(changes(web({}), after),
              (Sentences{"service \"web\": timeouts.tcp_handshake 30 s becomes 1 s",
                         "service \"web\": timeouts.tcp_established 900 s becomes 2 s",
                         "service \"web\": timeouts.tcp_half_closed 120 s becomes 3 s",
                         "service \"web\": timeouts.tcp_closed 30 s becomes 4 s",
                         "service \"web\": timeouts.udp_one_way 30 s becomes 5 s",
                         "service \"web\": timeouts.udp 300 s becomes 6 s",
                         "service \"web\": timeouts.sctp_handshake 60 s becomes 7 s",
                         "service \"web\": timeouts.sctp_established 900 s becomes 8 s",
                         "service \"web\": timeouts.sctp_shutdown 60 s becomes 9 s",
                         "service \"web\": timeouts.sctp_closed 10 s becomes 11 s"}));
}

TEST(ConfigDiff, NamesEveryKeyOfACheck) {
    VirtualService after = web({});
    after.check = {.type = CheckType::http,
                   .path = "/ping",
                   .host = "www",
                   .method = "HEAD",
                   .headers = {"A: b", "C: d"},
                   .status = {{204, 204}, {301, 302}},
                   .http2 = true,
                   .send = "say",
                   .expect = "Hello",
                   .match = "^H",
                   .verify = true,
                   .ca_file = "/ca.pem",
                   .login = "me",
                   .password = "secret",
                   .database = "shop",
                   .secret = "shared",
                   .query = "q",
                   .record = "MX",
                   .command = {"/bin/true"},
                   .exit_weight = true,
                   .port = 81,
                   .interval = std::chrono::milliseconds{1'000},
                   .timeout = std::chrono::milliseconds{500},
                   .rise = 2,
                   .fall = 3,
                   .initial = InitialHealth::down,
                   .passive = false};
    EXPECT_EQ(changes(web({}), after),
              (Sentences{"service \"web\": check.type connect becomes http",
                         "service \"web\": check.path \"/\" becomes \"/ping\"",
                         "service \"web\": check.host \"\" becomes \"www\"",
                         "service \"web\": check.method \"GET\" becomes \"HEAD\"",
                         "service \"web\": check.headers [] becomes [\"A: b\", \"C: d\"]",
                         "service \"web\": check.http2 false becomes true",
                         "service \"web\": check.send \"\" becomes \"say\"",
                         "service \"web\": check.expect \"\" becomes \"Hello\"",
                         "service \"web\": check.match \"\" becomes \"^H\"",
                         "service \"web\": check.status 200-299 becomes 204, 301-302",
                         "service \"web\": check.verify false becomes true",
                         "service \"web\": check.ca_file \"\" becomes \"/ca.pem\"",
                         "service \"web\": check.login \"\" becomes \"me\"",
                         "service \"web\": check.password changed",
                         "service \"web\": check.database \"\" becomes \"shop\"",
                         "service \"web\": check.secret changed",
                         "service \"web\": check.query \"\" becomes \"q\"",
                         "service \"web\": check.record A becomes MX",
                         "service \"web\": check.command [] becomes [\"/bin/true\"]",
                         "service \"web\": check.exit_weight false becomes true",
                         "service \"web\": check.port 0 becomes 81",
                         "service \"web\": check.interval 5000 ms becomes 1000 ms",
                         "service \"web\": check.timeout 3000 ms becomes 500 ms",
                         "service \"web\": check.rise 1 becomes 2",
                         "service \"web\": check.initial inherit becomes down",
                         "service \"web\": check.fall 1 becomes 3",
                         "service \"web\": check.passive true becomes false"}));
}

TEST(ConfigDiff, NamesTheDirectorsNewName) {
    Config after = config({});
    after.director.name = "lb2";
    after.director.maintenance = "/m";
    const ConfigDiff diff = compare(config({}), after);
    EXPECT_EQ(diff.changes, (Sentences{"director: name director becomes lb2",
                                       "director: maintenance  becomes /m"}));
    EXPECT_TRUE(diff.restart_needed.empty());
}

TEST(ConfigDiff, WantsARestartForTheFirstServiceOfIpv6UnlessThereIsRoomForItsSessions) {
    VirtualService six = web({real("web1", 11)});
    six.vip = parse_ip_address("2001:db8::80").value();
    Config before = config({});
    Config after = config({six});
    ASSERT_EQ(compare(before, after).restart_needed.size(), 1U);
    EXPECT_EQ(compare(before, after).restart_needed[0],
              "the first service with an IPv6 VIP needs tables for its sessions, which are made at "
              "the start alone: write the service and director.sessions6 = " +
                  std::to_string(after.director.sessions) +
                  " into the file, and restart fulcrumd; with that key IPv6 services come and go "
                  "without a restart");
    EXPECT_EQ(compare(after, before).restart_needed.size(), 1U) << "the last one, too";
    before.director.sessions6 = after.director.sessions6 = 500;
    EXPECT_TRUE(compare(before, after).restart_needed.empty());
}

TEST(ConfigDiff, NamesWhatChangesOfTelling) {
    Config before = config({web({real("web1", 11)})});
    before.mail = MailSettings{.server = "m", .from = "a@b", .to = {"c@d"}, .when = {}};
    Config after = before;
    after.mail->repeat_s = 60;
    after.hook = HookSettings{.program = "/bin/x"};
    after.services[0].mail_to = {"e@f"};
    EXPECT_EQ(
        compare(before, after).changes,
        (Sentences{"mail changed", "hook added", "service \"web\": mail_to mail.to becomes e@f"}));
}

TEST(ConfigDiff, NamesEveryKeyThatOnlyAStartCanChange) {
    Config after = config({});
    after.director.workers = {3};
    after.director.sessions = 7;
    after.director.affinity_clients = 5;
    after.director.seed = "other";
    after.director.idle = Idle::poll;
    after.director.memory = Memory::ordinary;
    after.ports.push_back({.name = "wan"});
    after.metrics.listen = Endpoint{Ipv4Address::of(127, 0, 0, 1), be16{9'464}};
    after.control.group = "staff";
    after.log.level = LogLevel::debug;
    after.groups.push_back({.name = "web"});
    const std::string rest =
        " differs from the running one: restart fulcrumd to change it, or set it back";
    EXPECT_EQ(compare(config({}), after).restart_needed,
              (Sentences{"director.workers" + rest, "director.sessions" + rest,
                         "director.affinity_clients" + rest, "director.seed" + rest,
                         "director.idle" + rest, "director.memory" + rest, "ports" + rest,
                         "metrics" + rest, "control" + rest, "log" + rest,
                         "groups (their names, ids, versions and paths)" + rest}));
}

}  // namespace
}  // namespace fulcrum
