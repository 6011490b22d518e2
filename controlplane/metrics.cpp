// Families in the order of the page: the director, its workers, ports, services, reals, checks.
#include "controlplane/metrics.h"

#include <array>
#include <chrono>
#include <exception>
#include <utility>

#include "controlplane/metrics_page.h"

namespace fulcrum {
namespace {

Labels worker_label(std::size_t worker) { return {{"worker", std::to_string(worker)}}; }

// Counters that stand side by side in one struct.
template <typename Counters>
struct CounterFamily {
    const char* name;
    const char* help;
    SingleWriterCounter Counters::*counter;
    bool is_gauge = false;
};
template <typename Counters>
CounterFamily(const char*, const char*, SingleWriterCounter Counters::*, bool = false)
    -> CounterFamily<Counters>;

// --- the director ----------------------------------------------------------------------------

void add_director(Page& page, const MetricsSources& sources, Instant now) {
    page.gauge("build_info", "The program that runs; always 1.");
    page.sample({{"version", FULCRUM_VERSION}}, 1.0);
    page.gauge("uptime_seconds", "Time since the director started.");
    page.sample({}, std::chrono::duration<double>{now - sources.started}.count());
    page.gauge("epoch", "Number of the latest snapshot compiled for the workers.");
    page.sample({}, sources.listing->look()->epoch);
    if (sources.reloads != nullptr) {
        page.counter("reloads_total", "Reloads asked for, by what became of them.");
        page.sample({{"result", "applied"}}, sources.reloads->applied.read());
        page.sample({{"result", "invalid"}}, sources.reloads->invalid.read());
        page.sample({{"result", "refused"}}, sources.reloads->refused.read());
        page.sample({{"result", "taken_back"}}, sources.reloads->taken_back.read());
    }
    if (sources.loop != nullptr) {
        page.counter("control_busy_seconds_total", "Time that the control loop spent in turns.");
        page.sample({}, static_cast<double>(sources.loop->busy_ns.read()) / 1e9);
        page.counter("control_turns_total", "Turns of the control loop.");
        page.sample({}, sources.loop->turns.read());
        page.gauge("control_longest_turn_seconds", "Longest turn of the control loop so far.");
        page.sample({}, static_cast<double>(sources.loop->longest_turn_ns.read()) / 1e9);
    }
    if (sources.log != nullptr) {
        page.counter("log_lines_dropped_total", "Log lines left out or not taken by the reader.");
        page.sample({}, sources.log->dropped_count());
    }
}

// --- workers ---------------------------------------------------------------------------------

struct WorkerFamily {
    const char* name;
    const char* help;
    bool is_gauge;
    SingleWriterCounter WorkerCounters::*counter;
};

constexpr std::array worker_families{
    WorkerFamily{"received_packets_total", "Packets taken from NIC ports.", false,
                 &WorkerCounters::received},
    WorkerFamily{"from_kernel_packets_total", "Packets taken from the kernel's twins.", false,
                 &WorkerCounters::from_kernel},
    WorkerFamily{"adopted_packets_total", "Packets taken from other workers.", false,
                 &WorkerCounters::adopted},
    WorkerFamily{"originated_packets_total", "Packets made by the director itself.", false,
                 &WorkerCounters::originated},
    WorkerFamily{"transmitted_packets_total", "Packets given to NIC ports.", false,
                 &WorkerCounters::transmitted},
    WorkerFamily{"handed_over_packets_total", "Packets given to the worker that owns their client.",
                 false, &WorkerCounters::handed_over},
    WorkerFamily{"held_back_packets_total", "Packets put aside until their neighbour is known.",
                 false, &WorkerCounters::held_back},
    WorkerFamily{"released_packets_total", "Packets taken up again after being put aside.", false,
                 &WorkerCounters::released},
    WorkerFamily{"sessions", "Sessions in the table.", true, &WorkerCounters::sessions_live},
    WorkerFamily{"sessions_unconfirmed", "Sessions that may still be evicted to make room.", true,
                 &WorkerCounters::sessions_unconfirmed},
    WorkerFamily{"sessions_opened_total", "Sessions opened.", false,
                 &WorkerCounters::sessions_opened},
    WorkerFamily{"sessions_expired_total", "Sessions that ended by their timeout.", false,
                 &WorkerCounters::sessions_expired},
    WorkerFamily{"sessions_evicted_total", "Sessions that made room for newer ones.", false,
                 &WorkerCounters::sessions_evicted},
    WorkerFamily{"sessions_moved_total", "Sessions moved to their other bucket.", false,
                 &WorkerCounters::sessions_moved},
    WorkerFamily{"affinity_clients", "Clients that are bound to a real.", true,
                 &WorkerCounters::affinity_records},
    WorkerFamily{"affinity_evicted_total", "Clients that made room for others.", false,
                 &WorkerCounters::affinity_evicted},
    WorkerFamily{"affinity_refused_total", "Clients for which there was no room.", false,
                 &WorkerCounters::affinity_refused},
    WorkerFamily{"local_ports", "Local ports that sessions in full NAT hold.", true,
                 &WorkerCounters::local_ports_taken},
    WorkerFamily{"client_addresses_left_out_total",
                 "Segments that had no room for the client's address in TCP option 254.", false,
                 &WorkerCounters::client_addresses_left_out},
    WorkerFamily{"untracked_packets_total", "Packets of new flows forwarded without a session.",
                 false, &WorkerCounters::sessions_untracked},
    WorkerFamily{"syn_cookies_sent_total", "SYNs answered with a cookie.", false,
                 &WorkerCounters::cookies_sent},
    WorkerFamily{"syn_cookies_accepted_total", "Sessions opened by a cookie that came back.", false,
                 &WorkerCounters::cookies_accepted},
    WorkerFamily{"sessions_spliced", "Sessions opened by a cookie, whose sides count differently.",
                 true, &WorkerCounters::sessions_spliced},
    WorkerFamily{"icmp_errors_sent_total", "ICMP errors of our own.", false,
                 &WorkerCounters::icmp_errors_sent},
    WorkerFamily{"icmp_errors_policed_total", "ICMP errors of our own that their rate forbade.",
                 false, &WorkerCounters::icmp_errors_policed},
    WorkerFamily{"captured_frames_lost_total", "Frames of captures that found the mailbox full.",
                 false, &WorkerCounters::captures_lost},
    WorkerFamily{"worker_turns_total", "Turns of the worker's loop.", false,
                 &WorkerCounters::turns},
    WorkerFamily{"worker_reports_lost_total", "Reports that found the mailbox full.", false,
                 &WorkerCounters::reports_lost},
    WorkerFamily{"worker_epoch", "Number of the snapshot that the worker forwards by.", true,
                 &WorkerCounters::epoch_seen},
};

struct CycleFamily {
    const char* name;
    const char* help;
    bool is_gauge;
    SingleWriterCounter WorkerCounters::*cycles;
};

constexpr std::array cycle_families{
    CycleFamily{"worker_busy_seconds_total", "Time spent in turns that had work.", false,
                &WorkerCounters::busy_cycles},
    CycleFamily{"worker_running_seconds_total", "Time since the worker began, sleep included.",
                false, &WorkerCounters::total_cycles},
    CycleFamily{"worker_longest_turn_seconds", "Longest turn of the worker's loop.", true,
                &WorkerCounters::longest_turn_cycles},
};

void add_workers(Page& page, const MetricsSources& sources) {
    for (const WorkerFamily& family : worker_families) {
        family.is_gauge ? page.gauge(family.name, family.help)
                        : page.counter(family.name, family.help);
        for (std::size_t worker = 0; worker < sources.boards.size(); ++worker) {
            page.sample(worker_label(worker),
                        (sources.boards[worker]->worker().*family.counter).read());
        }
    }
    for (const CycleFamily& family : cycle_families) {
        family.is_gauge ? page.gauge(family.name, family.help)
                        : page.counter(family.name, family.help);
        for (std::size_t worker = 0; worker < sources.boards.size(); ++worker) {
            const std::uint64_t cycles = (sources.boards[worker]->worker().*family.cycles).read();
            page.sample(worker_label(worker), static_cast<double>(cycles) / sources.cycles_per_s);
        }
    }
}

void add_packet_ends(Page& page, const MetricsSources& sources) {
    page.counter("dropped_packets_total", "Packets dropped, by reason.");
    for (std::size_t worker = 0; worker < sources.boards.size(); ++worker) {
        const auto& dropped = sources.boards[worker]->worker().dropped;
        for (std::size_t reason = 0; reason < drop_reason_count; ++reason) {
            const std::string_view name = text_of(static_cast<DropReason>(reason)).name;
            page.sample({{"reason", std::string{name}}, {"worker", std::to_string(worker)}},
                        dropped[reason].read());
        }
    }
    page.counter("punted_packets_total", "Packets given to the kernel's twins, by class.");
    for (std::size_t worker = 0; worker < sources.boards.size(); ++worker) {
        const auto& punted = sources.boards[worker]->worker().punted;
        for (std::size_t index = 0; index < punt_class_count; ++index) {
            const std::string_view name = name_of(static_cast<PuntClass>(index));
            page.sample({{"class", std::string{name}}, {"worker", std::to_string(worker)}},
                        punted[index].read());
        }
    }
}

// --- ports -----------------------------------------------------------------------------------

struct PortFamily {
    const char* name;
    const char* help;
    std::uint64_t PortFigures::*figure;
};

constexpr std::array port_families{
    PortFamily{"port_received_packets_total", "Packets that the device received.",
               &PortFigures::received_packets},
    PortFamily{"port_received_bytes_total", "Octets that the device received.",
               &PortFigures::received_bytes},
    PortFamily{"port_transmitted_packets_total", "Packets that the device sent.",
               &PortFigures::transmitted_packets},
    PortFamily{"port_transmitted_bytes_total", "Octets that the device sent.",
               &PortFigures::transmitted_bytes},
    PortFamily{"port_missed_packets_total", "Packets lost because the receive queue was full.",
               &PortFigures::missed_packets},
    PortFamily{"port_receive_errors_total", "Packets that the device received broken.",
               &PortFigures::receive_errors},
    PortFamily{"port_transmit_errors_total", "Packets that the device failed to send.",
               &PortFigures::transmit_errors},
    PortFamily{"port_no_buffer_total", "Packets lost because no buffer was free.",
               &PortFigures::no_buffer},
};

void add_ports(Page& page, const MetricsSources& sources) {
    const std::vector<PortFigures> ports =
        sources.ports ? sources.ports() : std::vector<PortFigures>{};
    page.gauge("port_up", "Whether the port has a link.");
    for (const PortFigures& port : ports) {
        page.sample({{"port", port.port}}, port.is_up ? 1.0 : 0.0);
    }
    for (const PortFamily& family : port_families) {
        page.counter(family.name, family.help);
        for (const PortFigures& port : ports) {
            page.sample({{"port", port.port}}, port.*family.figure);
        }
    }
}

struct TwinFamily {
    const char* name;
    const char* help;
    SingleWriterCounter TwinCounters::*counter;
};

constexpr std::array twin_families{
    TwinFamily{"twin_to_kernel_frames_total", "Frames given to the kernel's twin of the port.",
               &TwinCounters::to_kernel},
    TwinFamily{"twin_to_kernel_failed_frames_total", "Frames that the twin refused.",
               &TwinCounters::to_kernel_failed},
    TwinFamily{"twin_from_kernel_frames_total", "Frames taken from the kernel's twin of the port.",
               &TwinCounters::from_kernel},
    TwinFamily{"twin_from_kernel_lost_frames_total",
               "Frames of the kernel that found no buffer or a full ring.",
               &TwinCounters::from_kernel_lost},
};

void add_twins(Page& page, const MetricsSources& sources) {
    for (const TwinFamily& family : twin_families) {
        page.counter(family.name, family.help);
        for (const auto& [port, counters] : sources.twins) {
            page.sample({{"port", port}}, (counters->*family.counter).read());
        }
    }
}

// --- services and reals ----------------------------------------------------------------------

struct TallyFamily {
    const char* name;  // after "service_" or "real_"
    const char* help;
    bool is_gauge;
    bool is_of_replies;  // unknown, not zero, under direct routing
    std::uint64_t TallyTotals::*figure;
};

constexpr std::array tally_families{
    TallyFamily{"in_packets_total", "Packets forwarded towards reals.", false, false,
                &TallyTotals::in_packets},
    TallyFamily{"in_bytes_total", "IP octets forwarded towards reals.", false, false,
                &TallyTotals::in_bytes},
    TallyFamily{"out_packets_total", "Packets forwarded from reals; none under direct routing.",
                false, true, &TallyTotals::out_packets},
    TallyFamily{"out_bytes_total", "IP octets forwarded from reals; none under direct routing.",
                false, true, &TallyTotals::out_bytes},
    TallyFamily{"sessions_opened_total", "Sessions opened.", false, false,
                &TallyTotals::sessions_opened},
    TallyFamily{"sessions", "Sessions in the tables.", true, false, &TallyTotals::sessions_live},
    TallyFamily{"sessions_active", "TCP sessions that nobody has closed or reset.", true, false,
                &TallyTotals::sessions_active},
};

// One line of the two kinds of families: its labels and what was counted.
struct Counted {
    Labels labels;
    TallyTotals totals;
    bool has_replies = true;
};

void add_tally_family(Page& page, const std::string& prefix, const TallyFamily& family,
                      const std::vector<Counted>& lines) {
    family.is_gauge ? page.gauge(prefix + family.name, family.help)
                    : page.counter(prefix + family.name, family.help);
    for (const Counted& line : lines) {
        if (line.has_replies || !family.is_of_replies) {
            page.sample(line.labels, line.totals.*family.figure);
        }
    }
}

void add_tallies(Page& page, const std::string& prefix, const std::vector<Counted>& lines) {
    for (const TallyFamily& family : tally_families) {
        add_tally_family(page, prefix, family, lines);
    }
}

void add_services(Page& page, const Listing& listing, const Boards& boards) {
    std::vector<Counted> lines;
    page.gauge("service_reals_usable", "Reals of the service that take new sessions.");
    for (const ListedService& service : listing.services) {
        page.sample({{"service", service.name}}, std::uint64_t{service.usable_count});
        lines.push_back(
            {{{"service", service.name}}, service.totals(boards), sees_replies(service)});
    }
    add_tallies(page, "service_", lines);
}

void add_service_drops(Page& page, const Listing& listing, const Boards& boards) {
    page.counter("service_drops_total",
                 "Packets of the service dropped, by reason; only what there has been.");
    for (const ListedService& service : listing.services) {
        const DropTotals drops = service.drops(boards);
        for (std::size_t reason = 0; reason < drops.size(); ++reason) {
            if (drops[reason] > 0) {
                const std::string_view name = text_of(static_cast<DropReason>(reason)).name;
                page.sample({{"service", service.name}, {"reason", std::string{name}}},
                            drops[reason]);
            }
        }
    }
}

// Reals of the file, that is: the counts of removed ones live on in their service's.
struct PresentReal {
    const ListedReal* real;
    Labels labels;
};

void append_present(std::vector<PresentReal>& reals, const ListedService& service) {
    for (const ListedReal& real : service.reals) {
        if (real.state != RealState::removed) {
            reals.push_back({&real, {{"service", service.name}, {"real", real.name}}});
        }
    }
}

std::vector<PresentReal> present_reals(const Listing& listing) {
    std::vector<PresentReal> reals;
    for (const ListedService& service : listing.services) {
        append_present(reals, service);
    }
    return reals;
}

void add_reals(Page& page, const std::vector<PresentReal>& reals, const Boards& boards) {
    page.gauge("real_up", "Whether the real is sound by its check, drained or not.");
    for (const auto& [real, labels] : reals) {
        page.sample(labels, real->is_sound ? 1.0 : 0.0);
    }
    page.gauge("real_weight", "Effective weight: 0 while the real takes no new sessions.");
    for (const auto& [real, labels] : reals) {
        page.sample(labels, std::uint64_t{real->weight});
    }
    std::vector<Counted> lines;
    lines.reserve(reals.size());
    for (const auto& [real, labels] : reals) {
        lines.push_back({labels, real->totals(boards), !is_one_way(real->forward)});
    }
    add_tallies(page, "real_", lines);
}

// --- roles -----------------------------------------------------------------------------------

constexpr std::array role_families{
    CounterFamily{"group_active", "Whether it is active here.", &RoleCounters::is_active, true},
    CounterFamily{"group_priority", "Priority in the adverts.", &RoleCounters::priority, true},
    CounterFamily{"group_paths_lost", "Paths without adverts.", &RoleCounters::paths_lost, true},
    CounterFamily{"group_transitions_total", "Changes of state.", &RoleCounters::transitions},
    CounterFamily{"group_adverts_sent_total", "Adverts sent.", &RoleCounters::adverts_sent},
    CounterFamily{"group_adverts_heard_total", "Adverts heard.", &RoleCounters::adverts_heard},
};

void add_roles(Page& page, const std::vector<NamedRoleCounters>& roles) {
    for (const auto& family : role_families) {
        family.is_gauge ? page.gauge(family.name, family.help)
                        : page.counter(family.name, family.help);
        for (const auto& [group, counters] : roles) {
            page.sample({{"group", group}}, (counters->*family.counter).read());
        }
    }
    page.counter("group_adverts_refused_total", "Packets that are no adverts for it, by reason.");
    for (const auto& [group, counters] : roles) {
        for (std::size_t fault = 0; fault < counters->refused.size(); ++fault) {
            const std::string_view name = to_string(static_cast<AdvertFault>(fault));
            page.sample({{"group", group}, {"reason", std::string{name}}},
                        counters->refused[fault].read());
        }
    }
}

// --- checks ----------------------------------------------------------------------------------

constexpr std::array check_families{
    CounterFamily{"checks_total", "Health checks of the real that told something.",
                  &CheckTally::probes},
    CounterFamily{"check_failures_total", "Health checks of the real that failed.",
                  &CheckTally::failures},
    CounterFamily{"checks_not_sent_total", "Health checks that the director could not send.",
                  &CheckTally::not_sent},
    CounterFamily{"checks_hastened_total",
                  "Times that failing connections made a health check of the real due at once.",
                  &CheckTally::hastened},
};

void add_checks(Page& page, std::vector<PresentReal> reals) {
    std::erase_if(reals,
                  [](const PresentReal& present) { return present.real->checks == nullptr; });
    for (const auto& family : check_families) {
        page.counter(family.name, family.help);
        for (const auto& [real, labels] : reals) {
            page.sample(labels, ((*real->checks).*family.counter).read());
        }
    }
}

void add_check_durations(Page& page, const std::map<CheckType, CheckDurations>& by_type) {
    for (const auto& [type, durations] : by_type) {
        ClientMetric& metric =
            page.histogram_sample("check_duration_seconds", "How long health checks took.",
                                  {{"type", std::string{to_string(type)}}});
        std::uint64_t count = 0;
        for (std::size_t bucket = 0; bucket < check_duration_bounds_s.size(); ++bucket) {
            count += durations.counts[bucket].read();
            metric.histogram.bucket.push_back({count, check_duration_bounds_s[bucket]});
        }
        metric.histogram.sample_count = count + durations.counts.back().read();
        metric.histogram.sample_sum = static_cast<double>(durations.sum_us.read()) / 1e6;
    }
}

void add_figures(Page& page, const std::vector<Figure>& figures) {
    std::string family;
    for (const Figure& figure : figures) {
        if (figure.name != family) {
            figure.is_gauge ? page.gauge(figure.name, figure.help)
                            : page.counter(figure.name, figure.help);
            family = figure.name;
        }
        Labels labels;
        for (const auto& [name, value] : figure.labels) {
            labels.push_back({name, value});
        }
        page.sample(std::move(labels), figure.value);
    }
}

}  // namespace

std::string render_metrics(const MetricsSources& sources, Instant now) {
    // The library allocates as it likes; its exceptions end here.
    try {
        const auto listing = sources.listing->look();
        Page page;
        add_director(page, sources, now);
        add_workers(page, sources);
        add_packet_ends(page, sources);
        add_ports(page, sources);
        add_twins(page, sources);
        add_services(page, *listing, sources.boards);
        add_service_drops(page, *listing, sources.boards);
        const std::vector<PresentReal> reals = present_reals(*listing);
        add_reals(page, reals, sources.boards);
        add_checks(page, reals);
        add_roles(page, sources.roles);
        if (sources.check_durations != nullptr) {
            add_check_durations(page, *sources.check_durations);
        }
        if (sources.peer) {
            add_figures(page, sources.peer());
        }
        return page.text();
    } catch (const std::exception&) {
        return {};
    }
}

}  // namespace fulcrum
