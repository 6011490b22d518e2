// Asking, and telling what came of it.
#include "controlplane/fulcrumctl/actions.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>
#include <variant>

#include "config/loader.h"
#include "config/value_type.h"
#include "controlplane/fulcrumctl/client.h"
#include "controlplane/fulcrumctl/complete.h"
#include "controlplane/fulcrumctl/kept_file.h"
#include "controlplane/fulcrumctl/key_words.h"

namespace fulcrum {
namespace {

void list_to_stderr(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
        std::fprintf(stderr, "%s\n", line.c_str());
    }
}

int complain_of(const Json& error) {
    const std::string code = error.value("code", std::string{});
    complain(error.value("sentence", std::string{"the director refuses without a reason"}));
    list_to_stderr(error.value("problems", std::vector<std::string>{}));
    const bool is_misuse =
        code == "config_invalid" || code == "bad_arguments" || code == "unknown_command";
    return is_misuse ? misused : failed;
}

bool tells_of_problems(const std::string& command, const Json& result) {
    if (command == "doctor") {
        const Json& findings = result.at("findings");
        return std::ranges::any_of(
            findings, [](const Json& finding) { return finding.at("verdict") == "bad"; });
    }
    return command == "status" && !result.at("problems").empty();
}

Json target_of(const Options& options) {
    const std::size_t slash = options.target.find('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == options.target.size()) {
        complain("\"" + options.target + "\" does not read SERVICE/REAL");
        return {};
    }
    return {{"service", options.target.substr(0, slash)},
            {"real", options.target.substr(slash + 1)}};
}

}  // namespace

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void complain(const std::string& sentence) {
    std::fprintf(stderr, "fulcrumctl: %s\n", sentence.c_str());
}

int ask(const Options& options, const std::string& command, const Json& arguments, Show show) {
    const Result<Json> reply =
        ask_director(options.socket, {{"command", command}, {"arguments", arguments}});
    if (!reply) {
        complain(reply.error().sentence);
        return unreachable;
    }
    if (!reply->value("ok", false)) {
        return complain_of(reply->value("error", Json::object()));
    }
    const Json& result = reply->at("result");
    print(options.is_json ? result.dump(2) + "\n" : show(result));
    return tells_of_problems(command, result) ? failed : done_status;
}

// Of SERVICE/REAL; nothing, and a complaint, when it reads otherwise.
int ask_drain(const Options& options, const std::string& command, Show show) {
    Json arguments = target_of(options);
    if (arguments.is_null()) {
        return misused;
    }
    if (!options.deadline.empty()) {
        const Node written{.kind = NodeKind::text, .text = options.deadline};
        const auto deadline = read_value(whole_seconds(1, limits::timeout_max_s), written);
        if (!deadline) {
            complain("--deadline: " + deadline.error().sentence);
            return misused;
        }
        arguments["deadline_s"] = static_cast<std::uint64_t>(deadline->number / 1'000);
    }
    if (!options.then.empty()) {
        arguments["then"] = options.then;
    }
    return ask(options, command, arguments, show);
}

// An edit of one operation. `keys`: where the table has those that the words set; null: none are.
int ask_edit(const Options& options, const char* operation, const char* keys) {
    const bool is_of_real = std::string_view{operation}.ends_with("real");
    const bool is_of_service = std::string_view{operation}.ends_with("service");
    Json asked{{"operation", operation}};
    if (is_of_real) {
        const Json target = target_of(options);
        if (target.is_null()) {
            return misused;
        }
        asked.update(target);
    } else if (is_of_service) {
        asked["service"] = options.target;
    }
    if (keys != nullptr) {
        Result<Json> set = keys_from(options.words, keys);
        if (!set) {
            complain(set.error().sentence);
            return misused;
        }
        asked["set"] = std::move(*set);
    }
    if (std::string_view{operation}.starts_with("add-")) {
        const char* const named = is_of_real ? "real" : "service";
        asked["set"]["name"] = asked[named];
        asked.erase(named);
    }
    return ask(options, "edit", {{"operations", Json::array({asked})}}, show_edit);
}

// Into its own file the director writes itself; any other one is the caller's.
int ask_save(const Options& options) {
    if (options.target.empty()) {
        return ask(options, "save", Json::object(), show_save);
    }
    const Status kept = keep_config(options.socket, options.target);
    if (!kept) {
        complain(kept.error().sentence);
    } else if (options.is_json && options.target != "-") {
        print(Json{{"file", options.target}}.dump(2) + "\n");
    }
    return kept ? done_status : failed;
}

int ask_zero(const Options& options) {
    Json arguments = Json::object();
    if (!options.target.empty()) {
        const std::size_t slash = options.target.find('/');
        arguments["service"] = options.target.substr(0, slash);
        if (slash != std::string::npos) {
            arguments["real"] = options.target.substr(slash + 1);
        }
    }
    return ask(options, "zero", arguments, show_zero);
}

int ask_walk(const Options& options, const std::string& command, Show show) {
    Json arguments = Json::object();
    for (const auto& [name, value] : {std::pair{"service", options.service},
                                      {"real", options.real},
                                      {"client", options.client}}) {
        if (!value.empty()) {
            arguments[name] = value;
        }
    }
    if (options.limit != 0) {
        arguments["limit"] = options.limit;
    }
    return ask(options, command, arguments, show);
}

int ask_reals(const Options& options) {
    Json arguments = Json::object();
    if (!options.service.empty()) {
        arguments["service"] = options.service;
    }
    return ask(options, "reals", arguments, show_reals);
}

int ask_explain(const Options& options) {
    Json arguments{{"protocol", options.protocol},
                   {"source", options.source},
                   {"destination", options.destination}};
    for (const auto& [name, value] : {std::pair{"from", options.from}, {"flags", options.flags}}) {
        if (!value.empty()) {
            arguments[name] = value;
        }
    }
    if (options.size != 0) {
        arguments["size"] = options.size;
    }
    return ask(options, "explain", arguments, show_explain);
}

// The file is what was asked for; how it went is said beside it.
int ask_capture(const Options& options) {
    const Result<Json> reply = capture(options.capture, options.socket);
    if (!reply) {
        complain(reply.error().sentence);
        return failed;
    }
    if (!reply->value("ok", false)) {
        return complain_of(reply->value("error", Json::object()));
    }
    const Json& result = reply->at("result");
    const std::string text = options.is_json ? result.dump(2) + "\n" : show_capture(result);
    std::fwrite(text.data(), 1, text.size(), stderr);
    return done_status;
}

// Line by line, each as soon as it comes.
int ask_events(const Options& options) {
    Json arguments{{"follow", !options.ends_at_latest}};
    if (options.since) {
        arguments["since"] = *options.since;
    }
    const auto show = [&options](std::string_view octets) {
        while (!octets.empty()) {
            const std::string_view line = octets.substr(0, octets.find('\n'));
            octets.remove_prefix(std::min(line.size() + 1, octets.size()));
            print(options.is_json ? std::string{line} + "\n" : show_event(Json::parse(line)));
        }
        return std::fflush(stdout) == 0;
    };
    const auto begin = [](const Json& result) {
        if (const auto forgotten = result.value("forgotten", std::uint64_t{0}); forgotten > 0) {
            complain(std::to_string(forgotten) + " events behind that one are no longer kept");
        }
    };
    const Result<Json> reply = stream_from_director(
        options.socket, {{"command", "events"}, {"arguments", arguments}}, show, begin);
    if (!reply) {
        complain(reply.error().sentence);
        return unreachable;
    }
    return reply->value("ok", false) ? int{done_status}
                                     : complain_of(reply->value("error", Json::object()));
}

int check(const Options& options) {
    const LoadOutcome outcome = load_config(options.target);
    if (options.is_json) {
        const Json result{{"valid", outcome.is_valid()},
                          {"problems", outcome.problems},
                          {"warnings", outcome.warnings}};
        print(result.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
        return outcome.is_valid() ? done_status : misused;
    }
    list_to_stderr(outcome.problems);
    for (const std::string& warning : outcome.warnings) {
        std::fprintf(stderr, "warning: %s\n", warning.c_str());
    }
    if (!outcome.is_valid()) {
        return misused;
    }
    std::size_t real_count = 0;
    for (const VirtualService& service : outcome.config.services) {
        real_count += service.reals.size();
    }
    print(options.target +
          " is valid; services: " + std::to_string(outcome.config.services.size()) +
          ", reals: " + std::to_string(real_count) + "\n");
    return done_status;
}

// The new file is what was asked for; what it does not say is said beside it.
int import(const Options& options) {
    const Result<Json> imported = import_file(options.import);
    if (!imported) {
        complain(imported.error().sentence);
        return misused;
    }
    if (options.is_json) {
        print(imported->dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    } else {
        print(imported->at("config"));
        const std::string remarks = show_remarks(*imported);
        std::fwrite(remarks.data(), 1, remarks.size(), stderr);
    }
    return is_whole(*imported) ? done_status : failed;
}

namespace {

// Of a file, or of what the director runs; an exit status in its place has told why not.
std::variant<Config, int> config_to_export(const Options& options) {
    LoadOutcome outcome;
    if (!options.routes.file.empty()) {
        outcome = load_config(options.routes.file);
    } else {
        const Result<Json> reply =
            ask_director(options.socket, {{"command", "config"}, {"arguments", Json::object()}});
        if (!reply) {
            complain(reply.error().sentence);
            return unreachable;
        }
        if (!reply->value("ok", false)) {
            complain(reply->at("error").at("sentence"));
            return failed;
        }
        const Json& result = reply->at("result");
        outcome = load_config_as(result.at("text").get<std::string>(), result.at("file"));
    }
    if (!outcome.is_valid()) {
        list_to_stderr(outcome.problems);
        return misused;
    }
    return std::move(outcome.config);
}

}  // namespace

int export_routes(const Options& options) {
    const std::variant<Config, int> config = config_to_export(options);
    if (const int* const status = std::get_if<int>(&config)) {
        return *status;
    }
    const Result<RoutePlan> plan = plan_routes(std::get<Config>(config), options.routes);
    if (!plan) {
        complain("export: " + plan.error().sentence);
        return misused;
    }
    const std::string text = options.target == "bird" ? bird_text(*plan) : frr_text(*plan);
    print(options.is_json ? Json{{"daemon", options.target}, {"text", text}}.dump(2) + "\n" : text);
    return done_status;
}

// A director that does not answer has no names to offer.
int complete(const CLI::App& app, const Options& options, const std::vector<std::string>& words) {
    const auto ask_names = [&options] {
        KnownNames names;
        const Result<Json> reply = ask_director(options.socket, {{"command", "reals"}});
        const Json reals = reply ? reply->value("result", Json::object()) : Json::object();
        for (const Json& real : reals.value("reals", Json::array())) {
            names.services.push_back(real.at("service"));
            names.reals.push_back(names.services.back() + "/" + std::string{real.at("name")});
        }
        return names;
    };
    for (const std::string& each : completions(app, words, ask_names)) {
        print(each + "\n");
    }
    return done_status;
}

}  // namespace fulcrum
