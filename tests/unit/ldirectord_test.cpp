// ldirectord.cf: what its lines become, by its manual and, where that differs, by its program.
#include "config/import/ldirectord.h"

#include "tests/support/import_bench.h"

namespace fulcrum {
namespace {

using std::chrono::seconds;

Imported of(const std::string& text) { return imported(Dialect::ldirectord, text); }

// One section with these lines in it.
VirtualService service_of(const std::string& lines, const std::string& globals = "") {
    const Imported import = of(globals + "virtual=192.0.2.1:80\n" + lines);
    return import.config.services.empty() ? VirtualService{} : import.config.services[0];
}

TEST(Ldirectord, ReadsTheFileOfTheHowTo) {
    const Imported import = imported_file(Dialect::ldirectord, "howto.cf");
    ASSERT_EQ(import.config.services.size(), 1U);
    const VirtualService& service = import.config.services[0];
    EXPECT_EQ(to_string(service.vip), "192.168.1.20");
    EXPECT_EQ(service.port.host(), 80);
    EXPECT_EQ(service.protocol, L4Protocol::tcp);
    EXPECT_EQ(service.scheduler, Scheduler::wlc);
    EXPECT_EQ(service.on_failure, SessionPolicy::keep);  // quiescent
    EXPECT_TRUE(service.quiescent);
    EXPECT_EQ(service.check.type, CheckType::http);
    EXPECT_EQ(service.check.path, "/ping.html");
    EXPECT_EQ(service.check.expect, "Hello World");
    EXPECT_EQ(service.check.interval, seconds{5});
    EXPECT_EQ(service.check.timeout, seconds{3});
    ASSERT_EQ(service.reals.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(to_string(service.reals[i].endpoint),
                  "192.168.22." + std::to_string(4 + i) + ":80");
        EXPECT_EQ(service.reals[i].forward, ForwardingMode::nat);
        EXPECT_EQ(service.reals[i].weight, 1U);
    }
    ASSERT_TRUE(service.fallback.has_value());
    EXPECT_EQ(to_string(service.fallback->endpoint), "127.0.0.1:80");
    EXPECT_EQ(service.fallback->forward, ForwardingMode::nat);
    const std::vector<std::string> remarks = told(import);
    EXPECT_TRUE(std::ranges::any_of(remarks, [](const std::string& each) {
        return each.ends_with("line 4: logfile=\"var/log/ldirectord.log\"");
    })) << testing::PrintToString(remarks);
}

TEST(Ldirectord, EndsASectionWhereALineIsNotIndented) {
    const Imported import =
        of("virtual=192.0.2.1:80\n\treal=10.0.0.1:80 masq\n\n    real=10.0.0.2:80 masq\n"
           "checkinterval=3\n    real=10.0.0.3:80 masq\n");
    ASSERT_EQ(import.config.services.size(), 1U);
    EXPECT_EQ(import.config.services[0].reals.size(), 2U);
    EXPECT_EQ(import.config.services[0].check.interval, seconds{30});  // no less than the timeout
    EXPECT_EQ(lost(import), std::vector<std::string>{"real=10.0.0.3:80 masq"});
}

TEST(Ldirectord, UnfoldsRangesOfReals) {
    const VirtualService service =
        service_of(" real=10.1.0.254->10.1.1.1:8080 masq 5 l:80 u:100\n");
    ASSERT_EQ(service.reals.size(), 4U);
    EXPECT_EQ(to_string(service.reals[0].endpoint), "10.1.0.254:8080");
    EXPECT_EQ(to_string(service.reals[3].endpoint), "10.1.1.1:8080");
    EXPECT_EQ(service.reals[3].weight, 5U);
    EXPECT_EQ(service.reals[3].connections, (ConnectionLimits{100, 80}));
}

TEST(Ldirectord, TakesTheWayOfEachReal) {
    const VirtualService service =
        service_of(" real=10.0.0.1:80 masq\n real=10.0.0.2 gate\n real=10.0.0.3:81 ipip\n");
    ASSERT_EQ(service.reals.size(), 3U);
    EXPECT_EQ(service.reals[0].forward, ForwardingMode::nat);
    EXPECT_EQ(service.reals[1].forward, ForwardingMode::direct);
    EXPECT_EQ(service.reals[2].forward, ForwardingMode::ipip);
    EXPECT_EQ(service.reals[2].endpoint.port.host(), 80);  // a tunnel rewrites none
}

TEST(Ldirectord, HasTheDefaultsOfTheProgramNotOfTheManual) {
    const VirtualService service = service_of(" real=10.0.0.1:80 masq\n");
    EXPECT_EQ(service.scheduler, Scheduler::wrr);
    EXPECT_EQ(service.on_failure, SessionPolicy::reset);  // the program: quiescent=no
    EXPECT_FALSE(service.quiescent);
    EXPECT_EQ(service.check.type, CheckType::http);  // negotiate, by the port
    EXPECT_EQ(service.check.timeout, seconds{30});
    EXPECT_EQ(service.check.interval, seconds{30});  // 10, and no less than the timeout
    EXPECT_EQ(of("virtual=192.0.2.1:53\n real=10.0.0.1 masq\n").config.services[0].protocol,
              L4Protocol::udp);
}

TEST(Ldirectord, AsksTheOwnTimeoutBeforeTheGlobalOneAndTheOtherKindNext) {
    const auto timeout_of = [](const std::string& own, const std::string& global) {
        return service_of(own + " real=10.0.0.1:80 masq\n checktype=connect\n",
                          "checkinterval=100\n" + global)
            .check.timeout;
    };
    EXPECT_EQ(timeout_of("", ""), seconds{5});
    EXPECT_EQ(timeout_of("", "negotiatetimeout=9\n"), seconds{9});
    EXPECT_EQ(timeout_of("", "negotiatetimeout=9\nchecktimeout=8\n"), seconds{8});
    EXPECT_EQ(timeout_of(" negotiatetimeout=7\n", "checktimeout=8\n"), seconds{7});
    EXPECT_EQ(timeout_of(" negotiatetimeout=7\n checktimeout=6\n", "checktimeout=8\n"), seconds{6});
}

TEST(Ldirectord, GivesAFallbackToServicesOfItsIpVersion) {
    const Imported import =
        of("fallback=10.9.9.9:8080 masq\n"
           "virtual=192.0.2.1:80\n real=10.0.0.1:80 masq\n"
           "virtual=192.0.2.1:81\n real=10.0.0.1:80 masq\n fallback=10.9.9.8 gate\n"
           "virtual6=[2001:db8::1]:80\n real6=[2001:db8::2]:80 masq\n");
    ASSERT_EQ(import.config.services.size(), 3U);
    EXPECT_EQ(to_string(import.config.services[0].fallback.value().endpoint), "10.9.9.9:8080");
    EXPECT_EQ(to_string(import.config.services[1].fallback.value().endpoint), "10.9.9.8:81");
    EXPECT_FALSE(import.config.services[2].fallback.has_value());
}

TEST(Ldirectord, AsksWhatAFirewallMarkStandsFor) {
    const std::string lines = " real=10.0.0.1 masq\n protocol=fwm\n persistent=60\n";
    const Imported known = of("virtual=7\n" + lines);
    ASSERT_EQ(known.config.services.size(), 1U);
    EXPECT_EQ(listen_points(known.config.services[0]).size(), 2U);
    const Imported unknown = of("virtual=8\n" + lines);
    ASSERT_EQ(unknown.config.services.size(), 1U);  // it waits for the mark's rules
    EXPECT_EQ(unknown.config.services[0].mark, 8U);
    EXPECT_EQ(lost(unknown), std::vector<std::string>{"virtual=8"});
}

TEST(Ldirectord, LooksNamesUp) {
    const VirtualService service = service_of(" real=web1:http masq\n real=web2:80 masq\n");
    ASSERT_EQ(service.reals.size(), 1U);
    EXPECT_EQ(service.reals[0].name, "web1");
    EXPECT_EQ(to_string(service.reals[0].endpoint), "10.1.0.1:80");
}

TEST(Ldirectord, SendsMailToWhomItSentMail) {
    const Imported import =
        of("emailalert=\"ops@example.net, night@example.net\"\nemailalertfrom=lb@example.net\n"
           "emailalertfreq=3600\nemailalertstatus=running,reloading\nsmtp=mail.example.net\n"
           "virtual=192.0.2.1:80\n real=10.0.0.1:80 masq\n"
           "virtual=192.0.2.1:81\n real=10.0.0.1:81 masq\n emailalert=\"web@example.net\"\n");
    ASSERT_TRUE(import.config.mail.has_value());
    EXPECT_EQ(import.config.mail->server, "mail.example.net");
    EXPECT_EQ(import.config.mail->from, "lb@example.net");
    EXPECT_EQ(import.config.mail->to,
              (std::vector<std::string>{"ops@example.net", "night@example.net"}));
    EXPECT_EQ(import.config.mail->repeat_s, 3'600U);
    EXPECT_EQ(import.config.mail->when, (MailPhases{false, true, true}));
    EXPECT_TRUE(import.config.services.at(0).mail_to.empty());
    EXPECT_EQ(import.config.services.at(1).mail_to, std::vector<std::string>{"web@example.net"});
    EXPECT_EQ(of("emailalert=\"a@b\"\nemailalertstatus=none\n").config.mail, std::nullopt);
}

TEST(Ldirectord, CallsItsProgramWithTheVipAndTheReal) {
    const Imported import =
        of("virtual=192.0.2.1:80\n real=10.0.0.1:80 masq\n checktype=external\n"
           " checkcommand=\"/bin/ask 100%\"\n");
    EXPECT_EQ(import.config.services.at(0).check.command,
              (std::vector<std::string>{"/bin/ask", "100%%", "%H", "%P", "%h", "%p"}));
    EXPECT_EQ(told(import), std::vector<std::string>{});
    const Imported of_mark =
        of("virtual=7\n real=10.0.0.1:80 masq\n checktype=external\n checkcommand=\"/x\"\n");
    EXPECT_EQ(of_mark.config.services.at(0).check.command,
              (std::vector<std::string>{"/x", "7", "0", "%h", "%p"}));
}

TEST(Ldirectord, AsksARealWhatItsOwnLineSays) {
    const VirtualService service = service_of(
        " real=10.0.0.1:80 masq\n real=10.0.0.2:80 masq 2 \"other.html\", \"Fine\"\n"
        " service=http\n request=\"index.html\"\n receive=\"Hello\"\n");
    EXPECT_EQ(service.check.path, "/index.html");
    EXPECT_EQ(service.check.expect, "Hello");
    EXPECT_TRUE(service.reals.at(0).checks.empty());
    ASSERT_EQ(service.reals.at(1).checks.size(), 1U);
    EXPECT_EQ(service.reals[1].checks[0].type, CheckType::http);
    EXPECT_EQ(service.reals[1].checks[0].path, "/other.html");
    EXPECT_EQ(service.reals[1].checks[0].expect, "Fine");
    EXPECT_EQ(service.reals[1].weight, 2U);
}

TEST(Ldirectord, TakesServersOutByFilesInAFolder) {
    const Imported import = of("maintenancedir=/etc/ha.d/maintenance\n");
    EXPECT_EQ(import.config.director.maintenance, "/etc/ha.d/maintenance");
    EXPECT_EQ(told(import),
              std::vector<std::string>{"changed: line 1: maintenancedir=/etc/ha.d/maintenance"});
}

TEST(Ldirectord, LooksAtItsFileAsOftenAsItChecks) {
    EXPECT_EQ(of("autoreload=yes\ncheckinterval=7\n").config.reload.watch, seconds{7});
    EXPECT_EQ(of("autoreload=yes\n").config.reload.watch, seconds{10});
    EXPECT_EQ(of("autoreload=no\n").config.reload, Reloading{});
}

TEST(Ldirectord, WritesItsLogWhereItWroteIt) {
    EXPECT_EQ(of("logfile=\"/var/log/x.log\"\n").config.log,
              (LogSettings{.to = LogPlace::file, .file = "/var/log/x.log"}));
    EXPECT_EQ(of("logfile=\"local3\"\n").config.log,
              (LogSettings{.to = LogPlace::syslog, .file = {}, .facility = 19}));
    EXPECT_EQ(of("logfile=\"var/log/x.log\"\n").config.log, LogSettings{});
}

TEST(Ldirectord, PassesOverNoGlobalLineInSilence) {
    expect_nothing_in_silence(
        Dialect::ldirectord,
        "@@\nvirtual=192.0.2.1:80\n real=10.0.0.1:80 masq\n checktype=connect\n",
        {"checktimeout=4",
         "negotiatetimeout=6",
         "checkinterval=7",
         "checkcount=2",
         "failurecount=3",
         "autoreload=yes",
         "callback=\"/bin/x\"",
         "fallback=10.0.0.9:80 masq",
         "fallback6=[2001:db8::9]:80",
         "fallbackcommand=\"/bin/x\"",
         "logfile=\"/var/log/x\"",
         "emailalert=\"a@example.net\"",
         "emailalertfrom=b@example.net",
         "emailalert=\"nobody\"",
         "emailalertfreq=60",
         "emailalertstatus=all",
         "smtp=mail.example.net",
         "execute=other.cf",
         "supervised=yes",
         "supervised",
         "fork=yes",
         "quiescent=yes",
         "readdquiescent=yes",
         "cleanstop=no",
         "maintenancedir=/etc/x",
         "connecttimeout=3",
         "timeout=3",
         "nonsense=1",
         "nonsense",
         "checktimeout=x",
         "virtual=192.0.2.1",
         "virtual=[2001:db8::1]:80x"});
}

TEST(Ldirectord, PassesOverNoLineOfASectionInSilence) {
    expect_nothing_in_silence(Dialect::ldirectord,
                              "virtual=192.0.2.1:80\n real=10.0.0.1:80 masq\n @@\n",
                              {"real=10.0.0.2:80 masq",
                               "real=10.0.0.1:80 masq",
                               "real6=[2001:db8::2]:80 masq",
                               "real=10.0.0.2:80 what",
                               "real=10.0.0.2:80",
                               "real=10.0.0.2:80 masq 1 nonsense",
                               "real=10.0.0.9->10.0.0.3:80 masq",
                               "real=10.0.0.2:80 masq \"a\", \"b\"",
                               "checktype=connect",
                               "checktype=ping",
                               "checktype=off",
                               "checktype=on",
                               "checktype=3",
                               "checktype=external",
                               "checktype=external-perl",
                               "checktype=nonsense",
                               "service=https",
                               "service=ftp",
                               "service=smtp",
                               "service=submission",
                               "service=pop",
                               "service=pops",
                               "service=imap",
                               "service=imaps",
                               "service=ldap",
                               "service=ldaps",
                               "service=nntp",
                               "service=dns",
                               "service=mysql",
                               "service=pgsql",
                               "service=oracle",
                               "service=radius",
                               "service=sip",
                               "service=simpletcp",
                               "service=none",
                               "service=http_proxy",
                               "checkcommand=\"/bin/x\"",
                               "checkport=81",
                               "request=\"x\"",
                               "receive=\"x\"",
                               "receive=\"a.*b\"",
                               "httpmethod=HEAD",
                               "virtualhost=x.example.net",
                               "login=\"x\"",
                               "passwd=\"x\"",
                               "database=\"x\"",
                               "secret=\"x\"",
                               "load=\"x\"",
                               "scheduler=lc",
                               "scheduler=nonsense",
                               "persistent=60",
                               "netmask=255.255.255.0",
                               "netmask=nonsense",
                               "protocol=udp",
                               "protocol=nonsense",
                               "schedflags=sh-port",
                               "monitorfile=/x",
                               "ops=yes",
                               "servicename=shop",
                               "comment=x",
                               "checktimeout=3",
                               "negotiatetimeout=3",
                               "checkcount=3",
                               "failurecount=3",
                               "checkinterval=3",
                               "fallback=10.0.0.9:80 masq",
                               "fallback=nonsense x",
                               "fallback6=[2001:db8::9]",
                               "fallbackcommand=\"/bin/x\"",
                               "quiescent=yes",
                               "emailalert=\"x@example.net\"",
                               "emailalertfrom=x",
                               "emailalertfreq=3",
                               "emailalertstatus=all",
                               "cleanstop=no",
                               "smtp=x",
                               "connecttimeout=3",
                               "nonsense=1"});
}

TEST(Ldirectord, TellsOfALineThatALaterOneSaysAgain) {
    const Imported import =
        of("virtual=192.0.2.1:80\n real=10.0.0.1:80 masq\n scheduler=rr\n"
           " scheduler=lc\n receive=\"x\"\n checktimeout=3\n");
    EXPECT_EQ(import.config.services.at(0).scheduler, Scheduler::lc);
    EXPECT_EQ(told(import), std::vector<std::string>{"needless: line 3: scheduler=rr"});
}

}  // namespace
}  // namespace fulcrum
