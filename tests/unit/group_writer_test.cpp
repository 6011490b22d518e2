// How the schema's rows decide what a key's value looks like, and whether it stands there.
#include "config/group_writer.h"

#include <gtest/gtest.h>

#include "config/model/service.h"

namespace fulcrum {
namespace {

std::string text_of(GroupWriter& group) { return lay_out(group.take().parts); }

TEST(GroupWriter, SaysEachValueAsItsKeyReadsIt) {
    GroupWriter service{"services[]."};
    service.text("name", "web");
    service.word("on_failure", SessionPolicy::move);
    service.number("one_packet", 1);
    service.ports("port", {8'000, 8'099});
    service.words("scheduler_flags", {false, true});
    service.group("affinity", [](GroupWriter& inner) { inner.seconds("timeout", 7'200); });
    EXPECT_EQ(text_of(service),
              "name = \"web\";\n\non_failure = \"move\";\n\none_packet = true;\n\n"
              "port = \"8000-8099\";\n\nscheduler_flags = [ \"port\" ];\n\n"
              "affinity = { timeout = \"2h\"; };\n");
}

TEST(GroupWriter, LeavesDefaultsOutAndGroupsThatAreEmptyThen) {
    GroupWriter service{"services[]."};
    service.number("ring_size", 65'537);
    service.words("scheduler_flags", {false, false});
    service.number_unless(0, "mss_max", 0);
    service.group_if_any("check", [](GroupWriter& inner) { inner.number("interval", 5'000); });
    service.group("affinity", [](GroupWriter& inner) { inner.seconds("timeout", 300); });
    EXPECT_EQ(text_of(service), "affinity = {};\n");
}

TEST(GroupWriter, WritesAListOfGroups) {
    GroupWriter root{""};
    root.list("vips", std::vector<int>{1, 2}, [](GroupWriter& inner, int number) {
        inner.text("address", "192.0.2." + std::to_string(number));
    });
    EXPECT_EQ(
        text_of(root),
        "vips = (\n    { address = \"192.0.2.1\"; },\n    { address = \"192.0.2.2\"; }\n);\n");
}

}  // namespace
}  // namespace fulcrum
