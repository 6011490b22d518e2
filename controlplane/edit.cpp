// An editor holds the copy and what finds things in it; each operation is a row of a table.
#include "controlplane/edit.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "config/access_files.h"
#include "config/findings.h"
#include "config/mark_rules.h"
#include "config/schema_reader.h"
#include "config/validate.h"
#include "config/wording.h"
#include "controlplane/edit_words.h"

namespace fulcrum {
namespace {

// What can be taken away, and what an array is before its elements are read.
struct ServicePart {
    std::string_view key;
    void (*clear)(VirtualService& service);
};
constexpr std::array service_parts{
    ServicePart{"bind", [](VirtualService& s) { s.bind.clear(); }},
    ServicePart{"scheduler_flags", [](VirtualService& s) { s.scheduler_flags = {}; }},
    ServicePart{"affinity", [](VirtualService& s) { s.affinity.reset(); }},
    ServicePart{"mss_max", [](VirtualService& s) { s.mss_max = 0; }},
    ServicePart{"allow", [](VirtualService& s) { s.access.allow.clear(); }},
    ServicePart{"deny", [](VirtualService& s) { s.access.deny.clear(); }},
    ServicePart{"allow_file", [](VirtualService& s) { s.access.allow_file.clear(); }},
    ServicePart{"deny_file", [](VirtualService& s) { s.access.deny_file.clear(); }},
    ServicePart{"limits", [](VirtualService& s) { s.limits = {}; }},
    ServicePart{"fallback", [](VirtualService& s) { s.fallback.reset(); }},
    ServicePart{"checks", [](VirtualService& s) { s.further_checks.clear(); }},
};
constexpr std::array<std::string_view, 4> access_keys{"allow", "deny", "allow_file", "deny_file"};
// A service with others is another service.
constexpr std::array<std::string_view, 8> fixed_keys{"name",   "vip",  "port",  "protocol",
                                                     "listen", "mark", "mark6", "reals"};

bool is_one_of(std::span<const std::string_view> words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
}

// --- one transaction -------------------------------------------------------------------------

class Editor {
  public:
    explicit Editor(const Config& running) : config_{running} {}

    std::optional<EditRefusal> run(const Json& operations);
    std::optional<EditRefusal> settle(const Config& running, std::vector<std::string>& warnings);
    Config take() { return std::move(config_); }

  private:
    using Outcome = std::optional<EditRefusal>;
    struct Row {
        std::string_view name;
        Outcome (Editor::*run)(const Json& operation);
        std::vector<std::string_view> members;
    };
    static const std::vector<Row>& rows();
    static std::string misfit(const Row& row, const Json& operation);

    Outcome add_service(const Json& operation);
    Outcome change_service(const Json& operation);
    Outcome remove_service(const Json& operation);
    Outcome remove_services(const Json& operation);
    Outcome add_real(const Json& operation);
    Outcome change_real(const Json& operation);
    Outcome remove_real(const Json& operation);
    Outcome change_timeouts(const Json& operation);

    Outcome find_service(const Json& wanted, VirtualService*& found);
    Outcome find_real(const Json& operation, VirtualService*& service,
                      std::vector<RealServer>::iterator& found);
    VirtualService* holder_of(const std::string& key);
    Outcome outcome_of(const std::string& label, const Findings& findings) const;

    Config config_;
    bool reads_lists_ = false;                     // again, as a service's lists have changed
    std::map<std::string, std::size_t> place_of_;  // of services, by their keys
    std::size_t indexed_count_ = 0;                // of services, whose keys are there
};

EditRefusal refusal(std::string code, std::string sentence) {
    return {std::move(code), {std::move(sentence)}, std::nullopt};
}

const std::vector<Editor::Row>& Editor::rows() {
    static const std::vector<Row> table{
        {"add-service", &Editor::add_service, {"set"}},
        {"change-service", &Editor::change_service, {"service", "set"}},
        {"remove-service", &Editor::remove_service, {"service"}},
        {"remove-services", &Editor::remove_services, {}},
        {"add-real", &Editor::add_real, {"service", "set"}},
        {"change-real", &Editor::change_real, {"service", "real", "set"}},
        {"remove-real", &Editor::remove_real, {"service", "real"}},
        {"change-timeouts", &Editor::change_timeouts, {"set"}},
    };
    return table;
}

std::string Editor::misfit(const Row& row, const Json& operation) {
    for (const std::string_view member : row.members) {
        const auto found = operation.find(member);
        const bool is_there = found != operation.end();
        if (!is_there ||
            (member == "set" ? !found->is_object() : !found->is_object() && !found->is_string())) {
            return std::string{row.name} + " needs \"" + std::string{member} + "\"" +
                   (member == "set" ? ", a group of keys" : ", a name or what it is at");
        }
    }
    for (const auto& [member, value] : operation.items()) {
        if (member != "operation" && !is_one_of(row.members, member)) {
            return std::string{row.name} + " knows no member " + in_quotes(member);
        }
    }
    return {};
}

std::optional<EditRefusal> Editor::run(const Json& operations) {
    for (std::size_t at = 0; at < operations.size(); ++at) {
        const Json& operation = operations[at];
        const std::string name = operation.is_object()
                                     ? operation.value("operation", Json{}).is_string()
                                           ? operation["operation"].get<std::string>()
                                           : std::string{}
                                     : std::string{};
        const auto row = std::ranges::find(rows(), name, &Row::name);
        Outcome outcome;
        if (row == rows().end()) {
            outcome = refusal("bad_arguments", "there is no operation " + in_quotes(name));
        } else if (const std::string sentence = misfit(*row, operation); !sentence.empty()) {
            outcome = refusal("bad_arguments", sentence);
        } else {
            outcome = (this->*row->run)(operation);
        }
        if (outcome) {
            outcome->operation = at;
            return outcome;
        }
    }
    return std::nullopt;
}

// --- services --------------------------------------------------------------------------------

std::optional<EditRefusal> Editor::add_service(const Json& operation) {
    Json set = operation["set"];
    const bool is_nameless = !set.contains("name");
    if (is_nameless) {
        set["name"] = "new";
    }
    Findings findings;
    SchemaTarget target{config_};
    read_element(node_of({}, set), "services", target, findings);
    if (Outcome outcome = outcome_of("", findings)) {
        return outcome;
    }
    VirtualService added = std::move(config_.services.back());
    config_.services.pop_back();
    std::set<std::string_view> names;
    for (const VirtualService& service : config_.services) {
        names.insert(service.name);
    }
    if (is_nameless) {
        added.name = unlike(names, name_for_service(added));
    } else if (names.contains(added.name)) {
        return refusal("service_exists", "there is a service " + in_quotes(added.name));
    }
    for (const std::string& key : keys_of(added)) {
        if (const VirtualService* holder = holder_of(key)) {
            return refusal("service_exists",
                           key + " is already the service " + in_quotes(holder->name));
        }
    }
    reads_lists_ |= !added.access.allow.empty() || !added.access.deny.empty() ||
                    !added.access.allow_file.empty() || !added.access.deny_file.empty();
    config_.services.push_back(std::move(added));
    gather_marked(config_);
    return std::nullopt;
}

std::optional<EditRefusal> Editor::change_service(const Json& operation) {
    VirtualService* service = nullptr;
    if (Outcome outcome = find_service(operation["service"], service)) {
        return outcome;
    }
    const std::string label = "service " + in_quotes(service->name) + ": ";
    Json set = operation["set"];
    for (auto at = operation["set"].begin(); at != operation["set"].end(); ++at) {
        const std::string& key = at.key();
        const auto part = std::ranges::find(service_parts, key, &ServicePart::key);
        if (is_one_of(fixed_keys, key)) {
            return refusal("bad_arguments", label + key +
                                                " cannot be changed: remove the service "
                                                "and add it anew, or change the file");
        }
        if (at->is_null() && part == service_parts.end()) {
            return refusal("bad_arguments", label + key + " cannot be taken away");
        }
        if (part != service_parts.end() && (at->is_null() || at->is_array() || key == "fallback")) {
            part->clear(*service);
        }
        if (at->is_null()) {
            set.erase(key);
        }
        if (is_one_of(access_keys, key)) {
            service->access.rules = nullptr;
            reads_lists_ = true;
        }
    }
    Findings findings;
    SchemaTarget target{config_, nullptr, service};
    read_onto(node_of({}, set), "services", target, findings);
    return outcome_of(label, findings);
}

std::optional<EditRefusal> Editor::remove_service(const Json& operation) {
    VirtualService* service = nullptr;
    if (Outcome outcome = find_service(operation["service"], service)) {
        return outcome;
    }
    const bool is_whole = operation["service"].is_string() || listeners_of(*service).size() == 1 ||
                          operation["service"].contains("mark") ||
                          operation["service"].contains("mark6");
    if (!is_whole) {
        return refusal("bad_arguments", "the service " + in_quotes(service->name) +
                                            " listens on more than this: remove it by its name");
    }
    config_.services.erase(config_.services.begin() + (service - config_.services.data()));
    place_of_.clear();
    indexed_count_ = 0;
    return std::nullopt;
}

std::optional<EditRefusal> Editor::remove_services(const Json& /*operation*/) {
    config_.services.clear();
    place_of_.clear();
    indexed_count_ = 0;
    return std::nullopt;
}

// --- reals -----------------------------------------------------------------------------------

std::optional<EditRefusal> Editor::add_real(const Json& operation) {
    VirtualService* service = nullptr;
    if (Outcome outcome = find_service(operation["service"], service)) {
        return outcome;
    }
    Json set = operation["set"];
    const bool is_nameless = !set.contains("name");
    if (is_nameless) {
        set["name"] = "new";
    }
    Findings findings;
    SchemaTarget target{config_, nullptr, service};
    read_element(node_of({}, set), "services[].reals", target, findings);
    if (Outcome outcome = outcome_of("service " + in_quotes(service->name) + ": ", findings)) {
        return outcome;
    }
    RealServer added = std::move(service->reals.back());
    service->reals.pop_back();
    if (added.endpoint.port.host() == 0) {
        added.endpoint.port = only_port_of(*service);
    }
    std::set<std::string_view> names;
    for (const RealServer& real : service->reals) {
        names.insert(real.name);
        if (real.endpoint == added.endpoint) {
            return refusal("real_exists", "service " + in_quotes(service->name) + ": " +
                                              to_string(added.endpoint) + " is already the real " +
                                              in_quotes(real.name));
        }
    }
    if (is_nameless) {
        added.name = unlike(names, name_for_real(added.endpoint));
    } else if (names.contains(added.name)) {
        return refusal("real_exists", "service " + in_quotes(service->name) + " has a real " +
                                          in_quotes(added.name));
    }
    service->reals.push_back(std::move(added));
    return std::nullopt;
}

std::optional<EditRefusal> Editor::change_real(const Json& operation) {
    VirtualService* service = nullptr;
    std::vector<RealServer>::iterator real;
    if (Outcome outcome = find_real(operation, service, real)) {
        return outcome;
    }
    const std::string label =
        "service " + in_quotes(service->name) + ": real " + in_quotes(real->name) + ": ";
    Json set = operation["set"];
    if (set.contains("name")) {
        return refusal("bad_arguments", label + "name cannot be changed");
    }
    if (set.contains("connections")) {
        real->connections = {};
        if (set["connections"].is_null()) {
            set.erase("connections");
        }
    }
    for (const char* key : {"check", "checks"}) {
        if (set.contains(key) && !set[key].is_object()) {  // away with them, or others instead
            real->checks.clear();
        }
        if (set.contains(key) && set[key].is_null()) {
            set.erase(key);
        }
    }
    Findings findings;
    SchemaTarget target{config_, nullptr, service, {}, &*real};
    read_onto(node_of({}, set), "services[].reals", target, findings);
    return outcome_of(label, findings);
}

std::optional<EditRefusal> Editor::remove_real(const Json& operation) {
    VirtualService* service = nullptr;
    std::vector<RealServer>::iterator real;
    if (Outcome outcome = find_real(operation, service, real)) {
        return outcome;
    }
    service->reals.erase(real);
    return std::nullopt;
}

// --- timeouts --------------------------------------------------------------------------------

// Services that go by the general ones follow them.
std::optional<EditRefusal> Editor::change_timeouts(const Json& operation) {
    const SessionTimeouts before = config_.timeouts;
    Findings findings;
    SchemaTarget target{config_};
    read_onto(node_of({}, operation["set"]), "timeouts", target, findings);
    if (Outcome outcome = outcome_of("timeouts: ", findings)) {
        return outcome;
    }
    for (const auto each :
         {&SessionTimeouts::tcp_handshake_s, &SessionTimeouts::tcp_established_s,
          &SessionTimeouts::tcp_half_closed_s, &SessionTimeouts::tcp_closed_s,
          &SessionTimeouts::udp_one_way_s, &SessionTimeouts::udp_s,
          &SessionTimeouts::sctp_handshake_s, &SessionTimeouts::sctp_established_s,
          &SessionTimeouts::sctp_shutdown_s, &SessionTimeouts::sctp_closed_s}) {
        for (VirtualService& service : config_.services) {
            if (service.timeouts.*each == before.*each) {
                service.timeouts.*each = config_.timeouts.*each;
            }
        }
    }
    return std::nullopt;
}

// --- finding ---------------------------------------------------------------------------------

VirtualService* Editor::holder_of(const std::string& key) {
    for (; indexed_count_ < config_.services.size(); ++indexed_count_) {
        for (const std::string& each : keys_of(config_.services[indexed_count_])) {
            place_of_.emplace(each, indexed_count_);
        }
    }
    const auto found = place_of_.find(key);
    return found == place_of_.end() ? nullptr : &config_.services[found->second];
}

std::optional<EditRefusal> Editor::find_service(const Json& wanted, VirtualService*& found) {
    if (wanted.is_string()) {
        const std::string name = wanted.get<std::string>();
        const auto at = std::ranges::find(config_.services, name, &VirtualService::name);
        if (at != config_.services.end()) {
            found = &*at;
            return std::nullopt;
        }
        std::vector<std::string_view> names;
        for (const VirtualService& service : config_.services) {
            names.push_back(service.name);
        }
        return refusal("unknown_service", no_such("service", name, names));
    }
    // Read as a service would be: the same kinds of values, the same refusals.
    Config scratch;
    Json keys = wanted;
    keys["name"] = "wanted";
    if (keys.contains("port") && keys["port"] == 0) {
        keys["port"] = "any";
    }
    Findings findings;
    SchemaTarget target{scratch};
    read_element(node_of({}, keys), "services", target, findings);
    if (Outcome outcome = outcome_of("", findings)) {
        outcome->code = "unknown_service";  // nothing can be there
        return outcome;
    }
    const std::string key = keys_of(scratch.services.front()).front();
    found = holder_of(key);
    return found != nullptr ? Outcome{}
                            : refusal("unknown_service", "there is no service at " + key);
}

std::optional<EditRefusal> Editor::find_real(const Json& operation, VirtualService*& service,
                                             std::vector<RealServer>::iterator& found) {
    if (Outcome outcome = find_service(operation["service"], service)) {
        return outcome;
    }
    const Json& wanted = operation["real"];
    if (wanted.is_string()) {
        const std::string name = wanted.get<std::string>();
        found = std::ranges::find(service->reals, name, &RealServer::name);
        if (found != service->reals.end()) {
            return std::nullopt;
        }
        std::vector<std::string_view> names;
        for (const RealServer& real : service->reals) {
            names.push_back(real.name);
        }
        return refusal("unknown_real",
                       "service " + in_quotes(service->name) + ": " + no_such("real", name, names));
    }
    const bool is_whole = wanted.size() == 2 && wanted.contains("address") &&
                          wanted["address"].is_string() && wanted.contains("port") &&
                          wanted["port"].is_number_unsigned();
    const auto address =
        is_whole ? parse_ip_address(wanted["address"].get<std::string>()) : std::nullopt;
    if (!address || wanted["port"].get<std::uint64_t>() > 65'535) {
        return refusal("bad_arguments", "a real is meant by its name, or by address and port");
    }
    const Endpoint endpoint{*address, be16{wanted["port"].get<std::uint16_t>()}};
    found = std::ranges::find(service->reals, endpoint, &RealServer::endpoint);
    return found != service->reals.end()
               ? Outcome{}
               : refusal("unknown_real", "service " + in_quotes(service->name) +
                                             " has no real at " + to_string(endpoint));
}

// --- what comes out --------------------------------------------------------------------------

std::vector<std::string> sentences_of(const FindingList& list, const std::string& label) {
    std::vector<std::string> sentences;
    for (const Finding& finding : list.kept()) {
        const SourcePlace& place = finding.place;
        const std::string where =
            place.line == 0 ? "" : place.file + ":" + std::to_string(place.line) + ": ";
        sentences.push_back(where + label + finding.sentence);
    }
    if (list.left_off_count() > 0) {
        sentences.push_back("and " + std::to_string(list.left_off_count()) + " more");
    }
    return sentences;
}

std::optional<EditRefusal> Editor::outcome_of(const std::string& label,
                                              const Findings& findings) const {
    if (findings.problems.empty()) {
        return std::nullopt;
    }
    return EditRefusal{"bad_arguments", sentences_of(findings.problems, label), std::nullopt};
}

std::optional<EditRefusal> Editor::settle(const Config& running,
                                          std::vector<std::string>& warnings) {
    gather_marked(config_);
    Findings findings;
    if (reads_lists_) {
        gather_access_rules(config_, read_list_file, findings);
    }
    validate(config_, findings);
    if (!findings.problems.empty()) {
        return EditRefusal{"config_invalid", sentences_of(findings.problems, ""), std::nullopt};
    }
    Findings of_running;
    if (!findings.warnings.empty()) {  // or there is nothing to compare with
        validate(running, of_running);
    }
    const std::vector<std::string> known = sentences_of(of_running.warnings, "");
    for (std::string& warning : sentences_of(findings.warnings, "")) {
        if (std::ranges::find(known, warning) == known.end()) {
            warnings.push_back(std::move(warning));
        }
    }
    return std::nullopt;
}

}  // namespace

Edited edit(const Config& running, const Json& operations) {
    Edited edited;
    Editor editor{running};
    edited.refusal = editor.run(operations);
    if (!edited.refusal) {
        edited.refusal = editor.settle(running, edited.warnings);
    }
    edited.config = editor.take();
    return edited;
}

}  // namespace fulcrum
