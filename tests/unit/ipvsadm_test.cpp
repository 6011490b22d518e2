// The commands of ipvsadm-save, and a script's.
#include "config/import/ipvsadm.h"

#include "tests/support/import_bench.h"

namespace fulcrum {
namespace {

Imported of(const std::string& text) { return imported(Dialect::ipvsadm, text); }

TEST(Ipvsadm, ReadsWhatIpvsadmSavePrints) {
    const Imported import = imported_file(Dialect::ipvsadm, "ipvsadm.rules");
    EXPECT_EQ(told(import), std::vector<std::string>{});
    ASSERT_EQ(import.config.services.size(), 6U);
    const std::vector<VirtualService>& services = import.config.services;

    EXPECT_EQ(to_string(listen_points(services[0]).at(0)), "203.0.113.80:80/tcp");
    EXPECT_EQ(services[0].scheduler, Scheduler::rr);
    EXPECT_EQ(services[0].check.type, CheckType::none);
    ASSERT_EQ(services[0].reals.size(), 2U);
    EXPECT_EQ(to_string(services[0].reals[0].endpoint), "192.168.10.11:8080");
    EXPECT_EQ(services[0].reals[0].forward, ForwardingMode::nat);
    EXPECT_EQ(services[0].reals[1].weight, 65'536U);

    EXPECT_EQ(services[1].scheduler, Scheduler::sh);
    EXPECT_EQ(services[1].scheduler_flags, (SchedulerFlags{true, true}));
    ASSERT_TRUE(services[1].affinity.has_value());
    EXPECT_EQ(services[1].affinity->timeout_s, 600U);
    EXPECT_EQ(services[1].affinity->prefix, 24);
    EXPECT_EQ(services[1].reals.at(0).forward, ForwardingMode::direct);
    EXPECT_EQ(services[1].reals.at(1).weight, 0U);

    EXPECT_EQ(to_string(listen_points(services[2]).at(0)), "203.0.113.53:53/udp");
    EXPECT_TRUE(services[2].one_packet);
    EXPECT_EQ(to_string(listen_points(services[3]).at(0)), "203.0.113.80:3868/sctp");
    EXPECT_EQ(services[3].reals.at(0).forward, ForwardingMode::gue);
    EXPECT_EQ(services[3].reals.at(0).tunnel, (TunnelOptions{be16{6'081}, true}));

    EXPECT_EQ(to_string(listen_points(services[4]).at(0)), "[2001:db8::80]:80/tcp");
    EXPECT_EQ(services[4].affinity.value().prefix6, 64);
    EXPECT_EQ(services[4].reals.at(0).connections, (ConnectionLimits{100, 80}));

    EXPECT_EQ(services[5].name, "mark-7");
    EXPECT_EQ(services[5].mark, 7U);
    EXPECT_EQ(import.config.marks.size(), 2U);
    EXPECT_EQ(listen_points(services[5]).size(), 2U);
}

TEST(Ipvsadm, TakesCommandsAsPeopleTypeThem) {
    const Imported import =
        of("ipvsadm -C\n"
           "/sbin/ipvsadm -A -t 192.168.1.20:80 -s rr\n"
           "# the servers\n"
           "ipvsadm -a -t 192.168.1.20:80 -r 192.168.22.4:80 -m -w1\n"
           "ipvsadm --add-server --tcp-service=192.168.1.20:80 "
           "--real-server 192.168.22.5 --masquerading --weight=3\n"
           "ipvsadm -at 192.168.1.20:80 -r web1:http -mw2\n"
           "ipvsadm --set 7200 0 60\n");
    EXPECT_EQ(lost(import), std::vector<std::string>{});
    ASSERT_EQ(import.config.services.size(), 1U);
    const VirtualService& service = import.config.services[0];
    ASSERT_EQ(service.reals.size(), 3U);
    EXPECT_EQ(service.reals[0].weight, 1U);
    EXPECT_EQ(to_string(service.reals[1].endpoint), "192.168.22.5:80");
    EXPECT_EQ(service.reals[1].weight, 3U);
    EXPECT_EQ(to_string(service.reals[2].endpoint), "10.1.0.1:80");
    EXPECT_EQ(service.reals[2].weight, 2U);
    EXPECT_EQ(import.config.timeouts, service.timeouts);
    EXPECT_EQ(service.timeouts.tcp_established_s, 7'200U);
    EXPECT_EQ(service.timeouts.tcp_half_closed_s, 120U);
    EXPECT_EQ(service.timeouts.udp_s, 60U);
}

TEST(Ipvsadm, HasItsDefaults) {
    const Imported import = of("-A -t 192.0.2.1:80 -p\n-a -t 192.0.2.1:80 -r 10.0.0.1\n");
    const VirtualService& service = import.config.services.at(0);
    EXPECT_EQ(service.scheduler, Scheduler::wlc);
    EXPECT_EQ(service.affinity.value().timeout_s, 360U);
    EXPECT_EQ(service.reals.at(0).forward, ForwardingMode::direct);
    EXPECT_EQ(service.reals.at(0).weight, 1U);
}

TEST(Ipvsadm, EditsWhatStandsThereAlready) {
    const Imported import =
        of("-A -t 192.0.2.1:80 -p 60 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m\n"
           "-A -t 192.0.2.2:80\n"
           "-E -t 192.0.2.1:80\n-e -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 7\n");
    EXPECT_EQ(lost(import), std::vector<std::string>{});
    const VirtualService& service = import.config.services.at(0);
    EXPECT_EQ(service.scheduler, Scheduler::wlc);
    EXPECT_FALSE(service.affinity.has_value());
    ASSERT_EQ(service.reals.size(), 1U);
    EXPECT_EQ(service.reals[0].weight, 7U);
}

TEST(Ipvsadm, ListensOnEveryPortForPortZero) {
    const Imported import = of("-A -t 192.0.2.1:0 -p 60\n-a -t 192.0.2.1:0 -r 10.0.0.1:0 -m\n");
    const VirtualService& service = import.config.services.at(0);
    EXPECT_EQ(to_string(listen_points(service).at(0)), "192.0.2.1:any/tcp");
    EXPECT_EQ(service.reals.at(0).endpoint.port.host(), 0);
}

TEST(Ipvsadm, PassesOverNoOptionInSilence) {
    expect_nothing_in_silence(
        Dialect::ipvsadm, "-A -t 192.0.2.1:80 -s sh\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m\n@@\n",
        {"-A -t 192.0.2.1:80",
         "-A -u 192.0.2.1:80",
         "-A --sctp-service 192.0.2.1:80",
         "-A -f 7",
         "-A -f 8",
         "-A -6 -f 8",
         "-A",
         "-A -t nobody:80",
         "-A -t 192.0.2.2:nothing",
         "-E -t 192.0.2.1:80 -s lc",
         "-E -t 192.0.2.1:80 -s nonsense",
         "-E -t 192.0.2.1:80 -p 20",
         "-E -t 192.0.2.1:80 -s sh -b flag-3",
         "-E -t 192.0.2.1:80 -s sh -b mh-port",
         "-E -t 192.0.2.1:80 -p 20 -M 255.0.255.0",
         "-E -t 192.0.2.1:80 -s sh --pe sip",
         "-E -t 192.0.2.1:80 -s sh -o",
         "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m",
         "-a -t 192.0.2.1:80 -r 10.0.0.2:81 -g",
         "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -i",
         "-a -t 192.0.2.1:80 -r 10.0.0.2 -i --tun-type gre --tun-csum",
         "-a -t 192.0.2.1:80 -r 10.0.0.2 -i --tun-type gue --tun-port 70000",
         "-a -t 192.0.2.1:80 -r 10.0.0.2 -i --tun-type nonsense",
         "-a -t 192.0.2.1:80 -r 10.0.0.2 -m -w -1",
         "-a -t 192.0.2.1:80 -r 10.0.0.2 -m -x 1 -y 2",
         "-A -f 9999999999",
         "-A -6 -f 7",
         "-a -t 192.0.2.1:80 -r 2001:db8::2 -m",
         "-a -t 192.0.2.1:80 -m",
         "-a -t 192.0.2.9:80 -r 10.0.0.2",
         "-d -t 192.0.2.1:80 -r 10.0.0.1:80",
         "-D -t 192.0.2.1:80",
         "-C",
         "-Z",
         "-L -n",
         "-S",
         "-R",
         "--set 1 2 3",
         "--set x y z",
         "--start-daemon master --mcast-interface eth0 --syncid 3",
         "--stop-daemon backup",
         "--nonsense",
         "-q",
         "nonsense",
         "-a -t"});
}

}  // namespace
}  // namespace fulcrum
