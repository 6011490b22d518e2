// Whom local addresses belong to, and which reals find one.
#include "config/full_nat_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/small_config.h"

namespace fulcrum {
namespace {

constexpr Ipv4Address local = Ipv4Address::of(192, 168, 10, 100);

// One service with one real 192.168.10.11 in full NAT, behind the port "lan".
Config in_full_nat() {
    Config made = test::config({test::service("web", 80, {test::real("a", 11)})});
    made.services[0].reals[0].forward = ForwardingMode::full_nat;
    made.ports = {{.name = "wan", .addresses = {{Ipv4Address::of(203, 0, 113, 2), 24}}},
                  {.name = "lan",
                   .addresses = {{Ipv4Address::of(192, 168, 10, 2), 24}},
                   .local_addresses = {local}}};
    return made;
}

std::string first_problem(const Config& config) {
    Findings findings;
    check_full_nat(config, findings);
    return findings.problems.empty() ? "" : findings.problems.kept()[0].sentence;
}

TEST(FullNatRules, AcceptALocalAddressOnTheRealsPort) {
    EXPECT_EQ(first_problem(in_full_nat()), "");
}

TEST(FullNatRules, AskForALocalAddressOfTheRealsVersionOnItsPort) {
    Config config = in_full_nat();
    config.ports[1].local_addresses = {*parse_ip_address("2001:db8:2::100")};
    EXPECT_EQ(first_problem(config),
              "service \"web\": real \"a\": forward = \"fullnat\" needs local_addresses of IPv4 on "
              "the port that leads to the real");
    config.ports[0].local_addresses = {local};
    EXPECT_EQ(first_problem(config),
              "service \"web\": real \"a\": forward = \"fullnat\" needs local_addresses of IPv4 on "
              "the port \"lan\", in whose network the real is");
    config.services[0].reals[0].forward = ForwardingMode::nat;
    EXPECT_EQ(first_problem(config), "");
}

TEST(FullNatRules, AskTheSameOfAFallback) {
    Config config = in_full_nat();
    config.services[0].fallback = config.services[0].reals[0];
    config.services[0].reals.clear();
    EXPECT_EQ(first_problem(config), "");
    config.ports[1].local_addresses.clear();
    EXPECT_NE(first_problem(config), "");
}

TEST(FullNatRules, RefuseALocalAddressThatIsSomethingElse) {
    const IpAddress vip = in_full_nat().services[0].vip;
    const IpAddress real = in_full_nat().services[0].reals[0].endpoint.address;
    const IpAddress own = in_full_nat().ports[1].addresses[0].address;
    for (const auto& [address, whose] :
         {std::pair{vip, "a VIP of the service \"web\""},
          std::pair{real, "the address of a real of the service \"web\""},
          std::pair{own, "an address of the port \"lan\""},
          std::pair{IpAddress{local}, "a local address of the port \"lan\" already"}}) {
        Config config = in_full_nat();
        config.ports[1].local_addresses.push_back(address);
        EXPECT_EQ(first_problem(config), "port \"lan\": local_addresses: " + to_string(address) +
                                             " is " + whose + ": full NAT needs it for itself");
    }
}

TEST(FullNatRules, LetSctpBeTranslatedButNobodyToldOfItsClients) {
    Config config = in_full_nat();
    config.services[0].protocol = L4Protocol::sctp;
    EXPECT_EQ(first_problem(config), "");
    config.services[0].reals[0].client_address = ClientAddressBy::proxy;
    EXPECT_THAT(
        first_problem(config),
        testing::StartsWith("service \"web\": real \"a\": client_address = \"proxy\" is for "
                            "TCP and UDP alone, and the service listens on "));
}

TEST(FullNatRules, TellARealItsClientWhereverItWouldNotSeeHim) {
    for (const ClientAddressBy way : {ClientAddressBy::proxy, ClientAddressBy::toa}) {
        Config config = in_full_nat();
        config.services[0].reals[0].client_address = way;
        EXPECT_EQ(first_problem(config), "");
    }
    Config config = in_full_nat();
    config.services[0].reals[0].client_address = ClientAddressBy::proxy;
    config.services[0].reals[0].forward = ForwardingMode::direct;
    EXPECT_EQ(first_problem(config),
              "service \"web\": real \"a\": client_address = \"proxy\" is for forward = "
              "\"fullnat\": with forward = \"direct\" the real sees the client's own address");
    config.services[0].fallback = config.services[0].reals[0];
    config.services[0].fallback->client_address = ClientAddressBy::toa;
    config.services[0].reals.clear();
    EXPECT_EQ(first_problem(config),
              "service \"web\": real \"a\": client_address = \"toa\" is for forward = "
              "\"fullnat\": with forward = \"direct\" the real sees the client's own address");
}

TEST(FullNatRules, TellARealItsClientByAnOptionOverTcpAlone) {
    Config config = in_full_nat();
    config.services[0].reals[0].client_address = ClientAddressBy::toa;
    config.services[0].listen = {
        {.vip = {config.services[0].vip, 32}, .ports = {53, 53}, .protocol = L4Protocol::udp}};
    EXPECT_EQ(first_problem(config),
              "service \"web\": real \"a\": client_address = \"toa\" is for TCP alone, and the "
              "service listens on 203.0.113.80:53/udp");
    config.services[0].reals[0].client_address = ClientAddressBy::proxy;
    EXPECT_EQ(first_problem(config), "");
}

TEST(FullNatRules, WarnOfAnHttpCheckThatSpeaksWithoutTheHeader) {
    Config config = in_full_nat();
    config.services[0].reals[0].client_address = ClientAddressBy::proxy;
    config.services[0].check.type = CheckType::http;
    const auto warning = [&] {
        Findings findings;
        check_full_nat(config, findings);
        return findings.warnings.empty() ? "" : findings.warnings.kept()[0].sentence;
    };
    EXPECT_EQ(warning(),
              "service \"web\": real \"a\": client_address = \"proxy\": its check sends no such "
              "header, for which the real may refuse it: name another port in check.port");
    config.services[0].check.port = 8'081;
    EXPECT_EQ(warning(), "");
}

TEST(FullNatRules, RefuseAServiceThatRemembersNobody) {
    Config config = in_full_nat();
    config.services[0].one_packet = true;
    EXPECT_EQ(first_problem(config),
              "service \"web\": real \"a\": forward = \"fullnat\" has to remember who asked, which "
              "one_packet does not");
}

TEST(FullNatRules, WarnOfRealsThatWouldAnswerTheirNeighboursThemselves) {
    Config config = in_full_nat();
    config.services[0].reals[0].forward = ForwardingMode::nat;
    config.services[0].vip = Ipv4Address::of(192, 168, 10, 80);
    const auto warning = [&] {
        Findings findings;
        check_full_nat(config, findings);
        return findings.warnings.empty() ? "" : findings.warnings.kept()[0].sentence;
    };
    EXPECT_EQ(warning(), "");
    config.ports[1].local_addresses.clear();
    EXPECT_EQ(warning(),
              "service \"web\": its VIP is in the network of its reals, which answer clients there "
              "themselves: give the port \"lan\" local_addresses");
    config.services[0].vip = Ipv4Address::of(203, 0, 113, 80);
    EXPECT_EQ(warning(), "");
}

TEST(FullNatRules, RefuseMoreLocalAddressesThanThereIsRoomFor) {
    Config config = in_full_nat();
    for (unsigned n = 0; n < limits::local_addresses_max; ++n) {
        config.ports[0].local_addresses.push_back(
            Ipv4Address::of(10, 3, 0, static_cast<std::uint8_t>(n)));
    }
    EXPECT_EQ(first_problem(config), "ports: they have 65 local_addresses together, more than 64");
}

}  // namespace
}  // namespace fulcrum
