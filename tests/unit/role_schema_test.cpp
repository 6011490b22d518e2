// The keys of groups.
#include "config/role_schema.h"

#include <gtest/gtest.h>

#include <string>

#include "config/loader.h"
#include "config/writer.h"

namespace fulcrum {
namespace {

LoadOutcome load(const std::string& groups) {
    return load_config_text(
        "director = { workers = [ 0 ]; };\n"
        "ports = ( { name = \"p\"; device = \"vdev:net_null0\"; addresses = [ \"192.0.2.2/24\" ]; "
        "} );\n" +
            groups,
        "test.cfg");
}

Config loaded(const std::string& groups) {
    const LoadOutcome outcome = load(groups);
    EXPECT_EQ(outcome.problems, std::vector<std::string>{});
    return outcome.config;
}

TEST(RoleSchema, HasTheDefaultsOfTheModel) {
    const Config config = loaded(
        "groups = ( { name = \"g\"; id = 51; paths = ( { port = \"p\"; } ); "
        "track = ( { port = \"p\"; } ); fence = { style = \"none\"; }; } );");
    ASSERT_EQ(config.groups.size(), 1U);
    RoleGroup wanted{.name = "g", .id = 51, .paths = {{.port = "p"}}, .track = {{.port = "p"}}};
    wanted.fence.style = FenceStyle::none;
    EXPECT_EQ(config.groups[0], wanted);
    std::string written;
    for (const SchemaKey& key : role_keys()) {
        if (key.presence == Presence::optional) {
            const bool is_of_group = key.path.substr(0, 9) == "groups[]." &&
                                     key.path.find('.', 9) == std::string_view::npos;
            written +=
                is_of_group ? std::string{key.name()} + " = " + std::string{key.preset} + "; " : "";
        }
    }
    EXPECT_EQ(loaded("groups = ( { name = \"g\"; id = 51; " + written +
                     "paths = ( { port = \"p\"; } ); track = ( { port = \"p\"; } ); "
                     "fence = { style = \"none\"; }; } );")
                  .groups[0],
              wanted);
}

TEST(RoleSchema, ReadsEveryStyleOfFencing) {
    const auto style_of = [](const std::string& style) {
        return loaded(
                   "groups = ( { name = \"g\"; id = 1; paths = ( { port = \"p\"; } ); "
                   "fence = { style = \"" +
                   style + "\"; command = \"/bin/f\"; node = \"lb2\"; }; } );")
            .groups.at(0)
            .fence.style;
    };
    EXPECT_EQ(style_of("fence-agent"), FenceStyle::fence_agent);
    EXPECT_EQ(style_of("external"), FenceStyle::external);
}

TEST(RoleSchema, WantsAWordAboutFencing) {
    const LoadOutcome outcome =
        load("groups = ( { name = \"g\"; id = 1; paths = ( { port = \"p\"; } ); } );");
    ASSERT_EQ(outcome.problems.size(), 1U);
    EXPECT_EQ(outcome.problems[0],
              "test.cfg:3: group \"g\": the key fence is missing: without a fence two directors "
              "that do not hear each other may both be active: say so with fence = { style = "
              "\"none\"; }");
}

}  // namespace
}  // namespace fulcrum
