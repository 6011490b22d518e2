// A word that begins a line and stands in one dialect alone decides.
#include "config/import/dialects.h"

#include <array>
#include <string>

#include "config/import/ipvsadm.h"
#include "config/import/keepalived.h"
#include "config/import/ldirectord.h"
#include "config/import/piranha.h"

namespace fulcrum {
namespace {

struct DialectFacts {
    std::string_view name;
    Imported (*import)(const ImportSource&);
};
// In the order of the enumerators.
constexpr std::array dialects{
    DialectFacts{"ipvsadm", import_ipvsadm}, DialectFacts{"ldirectord", import_ldirectord},
    DialectFacts{"keepalived", import_keepalived}, DialectFacts{"piranha", import_piranha}};

std::optional<Dialect> dialect_of(std::string_view line) {
    const std::vector<std::string> words = words_in(line);
    const std::string first = words.empty() ? "" : words[0];
    const std::string second = words.size() > 1 ? words[1] : "";
    if (first == "ipvsadm" || first.ends_with("/ipvsadm") || first == "-A" || first == "-a" ||
        first == "--add-service") {
        return Dialect::ipvsadm;
    }
    // "virtual = 192.0.2.1:80", "virtual=1"; but "virtual web {"
    const std::string key{trimmed(line.substr(0, line.find('=')))};
    const bool has_value = line.find('=') != std::string_view::npos;
    if (has_value && (key == "virtual" || key == "virtual6" || key == "checktimeout" ||
                      key == "quiescent" || key == "checkinterval")) {
        return Dialect::ldirectord;
    }
    if (((first == "virtual" || first == "failover") && !has_value && line.ends_with('{')) ||
        (has_value && (key == "serial_no" || key == "primary" || key == "heartbeat_port"))) {
        return Dialect::piranha;
    }
    if (first == "virtual_server" || first == "vrrp_instance" || first == "global_defs" ||
        first.starts_with("global_defs{") || first == "virtual_server_group" ||
        first == "vrrp_sync_group" || first == "vrrp_script") {
        return Dialect::keepalived;
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(Dialect dialect) {
    return dialects[static_cast<std::size_t>(dialect)].name;
}

std::optional<Dialect> dialect_named(std::string_view name) {
    for (std::size_t i = 0; i < dialects.size(); ++i) {
        if (dialects[i].name == name) {
            return static_cast<Dialect>(i);
        }
    }
    return std::nullopt;
}

std::optional<Dialect> guess_dialect(std::string_view text) {
    for (const OldLine& line : lines_in("", text)) {
        if (const auto dialect = dialect_of(trimmed(line.text))) {
            return dialect;
        }
    }
    return std::nullopt;
}

Imported import_as(Dialect dialect, const ImportSource& source) {
    return dialects[static_cast<std::size_t>(dialect)].import(source);
}

}  // namespace fulcrum
