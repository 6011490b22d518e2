// Words of the command line into values, the import itself, and what there is to say of it.
#include "controlplane/fulcrumctl/import.h"

#include <glob.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "config/file_limits.h"
#include "config/import/dialects.h"
#include "config/loader.h"
#include "config/schema.h"
#include "config/wording.h"
#include "config/writer.h"

namespace fulcrum {
namespace {

// --- what the system knows ---------------------------------------------------------------------

Result<std::string> read_standard_input() {
    std::string text;
    char octets[65'536];
    for (;;) {
        const ssize_t count = ::read(STDIN_FILENO, octets, sizeof octets);
        if (count == 0) {
            return text;
        }
        if (count < 0 || text.size() > limits::file_size_max) {
            return Error{count < 0 ? "cannot be read" : "is longer than 16 MiB"};
        }
        text.append(octets, static_cast<std::size_t>(count));
    }
}

std::optional<IpAddress> address_of_host(const std::string& name, IpFamily family) {
    addrinfo hints{};
    hints.ai_family = family == IpFamily::v4 ? AF_INET : AF_INET6;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) {
        return std::nullopt;
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, ::freeaddrinfo};
    char text[NI_MAXHOST];
    const int status = ::getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, nullptr,
                                     0, NI_NUMERICHOST);
    return status == 0 ? parse_ip_address(text) : std::nullopt;
}

std::optional<std::uint16_t> port_of_service(const std::string& name) {
    const servent* const found = ::getservbyname(name.c_str(), nullptr);  // one thread asks
    return found == nullptr ? std::nullopt
                            : std::optional{ntohs(static_cast<std::uint16_t>(found->s_port))};
}

std::vector<std::string> files_like(const std::string& pattern) {
    glob_t found{};
    std::vector<std::string> files;
    if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
        files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    ::globfree(&found);
    return files;
}

// --- words of the command line -----------------------------------------------------------------

// The value as the file's key takes it.
Status store(const char* path, const std::string& text, SchemaTarget& target) {
    const auto keys = schema();
    const auto key = std::ranges::find(keys, path, &SchemaKey::path);
    const auto value = read_value(key->type, {.kind = NodeKind::text, .text = text});
    if (!value) {
        return Error{value.error().sentence};
    }
    key->store(target, *value);
    return done();
}

// "wan af_packet:eth0 203.0.113.2/24"
Status add_port(const std::string& written, Config& config) {
    const std::vector<std::string> words = words_in(written);
    const std::string label = "--port " + in_quotes(written) + ": ";
    if (words.size() < 2) {
        return Error{label + "expected NAME DEVICE [ADDRESS/LENGTH ...] in quotes"};
    }
    SchemaTarget target{.config = config, .port = &config.ports.emplace_back()};
    for (std::size_t i = 0; i < words.size(); ++i) {
        const char* const path = i == 0   ? "ports[].name"
                                 : i == 1 ? "ports[].device"
                                          : "ports[].addresses";
        if (const Status stored = store(path, words[i], target); !stored) {
            return Error{label + stored.error().sentence};
        }
    }
    return done();
}

std::optional<Listener> listener_of(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view word = slash == std::string_view::npos ? "tcp" : text.substr(slash + 1);
    const auto endpoint = parse_endpoint(text.substr(0, slash));
    const std::map<std::string_view, L4Protocol> protocols{
        {"tcp", L4Protocol::tcp}, {"udp", L4Protocol::udp}, {"sctp", L4Protocol::sctp}};
    const auto protocol = protocols.find(word);
    if (!endpoint || protocol == protocols.end()) {
        return std::nullopt;
    }
    return Listener{.vip = IpPrefix::only(endpoint->address),
                    .ports = PortRange::only(endpoint->port.host()),
                    .protocol = protocol->second,
                    .place = {}};
}

// "80=192.0.2.1:80,192.0.2.1:443/tcp"
Status add_mark(const std::string& written, ImportSource& source) {
    const std::size_t equals = written.find('=');
    const auto mark = number_in(std::string_view{written}.substr(0, equals));
    std::string_view rest{written};
    rest.remove_prefix(equals == std::string::npos ? written.size() : equals + 1);
    std::vector<Listener> listeners;
    bool is_fit = mark && *mark > 0 && *mark <= 0xFFFF'FFFF && !rest.empty();
    while (is_fit && !rest.empty()) {
        const std::size_t end = std::min(rest.find(','), rest.size());
        const auto listener = listener_of(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        is_fit = listener.has_value();
        if (is_fit) {
            listeners.push_back(*listener);
        }
    }
    if (!is_fit) {
        return Error{"--mark " + in_quotes(written) +
                     ": expected NUMBER=ADDRESS:PORT[/PROTOCOL][,...], as in "
                     "\"80=192.0.2.1:80/tcp\""};
    }
    source.marks[static_cast<std::uint32_t>(*mark)] = std::move(listeners);
    return done();
}

Result<Dialect> dialect_of(const ImportWords& words, const std::string& text) {
    const auto dialect = words.from.empty() ? guess_dialect(text) : dialect_named(words.from);
    if (dialect) {
        return *dialect;
    }
    return Error{words.from.empty()
                     ? in_quotes(words.file) +
                           " is of no kind that is known here: say it with --from ipvsadm, "
                           "ldirectord, keepalived or piranha"
                     : "--from: " + in_quotes(words.from) +
                           " is not one of ipvsadm, ldirectord, keepalived, piranha"};
}

// --- the import --------------------------------------------------------------------------------

Json json_of(const Remark& remark) {
    return {{"file", remark.line.place.file},
            {"line", remark.line.place.line},
            {"text", remark.line.text},
            {"kind", to_string(remark.kind)},
            {"why", remark.why},
            {"remedy", remark.remedy}};
}

// What `check` will say; of the ports that are missing yet there is nothing new to say.
std::vector<std::string> problems_of(const std::string& text, bool has_ports) {
    const std::string port = "ports = ( { name = \"p\"; device = \"vdev:net_null0\"; } );\n";
    return load_config_text(has_ports ? text : text + port, "the new file").problems;
}

}  // namespace

Result<Json> import_file(const ImportWords& words) {
    Result<std::string> text =
        words.file == "-" ? read_standard_input() : read_regular_file(words.file);
    if (!text) {
        return Error{in_quotes(words.file) + " " + text.error().sentence};
    }
    ImportSource source{
        .path = words.file,
        .text = std::move(*text),
        .read_file = [](const std::string& path) { return read_regular_file(path); },
        .files_like = files_like,
        .names = {address_of_host, port_of_service},
        .marks = {}};
    for (const std::string& mark : words.marks) {
        if (const Status added = add_mark(mark, source); !added) {
            return added.error();
        }
    }
    const Result<Dialect> dialect = dialect_of(words, source.text);
    if (!dialect) {
        return dialect.error();
    }
    Imported imported = import_as(*dialect, source);
    Config& config = imported.config;
    config.director.workers = words.workers;
    for (const std::string& port : words.ports) {
        if (const Status added = add_port(port, config); !added) {
            return added.error();
        }
    }
    const std::string said = "# From " + in_quotes(words.file) + ", as " +
                             std::string{to_string(*dialect)} + " reads it.\n\n" +
                             write_config(config);
    Json remarks = Json::array();
    for (const Remark& remark : imported.remarks) {
        remarks.push_back(json_of(remark));
    }
    std::size_t real_count = 0;
    for (const VirtualService& service : config.services) {
        real_count += service.reals.size();
    }
    return Json{{"from", to_string(*dialect)},
                {"config", said},
                {"services", config.services.size()},
                {"reals", real_count},
                {"remarks", std::move(remarks)},
                {"problems", problems_of(said, !config.ports.empty())}};
}

bool is_whole(const Json& import) {
    return import.at("problems").empty() &&
           std::ranges::none_of(import.at("remarks"),
                                [](const Json& each) { return each.at("kind") == "lost"; });
}

std::string show_remarks(const Json& import) {
    std::string text;
    std::map<std::string, int> counts{{"lost", 0}, {"changed", 0}, {"needless", 0}};
    for (const Json& each : import.at("remarks")) {
        const std::string kind = each.at("kind");
        const std::string remedy = each.at("remedy");
        ++counts[kind];
        text += each.at("file").get<std::string>() + ":" +
                std::to_string(each.at("line").get<unsigned>()) + ": " + kind + ": " +
                in_quotes(each.at("text").get<std::string>()) + ": " +
                each.at("why").get<std::string>() + (remedy.empty() ? "" : "; " + remedy) + "\n";
    }
    for (const Json& each : import.at("problems")) {
        text += each.get<std::string>() + "\n";
    }
    return text + "read as " + import.at("from").get<std::string>() +
           "; services: " + std::to_string(import.at("services").get<std::size_t>()) +
           ", reals: " + std::to_string(import.at("reals").get<std::size_t>()) +
           "; lines lost: " + std::to_string(counts["lost"]) +
           ", changed: " + std::to_string(counts["changed"]) +
           ", needless: " + std::to_string(counts["needless"]) + "\n";
}

}  // namespace fulcrum
