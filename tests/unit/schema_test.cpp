// The table against the defaults of the model, and against the files that we ship.
#include "config/schema.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "config/loader.h"

namespace fulcrum {
namespace {

std::string content_of(const std::string& path) {
    const std::ifstream file{std::string{FULCRUM_SOURCE_ROOT} + "/" + path};
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
}

// A key of an element in place of the element's: "services[].check.type" of the service "s".
struct Parts {
    std::string group;  // path of the group that holds the key
    std::string name;
};

Parts parts_of(std::string_view path) {
    const std::size_t dot = path.rfind('.');
    if (dot == std::string_view::npos) {
        return {"", std::string{path}};
    }
    return {std::string{path.substr(0, dot)}, std::string{path.substr(dot + 1)}};
}

// All keys of `group` whose default can be written down, at that default.
std::string defaults_of(std::string_view group) {
    std::string text;
    for (const SchemaKey& key : schema()) {
        const Parts parts = parts_of(key.path);
        if (parts.group == group && key.presence == Presence::optional) {
            text += parts.name + " = " + std::string{key.preset} + ";\n";
        }
    }
    return text;
}

struct Filler {
    std::string director, port, timeouts, service, check, real, fallback, control;
};

std::string file_of(const Filler& filler) {
    return "director = { workers = [ 0 ];\n" + filler.director + "};\n" +
           "ports = ( { name = \"p\"; device = \"vdev:net_null0\";\n" + filler.port + "} );\n" +
           "timeouts = {\n" + filler.timeouts + "};\n" +
           "services = ( { name = \"s\"; vip = \"10.0.0.1\"; port = 80;\n" + filler.service +
           "check = {\n" + filler.check + "};\n" +
           "reals = ( { name = \"r\"; address = \"10.0.0.2\";\n" + filler.real + "} );\n" +
           "fallback = { address = \"10.0.0.3\";\n" + filler.fallback + "}; } );\n" +
           "control = {\n" + filler.control + "};\n";
}

// Without keys that stand in a group of their own ("reals = ()").
std::string without(std::string text, const std::string& line) {
    const std::size_t at = text.find(line);
    return at == std::string::npos ? text : text.erase(at, line.size());
}

TEST(Schema, PresetsAreTheDefaultsOfTheModel) {
    const Filler presets{.director = defaults_of("director"),
                         .port = defaults_of("ports[]"),
                         .timeouts = defaults_of("timeouts"),
                         .service = without(defaults_of("services[]"), "reals = ();\n"),
                         .check = defaults_of("services[].check"),
                         .real = defaults_of("services[].reals[]"),
                         .fallback = defaults_of("services[].fallback"),
                         .control = defaults_of("control")};
    ASSERT_NE(presets.director.find("sessions = 1000000"), std::string::npos);
    ASSERT_NE(presets.timeouts.find("udp = "), std::string::npos);
    ASSERT_NE(presets.check.find("interval = "), std::string::npos);
    const LoadOutcome bare = load_config_text(file_of({}), "test.cfg");
    const LoadOutcome written = load_config_text(file_of(presets), "test.cfg");
    EXPECT_EQ(bare.problems, std::vector<std::string>{});
    EXPECT_EQ(written.problems, std::vector<std::string>{});
    EXPECT_EQ(bare.config, written.config);

    Config expected;  // the defaults as the model's members say them
    expected.source_file = "test.cfg";
    expected.director.workers = {0};
    expected.ports = {{.name = "p", .kind = DeviceKind::vdev, .device = "net_null0"}};
    const be16 port{80};
    expected.services = {
        {.name = "s",
         .vip = Ipv4Address::of(10, 0, 0, 1),
         .port = port,
         .reals = {{.name = "r", .endpoint = {Ipv4Address::of(10, 0, 0, 2), port}}},
         .fallback =
             RealServer{.name = "fallback", .endpoint = {Ipv4Address::of(10, 0, 0, 3), port}}}};
    EXPECT_EQ(bare.config, expected);
}

TEST(Schema, HasNoPathTwiceAndAHelpForEach) {
    std::set<std::string_view> paths;
    for (const SchemaKey& key : schema()) {
        EXPECT_TRUE(paths.insert(key.path).second) << key.path;
        EXPECT_FALSE(key.help.empty()) << key.path;
        EXPECT_EQ(key.help.find('|'), std::string_view::npos) << key.path;
        EXPECT_EQ(key.preset.empty(), key.presence == Presence::required) << key.path;
    }
}

TEST(Schema, ListsEachGroupBeforeItsKeys) {
    std::set<std::string> groups{""};
    for (const SchemaKey& key : schema()) {
        EXPECT_TRUE(groups.contains(parts_of(key.path).group)) << key.path;
        if (key.type.kind == ValueKind::group) {
            groups.insert(std::string{key.path});
        } else if (key.type.kind == ValueKind::list) {
            groups.insert(std::string{key.path} + "[]");
        }
    }
}

TEST(Schema, ShippedFilesLoadWithoutAWord) {
    for (const char* path :
         {"config/director.example.cfg", "config/examples/direct_routing.cfg",
          "config/examples/every_key.cfg", "config/examples/ftp.cfg", "config/examples/checks.cfg",
          "config/examples/cluster/lb1.cfg", "config/examples/cluster/lb2.cfg"}) {
        const LoadOutcome outcome = load_config(std::string{FULCRUM_SOURCE_ROOT} + "/" + path);
        EXPECT_EQ(outcome.problems, std::vector<std::string>{}) << path;
        EXPECT_EQ(outcome.warnings, std::vector<std::string>{}) << path;
    }
}

TEST(Schema, HasEveryKeyInTheExampleOfEveryKey) {
    const std::string text = content_of("config/examples/every_key.cfg") +
                             content_of("config/examples/names.inc") +
                             content_of("config/examples/checks.cfg");
    for (const SchemaKey& key : schema()) {
        const std::string name{key.name()};
        EXPECT_TRUE(text.find(" " + name + " ") != std::string::npos ||
                    text.find("\n" + name + " ") != std::string::npos)
            << key.path;
    }
}

}  // namespace
}  // namespace fulcrum
