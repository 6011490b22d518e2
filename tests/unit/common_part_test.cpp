// What goes over to the other director of a pair, and what stays at home.
#include "config/common_part.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/writer.h"

namespace fulcrum {
namespace {

Config loaded(const std::string& name, const std::string& rest) {
    LoadOutcome outcome = load_config_text(
        "director = { name = \"" + name +
            "\"; workers = [ 1 ]; };\n"
            "ports = ( { name = \"wan\"; device = \"af_packet:eth0\"; addresses = [ "
            "\"203.0.113.2/24\" ]; } );\n" +
            rest,
        name + ".cfg");
    EXPECT_EQ(outcome.problems, std::vector<std::string>{});
    return std::move(outcome.config);
}

const std::string web =
    "services = ( { name = \"web\"; vip = \"203.0.113.80\"; port = 80; reals = ( { name = "
    "\"web1\"; address = \"10.2.0.11\"; } ); } );\n";
const std::string rest =
    "vips = ( { address = \"203.0.113.80\"; other = \"reset\"; } );\n"
    "timeouts = { udp = \"7m\"; };\n"
    "marks = ( { mark = 8; vip = \"203.0.113.81\"; port = 80; } );\n";

TEST(CommonPart, TakesThePlaceOfTheOtherDirectorsAndNothingElse) {
    const Config a = loaded("a", web + rest + "metrics = { listen = \"127.0.0.1:1\"; };");
    const Config b = loaded("b",
                            "log = { level = \"debug\"; };\ntimeouts = { tcp_closed = \"9s\"; "
                            "};\nvips = ( { address = \"203.0.113.90\"; other = \"drop\"; } );");
    const LoadOutcome outcome = with_common_part(b, write_common_part(a));
    ASSERT_EQ(outcome.problems, std::vector<std::string>{});
    EXPECT_EQ(outcome.config, loaded("b", web + rest + "log = { level = \"debug\"; };"));
}

TEST(CommonPart, HasTheChecksumOfWhatIsServedAndOfNothingElse) {
    const Config a = loaded("a", web);
    EXPECT_EQ(checksum_of_service(a),
              checksum_of_service(loaded("b", web + "metrics = { listen = \"127.0.0.1:1\"; };")));
    EXPECT_NE(checksum_of_service(a), checksum_of_service(loaded("a", web + rest)));
    Config seeded = a;
    seeded.director.seed = "another";
    EXPECT_NE(checksum_of_service(a), checksum_of_service(seeded));
}

TEST(CommonPart, IsJudgedBesideTheOtherDirectorsOwn) {
    const Config b = loaded("b", "");
    Config a = loaded("a", web);
    a.services[0].reals[0].endpoint.address = *parse_ip_address("203.0.113.2");  // b itself
    a.services[0].reals[0].forward = ForwardingMode::direct;
    const LoadOutcome outcome = with_common_part(b, write_common_part(a));
    ASSERT_FALSE(outcome.is_valid());
    EXPECT_TRUE(outcome.problems.front().starts_with("service \"web\": real \"web1\""))
        << outcome.problems.front();
}

TEST(CommonPart, MayBeEmpty) {
    const LoadOutcome outcome = with_common_part(loaded("b", web), "\n");
    ASSERT_EQ(outcome.problems, std::vector<std::string>{});
    EXPECT_TRUE(outcome.config.services.empty());
}

}  // namespace
}  // namespace fulcrum
