// The keys of pair.
#include "config/pair_schema.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/loader.h"

namespace fulcrum {
namespace {

LoadOutcome load(const std::string& keys) {
    return load_config_text(
        "director = { workers = [ 0 ]; name = \"a\"; };\n"
        "ports = ( { name = \"p\"; device = \"vdev:net_null0\"; } );\n" +
            keys,
        "test.cfg");
}

const std::string link = "{ local = \"10.9.0.1:8849\"; peer = \"10.9.0.2:8849\"; }";
const std::string link6 = "{ local = \"[2001:db8::1]:8849\"; peer = \"[2001:db8::2]:8849\"; }";

TEST(PairSchema, NamesThePeerItsKeyAndTheWaysToIt) {
    const LoadOutcome outcome = load("pair = { peer = \"b\"; key = \"/etc/k\"; links = ( " + link +
                                     ", " + link6 + " ); };");
    ASSERT_EQ(outcome.problems, std::vector<std::string>{});
    const PairSettings& pair = outcome.config.pair.value();
    EXPECT_EQ(pair.peer, "b");
    EXPECT_EQ(pair.key_file, "/etc/k");
    ASSERT_EQ(pair.links.size(), 2U);
    EXPECT_EQ(pair.links[0].local, *parse_endpoint("10.9.0.1:8849"));
    EXPECT_EQ(pair.links[0].peer, *parse_endpoint("10.9.0.2:8849"));
    EXPECT_EQ(pair.links[1].peer, *parse_endpoint("[2001:db8::2]:8849"));
}

TEST(PairSchema, SaysWhetherTheConfigurationGoesOver) {
    const std::string pair = "pair = { peer = \"b\"; key = \"/k\"; links = ( " + link + " ); ";
    EXPECT_FALSE(load(pair + "};").config.pair->replicates_config);
    EXPECT_TRUE(load(pair + "replicate_config = true; };").config.pair->replicates_config);
}

TEST(PairSchema, LeavesADirectorAlone) { EXPECT_FALSE(load("").config.pair); }

TEST(PairSchema, WantsAllOfIt) {
    EXPECT_EQ(load("pair = { };").problems.size(), 3U);
    EXPECT_EQ(load("pair = { peer = \"b\"; key = \"/k\"; links = ( ); };").problems.size(), 1U);
    const std::string third = "{ local = \"10.9.1.1:1\"; peer = \"10.9.1.2:1\"; }";
    EXPECT_EQ(load("pair = { peer = \"b\"; key = \"/k\"; links = ( " + link + ", " + link6 + ", " +
                   third + " ); };")
                  .problems.size(),
              1U);
}

}  // namespace
}  // namespace fulcrum
