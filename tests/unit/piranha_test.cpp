// Piranha's lvs.cf.
#include "config/import/piranha.h"

#include "tests/support/import_bench.h"

namespace fulcrum {
namespace {

using std::chrono::seconds;

Imported of(const std::string& text) { return imported(Dialect::piranha, text); }

const std::string frame =
    "network = nat\n"
    "virtual web {\n active = 1\n address = 192.0.2.1 eth0:1\n port = 80\n @@\n"
    " server one {\n  address = 10.0.0.1\n  active = 1\n  weight = 1\n }\n}\n";

VirtualService service_with(const std::string& line) {
    const Imported import = of(std::string{frame}.replace(frame.find("@@"), 2, line));
    return import.config.services.empty() ? VirtualService{} : import.config.services[0];
}

TEST(Piranha, ReadsVirtualServersWithTheirServers) {
    const Imported import = imported_file(Dialect::piranha, "lvs.cf");
    ASSERT_EQ(import.config.services.size(), 1U);
    const VirtualService& service = import.config.services[0];
    EXPECT_EQ(service.name, "site");
    EXPECT_EQ(to_string(listen_points(service).at(0)), "203.0.113.80:80/tcp");
    EXPECT_EQ(service.scheduler, Scheduler::rr);
    EXPECT_EQ(service.affinity.value().timeout_s, 300U);
    EXPECT_EQ(service.affinity->prefix, 24);
    EXPECT_EQ(service.on_failure, SessionPolicy::keep);
    EXPECT_TRUE(service.quiescent);
    EXPECT_EQ(service.timeouts.tcp_established_s, 3'600U);
    EXPECT_EQ(service.timeouts.tcp_half_closed_s, 120U);  // 0: as it is
    EXPECT_EQ(service.timeouts.udp_s, 120U);
    EXPECT_EQ(service.check.type, CheckType::http);
    EXPECT_EQ(service.check.path, "/ping.html");
    EXPECT_EQ(to_string(service.check.status), "100-599");
    EXPECT_EQ(service.check.interval, seconds{5});
    EXPECT_EQ(service.check.rise, 3U);
    ASSERT_EQ(service.reals.size(), 2U);
    EXPECT_EQ(service.reals[0].name, "web1");
    EXPECT_EQ(to_string(service.reals[0].endpoint), "192.168.10.11:8080");
    EXPECT_EQ(service.reals[0].weight, 2U);
    EXPECT_EQ(to_string(service.reals[1].endpoint), "192.168.10.12:80");
    EXPECT_EQ(to_string(service.fallback.value().endpoint), "192.168.10.99:80");
}

TEST(Piranha, HasItsDefaults) {
    const VirtualService service = service_with("");
    EXPECT_EQ(service.scheduler, Scheduler::wlc);
    EXPECT_EQ(service.check.type, CheckType::connect);
    EXPECT_EQ(service.check.interval, seconds{6});
    EXPECT_EQ(service.check.rise, 3U);  // 15 s of good checks
    EXPECT_EQ(service.on_failure, SessionPolicy::reset);
    EXPECT_FALSE(service.quiescent);
    EXPECT_EQ(service.reals.at(0).forward, ForwardingMode::nat);
}

TEST(Piranha, ForwardsAllInOneWay) {
    const auto way_of = [](const std::string& network) {
        std::string text = std::string{frame}.replace(frame.find("@@"), 2, "");
        text.replace(text.find("nat"), 3, network);
        return of(text).config.services.at(0).reals.at(0).forward;
    };
    EXPECT_EQ(way_of("direct"), ForwardingMode::direct);
    EXPECT_EQ(way_of("tunnel"), ForwardingMode::ipip);
}

TEST(Piranha, LeavesOutWhatIsNotActiveAndSaysSo) {
    const Imported import = imported_file(Dialect::piranha, "lvs.cf");
    const std::vector<std::string> remarks = told(import);
    for (const char* line : {"needless: line 46: server web3 {", "needless: line 52: virtual old {",
                             "needless: line 55: port = 81"}) {
        EXPECT_NE(std::ranges::find(remarks, line), remarks.end())
            << line << testing::PrintToString(remarks);
    }
}

TEST(Piranha, PassesOverNoSettingInSilence) {
    expect_nothing_in_silence(Dialect::piranha, frame,
                              {"vip_nmask = 255.255.255.0",
                               "fwmark = 7",
                               "fwmark = 8",
                               "persistent = 60",
                               "pmask = 255.255.255.0",
                               "protocol = udp",
                               "scheduler = rr",
                               "scheduler = nonsense",
                               "load_monitor = none",
                               "load_monitor = rup",
                               "timeout = 9",
                               "timeout = x",
                               "reentry = 30",
                               "quiesce_server = 1",
                               "send = \"GET /x HTTP/1.0\\r\\n\\r\\n\"",
                               "send = \"PING\"",
                               "expect = \"HTTP\"",
                               "expect = \"PONG\"",
                               "send_program = \"/bin/x %h\"",
                               "sorry_server = 10.0.0.9",
                               "nonsense = 1",
                               "nonsense",
                               "}\n}",
                               "failover x {\n port = 3\n }",
                               "active = 0",
                               "address = 192.0.2.9",
                               "port = 81"});
    expect_nothing_in_silence(Dialect::piranha, "@@\n" + frame,
                              {"serial_no = 3",
                               "primary = 192.0.2.2",
                               "primary_private = 10.0.0.2",
                               "service = lvs",
                               "rsh_command = ssh",
                               "backup_active = 1",
                               "backup = 192.0.2.3",
                               "backup_private = 10.0.0.3",
                               "heartbeat = 1",
                               "heartbeat_port = 539",
                               "keepalive = 6",
                               "deadtime = 18",
                               "nat_router = 10.0.0.254 eth1:1",
                               "nat_nmask = 255.255.255.0",
                               "reservation_conflict_action = preempt",
                               "debug_level = NONE",
                               "monitor_links = 1",
                               "syncdaemon = 1",
                               "syncd_iface = eth0",
                               "syncd_id = 0",
                               "tcp_timeout = 60",
                               "tcpfin_timeout = 60",
                               "udp_timeout = 60",
                               "tcp_timeout = x",
                               "nonsense = 1",
                               "failover x {\n address = 192.0.2.9 eth0:3\n start_cmd = \"x\"\n}"});
}

TEST(Piranha, SaysThatALaterLineCounts) {
    const Imported import = of(std::string{frame}.replace(frame.find("@@"), 2, "port = 81"));
    EXPECT_EQ(import.config.services.at(0).port.host(), 81);
    const std::vector<std::string> remarks = told(import);
    EXPECT_NE(std::ranges::find(remarks, "needless: line 5: port = 80"), remarks.end());
}

TEST(Piranha, RefusesBlocksWithoutEnd) {
    std::string text;
    for (int i = 0; i < 1'000; ++i) {
        text += "virtual x {\n";
    }
    EXPECT_FALSE(lost(of(text)).empty());
}

}  // namespace
}  // namespace fulcrum
