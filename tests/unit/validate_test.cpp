// Each rule across fields: what breaks it, and what only nearly does.
#include "config/validate.h"

#include <gtest/gtest.h>

#include <string>

namespace fulcrum {
namespace {

using Sentences = std::vector<std::string>;

NicPort port_named(const std::string& name, const std::string& device) {
    return {.name = name, .kind = DeviceKind::af_packet, .device = device};
}

RealServer real_named(const std::string& name, Ipv4Address address, std::uint16_t port = 8'080) {
    return {.name = name, .endpoint = {address, be16{port}}};
}

std::string name_of(const char* stem, unsigned number) {
    return std::string{stem}.append(std::to_string(number));
}

// One port on 10.0.0.0/24, one service on port 80 with two reals on port 8080.
Config sound_config() {
    Config config;
    config.source_file = "d.cfg";
    config.director.workers = {0, 1};
    config.ports = {port_named("lan", "eth1")};
    config.ports[0].addresses = {{Ipv4Address::of(10, 0, 0, 2), 24}};
    config.ports[0].local_addresses = {Ipv4Address::of(10, 0, 0, 100)};
    config.services = {{.name = "web",
                        .vip = Ipv4Address::of(10, 0, 0, 80),
                        .port = be16{80},
                        .reals = {real_named("web1", Ipv4Address::of(10, 0, 0, 11)),
                                  real_named("web2", Ipv4Address::of(10, 0, 0, 12))}}};
    return config;
}

VirtualService service_like(const Config& config, const std::string& name, std::uint16_t port) {
    VirtualService service = config.services[0];
    service.name = name;
    service.port = be16{port};
    return service;
}

Sentences sentences_of(const FindingList& list) {
    Sentences sentences;
    for (const Finding& finding : list.kept()) {
        sentences.push_back(finding.sentence);
    }
    return sentences;
}

Sentences problems_of(const Config& config) {
    Findings findings;
    validate(config, findings);
    return sentences_of(findings.problems);
}

Sentences warnings_of(const Config& config) {
    Findings findings;
    validate(config, findings);
    EXPECT_EQ(sentences_of(findings.problems), Sentences{});
    return sentences_of(findings.warnings);
}

TEST(Validate, HasNothingToSayAboutASoundConfig) {
    EXPECT_EQ(problems_of(sound_config()), Sentences{});
    EXPECT_EQ(warnings_of(sound_config()), Sentences{});
}

TEST(Validate, RefusesToBindToAPortThatIsNotThere) {
    Config config = sound_config();
    config.services[0].bind = {"lan", "lan.20"};
    EXPECT_EQ(problems_of(config),
              (Sentences{"service \"web\": bind: there is no port \"lan.20\""}));
}

TEST(Validate, RefusesTwoWorkersOnOneCpu) {
    Config config = sound_config();
    config.director.workers = {2, 3, 2};
    EXPECT_EQ(problems_of(config),
              (Sentences{"director: workers: CPU 2 stands there twice, and two "
                         "workers would halve each other"}));
}

TEST(Validate, RefusesPortNamesThatNoInterfaceCanHave) {
    Config config = sound_config();
    config.ports = {port_named("fifteen_letters", "eth1"), port_named("sixteen_letters_", "eth2"),
                    port_named("lo", "eth3"), port_named("all", "eth4")};
    EXPECT_EQ(
        problems_of(config),
        (Sentences{"port \"sixteen_letters_\": the name is also that of the kernel's twin "
                   "interface, which has at most 15 characters",
                   "port \"lo\": the kernel means something else by this name: choose another",
                   "port \"all\": the kernel means something else by this name: choose "
                   "another"}));
}

TEST(Validate, RefusesAPortNamedLikeADevice) {
    Config config = sound_config();
    config.ports = {port_named("eth2", "eth1"), port_named("lan", "eth2"), port_named("x", "x")};
    config.ports[1].place = {"d.cfg", 4};
    EXPECT_EQ(
        problems_of(config),
        (Sentences{"port \"eth2\": the twin interface cannot have the name of a device at d.cfg:4: "
                   "choose another",
                   "port \"x\": the twin interface cannot have the name of a device: choose "
                   "another"}));
}

TEST(Validate, RefusesAPortNameOrADeviceTwice) {
    Config config = sound_config();
    config.ports = {port_named("wan", "eth1"), port_named("wan", "eth2"),
                    port_named("lan", "eth1")};
    config.ports[2].kind = DeviceKind::af_xdp;  // the same kernel interface
    EXPECT_EQ(problems_of(config),
              (Sentences{"port \"wan\": the name is already that of a port",
                         "port \"lan\": the device \"eth1\" is already that of the port \"wan\""}));
}

TEST(Validate, RefusesPortAddressesThatNoHostCanHave) {
    Config config = sound_config();
    config.ports[0].addresses = {
        {Ipv4Address::of(192, 0, 2, 0), 24},
        {Ipv4Address::of(192, 0, 2, 255), 24},
        {Ipv4Address::of(198, 51, 100, 0), 31},  // RFC 3021: both are hosts
        {Ipv4Address::of(198, 51, 100, 8), 32},
        {Ipv4Address::of(203, 0, 113, 3), 30}};
    EXPECT_EQ(
        problems_of(config),
        (Sentences{"port \"lan\": addresses: 192.0.2.0/24 is no host's, but names the network "
                   "192.0.2.0/24",
                   "port \"lan\": addresses: 192.0.2.255/24 is the broadcast address of "
                   "192.0.2.0/24",
                   "port \"lan\": addresses: 203.0.113.3/30 is the broadcast address of "
                   "203.0.113.0/30"}));
}

TEST(Validate, RefusesAnAddressHeldTwice) {
    Config config = sound_config();
    config.ports.push_back(port_named("wan", "eth2"));
    config.ports[1].addresses = {{Ipv4Address::of(10, 0, 0, 2), 16}};
    EXPECT_EQ(
        problems_of(config),
        (Sentences{"port \"wan\": addresses: 10.0.0.2/16 is already held by the port \"lan\""}));
}

TEST(Validate, RefusesAServiceNameTwice) {
    Config config = sound_config();
    config.services.push_back(service_like(config, "web", 81));
    config.services[0].place = {"d.cfg", 7};
    EXPECT_EQ(problems_of(config),
              (Sentences{"service \"web\": the name is already that of a service at d.cfg:7"}));
}

TEST(Validate, RefusesAVipPortAndProtocolTwice) {
    Config config = sound_config();
    config.services.push_back(service_like(config, "other", 80));
    config.services.push_back(service_like(config, "next", 81));
    config.services.push_back(service_like(config, "by_udp", 80));
    config.services[3].protocol = L4Protocol::udp;
    config.services[3].check.type = CheckType::none;
    EXPECT_EQ(problems_of(config),
              (Sentences{"service \"other\": 10.0.0.80:80 by tcp is already the service \"web\""}));
}

TEST(Validate, AcceptsAVipThatIsAnAddressOfAPort) {
    Config config = sound_config();
    config.services[0].vip = Ipv4Address::of(10, 0, 0, 2);
    EXPECT_EQ(problems_of(config), Sentences{});
}

TEST(Validate, RefusesAVipThatIsABroadcastAddress) {
    Config config = sound_config();
    config.services[0].vip = Ipv4Address::of(10, 0, 0, 255);
    EXPECT_EQ(problems_of(config),
              (Sentences{"service \"web\": vip: 10.0.0.255 is the broadcast address "
                         "of 10.0.0.0/24"}));
}

TEST(Validate, WantsAPrimeRing) {
    Config config = sound_config();
    for (const std::uint32_t prime : {251U, 4'093U, 65'521U, 65'537U, 131'071U, 655'373U}) {
        config.services[0].ring_size = prime;
        EXPECT_EQ(problems_of(config), Sentences{}) << prime;
    }
    config.services[0].ring_size = 65'536;
    EXPECT_EQ(problems_of(config),
              (Sentences{"service \"web\": ring_size: 65536 is not a prime: the next "
                         "one is 65537"}));
    config.services[0].ring_size = 341;  // a pseudoprime to base 2: 11 times 31
    EXPECT_EQ(problems_of(config).size(), 1U);
}

TEST(Validate, WantsASlotForEachRealAndWarnsBelowAHundred) {
    Config config = sound_config();
    VirtualService& service = config.services[0];
    service.ring_size = 251;
    service.reals.clear();
    for (std::uint8_t i = 1; i <= 2; ++i) {
        service.reals.push_back(real_named(name_of("r", i), Ipv4Address::of(10, 1, 0, i)));
    }
    EXPECT_EQ(warnings_of(config), Sentences{});
    service.reals.push_back(real_named("r3", Ipv4Address::of(10, 1, 0, 3)));
    EXPECT_EQ(warnings_of(config),
              (Sentences{"service \"web\": ring_size: 251 slots for 3 reals share "
                         "unevenly: 100 a real is a good least"}));
    service.reals[2].weight = 0;  // takes no slots
    EXPECT_EQ(warnings_of(config), Sentences{});
    for (unsigned i = 0; i < 250; ++i) {
        service.reals.push_back(
            real_named(name_of("s", i), Ipv4Address::from_host(0x0A02'0001U + i)));
    }
    EXPECT_EQ(problems_of(config),
              (Sentences{"service \"web\": ring_size: 251 slots are fewer than 252 "
                         "reals with weight"}));
}

TEST(Validate, WarnsOfAServiceThatServesNobody) {
    Config config = sound_config();
    config.services[0].reals[0].weight = 0;
    EXPECT_EQ(warnings_of(config), Sentences{});
    config.services[0].reals[1].weight = 0;
    EXPECT_EQ(warnings_of(config),
              (Sentences{"service \"web\": all its reals have weight 0: they get no "
                         "new sessions"}));
    config.services[0].reals.clear();
    EXPECT_EQ(warnings_of(config), (Sentences{"service \"web\": it has no reals"}));
}

TEST(Validate, WarnsOfFlagsThatTheSchedulerDoesNotKnow) {
    Config config = sound_config();
    config.services[0].scheduler = Scheduler::wlc;
    config.services[0].scheduler_flags = {.fallback = true};
    EXPECT_EQ(warnings_of(config),
              (Sentences{"service \"web\": scheduler_flags: they have an effect with \"sh\" and "
                         "\"mh\" alone, not with \"wlc\""}));
    config.services[0].scheduler = Scheduler::sh;
    EXPECT_EQ(warnings_of(config), Sentences{});
}

TEST(Validate, RefusesALowerLimitAboveTheUpper) {
    Config config = sound_config();
    config.services[0].reals[1].connections = {.upper = 10, .lower = 11};
    EXPECT_EQ(problems_of(config), (Sentences{"service \"web\": real \"web2\": connections: lower: "
                                              "11 is greater than upper, 10"}));
    config.services[0].reals[1].connections.lower = 10;
    EXPECT_EQ(problems_of(config), Sentences{});
}

TEST(Validate, RefusesARealNameOrEndpointTwice) {
    Config config = sound_config();
    VirtualService& service = config.services[0];
    service.reals[0].place = {"d.cfg", 9};
    service.reals.push_back(real_named("web1", Ipv4Address::of(10, 0, 0, 13)));
    service.reals.push_back(real_named("web4", Ipv4Address::of(10, 0, 0, 11)));
    service.reals.push_back(real_named("web5", Ipv4Address::of(10, 0, 0, 11), 8'081));
    EXPECT_EQ(
        problems_of(config),
        (Sentences{"service \"web\": real \"web1\": the name \"web1\" is already that of a real at "
                   "d.cfg:9",
                   "service \"web\": real \"web4\": 10.0.0.11:8080 is already the real \"web1\" at "
                   "d.cfg:9"}));
}

TEST(Validate, AcceptsOneRealInManyServices) {
    Config config = sound_config();
    config.services.push_back(service_like(config, "other", 81));
    EXPECT_EQ(problems_of(config), Sentences{});
}

TEST(Validate, WantsTheServicesPortUnderDirectRouting) {
    Config config = sound_config();
    config.services[0].reals[1].forward = ForwardingMode::direct;
    EXPECT_EQ(problems_of(config),
              (Sentences{
                  "service \"web\": real \"web2\": port: 8080 is not the service's 80, and forward "
                  "= \"direct\" rewrites no port"}));
    config.services[0].reals[1].endpoint.port = be16{80};
    EXPECT_EQ(problems_of(config), Sentences{});
}

TEST(Validate, WantsTheServicesPortInATunnel) {
    Config config = sound_config();
    config.services[0].reals[1].forward = ForwardingMode::gre;
    EXPECT_EQ(problems_of(config),
              (Sentences{
                  "service \"web\": real \"web2\": port: 8080 is not the service's 80, and forward "
                  "= \"gre\" rewrites no port"}));
}

TEST(Validate, WarnsOfASegmentSizeForDatagrams) {
    Config config = sound_config();
    config.services[0].mss_max = 1'300;
    EXPECT_EQ(warnings_of(config), Sentences{});
    config.services[0].protocol = L4Protocol::udp;
    config.services[0].check.type = CheckType::none;
    EXPECT_EQ(warnings_of(config),
              (Sentences{"service \"web\": mss_max has no effect with protocol = \"udp\""}));
}

TEST(Validate, WantsRealsForWhomSynsCanBeAnswered) {
    Config config = sound_config();
    config.services[0].syn_cookies = SynCookies::always;
    EXPECT_EQ(problems_of(config), Sentences{});
    config.services[0].reals[1].forward = ForwardingMode::direct;
    config.services[0].reals[1].endpoint.port = be16{80};
    EXPECT_EQ(problems_of(config),
              (Sentences{"service \"web\": real \"web2\": forward: \"direct\": it answers its "
                         "clients itself, and syn_cookies = \"always\" asks the director to"}));
    config.services[0].syn_cookies = SynCookies::automatic;
    EXPECT_EQ(problems_of(config), Sentences{});
}

TEST(Validate, WarnsOfSynCookiesForDatagrams) {
    Config config = sound_config();
    config.services[0].syn_cookies = SynCookies::always;
    config.services[0].protocol = L4Protocol::udp;
    config.services[0].check.type = CheckType::none;
    EXPECT_EQ(warnings_of(config),
              (Sentences{"service \"web\": syn_cookies has no effect with protocol = \"udp\""}));
}

TEST(Validate, WarnsOfTunnelKeysThatDoNothing) {
    Config config = sound_config();
    config.services[0].reals[0].tunnel.port = be16{9'000};
    config.services[0].reals[1].tunnel.has_checksum = true;
    EXPECT_EQ(warnings_of(config),
              (Sentences{"service \"web\": real \"web1\": tunnel_port has no effect with forward = "
                         "\"nat\"",
                         "service \"web\": real \"web2\": tunnel_checksum has no effect with "
                         "forward = \"nat\""}));
}

TEST(Validate, RefusesARealThatIsAVipOrTheDirectorWhereItCannotServe) {
    Config config = sound_config();
    config.services.push_back(service_like(config, "other", 81));
    config.services[1].vip = Ipv4Address::of(10, 0, 0, 81);
    config.services[0].reals[0].endpoint.address = Ipv4Address::of(10, 0, 0, 81);
    config.services[0].reals[1].endpoint = {Ipv4Address::of(10, 0, 0, 2), config.services[0].port};
    config.services[0].reals[1].forward = ForwardingMode::direct;
    EXPECT_EQ(problems_of(config),
              (Sentences{
                  "service \"web\": real \"web1\": address: 10.0.0.81 is the VIP of the service "
                  "\"other\": packets would come back to the director",
                  "service \"web\": real \"web2\": address: 10.0.0.2 is the director itself, which "
                  "serves by forward = \"nat\" and with sessions alone"}));
    config.services[0].reals[0].endpoint.address = Ipv4Address::of(127, 0, 0, 1);
    config.services[0].reals[1].forward = ForwardingMode::nat;
    EXPECT_EQ(problems_of(config), Sentences{});
}

TEST(Validate, RefusesARealThatIsABroadcastAddress) {
    Config config = sound_config();
    config.services[0].reals[0].endpoint.address = Ipv4Address::of(10, 0, 0, 255);
    config.services[0].reals[1].endpoint.address = Ipv4Address::of(10, 0, 1, 255);  // elsewhere
    EXPECT_EQ(problems_of(config),
              (Sentences{"service \"web\": real \"web1\": address: 10.0.0.255 is the "
                         "broadcast address of 10.0.0.0/24"}));
}

TEST(Validate, HoldsTheFallbackToTheRulesOfReals) {
    Config config = sound_config();
    VirtualService& service = config.services[0];
    service.fallback = real_named("fallback", Ipv4Address::of(10, 0, 0, 99));
    EXPECT_EQ(problems_of(config), Sentences{});
    service.fallback = real_named("web1", Ipv4Address::of(10, 0, 0, 12));
    service.fallback->forward = ForwardingMode::direct;
    EXPECT_EQ(
        problems_of(config),
        (Sentences{"service \"web\": fallback: the name \"web1\" is already that of a real",
                   "service \"web\": fallback: port: 8080 is not the service's 80, and forward = "
                   "\"direct\" rewrites no port",
                   "service \"web\": fallback: 10.0.0.12:8080 is already the real \"web2\""}));
}

TEST(Validate, BoundsTheRealsOfAllServices) {
    Config config = sound_config();
    config.services[0].reals.clear();
    for (unsigned i = 0; i < limits::tallies_max / 4; ++i) {
        config.services[0].reals.push_back(
            real_named(name_of("r", i), Ipv4Address::from_host(0x0A80'0000U + i)));
    }
    for (std::uint16_t i = 1; i < 4; ++i) {
        config.services.push_back(service_like(config, name_of("s", i), i));
    }
    EXPECT_EQ(problems_of(config), Sentences{});
    config.services[0].fallback = real_named("fallback", Ipv4Address::of(10, 0, 0, 99));
    EXPECT_EQ(problems_of(config),
              (Sentences{"services: they have 131073 reals and fallbacks together, "
                         "more than 131072"}));
}

// The schema has said what is wrong with them; here they would only raise false alarms.
TEST(Validate, TakesAServiceOfIpv6WithRealsOfIpv6Alone) {
    const auto v6 = [](const char* text) { return IpAddress{parse_ipv6_address(text).value()}; };
    Config config = sound_config();
    config.ports[0].addresses.push_back({v6("2001:db8::2"), 64});
    VirtualService service = service_like(config, "web6", 80);
    service.vip = v6("2001:db8::80");
    service.reals[0].endpoint.address = v6("2001:db8::11");
    service.reals[1].endpoint.address = v6("2001:db8::12");
    config.services.push_back(service);
    EXPECT_EQ(problems_of(config), Sentences{});

    config.services[1].reals[1].endpoint.address = Ipv4Address::of(10, 0, 0, 12);
    EXPECT_EQ(problems_of(config),
              (Sentences{"service \"web6\": real \"web2\": address: 10.0.0.12 and the VIP "
                         "2001:db8::80 are not of one IP version, which forward = \"nat\" cannot "
                         "bridge"}));

    config.services[1].reals[1].forward = ForwardingMode::ipip;
    config.services[1].reals[1].endpoint.port = be16{};
    EXPECT_EQ(problems_of(config), Sentences{});

    config.services[1].reals[1].endpoint.address = v6("2001:db8::");
    EXPECT_EQ(problems_of(config),
              (Sentences{"service \"web6\": real \"web2\": address: 2001:db8:: is no host's, but "
                         "names the network 2001:db8::/64"}));
}

TEST(Validate, PassesOverFieldsThatTheSchemaRefused) {
    Config config = sound_config();
    config.ports.push_back({});
    config.ports.push_back({});
    config.services.push_back({});
    config.services.push_back({});
    config.services[0].reals.push_back({});
    config.services[0].reals.push_back({});
    EXPECT_EQ(problems_of(config), Sentences{});
}

}  // namespace
}  // namespace fulcrum
