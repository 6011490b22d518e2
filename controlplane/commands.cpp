// The rows and what stands behind them.
#include "controlplane/commands.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <optional>
#include <utility>

#include "controlplane/explain.h"
#include "controlplane/reports.h"

namespace fulcrum {
namespace {

constexpr std::uint32_t sessions_listed_default = 1'000;
constexpr std::uint32_t sessions_listed_max = 10'000;
constexpr Duration transit_remembered = 1min;

std::string text_of(const Json& arguments, const char* name) {
    return arguments.value(name, std::string{});
}

Reply reply_of(const Refused& refused) {
    const bool is_list = refused.sentences.size() > 1 || refused.code == "config_invalid";
    if (!is_list) {
        return Reply::refusal(refused.code, refused.sentences.front());
    }
    const std::size_t count = refused.sentences.size();
    return Reply::refusal(refused.code,
                          std::to_string(count) + (count == 1 ? " problem" : " problems") +
                              " found: the running configuration stays",
                          refused.sentences);
}

const ListedService* find_service(const Listing& listing, const std::string& name) {
    const auto found = std::ranges::find(listing.services, name, &ListedService::name);
    return found == listing.services.end() ? nullptr : &*found;
}

const ListedReal* find_real(const ListedService& service, const std::string& name) {
    const auto found = std::ranges::find(service.reals, name, &ListedReal::name);
    return found == service.reals.end() ? nullptr : &*found;
}

// The walk that the arguments ask for, or why there is none.
Result<SessionQuery> session_query_of(const Json& arguments, const Listing& listing) {
    SessionQuery query;
    query.records_max = sessions_listed_default;
    if (arguments.contains("limit")) {
        const auto limit = arguments["limit"].get<std::uint64_t>();
        if (limit == 0 || limit > sessions_listed_max) {
            return Error{"limit " + std::to_string(limit) + " is out of range: 1 to " +
                         std::to_string(sessions_listed_max)};
        }
        query.records_max = static_cast<std::uint32_t>(limit);
    }
    if (const std::string client = text_of(arguments, "client"); !client.empty()) {
        const std::optional<IpAddress> address = parse_ip_address(client);
        if (!address) {
            return Error{"client \"" + client + "\" is no IP address"};
        }
        query.client = *address;
    }
    const std::string service_name = text_of(arguments, "service");
    const std::string real_name = text_of(arguments, "real");
    if (service_name.empty()) {
        return real_name.empty() ? Result<SessionQuery>{query}
                                 : Error{"a real is named only within a service: name that too"};
    }
    const ListedService* service = find_service(listing, service_name);
    if (service == nullptr) {
        return Error{"there is no service \"" + service_name + "\""};
    }
    query.service = service->id;
    if (!real_name.empty()) {
        const ListedReal* real = find_real(*service, real_name);
        if (real == nullptr) {
            return Error{"service \"" + service_name + "\" has no real \"" + real_name + "\""};
        }
        query.real = real->index;
    }
    return query;
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

Commands::Commands(Parts parts)
    : loop_{parts.loop},
      helper_{parts.helper},
      applier_{parts.applier},
      mail_{parts.mail},
      captures_{parts.captures},
      facts_{std::move(parts.facts)},
      started_{loop_.now()},
      paces_(applier_.boards().size()),
      second_{loop_} {
    second_.after(1s, [this] { measure_pace(); });
}

const std::vector<Commands::Row>& Commands::rows() {
    static const std::vector<Row> table{
        {"status", {}, &Commands::status},
        {"services", {}, &Commands::services},
        {"reals", {{"service"}}, &Commands::reals},
        {"sessions",
         {{"service"}, {"real"}, {"client"}, {"limit", Argument::Kind::count}},
         &Commands::sessions},
        {"affinity",
         {{"service"}, {"real"}, {"client"}, {"limit", Argument::Kind::count}},
         &Commands::affinity},
        {"doctor", {}, &Commands::doctor},
        {"explain",
         {{"protocol", Argument::Kind::text, true},
          {"source", Argument::Kind::text, true},
          {"destination", Argument::Kind::text, true},
          {"from"},
          {"flags"},
          {"size", Argument::Kind::count}},
         &Commands::explain},
        {"capture",
         {{"filter"},
          {"frames", Argument::Kind::count},
          {"seconds", Argument::Kind::count},
          {"octets", Argument::Kind::count}},
         &Commands::capture},
        {"reload", {}, &Commands::reload},
        {"drain",
         {{"service", Argument::Kind::text, true},
          {"real", Argument::Kind::text, true},
          {"deadline_s", Argument::Kind::count},
          {"then"}},
         &Commands::drain},
        {"undrain",
         {{"service", Argument::Kind::text, true}, {"real", Argument::Kind::text, true}},
         &Commands::undrain},
        {"version", {}, &Commands::version},
    };
    return table;
}

void Commands::serve(const Request& request, const Answer& answer) {
    const auto row = std::ranges::find(rows(), request.command, &Row::name);
    if (row == rows().end()) {
        std::string known;
        for (const Row& each : rows()) {
            known.append(known.empty() ? "" : ", ").append(each.name);
        }
        answer(Reply::refusal("unknown_command",
                              "unknown command \"" + request.command + "\": known are " + known));
        return;
    }
    if (const std::string sentence = misfit(*row, request.arguments); !sentence.empty()) {
        answer(Reply::refusal("bad_arguments", sentence));
        return;
    }
    (this->*row->run)(request.arguments, answer);
}

// Why the arguments do not fit the row; empty when they do.
std::string Commands::misfit(const Row& row, const Json& arguments) {
    for (const auto& [key, value] : arguments.items()) {
        const auto known = std::ranges::find(row.arguments, key, &Argument::name);
        if (known == row.arguments.end()) {
            return std::string{row.name} + " knows no argument \"" + key + "\"";
        }
        const bool is_text = known->kind == Argument::Kind::text;
        if (is_text ? !value.is_string() : !value.is_number_unsigned()) {
            return "argument \"" + key + "\" of " + std::string{row.name} + " is no " +
                   (is_text ? "text" : "count");
        }
    }
    for (const Argument& wanted : row.arguments) {
        if (wanted.is_required && !arguments.contains(wanted.name)) {
            return std::string{row.name} + " needs the argument \"" + std::string{wanted.name} +
                   "\"";
        }
    }
    return {};
}

void Commands::status(const Json& /*arguments*/, const Answer& answer) {
    const auto listing = applier_.listing().look();
    Json report;
    report["name"] = applier_.state().config()->director.name;
    report["version"] = FULCRUM_VERSION;
    report["epoch"] = applier_.epoch_published();
    report["uptime_s"] =
        std::chrono::duration_cast<std::chrono::seconds>(loop_.now() - started_).count();
    report["role"] = "active";
    report["workers"] = Json::array();
    for (std::size_t worker = 0; worker < paces_.size(); ++worker) {
        report["workers"].push_back(report_worker(worker));
    }
    report["ports"] = Json::array();
    for (const PortReport& port : facts_.ports ? facts_.ports() : std::vector<PortReport>{}) {
        report["ports"].push_back({{"name", port.name},
                                   {"device", port.device},
                                   {"twin", port.twin},
                                   {"mac", to_string(port.mac)},
                                   {"link", port.is_link_up ? "up" : "down"},
                                   {"receive_queues", port.receive_queues},
                                   {"queue_by", port.queue_choice}});
    }
    const auto up_count = std::ranges::count_if(
        listing->services, [](const ListedService& service) { return service.usable_count > 0; });
    report["services"] = {{"total", listing->services.size()}, {"up", up_count}};
    report["memory"] = Json::array();
    for (const MemoryReport& memory : facts_.memory) {
        report["memory"].push_back({{"what", memory.what}, {"bytes", memory.bytes}});
    }
    report["problems"] = problems();
    report["notes"] = notes();
    answer(Reply::of(std::move(report)));
}

Json Commands::report_worker(std::size_t worker) const {
    const WorkerCounters& counters = applier_.boards()[worker]->worker();
    const double longest_s =
        static_cast<double>(counters.longest_turn_cycles.read()) / facts_.cycles_per_s;
    Json json;
    json["worker"] = worker;
    json["cpu"] = worker < facts_.worker_cpus.size() ? Json(facts_.worker_cpus[worker]) : Json();
    json["busy_share"] = paces_[worker].busy_share;
    json["sessions"] = counters.sessions_live.read();
    json["turns"] = counters.turns.read();
    json["longest_turn_us"] = longest_s * 1e6;
    return json;
}

std::vector<std::string> Commands::problems() const {
    std::vector<std::string> sentences;
    const auto listing = applier_.listing().look();
    if (listing->services.empty()) {
        sentences.emplace_back("no service is configured");
    }
    for (const ListedService& service : listing->services) {
        if (service.usable_count == 0) {
            sentences.push_back("service \"" + service.name + "\" has no usable real");
        }
    }
    for (const PortReport& port : facts_.ports ? facts_.ports() : std::vector<PortReport>{}) {
        if (!port.is_link_up) {
            sentences.push_back("port \"" + port.name + "\" has no link");
        }
    }
    add_worker_problems(sentences);
    for (const auto& more : {facts_.problems, facts_.conflicts}) {
        for (std::string& sentence : more ? more() : std::vector<std::string>{}) {
            sentences.push_back(std::move(sentence));
        }
    }
    return sentences;
}

void Commands::add_worker_problems(std::vector<std::string>& sentences) const {
    for (std::size_t worker = 0; worker < paces_.size(); ++worker) {
        if (paces_[worker].is_stalled) {
            sentences.push_back("worker " + std::to_string(worker) + " stands still");
        } else if (paces_[worker].is_behind) {
            sentences.push_back("worker " + std::to_string(worker) +
                                " has not taken up the present snapshot");
        }
    }
}

// What may be meant so, as a late packet of a real's is for elsewhere, too.
std::vector<std::string> Commands::notes() const {
    std::vector<std::string> sentences;
    const bool is_sent = last_transit_ && loop_.now() - *last_transit_ < transit_remembered;
    if (is_sent && facts_.kernel_forwards && !facts_.kernel_forwards()) {
        sentences.emplace_back(
            "real servers send to elsewhere through this director, and the kernel does not "
            "forward: if they are to, set sysctl net.ipv4.ip_forward=1");
    }
    return sentences;
}

void Commands::services(const Json& /*arguments*/, const Answer& answer) {
    answer_listing([listing = applier_.listing().look(),
                    boards = applier_.boards()] { return report_services(*listing, boards); },
                   answer);
}

void Commands::reals(const Json& arguments, const Answer& answer) {
    auto listing = applier_.listing().look();
    const std::string service = text_of(arguments, "service");
    if (!service.empty() && find_service(*listing, service) == nullptr) {
        answer(Reply::refusal("unknown_service", "there is no service \"" + service + "\""));
        return;
    }
    answer_listing([listing = std::move(listing), boards = applier_.boards(), service,
                    now = loop_.now()] { return report_reals(*listing, boards, service, now); },
                   answer);
}

void Commands::sessions(const Json& arguments, const Answer& answer) {
    const auto listing = applier_.listing().look();
    const Result<SessionQuery> query = session_query_of(arguments, *listing);
    if (!query) {
        answer(Reply::refusal("bad_arguments", query.error().sentence));
        return;
    }
    mail_.walk(*query, [this, answer](const SessionWalk& walk) {
        answer_listing(
            [listing = applier_.listing().look(),
             found = SessionsFound{walk.sessions, walk.is_truncated}] {
                return report_sessions(*listing, found);
            },
            answer);
    });
}

void Commands::affinity(const Json& arguments, const Answer& answer) {
    const auto listing = applier_.listing().look();
    Result<SessionQuery> query = session_query_of(arguments, *listing);
    if (!query) {
        answer(Reply::refusal("bad_arguments", query.error().sentence));
        return;
    }
    query->table = WalkedTable::affinity;
    mail_.walk(*query, [this, answer](const SessionWalk& walk) {
        answer_listing(
            [listing = applier_.listing().look(), clients = walk.clients,
             is_truncated = walk.is_truncated] {
                return report_clients(*listing, clients, is_truncated);
            },
            answer);
    });
}

void Commands::answer_listing(std::function<Json()> make, const Answer& answer) {
    helper_.run(
        [make = std::move(make)] {
            Reply reply;
            reply.is_ok = true;
            reply.line = render(Reply::of(make()));
            return reply;
        },
        [answer](const Reply& reply) { answer(reply); });
}

std::vector<std::string> Commands::port_names() const {
    std::vector<std::string> names;
    for (const PortReport& port : facts_.ports ? facts_.ports() : std::vector<PortReport>{}) {
        names.push_back(port.name);
    }
    return names;
}

void Commands::explain(const Json& arguments, const Answer& answer) {
    const Result<Question> question = question_of(arguments, port_names());
    if (!question) {
        answer(Reply::refusal("bad_arguments", question.error().sentence));
        return;
    }
    mail_.explain(*question, [this, answer](const Explanation* explanation) {
        if (explanation == nullptr) {
            answer(Reply::refusal("no_answer", "no worker answered within two seconds"));
            return;
        }
        answer(
            Reply::of(report_explanation(*explanation, *applier_.listing().look(), port_names())));
    });
}

void Commands::capture(const Json& arguments, const Answer& answer) {
    Result<CaptureAsked> asked = capture_of(arguments);
    if (!asked) {
        answer(Reply::refusal("bad_arguments", asked.error().sentence));
        return;
    }
    captures_.begin(std::move(*asked), answer);
}

void Commands::reload(const Json& /*arguments*/, const Answer& answer) {
    applier_.reload(applier_.state().config()->source_file, [answer](const ApplyResult& result) {
        if (const auto* refused = std::get_if<Refused>(&result)) {
            answer(reply_of(*refused));
            return;
        }
        const Applied& applied = std::get<Applied>(result);
        Json report;
        report["epoch"] = applied.epoch;
        report["changes"] = applied.changes;
        report["warnings"] = applied.warnings;
        report["slots_moved"] = Json::object();
        for (const auto& [service, count] : applied.slots_moved) {
            report["slots_moved"][service] = count;
        }
        answer(Reply::of(std::move(report)));
    });
}

void Commands::drain(const Json& arguments, const Answer& answer) {
    Result<DrainAsked> asked = drain_of(arguments);
    if (!asked) {
        answer(Reply::refusal("bad_arguments", asked.error().sentence));
        return;
    }
    const auto listing = applier_.listing().look();
    const ListedService* service = find_service(*listing, asked->service);
    const ListedReal* real = service == nullptr ? nullptr : find_real(*service, asked->real);
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
    const ListedService* service = find_service(*listing, text_of(arguments, "service"));
    const ListedReal* real =
        service == nullptr ? nullptr : find_real(*service, text_of(arguments, "real"));
    report["sessions"] = real == nullptr ? 0 : real->totals(applier.boards()).sessions_live;
    return Reply::of(std::move(report));
}

void Commands::version(const Json& /*arguments*/, const Answer& answer) {
    answer(Reply::of({{"version", FULCRUM_VERSION}}));
}

void Commands::measure_pace() {
    second_.after(1s, [this] { measure_pace(); });
    for (std::size_t worker = 0; worker < paces_.size(); ++worker) {
        const WorkerCounters& counters = applier_.boards()[worker]->worker();
        Pace& pace = paces_[worker];
        const std::uint64_t busy = counters.busy_cycles.read();
        const std::uint64_t total = counters.total_cycles.read();
        const std::uint64_t turns = counters.turns.read();
        pace.busy_share = total == pace.total_cycles
                              ? 0
                              : static_cast<double>(busy - pace.busy_cycles) /
                                    static_cast<double>(total - pace.total_cycles);
        pace.is_stalled = turns == pace.turns;
        pace.is_behind = counters.epoch_seen.read() < epoch_a_second_ago_;
        pace.busy_cycles = busy;
        pace.total_cycles = total;
        pace.turns = turns;
    }
    epoch_a_second_ago_ = applier_.epoch_published();

    std::uint64_t transit_count = 0;
    for (const CounterBoard* board : applier_.boards()) {
        transit_count +=
            board->worker().punted[static_cast<std::size_t>(PuntClass::transit)].read();
    }
    if (transit_count != transit_count_) {
        transit_count_ = transit_count;
        last_transit_ = loop_.now();
    }
}

}  // namespace fulcrum
