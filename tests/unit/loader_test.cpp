// From the operator's text to values, and to sentences with their place.
#include "config/loader.h"

#include <gtest/gtest.h>

#include <string>

#include "config/file_limits.h"

namespace fulcrum {
namespace {

using Sentences = std::vector<std::string>;

constexpr std::string_view head =
    "director = { workers = [ 1 ]; };\n"
    "ports = ( { name = \"lan\"; device = \"vdev:net_null0\"; } );\n";  // two lines

// What is wrong with `text` behind a sound director and port; `text` begins on line 3.
Sentences problems_of(std::string_view text) {
    return load_config_text(std::string{head}.append(text), "d.cfg").problems;
}

TEST(Loader, ReadsTheFileOfTheDesign) {
    const LoadOutcome outcome = load_config_text(R"(
director = { name = "lb1"; workers = [ 1, 2 ]; sessions = 1000000; idle = "adaptive"; };
ports = (
    { name = "wan"; device = "0000:01:00.0";      addresses = [ "203.0.113.2/24" ]; },
    { name = "lan"; device = "af_packet:eth1";    addresses = [ "192.168.10.2/24" ]; }
);
services = (
    {   name = "web"; vip = "203.0.113.80"; port = 80; protocol = "tcp";
        scheduler = "maglev";
        check     = { type = "http"; path = "/ping.html"; expect = "Hello World";
                      interval = "5s"; timeout = "3s"; };
        on_failure = "drain";
        fallback  = { address = "192.168.10.99"; port = 80; };
        reals = (
            { name = "web1"; address = "192.168.10.11"; port = 8080; weight = 1; forward = "nat"; },
            { name = "web2"; address = "192.168.10.21"; port = 8080; weight = 1; forward = "nat"; }
        );
    }
);
metrics = { listen = "127.0.0.1:9464"; };
control = { socket = "/run/fulcrum/control.sock"; group = "fulcrum"; };
)",
                                                 "d.cfg");
    EXPECT_EQ(outcome.problems, Sentences{});
    EXPECT_EQ(outcome.warnings, Sentences{});
    ASSERT_EQ(outcome.config.services.size(), 1U);
    ASSERT_EQ(outcome.config.ports.size(), 2U);
    const VirtualService& web = outcome.config.services[0];
    ASSERT_EQ(web.reals.size(), 2U);
    EXPECT_EQ(outcome.config.director.name, "lb1");
    EXPECT_EQ(outcome.config.director.workers, (std::vector<unsigned>{1, 2}));
    EXPECT_EQ(outcome.config.ports[0].kind, DeviceKind::pci);
    EXPECT_EQ(outcome.config.ports[1].device, "eth1");
    EXPECT_EQ(outcome.config.ports[1].addresses,
              (std::vector<IpPrefix>{{Ipv4Address::of(192, 168, 10, 2), 24}}));
    EXPECT_EQ(to_string(Endpoint{web.vip, web.port}), "203.0.113.80:80");
    EXPECT_EQ(web.check.type, CheckType::http);
    EXPECT_EQ(web.check.expect, "Hello World");
    EXPECT_EQ(web.check.timeout, std::chrono::seconds{3});
    EXPECT_EQ(web.reals[1].name, "web2");
    EXPECT_EQ(to_string(web.reals[1].endpoint), "192.168.10.21:8080");
    EXPECT_EQ(web.reals[1].place.line, 16U);
    EXPECT_EQ(web.reals[1].place.file, "d.cfg");
    EXPECT_EQ(to_string(web.fallback.value().endpoint), "192.168.10.99:80");
    EXPECT_EQ(to_string(outcome.config.metrics.listen.value()), "127.0.0.1:9464");
    EXPECT_EQ(outcome.config.control.group, "fulcrum");
    EXPECT_EQ(outcome.config.source_file, "d.cfg");
}

TEST(Loader, ReadsEveryWordOfEveryList) {
    const LoadOutcome outcome = load_config_text(R"(
director = { workers = [ 1 ]; idle = "poll"; memory = "ordinary"; seed = "x"; };
ports = ( { name = "a"; device = "af_xdp:eth1"; } );
services = (
    { name = "s"; vip = "10.0.0.1"; port = 53; protocol = "udp"; no_real = "silent";
      on_failure = "move"; on_removal = "reset"; one_packet = true;
      ring_size = 251; syn_cookies = "never";
      timeouts = { tcp_handshake = "1s"; tcp_established = "2s"; tcp_half_closed = "3s";
                   tcp_closed = "4s"; udp_one_way = "5s"; udp = "6s"; };
      check = { type = "http"; port = 8053; host = "ns"; status = "204"; rise = 2; fall = 3; };
      reals = ( { name = "r"; address = "10.0.0.2"; forward = "direct"; weight = 2147483647; } );
      fallback = { name = "last"; address = "10.0.0.3"; forward = "direct"; }; } );
)",
                                                 "d.cfg");
    EXPECT_EQ(outcome.problems, Sentences{});
    ASSERT_EQ(outcome.config.services.size(), 1U);
    const VirtualService& service = outcome.config.services[0];
    EXPECT_EQ(outcome.config.director.idle, Idle::poll);
    EXPECT_EQ(outcome.config.director.memory, Memory::ordinary);
    EXPECT_EQ(outcome.config.ports[0].kind, DeviceKind::af_xdp);
    EXPECT_EQ(service.protocol, L4Protocol::udp);
    EXPECT_EQ(service.no_real, NoReal::silent);
    EXPECT_EQ(service.on_failure, SessionPolicy::move);
    EXPECT_EQ(service.on_removal, SessionPolicy::reset);
    EXPECT_TRUE(service.one_packet);
    EXPECT_EQ(service.syn_cookies, SynCookies::never);
    EXPECT_EQ(service.ring_size, 251U);
    EXPECT_EQ(service.timeouts, (SessionTimeouts{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(service.check.port, 8'053);
    EXPECT_EQ(service.check.status, (std::vector<StatusRange>{{204, 204}}));
    EXPECT_EQ(service.check.rise, 2U);
    EXPECT_EQ(service.check.fall, 3U);
    EXPECT_EQ(service.reals.at(0).forward, ForwardingMode::direct);
    EXPECT_EQ(service.reals.at(0).endpoint.port.host(), 53);  // the service's, for want of its own
    EXPECT_EQ(service.reals.at(0).weight, 2'147'483'647U);
    EXPECT_EQ(service.fallback.value().name, "last");
    EXPECT_EQ(service.fallback.value().endpoint.port.host(), 53);
}

TEST(Loader, ReadsListenersOfEveryShape) {
    const LoadOutcome outcome = load_config_text(std::string{head} + R"(services = (
    { name = "range"; vip = "10.0.0.80"; port = "8000-8099"; check = { type = "none"; };
      reals = ( { name = "r"; address = "10.0.0.2"; } ); },
    { name = "all"; vip = "10.0.0.81"; port = "any"; check = { port = 80; };
      reals = ( { name = "r"; address = "10.0.0.2"; port = 8080; } ); },
    { name = "block"; vip = "10.0.0.96/28"; port = 80;
      reals = ( { name = "r"; address = "10.0.0.2"; } ); },
    { name = "group"; vip = "10.0.0.82"; port = 80; check = { port = 80; };
      listen = ( { port = 443; }, { port = 443; protocol = "udp"; },
                 { vip = "10.0.0.83"; port = "1000-1999"; } );
      reals = ( { name = "r"; address = "10.0.0.2"; } ); } );
)",
                                                 "d.cfg");
    EXPECT_EQ(outcome.problems, Sentences{});
    ASSERT_EQ(outcome.config.services.size(), 4U);
    const auto listeners = [&](std::size_t service) {
        Sentences texts;
        for (const Listener& listener : listeners_of(outcome.config.services[service])) {
            texts.push_back(to_string(listener));
        }
        return texts;
    };
    const auto real_port = [&](std::size_t service) {
        return outcome.config.services[service].reals[0].endpoint.port.host();
    };
    EXPECT_EQ(listeners(0), Sentences{"10.0.0.80:8000-8099/tcp"});
    EXPECT_EQ(listeners(1), Sentences{"10.0.0.81:any/tcp"});
    EXPECT_EQ(listeners(2), Sentences{"10.0.0.96/28:80/tcp"});
    EXPECT_EQ(listeners(3), (Sentences{"10.0.0.82:80/tcp", "10.0.0.82:443/tcp", "10.0.0.82:443/udp",
                                       "10.0.0.83:1000-1999/tcp"}));
    EXPECT_EQ(real_port(0), 0);  // the client's
    EXPECT_EQ(real_port(1), 8'080);
    EXPECT_EQ(real_port(2), 80);
    EXPECT_EQ(real_port(3), 0);
    EXPECT_EQ(listen_points(outcome.config.services[2]).size(), 16U);
}

TEST(Loader, RefusesWhatIsNoListener) {
    EXPECT_EQ(
        problems_of("services = (\n"
                    "  { name = \"a\"; vip = \"10.0.0.97/28\"; port = 80; },\n"
                    "  { name = \"b\"; vip = \"10.0.0.0/23\"; port = 80; },\n"
                    "  { name = \"c\"; vip = \"10.0.0.1\"; port = \"90-80\"; },\n"
                    "  { name = \"d\"; vip = \"10.0.0.1\"; },\n"
                    "  { name = \"e\";\n"
                    "    listen = ( { port = 80; } ); } );\n"),
        (Sentences{
            "d.cfg:4: service \"a\": vip: \"10.0.0.97/28\" is not a host's IPv4 or IPv6 address, "
            "or a block of at most 256 as in \"192.0.2.0/28\"",
            "d.cfg:5: service \"b\": vip: \"10.0.0.0/23\" is not a host's IPv4 or IPv6 address, "
            "or a block of at most 256 as in \"192.0.2.0/28\"",
            "d.cfg:6: service \"c\": port: \"90-80\" is not an integer from 1 to 65535, "
            "a range as in \"8000-8099\", or \"any\"",
            "d.cfg:7: service \"d\": the key port is missing: it holds an integer from "
            "1 to 65535, a range as in \"8000-8099\", or \"any\"",
            "d.cfg:9: service \"e\": listen: neither the element nor the service says "
            "a vip"}));
}

TEST(Loader, RefusesAOnePacketServiceWhoseAnswersCouldNotBeTold) {
    EXPECT_EQ(
        problems_of("services = (\n"
                    "  { name = \"dns\"; vip = \"10.0.0.9\"; port = 53; protocol = \"udp\";\n"
                    "    one_packet = true; reals = (\n"
                    "      { name = \"ns\"; address = \"10.0.0.2\"; } ); },\n"
                    "  { name = \"too\"; vip = \"10.0.0.8\"; port = 53; protocol = \"udp\";\n"
                    "    reals = ( { name = \"ns\"; address = \"10.0.0.2\"; } ); },\n"
                    "  { name = \"two\"; vip = \"10.0.0.10/31\"; port = 53; protocol = \"udp\";\n"
                    "    one_packet = true; reals = (\n"
                    "      { name = \"ns\"; address = \"10.0.0.3\"; } ); },\n"
                    "  { name = \"tcp\"; vip = \"10.0.0.9\"; port = 53; one_packet = 1; },\n"
                    "  { name = \"web\"; vip = \"10.0.0.9\"; port = 80; one_packet = true; } );\n"),
        (Sentences{"d.cfg:6: service \"dns\": one_packet: real \"ns\" answers by NAT, so it "
                   "answers for no other service, as for \"too\" at d.cfg:7",
                   "d.cfg:11: service \"two\": one_packet: real \"ns\" answers by NAT, so the "
                   "service has one VIP and one port, or the real keeps the port of a range",
                   "d.cfg:12: service \"tcp\": one_packet: 1 is not true or false",
                   "d.cfg:13: service \"web\": one_packet: is for services that speak UDP "
                   "alone"}));
}

TEST(Loader, NamesBothPlacesOfListenersThatClash) {
    EXPECT_EQ(
        problems_of("services = (\n"
                    "  { name = \"a\"; vip = \"10.0.0.64/28\"; port = \"8000-8099\"; },\n"
                    "  { name = \"b\"; vip = \"10.0.0.9\"; port = 80;\n"
                    "    listen = ( { vip = \"10.0.0.66\"; port = \"8090-8199\"; },\n"
                    "               { port = 80; } ); check = { type = \"none\"; }; } );\n"),
        (Sentences{"d.cfg:6: service \"b\": 10.0.0.66:8090-8199 by tcp meets 8000-8099, which "
                   "is already the service \"a\" at d.cfg:4",
                   "d.cfg:7: service \"b\": 10.0.0.9:80 by tcp is already the service \"b\" "
                   "at d.cfg:5"}));
}

// A service with `keys`, and a real with `real_keys`.
std::string file_with(const std::string& keys, const std::string& real_keys = "") {
    return "director = { workers = [ 1 ]; affinity_clients = 77; };\n"
           "ports = ( { name = \"a\"; device = \"vdev:net_null0\"; } );\n"
           "services = ( { name = \"s\"; vip = \"10.0.0.1\"; port = 80;\n" +
           keys + "\nreals = ( { name = \"r\"; address = \"10.0.0.2\"; " + real_keys +
           " } ); } );\n";
}

VirtualService service_with(const std::string& keys, const std::string& real_keys = "") {
    const LoadOutcome outcome = load_config_text(file_with(keys, real_keys), "d.cfg");
    EXPECT_EQ(outcome.problems, Sentences{});
    EXPECT_EQ(outcome.warnings, Sentences{});
    EXPECT_EQ(outcome.config.director.affinity_clients, 77U);
    return outcome.config.services.empty() ? VirtualService{} : outcome.config.services[0];
}

TEST(Loader, KnowsEverySchedulerByItsName) {
    const std::vector<std::string> names{"maglev", "rr", "wrr",  "lc",    "wlc", "sed", "nq",  "dh",
                                         "sh",     "mh", "lblc", "lblcr", "fo",  "ovf", "twos"};
    for (const std::string& name : names) {
        const VirtualService service = service_with("scheduler = \"" + name + "\";");
        EXPECT_EQ(to_string(service.scheduler), name);
    }
    const VirtualService service =
        service_with("scheduler = \"sh\"; scheduler_flags = [ \"port\", \"fallback\" ];");
    EXPECT_TRUE(service.scheduler_flags.fallback);
    EXPECT_TRUE(service.scheduler_flags.port);
    EXPECT_EQ(service_with("scheduler = \"mh\"; scheduler_flags = [ \"port\" ];").scheduler_flags,
              (SchedulerFlags{.fallback = false, .port = true}));
}

TEST(Loader, ReadsAffinityWithPrefixesOrNetmasks) {
    EXPECT_FALSE(service_with("").affinity.has_value());
    EXPECT_EQ(service_with("affinity = {};").affinity, (Affinity{300, 32, 64, OnDrain::keep}));
    EXPECT_EQ(service_with("affinity = { timeout = \"10m\"; prefix = 24; prefix6 = 56; "
                           "on_drain = \"move\"; };")
                  .affinity,
              (Affinity{600, 24, 56, OnDrain::move}));
    EXPECT_EQ(service_with("affinity = { prefix = \"255.255.240.0\"; };").affinity->prefix, 20);
}

TEST(Loader, ReadsWhomAServiceLetsInAndHowOften) {
    EXPECT_EQ(service_with("").access.rules, nullptr);
    EXPECT_FALSE(service_with("").limits.has_any());
    const VirtualService service = service_with(
        "allow = [ \"198.51.100.0/24\", \"2001:db8::/32\" ]; deny = [ \"198.51.100.7\" ];\n"
        "limits = { client_sessions_per_s = 10; client_packets_per_s = 20; sessions_per_s = 30;\n"
        "           packets_per_s = 40; prefix = 24; prefix6 = 56; };");
    ASSERT_NE(service.access.rules, nullptr);
    EXPECT_EQ(service.access.rules->allow,
              (std::vector<IpPrefix>{{Ipv4Address::of(198, 51, 100, 0), 24},
                                     {*parse_ip_address("2001:db8::"), 32}}));
    EXPECT_EQ(service.access.rules->deny,
              (std::vector<IpPrefix>{IpPrefix::only(Ipv4Address::of(198, 51, 100, 7))}));
    EXPECT_EQ(service.limits, (RateLimits{10, 20, 30, 40, 24, 56}));
}

TEST(Loader, RefusesPrefixesOfClientsWithHostBitsOrADisguise) {
    const std::string place = "d.cfg:4: service \"s\": deny: ";
    const std::string expected =
        " is not an address or a network without host bits, as in \"198.51.100.0/24\"";
    for (const char* wrong : {"\"198.51.100.7/24\"", "\"2001:db8::1/32\"", "\"198.51.100.0/33\"",
                              "\"::ffff:198.51.100.7\"", "\"web\""}) {
        const std::string keys = std::string{"deny = [ "} + wrong + " ];";
        EXPECT_EQ(load_config_text(file_with(keys), "d.cfg").problems,
                  Sentences{place + wrong + expected});
    }
}

TEST(Loader, RefusesMasksThatAreNone) {
    const auto problem_of = [](const std::string& prefix) {
        const LoadOutcome outcome =
            load_config_text(file_with("affinity = { prefix = " + prefix + "; };"), "d.cfg");
        return outcome.problems.empty() ? "" : outcome.problems.front();
    };
    const std::string place = "d.cfg:4: service \"s\": affinity: prefix: ";
    const std::string expected =
        " is not a number of bits from 1 to 32, or a netmask as in \"255.255.255.0\"";
    for (const char* wrong : {"\"255.0.255.0\"", "0", "33", "\"0.0.0.0\"", "\"24\""}) {
        EXPECT_EQ(problem_of(wrong), place + wrong + expected);
    }
}

TEST(Loader, ReadsTheConnectionsOfAReal) {
    EXPECT_EQ(service_with("").reals.at(0).connections, ConnectionLimits{});
    EXPECT_EQ(service_with("", "connections = { upper = 10; };").reals.at(0).connections,
              (ConnectionLimits{10, 0}));
    EXPECT_EQ(service_with("", "connections = { upper = 10; lower = 5; };").reals.at(0).connections,
              (ConnectionLimits{10, 5}));
    const LoadOutcome lower_alone =
        load_config_text(file_with("", "connections = { lower = 5; };"), "d.cfg");
    ASSERT_FALSE(lower_alone.problems.empty());
    EXPECT_NE(lower_alone.problems[0].find("upper"), std::string::npos) << lower_alone.problems[0];
}

TEST(Loader, ReadsTunnelsOfRealsAndTheirOptions) {
    const LoadOutcome outcome = load_config_text(R"(
director = { workers = [ 0 ]; };
ports = ( { name = "wan"; device = "af_packet:eth0"; } );
services = ( { name = "web"; vip = "10.0.0.1"; port = 80; mss_max = 1300; reals = (
    { name = "a"; address = "10.0.0.2"; forward = "ipip"; },
    { name = "b"; address = "10.0.0.3"; forward = "gue"; },
    { name = "c"; address = "10.0.0.4"; forward = "gue"; tunnel_port = 9000;
      tunnel_checksum = true; },
    { name = "d"; address = "10.0.0.5"; forward = "gre"; tunnel_checksum = true; } );
    fallback = { address = "10.0.0.6"; forward = "gue"; tunnel_port = 9001; }; } );
)",
                                                 "d.cfg");
    EXPECT_EQ(outcome.problems, Sentences{});
    const VirtualService& service = outcome.config.services.at(0);
    EXPECT_EQ(service.mss_max, 1'300);
    EXPECT_EQ(service.reals.at(0).forward, ForwardingMode::ipip);
    EXPECT_EQ(service.reals.at(1).forward, ForwardingMode::gue);
    EXPECT_EQ(service.reals.at(1).tunnel, (TunnelOptions{be16{6'080}, false}));
    EXPECT_EQ(service.reals.at(2).tunnel, (TunnelOptions{be16{9'000}, true}));
    EXPECT_EQ(service.reals.at(3).forward, ForwardingMode::gre);
    EXPECT_TRUE(service.reals.at(3).tunnel.has_checksum);
    EXPECT_EQ(service.fallback.value().tunnel.port, be16{9'001});
}

TEST(Loader, ReadsHowRealsAreToldOfTheirClients) {
    const LoadOutcome outcome = load_config_text(R"(
director = { workers = [ 0 ]; };
ports = ( { name = "wan"; device = "af_packet:eth0"; local_addresses = [ "10.0.0.9" ]; } );
services = ( { name = "web"; vip = "10.0.0.1"; port = 80; reals = (
    { name = "a"; address = "10.0.0.2"; forward = "fullnat"; },
    { name = "b"; address = "10.0.0.3"; forward = "fullnat"; client_address = "proxy"; } );
    fallback = { address = "10.0.0.4"; forward = "fullnat"; client_address = "toa"; }; } );
)",
                                                 "d.cfg");
    EXPECT_EQ(outcome.problems, Sentences{});
    const VirtualService& service = outcome.config.services.at(0);
    EXPECT_EQ(service.reals.at(0).client_address, ClientAddressBy::none);
    EXPECT_EQ(service.reals.at(1).client_address, ClientAddressBy::proxy);
    EXPECT_EQ(service.fallback.value().client_address, ClientAddressBy::toa);
}

TEST(Loader, TakesTheDefaultCheckFromTheProtocolWhateverTheOrder) {
    const LoadOutcome outcome = load_config_text(
        std::string{head} +
            "services = ( { check = { interval = \"9s\"; }; protocol = \"udp\"; name = \"a\";"
            " vip = \"10.0.0.1\"; port = 53; },"
            " { check = { port = 54; type = \"connect\"; }; protocol = \"udp\"; name = \"b\";"
            " vip = \"10.0.0.1\"; port = 54; }, { name = \"c\"; vip = \"10.0.0.1\"; port = 80; } "
            ");",
        "d.cfg");
    EXPECT_EQ(outcome.problems, Sentences{});
    ASSERT_EQ(outcome.config.services.size(), 3U);
    EXPECT_EQ(outcome.config.services[0].check.type, CheckType::none);
    EXPECT_EQ(outcome.config.services[0].check.interval, std::chrono::seconds{9});
    EXPECT_EQ(outcome.config.services[1].check.type, CheckType::connect);
    EXPECT_EQ(outcome.config.services[2].check.type, CheckType::connect);
}

TEST(Loader, ReportsEveryProblemWithItsPlaceInTheFilesOrder) {
    EXPECT_EQ(
        problems_of(
            "services = (\n"
            "  { name = \"web\"; vip = \"10.0.0.300\"; port = 80;\n"
            "    schedulr = \"maglev\";\n"
            "    reals = (\n"
            "      { name = \"web1\"; address = \"10.0.0.11\"; port = 80800; weight = -1; },\n"
            "      { address = \"10.0.0.12\"; wieght = 3; },\n"
            "      { name = \"web3\"; address = \"10.0.0.12\"; },\n"
            "      5\n"
            "    );\n"
            "    check = { interval = \"5\"; timeout = 3; };\n"
            "  },\n"
            "  { name = \"web\"; vip = \"10.0.0.1\"; port = 80; }\n"
            ");\n"
            "peer = { group = 51; };\n"
            "control = 7;\n"),
        (Sentences{
            "d.cfg:4: service \"web\": vip: \"10.0.0.300\" is not a host's IPv4 or IPv6 address, "
            "or a block of at most 256 as in \"192.0.2.0/28\"",
            "d.cfg:5: service \"web\": unknown key \"schedulr\": did you mean \"scheduler\"?",
            "d.cfg:7: service \"web\": real \"web1\": port: 80800 is not an integer from 1 to "
            "65535",
            "d.cfg:7: service \"web\": real \"web1\": weight: -1 is not an integer from 0 to "
            "2147483647",
            "d.cfg:8: service \"web\": real 2: the key name is missing: it holds a name of 1 to 63 "
            "letters, digits, \".\", \"_\", \"-\", of which the first is a letter or digit",
            "d.cfg:8: service \"web\": real 2: unknown key \"wieght\": did you mean \"weight\"?",
            "d.cfg:9: service \"web\": real \"web3\": 10.0.0.12:80 is already a real at d.cfg:8",
            "d.cfg:10: service \"web\": reals: element 4: 5 is not a group { ... }",
            "d.cfg:12: service \"web\": check: interval: \"5\" is not a duration from \"100ms\" to "
            "\"1h\"",
            "d.cfg:12: service \"web\": check: timeout: 3 is not a duration from \"10ms\" to "
            "\"1h\": "
            "write it in quotes with a unit, as in \"5s\"",
            "d.cfg:14: service \"web\": the name is already that of a service at d.cfg:4",
            "d.cfg:16: unknown key \"peer\": known here are director, ports, vips, timeouts, "
            "marks, services, "
            "control, reload, "
            "metrics, log, mail, hook, groups, pair",
            "d.cfg:17: control: 7 is not a group { ... }",
        }));
}

TEST(Loader, NamesTheKnownKeysWhenNoneIsNear) {
    EXPECT_EQ(
        problems_of("control = { affinity = 5; };"),
        (Sentences{
            "d.cfg:3: control: unknown key \"affinity\": known here are socket, group, readers"}));
}

TEST(Loader, MissesWhatEveryFileNeeds) {
    EXPECT_EQ(load_config_text("", "d.cfg").problems,
              (Sentences{
                  "d.cfg: the key director is missing: it holds a group { ... }",
                  "d.cfg: the key ports is missing: it holds a list ( { ... }, ... ) of 1 to 16"}));
    EXPECT_EQ(
        load_config_text("director = { };\nports = ( );", "d.cfg").problems,
        (Sentences{"d.cfg:1: director: the key workers is missing: it holds an array [ ... ] of 1 "
                   "to 16: an integer from 0 to 1023",
                   "d.cfg:2: ports: has 0 elements, expected 1 to 16"}));
}

TEST(Loader, CountsTheElementsOfArrays) {
    const std::string_view ports = "ports = ( { name = \"a\"; device = \"vdev:net_null0\"; } );";
    std::string cpus = "0";
    for (int cpu = 1; cpu < 16; ++cpu) {
        cpus.append(",").append(std::to_string(cpu));
    }
    const auto problems = [&](const std::string& workers) {
        return load_config_text(
                   std::string{"director = { workers = ["}.append(workers).append("]; };").append(
                       ports),
                   "d.cfg")
            .problems;
    };
    EXPECT_EQ(problems(cpus), Sentences{});
    EXPECT_EQ(problems(cpus + ",16"),
              (Sentences{"d.cfg:1: director: workers: has 17 elements, expected 1 to 16"}));
}

TEST(Loader, RefusesListsAndArraysOfTheWrongShape) {
    EXPECT_EQ(problems_of("services = { };\nmetrics = \"127.0.0.1:9464\";"),
              (Sentences{"d.cfg:3: services: a group is not a list ( { ... }, ... ) of 0 to 16384",
                         "d.cfg:4: metrics: \"127.0.0.1:9464\" is not a group { ... }"}));
    EXPECT_EQ(
        load_config_text("director = { workers = 1; };\nports = ( { name = \"a\"; device = "
                         "\"vdev:net_null0\"; addresses = \"10.0.0.1/24\"; } );",
                         "d.cfg")
            .problems,
        (Sentences{"d.cfg:1: director: workers: 1 is not an array [ ... ] of 1 to 16: an integer "
                   "from 0 to 1023",
                   "d.cfg:2: port \"a\": addresses: \"10.0.0.1/24\" is not an array [ ... ] of 0 "
                   "to 64: a host's address with the length of its network, as in "
                   "\"192.0.2.1/24\" or \"2001:db8::1/64\""}));
}

// libconfig makes -2147483648 of 2147483648, and 705032704 of 5000000000.
TEST(Loader, RefusesIntegersThatLibconfigWrapsAndStillFindsTheRest) {
    EXPECT_EQ(
        problems_of("services = (\n"
                    "  { name = \"web\"; vip = \"10.0.0.1\"; port = 80;\n"
                    "    reals = ( { name = \"a\"; address = \"10.0.0.2\";\n"
                    "                weight = 5000000000; },\n"
                    "              { name = \"b\"; address = \"10.0.0.3\";\n"
                    "                weight = 2147483648; },\n"
                    "              { name = \"c\"; address = \"10.0.0.3\"; } ); } );\n"),
        (Sentences{"d.cfg:6: the integer \"5000000000\" does not fit into 32 bits",
                   "d.cfg:8: the integer \"2147483648\" does not fit into 32 bits",
                   "d.cfg:9: service \"web\": real \"c\": 10.0.0.3:80 is already the real \"b\" at "
                   "d.cfg:7"}));
    EXPECT_EQ(
        problems_of("services = ( { name = \"web\"; vip = \"10.0.0.1\"; port = 80;\n"
                    " ring_size = 5000000000L; } );"),
        (Sentences{"d.cfg:4: service \"web\": ring_size: 5000000000 is not an integer from 251 to "
                   "655373"}));
}

TEST(Loader, SaysWhatASyntaxErrorIs) {
    EXPECT_EQ(
        problems_of("services = (\n  { name = \"a\"; }\n  { name = \"b\"; }\n);"),
        (Sentences{"d.cfg:4: a comma is missing between the elements, after \"}\" (column 17)"}));
}

TEST(Loader, SaysWhyAFileCannotBeRead) {
    EXPECT_EQ(
        load_config("/nonexistent/d.cfg").problems,
        (Sentences{"/nonexistent/d.cfg: the file cannot be opened: No such file or directory"}));
    EXPECT_EQ(load_config("/tmp").problems, (Sentences{"/tmp: the file is not a regular file"}));
}

TEST(Loader, IncludesNothingFromMemory) {
    EXPECT_EQ(
        problems_of("@include \"/etc/passwd\""),
        (Sentences{"d.cfg:3: the included file \"/etc/passwd\" cannot be included from here"}));
}

TEST(Loader, UnquotesWhatStandsInSentences) {
    EXPECT_EQ(problems_of("control = { group = \"\\x1b[31m\"; };"),
              (Sentences{"d.cfg:3: control: group: \"\\x1b[31m\" is not a name of 1 to 63 letters, "
                         "digits, \".\", \"_\", \"-\", of which the first is a letter or digit"}));
}

TEST(Loader, CountsProblemsThatNobodyWouldRead) {
    std::string text = "services = (\n";
    for (int i = 0; i < 1'000; ++i) {
        text += std::string{i == 0 ? "" : ",\n"} + "5";
    }
    const Sentences problems = problems_of(text + ");");
    ASSERT_EQ(problems.size(), limits::findings_max + 1);
    EXPECT_EQ(problems.back(), "d.cfg: and 800 more");
}

TEST(Loader, WarnsWithoutRefusing) {
    const LoadOutcome outcome = load_config_text(
        std::string{head} + "services = ( { name = \"web\"; vip = \"10.0.0.1\"; port = 80; } );",
        "d.cfg");
    EXPECT_TRUE(outcome.is_valid());
    EXPECT_EQ(outcome.warnings, (Sentences{"d.cfg:3: service \"web\": it has no reals"}));
}

}  // namespace
}  // namespace fulcrum
