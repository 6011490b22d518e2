// ipvsadm for a director: the command that LVS is run with, its words, its listings and its exit
// statuses, over the director's command socket. What it changes is an edit of what runs; what it
// restores is one edit, so that a bad line changes nothing. The socket is
// /run/fulcrum/control.sock, or what the environment's FULCRUM_SOCKET says.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <iterator>
#include <random>
#include <sstream>
#include <utility>

#include "controlplane/fulcrumctl/client.h"
#include "controlplane/ipvsadm/command_line.h"
#include "controlplane/ipvsadm/connections_text.h"
#include "controlplane/ipvsadm/help.h"
#include "controlplane/ipvsadm/operations.h"
#include "controlplane/ipvsadm/table_text.h"

namespace fulcrum {
namespace {

constexpr unsigned sessions_listed_max = 10'000;
constexpr std::size_t operations_per_request = 200;  // a request is a line of at most 64 KiB

// How it ends before its time.
struct Ending {
    Complaint complaint;
};

[[noreturn]] void end_with(std::string text, int status) {
    throw Ending{{std::move(text), status}};
}

class Ipvsadm {
  public:
    explicit Ipvsadm(std::string program) : program_{std::move(program)} {}

    int run(const std::vector<std::string>& words);

  private:
    Json asked(const std::string& command, const Json& arguments = Json::object());
    Json answer_to(const std::string& command, const Json& arguments);
    void change(const Invocation& invocation);
    bool has_service(const ServiceAt& service);
    Json edit(const Json& operations);
    void restore();
    void list(const Invocation& invocation);
    void list_connections(const Invocation& invocation);
    void save(const Invocation& invocation);
    void zero(const Invocation& invocation);
    Json clients_by_real();

    std::string program_;
};

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::string socket_path() {
    const char* const path = std::getenv("FULCRUM_SOCKET");
    return path == nullptr ? "/run/fulcrum/control.sock" : path;
}

// --- asking --------------------------------------------------------------------------------------

Json Ipvsadm::answer_to(const std::string& command, const Json& arguments) {
    const Result<Json> reply =
        ask_director(socket_path(), {{"command", command}, {"arguments", arguments}});
    if (!reply) {
        end_with("Can't initialize ipvs: " + reply.error().sentence, 2);
    }
    return *reply;
}

Json Ipvsadm::asked(const std::string& command, const Json& arguments) {
    Json reply = answer_to(command, arguments);
    if (!reply.value("ok", false)) {
        throw Ending{complaint_of(Verb::list, reply.value("error", Json::object()))};
    }
    return std::move(reply["result"]);
}

// The reply to all of them together, whatever it takes to bring them there.
Json Ipvsadm::edit(const Json& operations) {
    const std::string transaction = "ipvsadm-" + std::to_string(std::random_device{}());
    for (std::size_t at = 0;; at += operations_per_request) {
        const bool has_more = operations.size() - at > operations_per_request;
        Json part = Json::array();
        for (std::size_t i = at; i < operations.size() && i < at + operations_per_request; ++i) {
            part.push_back(operations[i]);
        }
        Json reply = answer_to(
            "edit", {{"operations", part}, {"transaction", transaction}, {"more", has_more}});
        if (!has_more || !reply.value("ok", false)) {
            return reply;
        }
    }
}

// --- changing ------------------------------------------------------------------------------------

bool Ipvsadm::has_service(const ServiceAt& service) {
    Invocation one;
    one.service = service;
    one.given[static_cast<std::size_t>(Option::service_address)] = true;
    one.given[static_cast<std::size_t>(Option::numeric)] = true;
    return list_text(asked("table"), Json::object(), one).has_value();
}

void Ipvsadm::change(const Invocation& invocation) {
    // The kernel looks for the service first.
    if (const std::string objection = objection_to(invocation); !objection.empty()) {
        const bool is_there = has_service(invocation.service);
        if (is_there == (invocation.verb == Verb::add_service)) {
            const char* const code = is_there ? "service_exists" : "unknown_service";
            throw Ending{complaint_of(invocation.verb, {{"code", code}})};
        }
        end_with(objection, 255);
    }
    const Json reply = edit(Json::array({operation_of(invocation)}));
    if (!reply.value("ok", false)) {
        throw Ending{complaint_of(invocation.verb, reply.value("error", Json::object()))};
    }
}

std::vector<std::string> split_words(const std::string& line) {
    std::istringstream stream{line};
    return {std::istream_iterator<std::string>{stream}, {}};
}

// Every line is understood before any is carried out.
void Ipvsadm::restore() {
    std::vector<Invocation> invocations;
    std::vector<std::size_t> lines;
    Json operations = Json::array();
    std::string line;
    for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
        std::vector<std::string> words = split_words(line);
        if (!words.empty() && words.front() == "ipvsadm") {
            words.erase(words.begin());
        }
        if (words.empty() || words.front().starts_with('#')) {
            continue;
        }
        const auto read = read_command_line(words, program_);
        const std::string place = "line " + std::to_string(number) + ": ";
        if (const auto* complaint = std::get_if<Complaint>(&read)) {
            end_with(place + complaint->text, complaint->status);
        }
        const Invocation& invocation = std::get<Invocation>(read);
        const Json operation = operation_of(invocation);
        if (operation.is_null()) {
            end_with(place + "nothing but changes of the table can be restored", 2);
        }
        if (const std::string objection = objection_to(invocation); !objection.empty()) {
            end_with(place + objection, 255);
        }
        operations.push_back(operation);
        invocations.push_back(invocation);
        lines.push_back(number);
    }
    if (operations.empty()) {
        return;
    }
    const Json reply = edit(operations);
    if (!reply.value("ok", false)) {
        const Json& error = reply.at("error");
        const std::size_t at = error.value("operation", operations.size());
        if (at >= operations.size()) {
            throw Ending{complaint_of(Verb::restore, error)};
        }
        const Complaint complaint = complaint_of(invocations[at].verb, error);
        end_with("line " + std::to_string(lines[at]) + ": " + complaint.text, complaint.status);
    }
}

void Ipvsadm::zero(const Invocation& invocation) {
    Json arguments = Json::object();
    if (invocation.has(Option::service_address)) {
        const std::optional<std::string> name = name_of_service(asked("table"), invocation.service);
        if (!name) {
            end_with("No such service", 255);
        }
        arguments["service"] = *name;
    }
    asked("zero", arguments);
}

// --- showing -------------------------------------------------------------------------------------

Json Ipvsadm::clients_by_real() {
    Json counts = Json::object();
    const Json answer = asked("affinity", {{"limit", sessions_listed_max}});
    for (const Json& client : answer.at("clients")) {
        if (client.at("service").is_string() && client.at("real").is_string()) {
            const std::string key = client.at("service").get<std::string>() + "/" +
                                    client.at("real").get<std::string>();
            counts[key] = counts.value(key, 0U) + 1;
        }
    }
    return counts;
}

void Ipvsadm::list(const Invocation& invocation) {
    if (invocation.has(Option::daemon)) {
        return;  // there is none
    }
    if (invocation.has(Option::connection)) {
        list_connections(invocation);
        return;
    }
    const Json table = asked("table");
    if (invocation.has(Option::timeout)) {
        print(timeouts_text(table));
        return;
    }
    const Json clients =
        invocation.has(Option::persistent_conn) ? clients_by_real() : Json::object();
    const std::optional<std::string> text = list_text(table, clients, invocation);
    if (!text) {
        end_with("No such service", 1);
    }
    print(*text);
}

void Ipvsadm::list_connections(const Invocation& invocation) {
    const Json limit{{"limit", sessions_listed_max}};
    const Json sessions = asked("sessions", limit);
    const Json clients = asked("affinity", limit);
    print(connections_text(asked("table"), sessions, clients, invocation));
    if (sessions.value("truncated", false) || clients.value("truncated", false)) {
        std::fprintf(stderr, "there are more than %u\n", sessions_listed_max);
    }
}

void Ipvsadm::save(const Invocation& invocation) {
    std::vector<std::string> unsaid;
    print(save_text(asked("table"), invocation, unsaid));
    for (const std::string& sentence : unsaid) {
        std::fprintf(stderr, "# %s\n", sentence.c_str());
    }
}

int Ipvsadm::run(const std::vector<std::string>& words) {
    const auto read = read_command_line(words, program_);
    if (const auto* complaint = std::get_if<Complaint>(&read)) {
        throw Ending{*complaint};
    }
    const Invocation& invocation = std::get<Invocation>(read);
    switch (invocation.verb) {
        case Verb::help:
            print(version_text() + help_text(program_));
            break;
        case Verb::version:
            print(version_text());
            break;
        case Verb::list:
            list(invocation);
            break;
        case Verb::save:
            save(invocation);
            break;
        case Verb::restore:
            restore();
            break;
        case Verb::zero:
            zero(invocation);
            break;
        case Verb::start_daemon:
            end_with("there is no connection sync daemon: sessions are one director's own", 255);
        case Verb::stop_daemon:
            end_with("No daemon is running", 255);
        default:
            change(invocation);
    }
    return 0;
}

}  // namespace
}  // namespace fulcrum

int main(int argc, char** argv) {
    try {
        return fulcrum::Ipvsadm{argv[0]}.run({argv + 1, argv + argc});
    } catch (const fulcrum::Ending& ending) {
        std::fprintf(stderr, "%s\n", ending.complaint.text.c_str());
        return ending.complaint.status;
    } catch (const std::exception& error) {  // a reply whose members are not what they should be
        std::fprintf(stderr, "the director's reply is not understood: %s\n", error.what());
        return 1;
    }
}
