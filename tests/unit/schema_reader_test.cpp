// Trees made by hand, without a file: each value finds its place, whatever stands around it.
#include "config/schema_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace fulcrum {
namespace {

Node text_node(std::string_view name, std::string_view text) {
    return {.kind = NodeKind::text, .line = 1, .name = name, .text = text};
}
Node integer_node(std::string_view name, std::int64_t integer) {
    return {.kind = NodeKind::integer, .line = 1, .integer = integer, .name = name};
}
Node group_node(std::string_view name, unsigned line, std::vector<Node> children) {
    return {.line = line, .name = name, .children = std::move(children)};
}
Node list_node(std::string_view name, std::vector<Node> children) {
    return {.kind = NodeKind::list, .line = 1, .name = name, .children = std::move(children)};
}
Node array_node(std::string_view name, std::vector<Node> children) {
    return {.kind = NodeKind::array, .line = 1, .name = name, .children = std::move(children)};
}

struct Reading {
    Config config;
    std::vector<std::string> problems;  // "line: sentence"
};

// From a tree whose lines are those of a file of ten lines.
Reading read(const Node& root) {
    Findings findings;
    const FileReader reader = [](const std::string&) -> Result<std::string> {
        return std::string(10, '\n');
    };
    const SourceText source{"d.cfg", reader, findings};
    Reading reading{read_by_schema(root, source, findings), {}};
    for (const Finding& finding : findings.problems.kept()) {
        reading.problems.push_back(std::to_string(finding.place.line) + ": " + finding.sentence);
    }
    return reading;
}

Node sound_root() {
    return group_node(
        "", 0,
        {group_node("director", 1, {array_node("workers", {integer_node("", 3)})}),
         list_node("ports",
                   {group_node("", 2,
                               {text_node("name", "lan"), text_node("device", "af_packet:eth1")})}),
         list_node("services",
                   {group_node("", 3,
                               {text_node("name", "web"), text_node("vip", "10.0.0.80"),
                                integer_node("port", 80),
                                list_node("reals", {group_node("", 4,
                                                               {text_node("name", "web1"),
                                                                text_node("address", "10.0.0.11"),
                                                                integer_node("weight", 7)})})})})});
}

TEST(SchemaReader, PutsValuesInTheirPlaces) {
    const Reading reading = read(sound_root());
    EXPECT_EQ(reading.problems, std::vector<std::string>{});
    EXPECT_EQ(reading.config.director.workers, std::vector<unsigned>{3});
    EXPECT_EQ(reading.config.director.place.line, 1U);
    EXPECT_EQ(reading.config.ports.at(0).device, "eth1");
    EXPECT_EQ(reading.config.services.at(0).place.line, 3U);
    const RealServer& real = reading.config.services.at(0).reals.at(0);
    EXPECT_EQ(real.place.line, 4U);
    EXPECT_EQ(real.weight, 7U);
    EXPECT_EQ(to_string(real.endpoint), "10.0.0.11:0") << "it names none";
}

TEST(SchemaReader, ReadsTheRestBehindAProblem) {
    Node root = sound_root();
    Node& web = root.children[2].children[0];
    web.children[1].text = "nowhere";                      // vip
    web.children[3].children[0].children[2].integer = -7;  // weight
    web.children.push_back(integer_node("ring_size", 251));
    const Reading reading = read(root);
    EXPECT_EQ(reading.problems,
              (std::vector<std::string>{
                  "1: service \"web\": vip: \"nowhere\" is not a host's IPv4 or IPv6 address, "
                  "or a block of at most 256 as in \"192.0.2.0/28\"",
                  "1: service \"web\": real \"web1\": weight: -7 is not an integer from 0 to "
                  "2147483647"}));
    EXPECT_EQ(reading.config.services.at(0).ring_size, 251U);
    EXPECT_EQ(to_string(reading.config.services.at(0).reals.at(0).endpoint.address), "10.0.0.11");
}

TEST(SchemaReader, TellsElementsWithoutANameByTheirNumber) {
    Node root = sound_root();
    root.children[2].children[0].children[0] = integer_node("name", 5);
    root.children[2].children.push_back(
        group_node("", 6, {text_node("vip", "10.0.0.81"), integer_node("port", 80)}));
    const std::string name =
        "a name of 1 to 63 letters, digits, \".\", \"_\", \"-\", of which the first is a letter or "
        "digit";
    EXPECT_EQ(
        read(root).problems,
        (std::vector<std::string>{"1: service 1: name: 5 is not " + name + ": write it in quotes",
                                  "6: service 2: the key name is missing: it holds " + name}));
}

TEST(SchemaReader, KnowsAKeyOnlyInItsGroup) {
    Node root = sound_root();
    root.children[0].children.push_back(text_node("vip", "10.0.0.80"));
    EXPECT_EQ(read(root).problems,
              (std::vector<std::string>{
                  "1: director: unknown key \"vip\": known here are name, workers, "
                  "sessions, sessions6, affinity_clients, seed, idle, memory, session_file, "
                  "maintenance"}));
}

}  // namespace
}  // namespace fulcrum
