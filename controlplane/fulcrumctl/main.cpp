// fulcrumctl, the operator's tool: it knows the command protocol and how to print, and nothing else
// of the director; `check` alone needs no director. What was asked for goes to standard output,
// errors to standard error. Exit status: 0 done, 1 failed or (status) problems found, 2 usage or an
// invalid configuration, 3 no director answers.
#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "config/model/limits.h"
#include "controlplane/fulcrumctl/actions.h"
#include "controlplane/fulcrumctl/complete.h"
#include "controlplane/fulcrumctl/peer.h"
#include "controlplane/fulcrumctl/repeat.h"

namespace fulcrum {
namespace {

// Those that need no director.
void add_offline(CLI::App& app, Options& options, std::function<int()>& run) {
    CLI::App* check_command =
        app.add_subcommand("check", "Check a configuration file; needs no director")->fallthrough();
    check_command->callback([&] { run = [&options] { return check(options); }; });
    check_command->add_option("FILE", options.target, "The file to check")->required();
    CLI::App* key_command =
        app.add_subcommand("pair-key", "Make a key for a pair of directors; needs no director")
            ->fallthrough();
    key_command->callback([&] { run = [&options] { return make_pair_key(options); }; });
    key_command->add_option("FILE", options.target, "A file that is not there yet")->required();
    CLI::App* command =
        app.add_subcommand("import",
                           "Turn a file of ipvsadm, ldirectord, keepalived or Piranha into one of "
                           "ours; exit status 1 if it cannot say all of it")
            ->fallthrough();
    command->callback([&] { run = [&options] { return import(options); }; });
    ImportWords& words = options.import;
    command->add_option("FILE", words.file, "The old file; - for standard input")->required();
    command->add_option("--from", words.from, "Whose it is (default: as its content tells)");
    command->add_option("--port", words.ports, "A port: \"NAME DEVICE [ADDRESS/LENGTH ...]\"")
        ->expected(1)
        ->take_all();
    command->add_option("--workers", words.workers, "The CPU of each worker (default 1)")
        ->delimiter(',');
    command
        ->add_option("--mark", words.marks, "A firewall mark: NUMBER=ADDRESS:PORT[/PROTOCOL],...")
        ->expected(1)
        ->take_all();
}

void add_export(CLI::App& app, Options& options, std::function<int()>& run) {
    CLI::App* command =
        app.add_subcommand("export",
                           "Print what BIRD or FRR needs beside the director to announce its VIPs "
                           "by BGP with BFD")
            ->fallthrough();
    command->callback([&] { run = [&options] { return export_routes(options); }; });
    command->add_option("DAEMON", options.target, "bird (version 2) or frr")
        ->required()
        ->check(CLI::IsMember({"bird", "frr"}));
    RouteWords& words = options.routes;
    command->add_option("FILE", words.file, "A configuration file (default: what runs)");
    command->add_option("--as", words.as, "The autonomous system that the director is in");
    command->add_option("--neighbour", words.neighbours, "A router that is told: ADDRESS=AS")
        ->expected(1)
        ->take_all();
    command->add_option("--router-id", words.router_id,
                        "The daemon's router ID (default: a port's first IPv4 address)");
}

// Changes of what runs, which the file does not know of.
template <typename Add>
void add_edits(Options& options, const Add& add) {
    const auto add_edit = [&](const char* operation, const char* help, const char* target,
                              const char* keys) {
        CLI::App* command = add(operation, help, [&options, operation, keys] {
            return ask_edit(options, operation, keys);
        });
        if (target != nullptr) {
            command->add_option("TARGET", options.target, target)->required();
        }
        if (keys != nullptr) {
            command->add_option("KEY=VALUE", options.words,
                                "As in the file: weight=2, "
                                "affinity.timeout=10m, bind=wan,lan; "
                                "checks.1.type=http checks.2.type=ping");
        }
    };
    add_edit("add-service", "Add a service to what runs", "SERVICE", "services[].");
    add_edit("change-service", "Change a service; KEY= takes it away", "SERVICE", "services[].");
    add_edit("remove-service", "Remove a service from what runs", "SERVICE", nullptr);
    add_edit("add-real", "Add a real to a running service", "SERVICE/REAL", "services[].reals[].");
    add_edit("change-real", "Change a real", "SERVICE/REAL", "services[].reals[].");
    add_edit("remove-real", "Remove a real; its sessions live on", "SERVICE/REAL", nullptr);
    add_edit("change-timeouts", "Change timeouts of all services that go by the general ones",
             nullptr, "timeouts.");
    CLI::App* weight = add("weight", "Change a real's weight", [&options] {
        options.words = {"weight=" + std::to_string(options.weight)};
        return ask_edit(options, "change-real", "services[].reals[].");
    });
    weight->add_option("TARGET", options.target, "SERVICE/REAL")->required();
    weight->add_option("WEIGHT", options.weight, "0 to 2147483647; 0: no new sessions")
        ->required()
        ->check(CLI::Range(0U, limits::weight_max));
    for (const auto& [name, help, word] :
         {std::array{"disable", "Let a service answer as if it had no real", "enabled=false"},
          std::array{"enable", "Let a service serve again", "enabled=true"}}) {
        add(name, help,
            [&options, word = word] {
                options.words = {word};
                return ask_edit(options, "change-service", "services[].");
            })
            ->add_option("TARGET", options.target, "SERVICE")
            ->required();
    }
    add("save", "Write what runs into the director's file, or into another one", [&options] {
        return ask_save(options);
    })->add_option("FILE", options.target, "Another file; - for standard output");
    add("zero", "Let traffic counters begin at zero, as listings show them", [&options] {
        return ask_zero(options);
    })->add_option("TARGET", options.target, "SERVICE or SERVICE/REAL; default: all");
    add("log-level", "What is less important is not logged",
        [&options] {
            return ask(options, "log-level", {{"level", options.level}}, show_log_level);
        })
        ->add_option("LEVEL", options.level, "error, warning, notice or debug")
        ->required();
}

template <typename Add>
void add_reload(Options& options, const Add& add) {
    add("reload", "Read the configuration file again and apply it",
        [&options] { return ask(options, "reload", Json::object(), show_reload); });
    add("plan", "What a reload of a file would change; changes nothing",
        [&options] {
            std::error_code ignored;
            const std::string file = std::filesystem::absolute(options.target, ignored);
            return ask(options, "plan", {{"file", file}}, show_plan);
        })
        ->add_option("FILE", options.target, "The file")
        ->required();
    add("history", "The configurations that have run; the last one runs",
        [&options] { return ask(options, "history", Json::object(), show_history); });
    add("rollback", "Let a configuration of the history run again", [&options] {
        const Json arguments =
            options.number == 0 ? Json::object() : Json{{"number", options.number}};
        return ask(options, "rollback", arguments, show_edit);
    })->add_option("NUMBER", options.number, "Which one; default: the one before");
}

template <typename Add>
void add_events(Options& options, const Add& add) {
    CLI::App* events = add("events", "What happens, as it happens, until interrupted",
                           [&options] { return ask_events(options); });
    events->add_option("--since", options.since,
                       "Begin behind the event of this number; 0: with all that are kept");
    events->add_flag("--no-follow", options.ends_at_latest, "Only those that are kept; then end");
}

template <typename Add>
void add_drains(Options& options, const Add& add) {
    CLI::App* drain = add("drain", "No new sessions for a real; those it has live on",
                          [&options] { return ask_drain(options, "drain", show_drain); });
    drain->add_option("TARGET", options.target, "SERVICE/REAL")->required();
    CLI::Option* deadline = drain->add_option("--deadline", options.deadline,
                                              "How long they may live on, as in 10m or 2h");
    drain->add_option("--then", options.then, "What becomes of those that are left")
        ->check(CLI::IsMember({"keep", "reset", "move"}))
        ->needs(deadline);
    add("undrain", "End a drain",
        [&options] { return ask_drain(options, "undrain", show_undrain); })
        ->add_option("TARGET", options.target, "SERVICE/REAL")
        ->required();
}

template <typename Add>
void add_roles(Options& options, const Add& add) {
    const auto add_role = [&](const char* name, const char* help) {
        add(name, help, [&options, name] {
            const Json arguments =
                options.target.empty() ? Json::object() : Json{{"group", options.target}};
            return ask(options, name, arguments, show_roles);
        })->add_option("GROUP", options.target, "Default: all groups");
    };
    add_role("standby", "Let the other director be active; this one stands by");
    add_role("takeover", "Be active in place of the other director");
    add("fence-confirm", "The other director is dead for sure: take over without its fence",
        [&options] {
            return ask(options, "fence-confirm", {{"group", options.target}}, show_roles);
        })
        ->add_option("GROUP", options.target, "The group that waits for its fence")
        ->required();
}

template <typename Add>
void add_explain(Options& options, const Add& add) {
    CLI::App* explain = add("explain", "What would become of a packet, and why; changes nothing",
                            [&options] { return ask_explain(options); });
    explain->add_option("PROTOCOL", options.protocol, "tcp, udp or sctp")->required();
    explain->add_option("SOURCE", options.source, "ADDRESS:PORT")->required();
    explain->add_option("DESTINATION", options.destination, "ADDRESS:PORT")->required();
    explain->add_option("--from", options.from,
                        "The port where it arrives (default: the one towards its source)");
    explain->add_option("--flags", options.flags, "TCP flags, as in syn,ack (default syn)");
    explain->add_option("--size", options.size, "Octets of the IP packet");
}

// Adds the commands; each sets `run` when it is the one that was given.
void add_commands(CLI::App& app, Options& options, std::function<int()>& run) {
    const auto add = [&](const char* name, const char* help, std::function<int()> action) {
        CLI::App* command = app.add_subcommand(name, help)->fallthrough();
        command->callback([&run, action = std::move(action)] { run = action; });
        return command;
    };
    const auto add_plain = [&](const char* name, const char* help, Show show) {
        add(name, help,
            [&options, name, show] { return ask(options, name, Json::object(), show); });
    };
    add_plain("status", "What the director does; exit status 1 if it has problems", show_status);
    add_plain("peer", "How it stands with the other director of the pair", show_peer);
    add_plain("doctor", "What is in the way, and the remedy; 1 if something is bad", show_doctor);
    add("top", "What flows now, the busiest service first; every two seconds", [&options] {
        options.every_s = options.every_s == 0 ? 2 : options.every_s;
        return ask(options, "table", Json::object(), show_top);
    });
    add("services", "Virtual services and their counters", [&options] {
        return ask(options, "services", Json::object(),
                   options.shows_drops ? show_service_drops : show_services);
    })->add_flag("--drops", options.shows_drops, "Their dropped packets, by reason");
    add("reals", "Real servers, their state and counters", [&options] {
        return ask_reals(options);
    })->add_option("SERVICE", options.service, "Only those of this service");
    const auto add_walk = [&](const char* name, const char* help, Show show) {
        CLI::App* walk =
            add(name, help, [&options, name, show] { return ask_walk(options, name, show); });
        walk->add_option("--service", options.service, "Only those of this service");
        walk->add_option("--real", options.real, "Only those of this real of the service");
        walk->add_option("--client", options.client, "Only those of this client address");
        walk->add_option("--limit", options.limit, "At most so many (1 to 10000; default 1000)")
            ->check(CLI::Range(1U, 10'000U));
    };
    add_walk("sessions", "Sessions in the workers' tables", show_sessions);
    add_walk("affinity", "Clients that are bound to a real, and for how long", show_affinity);
    add_explain(options, add);
    CLI::App* capture =
        add("capture", "Packets before and after, into a pcapng file; while traffic flows",
            [&options] { return ask_capture(options); });
    CaptureWords& words = options.capture;
    capture->add_option("FILE", words.file, "The file to write; - for standard output")->required();
    capture->add_option("FILTER", words.expression, "As tcpdump takes it, as in \"tcp port 80\"");
    capture->add_option("--client", words.client, "Only this client address");
    capture->add_option("--service", words.service, "Only this service");
    capture->add_option("--real", words.real, "Only this real of the service");
    capture->add_option("--packets", words.packets, "Ends after so many frames (default 1000)");
    capture->add_option("--seconds", words.seconds, "Ends after so long (1 to 3600; default 60)");
    capture->add_option("--octets", words.octets, "Of each frame (64 to 2048; default 2048)");
    add_events(options, add);
    add_drains(options, add);
    add_roles(options, add);
    add_edits(options, add);
    add_reload(options, add);
    add_plain("version", "The director's version", show_version);
    add("completion", "A script that completes commands and names",
        [&options] {
            print(completion_script(options.target));
            return int{done_status};
        })
        ->add_option("SHELL", options.target, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

int run(int argc, char** argv) {
    Options options;
    std::function<int()> action;
    CLI::App app{"The operator's tool of Fulcrum, a layer-4 load balancer", "fulcrumctl"};
    app.add_option("--socket", options.socket, "The director's command socket")
        ->envname("FULCRUM_SOCKET")
        ->capture_default_str();
    app.add_flag("--json", options.is_json, "Print the result as JSON");
    app.set_version_flag("--version", "fulcrumctl " FULCRUM_VERSION);
    app.require_subcommand(1);
    app.add_option("--every", options.every_s, "Again every so many seconds, until interrupted")
        ->check(CLI::Range(1U, 3'600U));
    add_commands(app, options, action);
    add_offline(app, options, action);
    add_export(app, options, action);
    if (argc > 2 && argv[1] == std::string_view{"__complete"}) {
        return complete(app, options, {argv + 2, argv + argc});
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::RequiredError& error) {
        // The library says "a command is required" of `fulcrumctl bogus` as well.
        const std::vector<std::string> strange = app.remaining();
        if (strange.empty()) {
            return app.exit(error) == 0 ? done_status : misused;
        }
        complain("there is no command \"" + strange.front() + "\"; --help lists those there are");
        return misused;
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? done_status : misused;
    }
    return options.every_s == 0 ? action() : repeat(action, options.every_s);
}

}  // namespace
}  // namespace fulcrum

int main(int argc, char** argv) {
    try {
        return fulcrum::run(argc, argv);
    } catch (const std::exception& error) {  // a reply whose members are not what they should be
        std::fprintf(stderr, "fulcrumctl: the director's reply is not understood: %s\n",
                     error.what());
        return 1;
    }
}
