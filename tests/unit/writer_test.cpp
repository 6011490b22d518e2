// What is written is read back as the same: for every file that we ship, and for files drawn from
// the schema at random, so that a key without a line in the writer shows.
#include "config/writer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

#include "config/loader.h"
#include "config/schema.h"

namespace fulcrum {
namespace {

namespace fs = std::filesystem;

const fs::path examples = fs::path{FULCRUM_SOURCE_ROOT} / "config" / "examples";

// A folder of its own with the lists that examples name.
class Folder {
  public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "writer_test.XXXXXX").string();
        path_ = mkdtemp(name.data());
        for (const char* list : {"partners.list", "offenders.list"}) {
            fs::copy_file(examples / list, path_ / list);
        }
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string write(const std::string& text) const {
        std::ofstream{path_ / "director.cfg"} << text;
        return path_ / "director.cfg";
    }

  private:
    fs::path path_;
};

// The same but for the file that it came from.
Config from(const std::string& file, Config config) {
    config.source_file = file;
    return config;
}

class ShippedFile : public testing::TestWithParam<const char*> {};

TEST_P(ShippedFile, IsReadBackAsTheSame) {
    const LoadOutcome first = load_config(fs::path{FULCRUM_SOURCE_ROOT} / "config" / GetParam());
    ASSERT_EQ(first.problems, std::vector<std::string>{});
    const Folder folder;
    const std::string text = write_config(first.config);
    const std::string file = folder.write(text);
    const LoadOutcome second = load_config(file);
    EXPECT_EQ(second.problems, std::vector<std::string>{}) << text;
    EXPECT_EQ(second.config, from(file, first.config)) << text;
    EXPECT_EQ(write_config(second.config), text);
}

INSTANTIATE_TEST_SUITE_P(Writer, ShippedFile,
                         testing::Values("director.example.cfg", "examples/direct_routing.cfg",
                                         "examples/every_key.cfg", "examples/ftp.cfg"));

TEST(Writer, SaysTheSmallestFileAsAnOperatorWould) {
    const LoadOutcome outcome =
        load_config(fs::path{FULCRUM_SOURCE_ROOT} / "config" / "director.example.cfg");
    EXPECT_EQ(write_config(outcome.config), R"(director = { workers = [ 1 ]; };

ports = (
    { name = "wan"; device = "af_packet:eth0"; addresses = [ "203.0.113.2/24" ]; },
    { name = "lan"; device = "af_packet:eth1"; addresses = [ "192.168.10.2/24" ]; }
);

services = (
    {
        name = "web";
        vip = "203.0.113.80";
        port = 80;
        check = { type = "http"; path = "/ping.html"; };
        reals = (
            { name = "web1"; address = "192.168.10.11"; port = 8080; },
            { name = "web2"; address = "192.168.10.21"; port = 8080; }
        );
    }
);

metrics = { listen = "127.0.0.1:9464"; };
)");
}

TEST(Writer, LeavesAPlaceForPortsWhereThereAreNone) {
    Config config;
    config.director.workers = {1};
    const std::string text = write_config(config);
    EXPECT_NE(text.find("# ports = ("), std::string::npos) << text;
    const LoadOutcome outcome = load_config_text(text, "test.cfg");
    ASSERT_EQ(outcome.problems.size(), 1U);
    EXPECT_NE(outcome.problems[0].find("the key ports is missing"), std::string::npos);
}

TEST(Writer, NamesListsOfAnIncludedFileAsSeenFromTheFileThatIncludesIt) {
    Config config;
    config.source_file = "/etc/fulcrum/director.cfg";
    VirtualService& service = config.services.emplace_back();
    service.name = "web";
    service.vip = Ipv4Address::of(203, 0, 113, 80);
    service.port = be16{80};
    service.access.allow_file = "partners.list";
    service.access.deny_file = "/srv/offenders.list";
    service.place = {"/etc/fulcrum/director.cfg", 12};
    EXPECT_NE(write_config(config).find("allow_file = \"partners.list\""), std::string::npos);
    service.place = {"/etc/fulcrum/web/web.inc", 2};
    const std::string text = write_config(config);
    EXPECT_NE(text.find("allow_file = \"web/partners.list\""), std::string::npos) << text;
    EXPECT_NE(text.find("deny_file = \"/srv/offenders.list\""), std::string::npos) << text;
}

TEST(Writer, SaysThePortOfARealWhereAMarkAloneHasIt) {
    const std::string file =
        "director = { workers = [ 1 ]; };\nports = ( { name = \"p\"; device = \"vdev:net_null0\"; "
        "} );\n"
        "marks = ( { mark = 7; vip = \"203.0.113.80\"; port = 443; } );\n"
        "services = ( { name = \"s\"; mark = 7; check = { type = \"none\"; };\n"
        "reals = ( { name = \"a\"; address = \"10.0.0.1\"; port = 443; },\n"
        "{ name = \"b\"; address = \"10.0.0.2\"; } ); } );\n";
    const LoadOutcome first = load_config_text(file, "test.cfg");
    ASSERT_EQ(first.problems, std::vector<std::string>{});
    const LoadOutcome second = load_config_text(write_config(first.config), "test.cfg");
    EXPECT_EQ(second.problems, std::vector<std::string>{});
    EXPECT_EQ(second.config, first.config) << write_config(first.config);
}

// --- files drawn from the schema ---------------------------------------------------------------

class Draw {
  public:
    explicit Draw(unsigned seed) : random_{seed} {}

    std::string file() { return keys_of(""); }

  private:
    std::int64_t between(std::int64_t least, std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>{least, most}(random_);
    }
    bool chance(int percent) { return between(1, 100) <= percent; }
    std::string quoted(const std::string& text) { return "\"" + text + "\""; }

    std::string keys_of(const std::string& prefix);
    std::string one(const ValueType& type);
    std::string value_of(const SchemaKey& key);
    std::string address(bool may_be_network) {
        const std::string tail = std::to_string(between(0, 15) * 16 + (may_be_network ? 0 : 1));
        return chance(50) ? "198.51." + std::to_string(between(0, 255)) + "." + tail
                          : "2001:db8:" + std::to_string(between(1, 9'999)) +
                                "::" + (may_be_network ? "" : std::to_string(between(1, 9'999)));
    }
    std::string network() {
        const std::string at = address(true);
        return at + (at.find(':') != std::string::npos ? "/64" : "/28");
    }

    std::mt19937 random_;
    int names_ = 0;
};

std::string Draw::one(const ValueType& type) {
    switch (type.kind) {
        case ValueKind::integer:
        case ValueKind::prefix_length:
            return std::to_string(between(type.least, type.most)) +
                   (type.most > INT32_MAX ? "L" : "");
        case ValueKind::text:
            return quoted(chance(50) ? "a \\\"b\\\" \\\\ #c // @include" : "plain");
        case ValueKind::name:
            return quoted("n" + std::to_string(++names_));
        case ValueKind::word:
            return quoted(std::string{
                type.words[static_cast<std::size_t>(between(0, std::ssize(type.words) - 1))]});
        case ValueKind::boolean:
            return chance(50) ? "true" : "false";
        case ValueKind::duration:
            return quoted(std::to_string(between(type.least, type.most)) + "ms");
        case ValueKind::whole_seconds:
            return quoted(std::to_string(between(type.least, type.most) / 1'000) + "s");
        case ValueKind::real_address:
        case ValueKind::host_address:
            return quoted(address(false));
        case ValueKind::host_prefix:
            return quoted(address(false) + "/" + std::to_string(between(8, 32)));
        case ValueKind::client_prefix:
            return quoted(chance(50) ? network() : address(false));
        case ValueKind::vip:
            return quoted(chance(70) ? address(false)
                                     : "198.51.100." + std::to_string(between(0, 15) * 16) + "/28");
        case ValueKind::port_range:
            return chance(60)   ? std::to_string(between(1, 65'535))
                   : chance(50) ? quoted("any")
                                : quoted(std::to_string(between(1, 999)) + "-" +
                                         std::to_string(between(1'000, 65'535)));
        case ValueKind::endpoint:
            return quoted("127.0.0.1:" + std::to_string(between(1, 65'535)));
        case ValueKind::device:
            return quoted(
                std::array{"af_packet:eth0", "af_xdp:eth1", "0000:01:00.0",
                           "vdev:net_null0,a=b"}[static_cast<std::size_t>(between(0, 3))]);
        case ValueKind::octets:
            return quoted(chance(50) ? "\\x01 EHLO\\r\\n\\x7f" : "a \\\"b\\\" \\\\");
        case ValueKind::octets_hex:
            return quoted(chance(50) ? "00ff80" : "0d0a");
        case ValueKind::expression:
            return quoted("^\\\\d+ \\\"(OK|ok)\\\"$");
        case ValueKind::http_method:
            return quoted("HEAD");
        case ValueKind::http_header:
            return quoted("X-Probe: \\\"1\\\"");
        case ValueKind::http_path:
            return quoted("/a?b=\\\"c\\\"");
        case ValueKind::http_host:
            return quoted("www.example.net");
        case ValueKind::http_statuses:
            return quoted(chance(50) ? "204" : "200-404, 503");
        case ValueKind::file_path:
            return quoted("/run/x.sock");
        case ValueKind::group:
        case ValueKind::list:
            break;
    }
    ADD_FAILURE() << "a kind of value that the draw does not know";
    return {};
}

std::string Draw::value_of(const SchemaKey& key) {
    const std::string path{key.path};
    if (key.type.kind == ValueKind::group) {
        return "{ " + keys_of(path + ".") + "}";
    }
    const std::int64_t count =
        std::max(key.type.count_least, between(0, std::min<std::int64_t>(key.type.count_most, 3)));
    std::string elements;
    for (std::int64_t i = 0; i < count; ++i) {
        elements +=
            (i == 0 ? "" : ", ") +
            (key.type.kind == ValueKind::list ? "{ " + keys_of(path + "[].") + "}" : one(key.type));
    }
    return key.type.kind == ValueKind::list ? "( " + elements + " )" : "[ " + elements + " ]";
}

std::string Draw::keys_of(const std::string& prefix) {
    std::string text;
    const std::string_view other_kind = chance(50) ? "parent" : "device";  // a port is of one kind
    const std::string_view other_send = chance(50) ? "send" : "send_hex";  // one and the same
    for (const SchemaKey& key : schema()) {
        const bool is_here =
            key.path.starts_with(prefix) && key.name().size() + prefix.size() == key.path.size();
        if (!is_here || key.name() == other_kind || key.name() == other_send ||
            (key.presence != Presence::required && chance(50))) {
            continue;
        }
        const bool is_scalar = !key.type.is_array && key.type.kind != ValueKind::group &&
                               key.type.kind != ValueKind::list;
        text +=
            std::string{key.name()} + " = " + (is_scalar ? one(key.type) : value_of(key)) + ";\n";
    }
    return text;
}

// A value that its key does not take: the draw is then at fault. Whether values fit together is
// another matter, and not the writer's.
bool is_about_one_value(const std::string& problem) {
    const bool is_refused = problem.find(" is not a") != std::string::npos &&
                            problem.find(" is not a prime") == std::string::npos &&
                            problem.find(" is not a mail address") == std::string::npos;
    return is_refused || problem.find("unknown key") != std::string::npos ||
           problem.find("elements, expected") != std::string::npos;
}

TEST(Writer, IsReadBackAsTheSameWhateverTheSchemaAdmits) {
    for (unsigned seed = 0; seed < 100; ++seed) {
        const std::string drawn = Draw{seed}.file();
        const LoadOutcome first = load_config_text(drawn, "test.cfg");
        for (const std::string& problem : first.problems) {
            ASSERT_FALSE(is_about_one_value(problem)) << problem << "\n" << drawn;
        }
        const std::string text = write_config(first.config);
        const LoadOutcome second = load_config_text(text, "test.cfg");
        ASSERT_EQ(second.config, first.config) << drawn << "\n---\n" << text;
        ASSERT_EQ(second.problems.size(), first.problems.size())
            << testing::PrintToString(first.problems) << "\n"
            << testing::PrintToString(second.problems) << "\n"
            << text;
        ASSERT_EQ(write_config(second.config), text);
    }
}

}  // namespace
}  // namespace fulcrum
