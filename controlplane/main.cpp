// fulcrumd, from top to bottom: every part is built here, in the order in which each needs the
// others, and taken down in the opposite one. Reads like a list; the thinking is in the parts.
#include <net/if.h>
#include <rte_cycles.h>

#include <CLI/CLI.hpp>
#include <array>
#include <asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "config/loader.h"
#include "controlplane/apply.h"
#include "controlplane/capture_desk.h"
#include "controlplane/command_socket.h"
#include "controlplane/commands.h"
#include "controlplane/doctor/diagnosis.h"
#include "controlplane/event_loop.h"
#include "controlplane/health/datagram_probe.h"
#include "controlplane/health/http_probe.h"
#include "controlplane/health/ping_probe.h"
#include "controlplane/health/program_probe.h"
#include "controlplane/health/stream_probe.h"
#include "controlplane/helper_thread.h"
#include "controlplane/kernel/proc_sys.h"
#include "controlplane/kernel_side.h"
#include "controlplane/log.h"
#include "controlplane/metrics.h"
#include "controlplane/metrics_server.h"
#include "controlplane/peer/obey.h"
#include "controlplane/peer/peer_link.h"
#include "controlplane/role_wiring.h"
#include "controlplane/service_notice.h"
#include "controlplane/session_keeping.h"
#include "controlplane/telling/teller.h"
#include "controlplane/worker_mail.h"
#include "dataplane/memory_plan.h"
#include "dataplane/nic.h"
#include "dataplane/session_file.h"
#include "dataplane/turn_clock.h"
#include "dataplane/worker_set.h"

namespace fulcrum {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_invalid = 2;

int fail(const Error& error) {
    std::fprintf(stderr, "fulcrumd: %s\n", error.sentence.c_str());
    return exit_failed;
}

void print_plan(const MemoryPlan& plan, Log& log) {
    constexpr double mebi = 1'024.0 * 1'024.0;
    std::array<char, 128> line;
    for (const MemoryPlan::Share& share : plan.shares) {
        std::snprintf(line.data(), line.size(), "memory: %8.1f MiB %s",
                      static_cast<double>(share.bytes) / mebi, share.what.c_str());
        log.notice(LogArea::director, line.data());
    }
    std::snprintf(line.data(), line.size(), "memory: %8.1f MiB in all",
                  static_cast<double>(plan.total_bytes()) / mebi);
    log.notice(LogArea::director, line.data());
}

// Where the devices' found state is kept: beside the control socket.
std::string state_folder_of(const Config& config) {
    const std::filesystem::path folder = std::filesystem::path{config.control.socket}.parent_path();
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    return folder.empty() ? "." : folder.string();
}

struct Ports {
    std::vector<OpenPort> open;  // the devices
    std::vector<PortLink> links;
    std::vector<std::size_t> devices;  // by port: its place in `open`

    const OpenPort& of(std::size_t port) const { return open[devices[port]]; }
};

Result<Ports> open_ports(const Config& config, const PacketPool& pool) {
    Ports ports;
    const Steering steering{config};
    for (std::size_t i = 0; i < config.ports.size(); ++i) {
        if (config.ports[i].kind == DeviceKind::vlan) {
            continue;
        }
        Result<OpenPort> port = OpenPort::open(config, i, steering, pool);
        if (!port) {
            return port.error();
        }
        ports.open.push_back(std::move(*port));
    }
    ports.devices = devices_of(config.ports);
    for (std::size_t i = 0; i < config.ports.size(); ++i) {
        ports.links.push_back(ports.of(i).link());
    }
    return ports;
}

std::vector<std::string> names_of(const std::vector<NicPort>& ports) {
    std::vector<std::string> names;
    for (const NicPort& port : ports) {
        names.push_back(port.name);
    }
    return names;
}

DirectorFacts facts_of(const Config& config, const MemoryPlan& plan, const Ports& ports,
                       const KernelSide& kernel_side) {
    DirectorFacts facts;
    facts.worker_cpus = config.director.workers;
    facts.cycles_per_s = static_cast<double>(rte_get_tsc_hz());
    for (const MemoryPlan::Share& share : plan.shares) {
        facts.memory.push_back({share.what, share.bytes});
    }
    facts.ports = [named = config.ports, &ports] {
        std::vector<PortReport> reports;
        for (std::size_t i = 0; i < named.size(); ++i) {
            const OpenPort& device = ports.of(i);
            reports.push_back({named[i].name, device_in_words(named[i]), named[i].name,
                               ports.links[i].mac, device.is_up(), device.receive_queue_count(),
                               name_of(device.queue_choice())});
        }
        return reports;
    };
    facts.problems = [named = config.ports] {
        std::vector<std::string> problems;
        for (const NicPort& port : named) {
            if (if_nametoindex(port.name.c_str()) == 0) {
                problems.push_back(
                    "port \"" + port.name +
                    "\": its twin interface is gone: restart fulcrumd to make it anew");
            }
        }
        return problems;
    };
    facts.conflicts = [&kernel_side] { return kernel_side.conflicts(); };
    facts.kernel_forwards = kernel_forwards_ipv4;
    return facts;
}

PortFigures figures_of(const OpenPort& device) {
    const PortStatistics statistics = device.statistics();
    return {.received_packets = statistics.received_packets,
            .received_bytes = statistics.received_bytes,
            .transmitted_packets = statistics.transmitted_packets,
            .transmitted_bytes = statistics.transmitted_bytes,
            .missed_packets = statistics.missed_packets,
            .receive_errors = statistics.receive_errors,
            .transmit_errors = statistics.transmit_errors,
            .no_buffer = statistics.no_buffer};
}

// What the device loses it cannot tell by VLAN: that is in its own port's figures.
PortFigures figures_of_vlan(const WorkerSet& workers, std::size_t port) {
    PortFigures figures;
    for (std::size_t worker = 0; worker < workers.count(); ++worker) {
        const VlanCounters& counters = workers.board(worker).vlan(port);
        figures.received_packets += counters.received_packets.read();
        figures.received_bytes += counters.received_bytes.read();
        figures.transmitted_packets += counters.transmitted_packets.read();
        figures.transmitted_bytes += counters.transmitted_bytes.read();
    }
    return figures;
}

MetricsSources metrics_sources(const Config& config, const Ports& ports, const WorkerSet& workers,
                               const Applier& applier, const EventLoop& loop) {
    MetricsSources sources;
    sources.listing = &applier.listing();
    sources.boards = applier.boards();
    sources.cycles_per_s = static_cast<double>(rte_get_tsc_hz());
    sources.reloads = &applier.reloads();
    sources.loop = &loop.counters();
    sources.check_durations = &applier.health().durations();
    sources.started = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < config.ports.size(); ++i) {
        sources.twins[config.ports[i].name] = &workers.twin_counters(i);
    }
    sources.ports = [named = config.ports, &ports, &workers] {
        std::vector<PortFigures> figures;
        for (std::size_t i = 0; i < named.size(); ++i) {
            figures.push_back(named[i].kind == DeviceKind::vlan ? figures_of_vlan(workers, i)
                                                                : figures_of(ports.of(i)));
            figures.back().port = named[i].name;
            figures.back().is_up = ports.of(i).is_up();
        }
        return figures;
    };
    return sources;
}

HealthCheck::Probers make_probers(EventLoop& loop) {
    const auto stream = std::make_shared<StreamProber>(loop);
    const auto datagram = std::make_shared<DatagramProber>(loop);
    const auto http = std::make_shared<HttpProber>(loop);
    const auto ping = std::make_shared<PingProber>(loop);
    const auto program = std::make_shared<ProgramProber>(loop);
    HealthCheck::Probers probers{{CheckType::http, http},
                                 {CheckType::https, http},
                                 {CheckType::ping, ping},
                                 {CheckType::program, program}};
    // The rest are dialogues: over streams, or by datagrams.
    for (std::size_t place = 0; place < check_type_count; ++place) {
        const auto type = static_cast<CheckType>(place);
        if (facts_of(type).carrier == CheckCarrier::udp) {
            probers.emplace(type, datagram);
        } else if (facts_of(type).carrier == CheckCarrier::tcp) {
            probers.emplace(type, stream);
        }
    }
    return probers;
}

// What stands before anything runs.
struct Foundation {
    const MemoryPlan& plan;
    const PacketPool& pool;
    const Ports& ports;
    TakenDevices& devices;
};

// All that runs once the ports are open, until a signal ends it.
int serve(const std::shared_ptr<const Config>& config, const Applier::Sources& read,
          const Foundation& foundation, Log& log) {
    const auto& [plan, pool, ports, devices] = foundation;
    Result<std::unique_ptr<KernelSide>> kernel = KernelSide::open(*config, ports.links, log);
    if (!kernel) {
        return fail(kernel.error());
    }
    KernelSide& kernel_side = **kernel;
    DirectorState state{static_cast<std::uint32_t>(plan.tally_count)};
    const std::string index_memory_path = state_folder_of(*config) + "/indexes";
    Result<SessionFile> sessions = open_sessions(*config, plan, index_memory_path, {state, log});
    if (!sessions) {
        return fail(sessions.error());
    }
    Result<std::unique_ptr<WorkerSet>> made =
        WorkerSet::create(*config, plan, {ports.open, pool, kernel_side.tap_fds(), *sessions});
    if (!made) {
        return fail(made.error());
    }
    WorkerSet& workers = **made;
    SnapshotPublisher publisher{workers.publication()};

    EventLoop loop;
    HelperThread helper{loop};
    Boards boards;
    std::vector<WorkerDoors> doors;
    std::vector<Mailbox<CapturedFrame>*> captured;
    std::vector<PeerDoors> peer_doors;
    for (std::size_t i = 0; i < workers.count(); ++i) {
        boards.push_back(&workers.board(i));
        captured.push_back(&workers.captured(i));
        peer_doors.push_back(
            {&workers.inbox(i), workers.replicas_told(i), workers.replicas_heard(i)});
        doors.push_back({&workers.inbox(i), &workers.outbox(i), &workers.explanations(i)});
    }
    Teller teller{loop, log};
    std::unique_ptr<Roles> roles;  // null: this director is alone
    std::unique_ptr<PeerLink> peer;
    Applier applier{{loop, helper, state, publisher, log, boards, make_probers(loop),
                     [&](const Config& adopted) {
                         kernel_side.adopt(adopted);
                         if (roles != nullptr) {
                             roles->follow(adopted);
                         }
                     },
                     state_folder_of(*config) + "/health",
                     [&](const Config& adopted) {
                         teller.follow(adopted);
                         if (peer != nullptr) {
                             peer->follow();
                         }
                     },
                     [&](const RealEvent& event) { teller.on_event(event); },
                     keeper_of(*config, *sessions, index_memory_path)}};
    WorkerMail mail{
        loop, doors,
        [&](std::uint8_t port, const IpAddress& neighbour) {
            kernel_side.want_neighbour(port, neighbour);
        },
        [&](const IpAddress& real, std::uint16_t mtu) { applier.on_path_mtu(real, mtu); }};
    CaptureDesk captures{{loop, applier, captured, names_of(config->ports)}};
    if (config->pair) {
        Result<std::unique_ptr<PeerLink>> opened = PeerLink::open(
            *config, {loop,
                      helper,
                      state,
                      log,
                      boards,
                      peer_doors,
                      [&](const IpAddress& client) { return workers.steering().owner_of(client); },
                      [&](const PeerDrain& drain) { obey(drain, applier); },
                      [&] { return applier.epoch_seen(); },
                      [&] { return applier.standing().version; },
                      {[&roles] { return roles != nullptr && roles->leads(); },
                       [&](const ConfigStanding& peers) { applier.agree_on(peers); },
                       [&, name = config->pair->peer](std::string text, ConfigVersion version,
                                                      ConfigSync::Doors::Judged judged) {
                           obey({name, std::move(text), version}, applier, std::move(judged));
                       }}});
        if (!opened) {
            return fail(opened.error());
        }
        peer = std::move(*opened);
    }
    auto elections = open_roles(
        *config, ports.links,
        {loop, log, applier, kernel_side, teller, publisher,
         [&ports = foundation.ports](std::size_t port) { return ports.of(port).is_up(); },
         [&peer] { return peer == nullptr || peer->is_ready(); },
         [&](Duration length) { workers.speak_for_kernel_for(length); }});
    if (!elections) {
        return fail(elections.error());
    }
    roles = std::move(*elections);
    DirectorFacts facts = facts_of(*config, plan, ports, kernel_side);
    add_role_facts(roles.get(), facts);
    if (peer != nullptr) {
        facts.peer = [&peer] { return peer->report(); };
    }
    Commands commands{{loop, helper, applier, mail, captures, std::move(facts)}};
    Result<std::unique_ptr<CommandSocket>> socket = CommandSocket::open(
        loop, config->control, [&](const Request& request, CommandSocket::Answer answer) {
            commands.serve(request, answer);
        });
    if (!socket) {
        return fail(socket.error());
    }
    MetricsSources sources = metrics_sources(*config, ports, workers, applier, loop);
    sources.roles = roles == nullptr ? std::vector<NamedRoleCounters>{} : roles->counters();
    if (peer != nullptr) {
        sources.peer = [&peer, &boards] { return figures_of(peer->report(), boards); };
    }
    std::unique_ptr<MetricsServer> metrics;
    if (config->metrics.listen) {
        Result<MetricsAccess> access = read_metrics_access(config->metrics);
        if (!access) {
            return fail(access.error());
        }
        Result<std::unique_ptr<MetricsServer>> opened = MetricsServer::open(
            *config->metrics.listen,
            [&] { return render_metrics(sources, std::chrono::steady_clock::now()); },
            std::move(*access));
        if (!opened) {
            return fail(opened.error());
        }
        metrics = std::move(*opened);
    }

    asio::signal_set signals{loop.io(), SIGTERM, SIGINT};
    signals.async_wait(loop.turn([&](const asio::error_code&, int) {
        // Who asks twice is in a hurry.
        signals.async_wait(loop.turn([&](const asio::error_code&, int) { loop.stop(); }));
        roles != nullptr ? roles->leave([&] { loop.stop(); }) : loop.stop();
    }));
    if (const Status started = workers.start(); !started) {
        return fail(started.error());
    }
    Timer alive{loop};
    const std::function<void()> note_alive = [&] {
        sessions->note_alive(boot_seconds());
        alive.after(1s, note_alive);
    };
    note_alive();
    // The first snapshot has paths: restored sessions' packets and checks' answers need them.
    state.on_event(KernelChanged{kernel_side.tables()}, loop.now());
    applier.begin(config, read, [&](const ApplyResult&) {
        log.notice(LogArea::director, "serving");
        notify_ready();
        if (roles != nullptr) {
            roles->begin();
        }
    });
    kernel_side.follow(
        loop, devices,
        [&](std::shared_ptr<const KernelTables> tables) {
            applier.on_kernel_changed(std::move(tables));
        },
        [&](bool is_over, const std::string& sentence) {
            applier.events().note(
                {is_over ? EventKind::address_conflict_over : EventKind::address_conflict,
                 {},
                 {},
                 sentence});
        });
    loop.run();

    notify_stopping();
    log.notice(LogArea::director, "leaving");
    workers.stop();
    kernel_side.retire();
    return 0;
}

// Before it runs; afterwards `fulcrumctl doctor` says more.
int examine(const Config& config) {
    std::vector<Diagnosis> found =
        examine_machine(look_at_machine(config.ports), config, /*is_running=*/false);
    if (const Status enough =
            check_memory(plan_memory(config), config.director.memory, look_at_host());
        !enough) {
        found.push_back({Diagnosis::Verdict::bad, "memory", enough.error().sentence, ""});
    }
    bool is_fit = true;
    for (const Diagnosis& each : found) {
        is_fit &= each.verdict != Diagnosis::Verdict::bad;
        std::printf("%s\n", in_words(each).c_str());
    }
    return is_fit ? 0 : exit_failed;
}

int run(const std::shared_ptr<const Config>& config, const Applier::Sources& read) {
    // What is written into a connection that is gone fails; within TLS it would end us else.
    std::signal(SIGPIPE, SIG_IGN);
    Log log{config->log, config->director.name};
    const MemoryPlan plan = plan_memory(*config);
    print_plan(plan, log);
    if (const Status enough = check_memory(plan, config->director.memory, look_at_host());
        !enough) {
        return fail(enough.error());
    }
    if (const Status present = check_devices(*config); !present) {
        return fail(present.error());
    }
    Result<TakenDevices> devices = TakenDevices::take(config->ports, state_folder_of(*config), log);
    if (!devices) {
        return fail(devices.error());
    }
    if (const Status started = start_eal(*config, plan.dpdk_bytes()); !started) {
        return fail(started.error());
    }
    int outcome = exit_failed;
    {
        Result<PacketPool> pool = PacketPool::create(plan.mbuf_count, plan.frame_room);
        Result<Ports> ports = pool ? open_ports(*config, *pool) : Result<Ports>{pool.error()};
        outcome =
            ports ? serve(config, read, {plan, *pool, *ports, *devices}, log) : fail(ports.error());
    }
    devices->give_back(log);
    stop_eal();
    return outcome;
}

}  // namespace
}  // namespace fulcrum

int main(int argc, char** argv) {
    CLI::App app{"Fulcrum's director: balances what arrives at its ports over real servers"};
    std::string file = "/etc/fulcrum/director.cfg";
    bool is_check = false;
    bool asks_doctor = false;
    app.add_option("--config", file, "the configuration file")->capture_default_str();
    app.add_flag("--check", is_check, "look the configuration through, say what is wrong, and end");
    app.add_flag("--doctor", asks_doctor,
                 "look the machine through, say what is in the way and what to do, and end");
    app.set_version_flag("--version", std::string{"fulcrumd "} + FULCRUM_VERSION);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : fulcrum::exit_invalid;
    }
    const auto read_at = std::chrono::system_clock::now();
    fulcrum::LoadOutcome loaded = fulcrum::load_config(file);
    for (const std::string& problem : loaded.problems) {
        std::fprintf(stderr, "%s\n", problem.c_str());
    }
    if (!loaded.is_valid()) {
        return fulcrum::exit_invalid;
    }
    for (const std::string& warning : loaded.warnings) {
        std::fprintf(stderr, "warning: %s\n", warning.c_str());
    }
    if (asks_doctor) {
        return fulcrum::examine(loaded.config);
    }
    return is_check
               ? 0
               : fulcrum::run(std::make_shared<const fulcrum::Config>(std::move(loaded.config)),
                              {std::move(loaded.files), read_at});
}
