// What stands in the way of a director's doing well, and what to do about it: each question has one
// answer, good or not, so that an operator sees what was looked at. Pure: facts in, findings out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/paths.h"
#include "config/model/service.h"
#include "controlplane/doctor/machine.h"

namespace fulcrum {

struct Diagnosis {
    enum class Verdict : std::uint8_t {
        good,
        doubtful,  // works, and not as well as it could
        bad,       // something does not work
    };
    Verdict verdict = Verdict::good;
    std::string subject;   // "huge pages", "real web/web1"
    std::string sentence;  // what is so
    std::string remedy;    // what to do about it; empty if good
};
std::string_view to_string(Diagnosis::Verdict verdict);
// A line, and the remedy on one of its own.
std::string in_words(const Diagnosis& diagnosis);

// Of the machine, before a director runs and while it does. `is_running`: what it needs, it has.
std::vector<Diagnosis> examine_machine(const Machine& machine, const Config& config,
                                       bool is_running);

// What a running director sees.
struct SeenReal {
    std::string service;
    std::string name;
    IpAddress address;
    ForwardingMode forward = ForwardingMode::nat;
    TunnelOptions tunnel;
    std::uint64_t in_packets = 0;
    std::uint64_t out_packets = 0;
};
struct SeenPort {
    std::string name;
    unsigned receive_queues = 0;
    bool agrees_on_owners = false;  // its card puts each client into its worker's queue
};
struct SeenByDirector {
    std::vector<SeenReal> reals;
    std::vector<SeenPort> ports;
    std::vector<std::string> conflicts;  // who else is at our addresses, as sentences
    std::uint64_t received_packets = 0;
    std::uint64_t handed_over_packets = 0;  // to the worker of their client
    unsigned worker_count = 1;
};
std::vector<Diagnosis> examine_running(const SeenByDirector& seen, const KernelTables& kernel);

}  // namespace fulcrum
