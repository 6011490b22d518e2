// keepalived.conf: its virtual servers, and what is said of the rest.
#include "config/import/keepalived.h"

#include "tests/support/import_bench.h"

namespace fulcrum {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Imported of(const std::string& text) { return imported(Dialect::keepalived, text); }

const std::string frame =
    "virtual_server 192.0.2.1 80 {\n lb_algo rr\n lb_kind NAT\n @@\n"
    " real_server 10.0.0.1 80 {\n  weight 1\n  TCP_CHECK {\n   connect_timeout 3\n  }\n }\n}\n";

std::string framed(const std::string& line) {
    return std::string{frame}.replace(frame.find("@@"), 2, line);
}
VirtualService service_with(const std::string& line) {
    return of(framed(line)).config.services.at(0);
}

// A service whose only real has this checker.
Check check_of(const std::string& checker, const std::string& server_lines = "") {
    return of("virtual_server 192.0.2.1 80 {\n lb_algo rr\n" + server_lines +
              "\n real_server 10.0.0.1 80 {\n" + checker + "\n }\n}\n")
        .config.services.at(0)
        .check;
}

TEST(Keepalived, ReadsAPairOfDirectorsFile) {
    const Imported import = imported_file(Dialect::keepalived, "keepalived.conf");
    EXPECT_EQ(import.config.director.name, "lb1");
    EXPECT_EQ(import.config.mail.value(), (MailSettings{.server = "192.0.2.25",
                                                        .from = "director@example.net",
                                                        .to = {"ops@example.net"},
                                                        .when = {}}));
    ASSERT_EQ(import.config.services.size(), 3U);
    const VirtualService& web = import.config.services[0];
    EXPECT_EQ(to_string(listen_points(web).at(0)), "203.0.113.80:80/tcp");
    EXPECT_EQ(web.scheduler, Scheduler::wrr);
    EXPECT_EQ(web.affinity.value().prefix, 24);
    EXPECT_EQ(web.on_failure, SessionPolicy::keep);  // inhibited, not removed
    EXPECT_TRUE(web.quiescent);
    EXPECT_EQ(web.timeouts.tcp_established_s, 7'200U);
    ASSERT_EQ(web.reals.size(), 2U);
    EXPECT_EQ(to_string(web.reals[0].endpoint), "192.168.10.11:8080");
    EXPECT_EQ(web.reals[0].weight, 3U);
    EXPECT_EQ(web.reals[0].connections, (ConnectionLimits{1'000, 800}));
    EXPECT_EQ(web.check.type, CheckType::http);
    EXPECT_EQ(web.check.path, "/ping.html");
    EXPECT_EQ(web.check.host, "www.example.net");
    EXPECT_EQ(to_string(web.check.status), "200");
    EXPECT_EQ(web.check.fall, 3U);  // the first one and two more
    EXPECT_EQ(web.check.interval, seconds{5});
    EXPECT_EQ(to_string(web.fallback.value().endpoint), "192.168.10.99:8080");

    const VirtualService& mail = import.config.services[1];
    EXPECT_EQ(mail.name, "mail");
    EXPECT_EQ(listen_points(mail).size(), 4U);
    EXPECT_EQ(mail.scheduler_flags, (SchedulerFlags{false, true}));
    EXPECT_EQ(mail.reals.at(1).forward, ForwardingMode::direct);
    EXPECT_EQ(mail.check.type, CheckType::connect);
    EXPECT_EQ(mail.check.timeout, seconds{4});

    const VirtualService& names = import.config.services[2];
    EXPECT_EQ(to_string(listen_points(names).at(0)), "[2001:db8::53]:53/udp");
    EXPECT_TRUE(names.one_packet);
    EXPECT_EQ(names.reals.at(0).forward, ForwardingMode::ipip);
    EXPECT_EQ(names.check.type, CheckType::none);
}

TEST(Keepalived, TakesItsQuorumAndHysteresis) {
    const VirtualService service = service_with(
        "quorum 3\n hysteresis 2\n real_server 10.0.0.2 80 "
        "{\n weight 4\n }\n");
    EXPECT_EQ(service.quorum, 3U);
    EXPECT_EQ(service.hysteresis, 2U);
}

TEST(Keepalived, LosesAQuorumThatIsNeverReached) {
    const Imported import = of(framed("quorum 2"));
    EXPECT_EQ(lost(import), std::vector<std::string>{"quorum 2"});
    EXPECT_EQ(import.config.services.at(0).quorum, 1U);
}

TEST(Keepalived, TakesRealsForUpAtTheStartWithoutAlpha) {
    EXPECT_EQ(service_with("").check.initial, InitialHealth::up);
    EXPECT_EQ(service_with("alpha").check.initial, InitialHealth::down);
    EXPECT_EQ(check_of("TCP_CHECK {\n}\nalpha").initial, InitialHealth::down);
    EXPECT_EQ(check_of("TCP_CHECK {\nalpha\n}").initial, InitialHealth::down);
}

TEST(Keepalived, LetsAProgramsExitStatusBeAWeight) {
    const Check check = check_of("MISC_CHECK {\nmisc_path /bin/load\nmisc_dynamic\n}");
    EXPECT_EQ(check.command, std::vector<std::string>{"/bin/load"});
    EXPECT_TRUE(check.exit_weight);
    EXPECT_FALSE(check_of("MISC_CHECK {\nmisc_path /bin/load\n}").exit_weight);
}

TEST(Keepalived, FollowsIncludedFiles) {
    ImportSource source = source_of(import_fixture("keepalived.conf"),
                                    content_of_file(import_fixture("keepalived.conf")));
    source.files_like = [](const std::string& pattern) {
        EXPECT_EQ(pattern, import_fixture("pieces_*.conf"));
        return std::vector<std::string>{import_fixture("pieces_tcp.conf")};
    };
    const Imported import = import_as(Dialect::keepalived, source);
    ASSERT_EQ(import.config.services.size(), 4U);
    const VirtualService& service = import.config.services[0];
    EXPECT_EQ(to_string(listen_points(service).at(0)), "203.0.113.81:443/tcp");
    EXPECT_EQ(service.check.interval, milliseconds{2'500});
    EXPECT_EQ(service.check.port, 8'443);
    EXPECT_EQ(service.reals.at(0).forward, ForwardingMode::gue);
    EXPECT_TRUE(service.reals.at(0).tunnel.has_checksum);
    EXPECT_EQ(service.place.file, import_fixture("pieces_tcp.conf"));
}

TEST(Keepalived, EndsALoopOfIncludedFiles) {
    ImportSource source = source_of("loop.conf", "include loop.conf\n");
    source.read_file = [&](const std::string&) -> Result<std::string> { return source.text; };
    const Imported import = import_as(Dialect::keepalived, source);
    ASSERT_FALSE(import.remarks.empty());
    EXPECT_NE(import.remarks[0].why.find("loop"), std::string::npos);
}

TEST(Keepalived, ReadsBracesWhereverTheyStand) {
    const Imported import =
        of("virtual_server 192.0.2.1 80\n{\n lb_algo rr\n"
           "real_server 10.0.0.1 80{\n HTTP_GET { url { path /x\n status_code 204 } } } }\n");
    EXPECT_EQ(lost(import), std::vector<std::string>{});
    ASSERT_EQ(import.config.services.size(), 1U);
    EXPECT_EQ(import.config.services[0].check.path, "/x");
}

TEST(Keepalived, HasItsDefaults) {
    const Check check = check_of("TCP_CHECK {\n}");
    EXPECT_EQ(check.interval, seconds{60});
    EXPECT_EQ(check.timeout, seconds{5});
    EXPECT_EQ(check.fall, 2U);  // one retry
    const VirtualService service = service_with("");
    EXPECT_EQ(service.on_failure, SessionPolicy::reset);
    EXPECT_FALSE(service.quiescent);  // it leaves the table
    EXPECT_EQ(service_with("persistence_timeout").affinity.value().timeout_s, 360U);
    EXPECT_EQ(service_with("persistence_timeout 0").affinity, std::nullopt);
}

TEST(Keepalived, TakesTheTimesOfACheckerBeforeThoseOfItsServer) {
    const std::string of_server = " delay_loop 7\n connect_timeout 6\n retry 4\n";
    const Check inherited = check_of("TCP_CHECK {\n}", of_server);
    EXPECT_EQ(inherited.interval, seconds{7});
    EXPECT_EQ(inherited.timeout, seconds{6});
    EXPECT_EQ(inherited.fall, 5U);
    const Check own =
        check_of("TCP_CHECK {\n delay_loop 3\n connect_timeout 2\n retry 0\n}", of_server);
    EXPECT_EQ(own.interval, seconds{3});
    EXPECT_EQ(own.timeout, seconds{2});
    EXPECT_EQ(own.fall, 1U);
}

TEST(Keepalived, AsksMostRealsAlikeAndSomeOnTheirOwn) {
    const Imported import =
        of("virtual_server 192.0.2.1 80 {\n lb_algo rr\n"
           " real_server 10.0.0.1 80 {\n  TCP_CHECK {\n   retry 0\n  }\n }\n"
           " real_server 10.0.0.2 80 {\n  TCP_CHECK {\n   retry 0\n  }\n }\n"
           " real_server 10.0.0.3 80 {\n  HTTP_GET {\n   retry 0\n   url {\n    path /x\n   }\n"
           "  }\n }\n"
           " real_server 10.0.0.4 80 {\n  weight 2\n }\n}\n");
    const VirtualService& service = import.config.services.at(0);
    EXPECT_EQ(service.check.type, CheckType::connect);
    EXPECT_TRUE(service.reals.at(0).checks.empty());
    EXPECT_TRUE(service.reals.at(1).checks.empty());
    EXPECT_EQ(service.reals.at(2).checks.at(0).path, "/x");
    EXPECT_EQ(service.reals.at(3).checks.at(0).type, CheckType::none);
    EXPECT_EQ(told(import), std::vector<std::string>{});
}

TEST(Keepalived, WantsAllCheckersAndAllUrlsOfARealToPass) {
    const Imported import =
        of("virtual_server 192.0.2.1 80 {\n real_server 10.0.0.1 80 {\n"
           "  TCP_CHECK {\n   retry 0\n  }\n"
           "  HTTP_GET {\n   retry 0\n   connect_port 8080\n"
           "   url {\n    path /a\n    status_code 200\n   }\n   url {\n    path /b\n   }\n  }\n"
           " }\n}\n");
    const VirtualService& service = import.config.services.at(0);
    EXPECT_EQ(service.check.type, CheckType::connect);
    ASSERT_EQ(service.further_checks.size(), 2U);
    EXPECT_EQ(service.further_checks[0].path, "/a");
    EXPECT_EQ(to_string(service.further_checks[0].status), "200");
    EXPECT_EQ(service.further_checks[1].path, "/b");
    EXPECT_EQ(to_string(service.further_checks[1].status), "200-299");
    EXPECT_EQ(service.further_checks[1].port, 8'080);
    EXPECT_TRUE(service.reals.at(0).checks.empty());
    EXPECT_EQ(told(import), std::vector<std::string>{});
}

TEST(Keepalived, TakesTheLastLineOfAKey) {
    const Imported import = of(framed("lvs_method DR\n lb_algo lc"));
    EXPECT_EQ(import.config.services.at(0).scheduler, Scheduler::lc);
    EXPECT_EQ(import.config.services.at(0).reals.at(0).forward, ForwardingMode::direct);
    const std::vector<std::string> remarks = told(import);
    EXPECT_EQ(remarks[0], "needless: line 2: lb_algo rr");
    EXPECT_EQ(remarks[1], "needless: line 3: lb_kind NAT");
}

TEST(Keepalived, TellsVipsOfServicesFromOtherAddresses) {
    const Imported import =
        of("vrrp_instance x {\n virtual_ipaddress {\n  192.0.2.1/24\n  10.0.0.254/24 dev eth1\n "
           "}\n}\n" +
           framed(""));
    const std::vector<std::string> remarks = told(import);
    EXPECT_NE(std::ranges::find(remarks, "needless: line 3: 192.0.2.1/24"), remarks.end());
    EXPECT_NE(std::ranges::find(remarks, "lost: line 4: 10.0.0.254/24 dev eth1"), remarks.end());
}

TEST(Keepalived, PassesOverNoKeywordOfAVirtualServerInSilence) {
    expect_nothing_in_silence(Dialect::keepalived, frame,
                              {"delay_loop 9",
                               "delay_loop x",
                               "lb_algo lc",
                               "lvs_sched wlc",
                               "lvs_sched nonsense",
                               "lvs_method DR",
                               "lvs_method TUN type gre csum",
                               "hashed",
                               "flag-1",
                               "flag-3",
                               "sh-port",
                               "sh-fallback",
                               "mh-port",
                               "mh-fallback",
                               "ops",
                               "protocol UDP",
                               "protocol SCTP",
                               "protocol nonsense",
                               "ip_family inet",
                               "persistence_engine sip",
                               "persistence_timeout",
                               "persistence_timeout 60",
                               "persistence_granularity 255.255.0.0",
                               "virtualhost x.example.net",
                               "alpha",
                               "omega",
                               "quorum 2",
                               "hysteresis 1",
                               "quorum_up /bin/x",
                               "quorum_down /bin/x",
                               "ha_suspend",
                               "sorry_server 10.0.0.9 80",
                               "sorry_server_inhibit",
                               "sorry_server_lvs_method DR\n sorry_server 10.0.0.9 80",
                               "inhibit_on_failure",
                               "retry 4",
                               "delay_before_retry 3",
                               "connect_timeout 9",
                               "warmup 3",
                               "smtp_alert",
                               "snmp_name x",
                               "nonsense 1",
                               "real_server 10.0.0.2 80 {\n }",
                               "real_server 10.0.0.1 80 {\n }",
                               "real_server nobody 80 {\n }",
                               "@main delay_loop 3",
                               "$X=1",
                               "delay_loop ~SEQ(x,1,2)",
                               "include nothing.conf",
                               "{"});
}

TEST(Keepalived, PassesOverNoKeywordOfARealServerInSilence) {
    expect_nothing_in_silence(
        Dialect::keepalived,
        "virtual_server 192.0.2.1 80 {\n lb_algo rr\n real_server 10.0.0.1 80 {\n @@\n }\n}\n",
        {"weight 3",
         "weight x",
         "lvs_method DR",
         "uthreshold 30",
         "lthreshold 3",
         "inhibit_on_failure",
         "notify_up /bin/x",
         "notify_down /bin/x",
         "virtualhost x",
         "snmp_name x",
         "alpha",
         "retry 3",
         "delay_before_retry 3",
         "connect_timeout 3",
         "delay_loop 3",
         "warmup 3",
         "smtp_alert",
         "log_all_failures",
         "nonsense",
         "TCP_CHECK {\n }",
         "HTTP_GET {\n url {\n path /\n }\n }",
         "SSL_GET {\n url {\n path /\n }\n enable_sni\n }",
         "SMTP_CHECK {\n helo_name x\n }",
         "DNS_CHECK {\n type A\n name x\n }",
         "MISC_CHECK {\n misc_path \"/bin/x y\"\n }",
         "PING_CHECK {\n }",
         "UDP_CHECK {\n payload 61\n require_reply 62\n }",
         "UDP_CHECK {\n payload xyz\n }",
         "UDP_CHECK {\n }",
         "FILE_CHECK {\n track_file x\n }",
         "BFD_CHECK {\n name x\n }"});
}

TEST(Keepalived, PassesOverNoKeywordOfACheckerInSilence) {
    expect_nothing_in_silence(
        Dialect::keepalived,
        "virtual_server 192.0.2.1 80 {\n lb_algo rr\n delay_loop 100\n real_server 10.0.0.1 80 {\n"
        " HTTP_GET {\n  @@\n  url {\n   path /\n  }\n }\n }\n}\n",
        {"connect_ip 10.0.0.2",
         "connect_port 81",
         "bindto 10.0.0.3",
         "bind_if eth0",
         "bind_port 99",
         "connect_timeout 9",
         "fwmark 3",
         "retry 4",
         "nb_get_retry 4",
         "delay_before_retry 9",
         "warmup 3",
         "delay_loop 9",
         "alpha",
         "log_all_failures",
         "http_protocol 1.1",
         "virtualhost x",
         "enable_sni",
         "sni_name x",
         "fast_recovery",
         "tls_compliant",
         "url {\n path /b\n }",
         "nonsense"});
    expect_nothing_in_silence(
        Dialect::keepalived,
        "virtual_server 192.0.2.1 80 {\n lb_algo rr\n real_server 10.0.0.1 80 {\n"
        " HTTP_GET {\n  url {\n   @@\n  }\n }\n }\n}\n",
        {"path /b", "path x", "digest 00", "status_code 204", "status_code 200-204 301",
         "status_code x", "virtualhost x", "regex abc", "regex \"a.*b\"",
         "regex_no_match\n regex x", "regex_options caseless", "regex_min_offset 3",
         "regex_max_offset 9", "regex_stack 1 2", "tls_compliant", "nonsense"});
}

TEST(Keepalived, PassesOverNoBlockInSilence) {
    expect_nothing_in_silence(Dialect::keepalived, "@@\n" + framed(""),
                              {"global_defs {\n router_id x\n }",
                               "global_defs {\n router_id \"x y\"\n }",
                               "global_defs {\n lvs_timeouts tcp 60\n }",
                               "global_defs {\n lvs_sync_daemon eth0\n }",
                               "global_defs {\n lvs_flush\n }",
                               "global_defs {\n vrrp_version 3\n }",
                               "global_defs {\n smtp_server 192.0.2.25\n }",
                               "global_defs {\n notification_email {\n a@b\n }\n }",
                               "global_defs {\n notification_email {\n nobody\n }\n }",
                               "global_defs {\n nonsense\n }",
                               "vrrp_instance x {\n state MASTER\n }",
                               "vrrp_sync_group x {\n group {\n a\n }\n }",
                               "vrrp_script x {\n script /bin/x\n }",
                               "vrrp_track_process x {\n process y\n }",
                               "track_file x {\n file /y\n }",
                               "vrrp_track_file x {\n file /y\n }",
                               "bfd_instance x {\n neighbor_ip 192.0.2.9\n }",
                               "static_ipaddress {\n 192.0.2.9/24\n }",
                               "static_routes {\n 192.0.2.0/24 via 192.0.2.9\n }",
                               "static_rules {\n from 192.0.2.0/24\n }",
                               "garp_group {\n garp_interval 1\n }",
                               "net_namespace x",
                               "SSL {\n ca x\n }",
                               "virtual_server_group x {\n 192.0.2.9 80\n }",
                               "virtual_server fwmark 7 {\n lb_algo rr\n }",
                               "virtual_server fwmark 8 {\n lb_algo rr\n }",
                               "virtual_server group x {\n lb_algo rr\n }",
                               "virtual_server nobody 80 {\n lb_algo rr\n }",
                               "}",
                               "nonsense {\n a {\n b\n }\n }"});
}

TEST(Keepalived, PassesOverNoEntryOfAGroupInSilence) {
    expect_nothing_in_silence(
        Dialect::keepalived,
        "virtual_server_group g {\n 192.0.2.1 80\n @@\n}\nvirtual_server group g {\n lb_algo "
        "rr\n}\n",
        {"192.0.2.2 80", "192.0.2.2-4 80", "192.0.2.250-192.0.3.4 80", "192.0.2.9-3 80",
         "192.0.2.16/28 80", "192.0.0.0/16 80", "2001:db8::1-f 80", "fwmark 7", "fwmark 8",
         "nobody 80", "192.0.2.2 nothing"});
}

}  // namespace
}  // namespace fulcrum
