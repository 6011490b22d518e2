// Which dialect a text is, and what all of them keep.
#include "config/import/dialects.h"

#include "config/loader.h"
#include "tests/support/import_bench.h"

namespace fulcrum {
namespace {

struct Fixture {
    const char* name;
    Dialect dialect;
};
class ImportFixture : public testing::TestWithParam<Fixture> {};

TEST_P(ImportFixture, IsKnownByItsContent) {
    EXPECT_EQ(guess_dialect(content_of_file(import_fixture(GetParam().name))), GetParam().dialect);
}

TEST_P(ImportFixture, BecomesAFileThatTheDirectorTakes) {
    Imported import = imported_file(GetParam().dialect, GetParam().name);
    import.config.director.workers = {1};
    import.config.ports = {{.name = "p", .kind = DeviceKind::vdev, .device = "net_null0" }};
    const std::string text = write_config(import.config);
    const LoadOutcome outcome = load_config_text(text, "new.cfg");
    EXPECT_EQ(outcome.problems, std::vector<std::string>{}) << text;
    EXPECT_EQ(outcome.warnings, std::vector<std::string>{}) << text;
}

INSTANTIATE_TEST_SUITE_P(Dialects, ImportFixture,
                         testing::Values(Fixture{"howto.cf", Dialect::ldirectord},
                                         Fixture{"ldirectord.cf", Dialect::ldirectord},
                                         Fixture{"keepalived.conf", Dialect::keepalived},
                                         Fixture{"lvs.cf", Dialect::piranha},
                                         Fixture{"ipvsadm.rules", Dialect::ipvsadm}));

TEST(Dialects, AreKnownByTheirNames) {
    for (const Dialect dialect :
         {Dialect::ipvsadm, Dialect::ldirectord, Dialect::keepalived, Dialect::piranha}) {
        EXPECT_EQ(dialect_named(to_string(dialect)), dialect);
    }
    EXPECT_EQ(dialect_named("haproxy"), std::nullopt);
}

TEST(Dialects, DoNotIncludeJustAnything) {
    EXPECT_EQ(guess_dialect(""), std::nullopt);
    EXPECT_EQ(guess_dialect("global\n  daemon\nfrontend x\n  bind :80\n"), std::nullopt);
    EXPECT_EQ(guess_dialect("director = { workers = [ 1 ]; };\n"), std::nullopt);
}

}  // namespace
}  // namespace fulcrum
