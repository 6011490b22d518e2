// The commands that change something: the file read again, edits, drains, counters, the log.
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "config/writer.h"
#include "controlplane/commands.h"
#include "controlplane/edit_words.h"

namespace fulcrum {
namespace {

constexpr std::size_t unfinished_max = 8;
constexpr std::size_t operations_max = 200'000;  // of one edit
constexpr Duration unfinished_length_max = 1min;

Reply reply_of(const Refused& refused) {
    const bool is_list = refused.sentences.size() > 1 || refused.code == "config_invalid";
    if (!is_list) {
        Reply reply = Reply::refusal(refused.code, refused.sentences.front());
        reply.operation = refused.operation;
        return reply;
    }
    const std::size_t count = refused.sentences.size();
    return Reply::refusal(refused.code,
                          std::to_string(count) + (count == 1 ? " problem" : " problems") +
                              " found: the running configuration stays",
                          refused.sentences);
}

Json report_change(const Applied& applied) {
    Json report;
    report["epoch"] = applied.epoch;
    report["changes"] = applied.changes;
    report["warnings"] = applied.warnings;
    report["slots_moved"] = Json::object();
    for (const auto& [service, count] : applied.slots_moved) {
        report["slots_moved"][service] = count;
    }
    return report;
}

// The drain that the arguments ask for, or what is wrong with them.
Result<DrainAsked> drain_of(const Json& arguments) {
    DrainAsked asked{.service = text_of(arguments, "service"), .real = text_of(arguments, "real")};
    const std::string then = text_of(arguments, "then");
    if (arguments.contains("deadline_s")) {
        const auto deadline_s = arguments["deadline_s"].get<std::uint64_t>();
        if (deadline_s == 0 || deadline_s > limits::timeout_max_s) {
            return Error{"deadline_s " + std::to_string(deadline_s) + " is out of range: 1 to " +
                         std::to_string(limits::timeout_max_s)};
        }
        asked.deadline = std::chrono::seconds{deadline_s};
    } else if (!then.empty()) {
        return Error{"then says what follows a deadline: give one with deadline_s"};
    }
    constexpr std::array policies{SessionPolicy::keep, SessionPolicy::reset, SessionPolicy::move};
    const auto policy = std::ranges::find_if(
        policies, [&then](SessionPolicy each) { return to_string(each) == then; });
    if (policy == policies.end() && !then.empty()) {
        return Error{"then \"" + then + "\" is none of keep, reset, move"};
    }
    asked.then = policy == policies.end() ? SessionPolicy::keep : *policy;
    return asked;
}

}  // namespace

void Commands::reload(const Json& /*arguments*/, const Answer& answer) {
    applier_.reload(applier_.state().config()->source_file, [answer](const ApplyResult& result) {
        if (const auto* refused = std::get_if<Refused>(&result)) {
            answer(reply_of(*refused));
            return;
        }
        const Applied& applied = std::get<Applied>(result);
        Json report = report_change(applied);
        report["dropped"] = applied.dropped;
        answer(Reply::of(std::move(report)));
    });
}

void Commands::plan(const Json& arguments, const Answer& answer) {
    const std::string path = text_of(arguments, "file");
    applier_.plan(path, [answer](const ApplyResult& result) {
        if (const auto* refused = std::get_if<Refused>(&result)) {
            answer(reply_of(*refused));
            return;
        }
        const Applied& planned = std::get<Applied>(result);
        Json report = report_change(planned);
        report.erase("epoch");
        report["sessions_left"] = Json::object();
        for (const auto& [real, count] : planned.sessions_left) {
            report["sessions_left"][real] = count;
        }
        answer(Reply::of(std::move(report)));
    });
}

void Commands::history(const Json& /*arguments*/, const Answer& answer) {
    Json kept = Json::array();
    for (const PastConfig& past : applier_.history().kept()) {
        kept.push_back({{"number", past.number},
                        {"since", std::chrono::system_clock::to_time_t(past.since)},
                        {"origin", past.origin},
                        {"changes", past.change_count}});
    }
    answer(Reply::of({{"configurations", std::move(kept)}}));
}

void Commands::events(const Json& arguments, const Answer& answer) {
    EventBook::Asked asked;
    if (arguments.contains("since")) {
        asked.since = arguments["since"].get<std::uint64_t>();
    }
    asked.follows = !arguments.contains("follow") || arguments["follow"].get<bool>();
    applier_.events().begin(asked, answer);
}

void Commands::rollback(const Json& arguments, const Answer& answer) {
    const auto& kept = applier_.history().kept();
    const bool is_named = arguments.contains("number");
    if (!is_named && kept.size() < 2) {
        answer(Reply::refusal("unknown_configuration", "nothing ran before what runs now"));
        return;
    }
    const std::uint64_t number =
        is_named ? arguments["number"].get<std::uint64_t>() : kept[kept.size() - 2].number;
    applier_.go_back(number, [this, answer](const ApplyResult& result) {
        if (const auto* refused = std::get_if<Refused>(&result)) {
            answer(reply_of(*refused));
            return;
        }
        Json report = report_change(std::get<Applied>(result));
        report["not_in_file"] = applier_.not_in_file();
        answer(Reply::of(std::move(report)));
    });
}

void Commands::edit(const Json& arguments, const Answer& answer) {
    Result<Json> operations = collected(arguments);
    if (!operations) {
        answer(Reply::refusal("bad_arguments", operations.error().sentence));
        return;
    }
    if (arguments.value("more", false)) {
        answer(Reply::of({{"collected", operations->get<std::size_t>()}}));
        return;
    }
    applier_.edit(std::move(*operations), [this, answer](const ApplyResult& result) {
        if (const auto* refused = std::get_if<Refused>(&result)) {
            answer(reply_of(*refused));
            return;
        }
        Json report = report_change(std::get<Applied>(result));
        report["not_in_file"] = applier_.not_in_file();
        answer(Reply::of(std::move(report)));
    });
}

// All operations of the edit, or, while more are to come, how many there are.
Result<Json> Commands::collected(const Json& arguments) {
    const Instant now = loop_.now();
    std::erase_if(unfinished_, [now](const auto& each) {
        return now - each.second.touched > unfinished_length_max;
    });
    const bool has_more = arguments.value("more", false);
    const std::string name = text_of(arguments, "transaction");
    if (name.empty()) {
        return has_more ? Result<Json>{Error{"an edit in parts needs a \"transaction\", a name"}}
                        : Result<Json>{arguments["operations"]};
    }
    if (!unfinished_.contains(name) && unfinished_.size() == unfinished_max) {
        return Error{std::to_string(unfinished_max) +
                     " edits in parts are under way: wait a minute"};
    }
    Unfinished& unfinished = unfinished_[name];
    unfinished.touched = now;
    for (const Json& operation : arguments["operations"]) {
        unfinished.operations.push_back(operation);
    }
    const std::size_t count = unfinished.operations.size();
    if (count > operations_max) {
        unfinished_.erase(name);
        return Error{"an edit has at most " + std::to_string(operations_max) + " operations"};
    }
    if (has_more) {
        return Json(count);
    }
    Json operations = std::move(unfinished.operations);
    unfinished_.erase(name);
    return operations;
}

void Commands::save(const Json& /*arguments*/, const Answer& answer) {
    const std::string file = applier_.state().config()->source_file;
    applier_.save([file, answer](const ApplyResult& result) {
        if (const auto* refused = std::get_if<Refused>(&result)) {
            answer(reply_of(*refused));
            return;
        }
        answer(Reply::of({{"file", file}, {"old_file", std::get<Applied>(result).old_file}}));
    });
}

void Commands::config(const Json& /*arguments*/, const Answer& answer) {
    answer_listing(
        [config = applier_.state().config()] {
            return Json{{"file", config->source_file}, {"text", write_config(*config)}};
        },
        answer);
}

void Commands::zero(const Json& arguments, const Answer& answer) {
    const auto listing = applier_.listing().look();
    const std::string service_name = text_of(arguments, "service");
    const std::string real_name = text_of(arguments, "real");
    std::vector<std::string_view> names;
    std::vector<std::string_view> wanted;
    for (const ListedService& service : listing->services) {
        names.push_back(service.name);
        if (service_name.empty() || service.name == service_name) {
            wanted.push_back(service.name);
        }
    }
    if (wanted.empty() && !service_name.empty()) {
        answer(Reply::refusal("unknown_service", no_such("service", service_name, names)));
        return;
    }
    for (const std::string_view service : wanted) {
        if (!applier_.zero(std::string{service}, real_name)) {
            names.clear();
            for (const ListedReal& real : listing->find(service)->reals) {
                names.push_back(real.name);
            }
            answer(Reply::refusal("unknown_real", "service \"" + std::string{service} +
                                                      "\": " + no_such("real", real_name, names)));
            return;
        }
    }
    answer(Reply::of({{"services", wanted.size()}}));
}

void Commands::log_level(const Json& arguments, const Answer& answer) {
    constexpr std::array<std::pair<std::string_view, Severity>, 4> levels{
        {{"error", Severity::error},
         {"warning", Severity::warning},
         {"notice", Severity::notice},
         {"debug", Severity::debug}}};
    const std::string asked = text_of(arguments, "level");
    const auto level =
        std::ranges::find(levels, asked, [](const auto& each) { return each.first; });
    if (level == levels.end()) {
        answer(Reply::refusal("bad_arguments",
                              "level \"" + asked + "\" is none of error, warning, notice, debug"));
        return;
    }
    applier_.log().set_least(level->second);
    answer(Reply::of({{"level", asked}}));
}

void Commands::drain(const Json& arguments, const Answer& answer) {
    Result<DrainAsked> asked = drain_of(arguments);
    if (!asked) {
        answer(Reply::refusal("bad_arguments", asked.error().sentence));
        return;
    }
    const auto listing = applier_.listing().look();
    const ListedService* service = listing->find(asked->service);
    const ListedReal* real = service == nullptr ? nullptr : service->find(asked->real);
    asked->sessions_live = real == nullptr ? 0 : real->totals(applier_.boards()).sessions_live;
    applier_.drain(*asked, [this, arguments, answer](const ApplyResult& result) {
        answer(reply_to_drain(result, arguments, applier_));
    });
}

void Commands::undrain(const Json& arguments, const Answer& answer) {
    applier_.undrain(text_of(arguments, "service"), text_of(arguments, "real"),
                     [this, arguments, answer](const ApplyResult& result) {
                         answer(reply_to_drain(result, arguments, applier_));
                     });
}

Reply Commands::reply_to_drain(const ApplyResult& result, const Json& arguments,
                               const Applier& applier) {
    if (const auto* refused = std::get_if<Refused>(&result)) {
        return reply_of(*refused);
    }
    Json report;
    report["epoch"] = std::get<Applied>(result).epoch;
    report["service"] = arguments["service"];
    report["real"] = arguments["real"];
    const auto listing = applier.listing().look();
    const ListedService* service = listing->find(text_of(arguments, "service"));
    const ListedReal* real =
        service == nullptr ? nullptr : service->find(text_of(arguments, "real"));
    report["sessions"] = real == nullptr ? 0 : real->totals(applier.boards()).sessions_live;
    return Reply::of(std::move(report));
}

}  // namespace fulcrum
