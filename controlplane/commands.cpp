// The rows and what stands behind them.
#include "controlplane/commands.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include "controlplane/explain.h"
#include "controlplane/reports.h"
#include "controlplane/table_report.h"

namespace fulcrum {
namespace {

constexpr std::uint32_t sessions_listed_default = 1'000;
constexpr std::uint32_t sessions_listed_max = 10'000;
constexpr Duration transit_remembered = 1min;

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
    const ListedService* service = listing.find(service_name);
    if (service == nullptr) {
        return Error{"there is no service \"" + service_name + "\""};
    }
    query.service = service->id;
    if (!real_name.empty()) {
        const ListedReal* real = service->find(real_name);
        if (real == nullptr) {
            return Error{"service \"" + service_name + "\" has no real \"" + real_name + "\""};
        }
        query.real = real->index;
    }
    return query;
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
      second_{loop_},
      measured_rates_{loop_},
      rates_of_{loop_.now()} {
    second_.after(1s, [this] { measure_pace(); });
    measured_rates_.after(rate_period, [this] { measure_rates(); });
}

const std::vector<Commands::Row>& Commands::rows() {
    static const std::vector<Row> table{
        {"status", {}, &Commands::status, true},
        {"services", {}, &Commands::services, true},
        {"reals", {{"service"}}, &Commands::reals, true},
        {"table", {}, &Commands::table, true},
        {"sessions",
         {{"service"}, {"real"}, {"client"}, {"limit", Argument::Kind::count}},
         &Commands::sessions,
         true},
        {"affinity",
         {{"service"}, {"real"}, {"client"}, {"limit", Argument::Kind::count}},
         &Commands::affinity,
         true},
        {"peer", {}, &Commands::peer, true},
        {"doctor", {}, &Commands::doctor, true},
        {"explain",
         {{"protocol", Argument::Kind::text, true},
          {"source", Argument::Kind::text, true},
          {"destination", Argument::Kind::text, true},
          {"from"},
          {"flags"},
          {"size", Argument::Kind::count}},
         &Commands::explain,
         true},
        {"capture",
         {{"filter"},
          {"frames", Argument::Kind::count},
          {"seconds", Argument::Kind::count},
          {"octets", Argument::Kind::count}},
         &Commands::capture},
        {"events",
         {{"since", Argument::Kind::count}, {"follow", Argument::Kind::flag}},
         &Commands::events,
         true},
        {"reload", {}, &Commands::reload},
        {"plan", {{"file", Argument::Kind::text, true}}, &Commands::plan},
        {"history", {}, &Commands::history, true},
        {"rollback", {{"number", Argument::Kind::count}}, &Commands::rollback},
        {"drain",
         {{"service", Argument::Kind::text, true},
          {"real", Argument::Kind::text, true},
          {"deadline_s", Argument::Kind::count},
          {"then"}},
         &Commands::drain},
        {"undrain",
         {{"service", Argument::Kind::text, true}, {"real", Argument::Kind::text, true}},
         &Commands::undrain},
        {"edit",
         {{"operations", Argument::Kind::list, true},
          {"transaction"},
          {"more", Argument::Kind::flag}},
         &Commands::edit},
        {"save", {}, &Commands::save},
        {"config", {}, &Commands::config},
        {"zero", {{"service"}, {"real"}}, &Commands::zero},
        {"log-level", {{"level", Argument::Kind::text, true}}, &Commands::log_level},
        {"standby", {{"group"}}, &Commands::standby},
        {"takeover", {{"group"}}, &Commands::takeover},
        {"fence-confirm", {{"group", Argument::Kind::text, true}}, &Commands::fence_confirm},
        {"version", {}, &Commands::version, true},
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
    if (!row->is_for_all && !request.may_change) {
        answer(Reply::refusal(
            "not_permitted",
            std::string{row->name} + " is for root and the members of control.group alone"));
        return;
    }
    if (const std::string sentence = misfit(*row, request.arguments); !sentence.empty()) {
        answer(Reply::refusal("bad_arguments", sentence));
        return;
    }
    (this->*row->run)(request.arguments, answer);
}

// What the value should have been; empty when it is.
std::string_view Commands::misses(Argument::Kind kind, const Json& value) {
    switch (kind) {
        case Argument::Kind::text:
            return value.is_string() ? "" : "text";
        case Argument::Kind::count:
            return value.is_number_unsigned() ? "" : "count";
        case Argument::Kind::list:
            return value.is_array() ? "" : "list";
        case Argument::Kind::flag:
            return value.is_boolean() ? "" : "true or false";
    }
    return {};
}

// Why the arguments do not fit the row; empty when they do.
std::string Commands::misfit(const Row& row, const Json& arguments) {
    for (const auto& [key, value] : arguments.items()) {
        const auto known = std::ranges::find(row.arguments, key, &Argument::name);
        if (known == row.arguments.end()) {
            return std::string{row.name} + " knows no argument \"" + key + "\"";
        }
        if (const std::string_view kind = misses(known->kind, value); !kind.empty()) {
            return "argument \"" + key + "\" of " + std::string{row.name} + " is no " +
                   std::string{kind};
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
    add_roles(report);
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
    if (facts_.peer) {
        report["peer"] = report_peer(facts_.peer(), applier_.boards());
    }
    report["problems"] = problems();
    report["notes"] = notes();
    report["not_in_file"] = applier_.not_in_file();
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
        if (service.usable_count == 0 && service.is_enabled) {
            sentences.push_back("service \"" + service.name + "\" has no usable real");
        }
    }
    for (const PortReport& port : facts_.ports ? facts_.ports() : std::vector<PortReport>{}) {
        if (!port.is_link_up) {
            sentences.push_back("port \"" + port.name + "\" has no link");
        }
    }
    add_worker_problems(sentences);
    std::ranges::move(applier_.problems(), std::back_inserter(sentences));
    add_full_table(sentences);
    for (const auto& more : {facts_.problems, facts_.conflicts, facts_.role_problems}) {
        for (std::string& sentence : more ? more() : std::vector<std::string>{}) {
            sentences.push_back(std::move(sentence));
        }
    }
    if (facts_.peer) {
        std::ranges::move(facts_.peer().problems, std::back_inserter(sentences));
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

// Those who went untracked keep their real only while the ring stays as it is.
void Commands::add_full_table(std::vector<std::string>& sentences) const {
    if (refused_.in_last_minute() + untracked_.in_last_minute() == 0) {
        return;
    }
    const auto in_words = [](const RecentCount& count) {
        return std::to_string(count.in_last_minute()) + " in the last minute (" +
               std::to_string(count.in_last_second()) + " in the last second)";
    };
    sentences.push_back(
        "the session table has no room for newcomers: packets refused: " + in_words(refused_) +
        ", forwarded without a session: " + in_words(untracked_) + ": raise director.sessions");
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
    if (const std::size_t count = applier_.not_in_file().size(); count > 0) {
        sentences.push_back(std::to_string(count) + (count == 1 ? " change is" : " changes are") +
                            " not in the file: a reload would undo " +
                            (count == 1 ? "it" : "them"));
    }
    if (const std::uint64_t count = cookies_.in_last_minute(); count > 0) {
        sentences.push_back("SYN cookies are in use: " + std::to_string(count) +
                            " sent in the last minute");
    }
    add_notes(*applier_.listing().look(), sentences);
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
    if (!service.empty() && listing->find(service) == nullptr) {
        answer(Reply::refusal("unknown_service", "there is no service \"" + service + "\""));
        return;
    }
    answer_listing([listing = std::move(listing), boards = applier_.boards(), service,
                    now = loop_.now()] { return report_reals(*listing, boards, service, now); },
                   answer);
}

void Commands::table(const Json& /*arguments*/, const Answer& answer) {
    answer_listing(
        [listing = applier_.listing().look(), config = applier_.state().config(),
         boards = applier_.boards(), rates = rates_] {
            return report_table({*listing, *config, boards, *rates});
        },
        answer);
}

// On the helper, as there may be a hundred thousand lines.
void Commands::measure_rates() {
    measured_rates_.after(rate_period, [this] { measure_rates(); });
    const Instant now = loop_.now();
    const Duration length = now - rates_of_;
    rates_of_ = now;
    helper_.run(
        [before = rates_, listing = applier_.listing().look(), boards = applier_.boards(), length] {
            return std::make_shared<const Rates>(next_rates(*before, *listing, boards, length));
        },
        [this](std::shared_ptr<const Rates> rates) { rates_ = std::move(rates); });
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
    std::uint64_t refused_count = 0;
    std::uint64_t untracked_count = 0;
    std::uint64_t cookie_count = 0;
    for (const CounterBoard* board : applier_.boards()) {
        const WorkerCounters& worker = board->worker();
        transit_count += worker.punted[static_cast<std::size_t>(PuntClass::transit)].read();
        refused_count += worker.dropped[static_cast<std::size_t>(DropReason::table_full)].read();
        untracked_count += worker.sessions_untracked.read();
        cookie_count += worker.cookies_sent.read();
    }
    refused_.note(refused_count);
    untracked_.note(untracked_count);
    cookies_.note(cookie_count);
    if (transit_count != transit_count_) {
        transit_count_ = transit_count;
        last_transit_ = loop_.now();
    }
}

}  // namespace fulcrum
