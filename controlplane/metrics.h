// The metrics page: every counter of the product under Prometheus' conventions (base units, _total
// on counters, few labels and never a client's address). It is made at scrape: workers' boards are
// summed as they stand, without a lock; names come from the listing that the control thread shows.
// Called on the metrics server's thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/apply.h"
#include "controlplane/event_loop.h"
#include "controlplane/health/health_check.h"
#include "controlplane/listing.h"
#include "controlplane/log.h"
#include "controlplane/roles/role_report.h"
#include "controlplane/shown.h"
#include "dataplane/counters.h"

namespace fulcrum {

// What a NIC port's device has counted.
struct PortFigures {
    std::string port;
    bool is_up = false;
    std::uint64_t received_packets = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t transmitted_packets = 0;
    std::uint64_t transmitted_bytes = 0;
    std::uint64_t missed_packets = 0;  // the receive queue was full
    std::uint64_t receive_errors = 0;
    std::uint64_t transmit_errors = 0;
    std::uint64_t no_buffer = 0;
};

// What another room counts.
struct Figure {
    std::string name;  // without "fulcrum_"; those of one name follow each other
    std::string help;
    bool is_gauge = false;
    std::vector<std::pair<std::string, std::string>> labels;
    double value = 0;
};

// All of these outlive the server. Null or empty: left out of the page.
struct MetricsSources {
    const Shown<Listing>* listing = nullptr;
    Boards boards;
    double cycles_per_s = 1;  // of the clock that workers count their turns by
    const ReloadCounters* reloads = nullptr;
    const LoopCounters* loop = nullptr;
    const std::map<CheckType, CheckDurations>* check_durations = nullptr;
    const Log* log = nullptr;
    Instant started{};
    std::function<std::vector<PortFigures>()> ports;   // on any thread
    std::map<std::string, const TwinCounters*> twins;  // by port
    std::vector<NamedRoleCounters> roles;              // none: the director is alone
    std::function<std::vector<Figure>()> peer;         // on any thread
};

// In Prometheus' text format; empty when memory was short.
std::string render_metrics(const MetricsSources& sources, Instant now);

}  // namespace fulcrum
