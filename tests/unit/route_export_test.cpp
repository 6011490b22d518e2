// What a routing daemon is told of a director's VIPs.
#include "controlplane/fulcrumctl/route_export.h"

#include <gtest/gtest.h>

#include <string>

#include "config/loader.h"

namespace fulcrum {
namespace {

Config config(const std::string& services) {
    LoadOutcome outcome = load_config_text(
        "director = { workers = [ 1 ]; };\n"
        "ports = ( { name = \"wan\"; device = \"af_packet:eth0\"; addresses = [ "
        "\"203.0.113.2/24\", \"2001:db8:1::2/64\" ]; },\n"
        "          { name = \"lan\"; device = \"af_packet:eth1\"; addresses = [ "
        "\"10.2.0.2/24\" ]; local_addresses = [ \"10.2.0.60\", \"10.3.0.60\" ]; } );\n"
        "services = ( " +
            services + " );\n",
        "test.cfg");
    EXPECT_EQ(outcome.problems, std::vector<std::string>{});
    return std::move(outcome.config);
}

std::string service(const std::string& name, const std::string& vip) {
    return "{ name = \"" + name + "\"; vip = \"" + vip + "\"; port = 80; }";
}

const RouteWords words{
    .file = {}, .as = 65001, .neighbours = {"203.0.113.1=65000"}, .router_id = {}};

RoutePlan plan(const std::string& services, const RouteWords& said = words) {
    Result<RoutePlan> planned = plan_routes(config(services), said);
    EXPECT_TRUE(planned) << planned.error().sentence;
    return std::move(*planned);
}

std::string refusal(const RouteWords& said, const std::string& vip = "192.0.2.80") {
    const Result<RoutePlan> planned = plan_routes(config(service("web", vip)), said);
    return planned ? "none" : planned.error().sentence;
}

TEST(RouteExport, SaysWhichWordIsMissingOrDoesNotFit) {
    RouteWords said = words;
    said.as = 0;
    EXPECT_EQ(refusal(said),
              "--as is missing: the number of the autonomous system that the director is in, as "
              "in --as 65001");
    said = words;
    said.neighbours.clear();
    EXPECT_TRUE(refusal(said).starts_with("--neighbour is missing"));
    for (const char* bad : {"203.0.113.1", "203.0.113.1=", "203.0.113.1=0", "203.0.113.1=6x",
                            "here=65000", "203.0.113.1=4294967296"}) {
        said.neighbours = {bad};
        EXPECT_EQ(refusal(said), "--neighbour: \"" + std::string{bad} +
                                     "\" is not ADDRESS=AS, as in \"192.0.2.1=65000\"");
    }
    said.neighbours = {"198.51.100.1=65000"};
    EXPECT_TRUE(
        refusal(said).starts_with("--neighbour: 198.51.100.1 is in the network of no port"));
    said = words;
    said.router_id = "2001:db8::1";
    EXPECT_TRUE(refusal(said).starts_with("--router-id: \"2001:db8::1\" is not an IPv4 address"));
    EXPECT_EQ(refusal(words), "none");
}

TEST(RouteExport, AnnouncesEveryVipOnceAndLocalAddressesBeyondTheLinks) {
    RouteWords said = words;
    said.neighbours.emplace_back("2001:db8:1::1=65000");
    const RoutePlan planned =
        plan(service("web", "192.0.2.80") + ", " + service("block", "198.51.100.0/28") + ", " +
                 service("six", "2001:db8:80::80") +
                 ", { name = \"more\"; vip = \"192.0.2.80\"; port = 81; }",
             said);
    ASSERT_EQ(planned.blocks4.size(), 3U);
    EXPECT_EQ(to_string(planned.blocks4[0]), "192.0.2.80/32");
    EXPECT_EQ(to_string(planned.blocks4[1]), "198.51.100.0/28");
    EXPECT_EQ(to_string(planned.blocks4[2]), "10.3.0.60/32");
    ASSERT_EQ(planned.blocks6.size(), 1U);
    EXPECT_EQ(planned.router_id, "203.0.113.2");
    ASSERT_EQ(planned.neighbours.size(), 2U);
    EXPECT_EQ(planned.neighbours[0].local, *parse_ip_address("203.0.113.2"));
    const std::string bird = bird_text(planned);
    EXPECT_NE(bird.find("net ~ [ 192.0.2.80/32,"), std::string::npos) << bird;
    EXPECT_NE(bird.find("198.51.100.0/28{32,32}"), std::string::npos) << bird;
    const std::string frr = frr_text(planned);
    EXPECT_NE(frr.find("permit 198.51.100.0/28 ge 32\n"), std::string::npos) << frr;
    EXPECT_NE(frr.find("ipv6 prefix-list vips-of-ipv6 seq 5 permit 2001:db8:80::80/128\n"),
              std::string::npos)
        << frr;
}

TEST(RouteExport, TellsANeighbourOfWhatIsOfItsOwnVersion) {
    RouteWords said = words;
    said.neighbours = {"203.0.113.1=65000", "2001:db8:1::1=65000"};
    const RoutePlan planned =
        plan(service("web", "192.0.2.80") + ", " + service("six", "2001:db8:80::80"), said);
    const std::string bird = bird_text(planned);
    const std::size_t second = bird.find("protocol bgp router2");
    ASSERT_NE(second, std::string::npos) << bird;
    EXPECT_EQ(bird.substr(0, second).find("    ipv6 {"), std::string::npos) << bird;
    EXPECT_EQ(bird.substr(second).find("    ipv4 {"), std::string::npos) << bird;
    EXPECT_NE(bird.substr(second).find("    ipv6 {"), std::string::npos) << bird;
    const std::string frr = frr_text(planned);
    const std::size_t family = frr.find("address-family ipv6");
    ASSERT_NE(family, std::string::npos) << frr;
    EXPECT_EQ(frr.substr(family).find("203.0.113.1"), std::string::npos) << frr;
    said.neighbours = {"2001:db8:1::1=65000"};
    EXPECT_EQ(refusal(said),
              "--neighbour: there is nothing to tell 2001:db8:1::1 of, as no VIP is of its IP "
              "version");
}

TEST(RouteExport, NamesWhatItLeavesOut) {
    const RoutePlan planned =
        plan(service("own", "203.0.113.2") + ", " + service("web", "192.0.2.80"));
    EXPECT_NE(bird_text(planned).find("# Not announced: 203.0.113.2, "), std::string::npos);
    EXPECT_NE(frr_text(planned).find("! Not announced: 203.0.113.2, "), std::string::npos);
    const RoutePlan of_both =
        plan(service("six", "2001:db8:80::80") + ", " + service("web", "192.0.2.80"));
    EXPECT_NE(bird_text(of_both).find("# Not announced: what is of IPv6, as no neighbour is."),
              std::string::npos);
    EXPECT_EQ(bird_text(of_both).find("    ipv6"), std::string::npos);
}

}  // namespace
}  // namespace fulcrum
