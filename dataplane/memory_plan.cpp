// The sum, term by term.
#include "dataplane/memory_plan.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <utility>

#include "dataplane/affinity.h"
#include "dataplane/chooser.h"
#include "dataplane/counters.h"
#include "dataplane/frame_room.h"
#include "dataplane/limiter.h"
#include "dataplane/local_ends.h"
#include "dataplane/nic.h"
#include "dataplane/session_table.h"
#include "dataplane/splices.h"

namespace fulcrum {
namespace {

constexpr std::uint64_t mebi = 1'024 * 1'024;
// An mbuf with its data room, the pool's own header, and the ring that lists it.
constexpr std::uint64_t bytes_per_mbuf_beside_frame = 128 + 128 + 128 + 16;
// EAL's own structures, drivers, rings: measured at 11 MiB with one worker and two af_packet ports.
// A pool wants its memory in few pieces, so what is left must be more than its exact size.
constexpr std::uint64_t dpdk_base_bytes = 32 * mebi;
// A worker's mailboxes, and what EAL keeps for its thread.
constexpr std::uint64_t dpdk_worker_bytes = 16 * mebi;
// Code, libraries, control plane; the rest of the process.
constexpr std::uint64_t base_bytes = 96 * mebi;

std::uint64_t in_mebi(std::uint64_t bytes) { return (bytes + mebi - 1) / mebi; }

std::uint64_t read_line_number(const char* path, const std::string& key) {
    std::ifstream file{path};
    std::string word;
    while (file >> word) {
        if (word == key) {
            std::uint64_t number = 0;
            file >> number;
            return number;
        }
    }
    return 0;
}

std::size_t rounded_up(std::size_t size, std::size_t unit) {
    return (size + unit - 1) / unit * unit;
}

constexpr std::size_t huge_page = 2 * mebi;
constexpr std::size_t bytes_per_tally =
    sizeof(RealTally) + sizeof(OverloadWord) + sizeof(OpeningTally);

}  // namespace

std::uint64_t MemoryPlan::total_bytes() const {
    std::uint64_t sum = 0;
    for (const Share& share : shares) {
        sum += share.bytes;
    }
    return sum;
}

std::uint64_t MemoryPlan::dpdk_bytes() const {
    std::uint64_t sum = 0;
    for (const Share& share : shares) {
        sum += share.is_of_dpdk ? share.bytes : 0;
    }
    return sum;
}

// A client has several sessions, and outlives them. Without affinity at start there is room for
// some all the same: a reload may ask for it.
std::uint64_t affinity_records_of(const Config& config) {
    const bool has_affinity =
        std::any_of(config.services.begin(), config.services.end(),
                    [](const VirtualService& service) { return service.affinity.has_value(); });
    const std::uint64_t usual = config.director.sessions / (has_affinity ? 4 : 64);
    return config.director.affinity_clients.value_or(std::max<std::uint64_t>(usual, 1'024));
}

// Those of lists that several services share once.
std::uint64_t prefix_count_of(const Config& config) {
    std::set<const AccessRules*> rules;
    std::uint64_t count = 0;
    for (const VirtualService& service : config.services) {
        const AccessRules* const its = service.access.rules.get();
        if (its != nullptr && rules.insert(its).second) {
            count += its->allow.size() + its->deny.size();
        }
    }
    return count;
}

// Lists as they stand in the file, and as workers ask them; twice, for the next ones are made
// beside.
void add_gate(const Config& config, MemoryPlan& plan) {
    const std::uint64_t workers = config.director.workers.size();
    plan.shares.push_back({"limits (" + std::to_string(workers) + " x " +
                               std::to_string(limits::limited_clients_max) + " clients)",
                           workers * Limiter::size_for(limits::limited_clients_max), false});
    if (const std::uint64_t count = prefix_count_of(config); count > 0) {
        plan.shares.push_back({"lists of clients (" + std::to_string(count) + " prefixes)",
                               2 * (count * sizeof(IpPrefix) + AccessMap::size_for(count)), false});
    }
}

// Of the port with the longest frames: all ports take their buffers from one pool.
std::uint32_t frame_room_of(const Config& config) {
    std::uint32_t room = frame_room_for(0);
    for (const NicPort& port : config.ports) {
        room = std::max(room, frame_room_for(port.mtu));
    }
    return room;
}

std::uint64_t ring_bytes_of(const Config& config) {
    std::uint64_t bytes = 0;
    for (const VirtualService& service : config.services) {
        bytes += std::uint64_t{service.ring_size} * sizeof(std::uint16_t);
    }
    return bytes;
}

// Taken as they are used: so much once all have been.
void add_local_ports(const Config& config, MemoryPlan& plan) {
    const auto workers = static_cast<unsigned>(config.director.workers.size());
    std::size_t count = 0;
    for (const NicPort& port : config.ports) {
        count += port.local_addresses.size();
    }
    if (count > 0) {
        plan.shares.push_back({"local ports (" + std::to_string(count) + " addresses)",
                               workers * count * LocalEnds::size_of_address(workers), false});
    }
}

void add_peer(const Config& config, MemoryPlan& plan) {
    if (config.pair) {
        plan.shares.push_back(
            {"the peer's mailboxes",
             config.director.workers.size() * sizeof(Replica) *
                 (limits::replicas_told_length + limits::replicas_heard_length + 2),
             true});
    }
}

// Likewise. Where a flood alone brings them about they are few, and come out of what is spare.
void add_splices(const Config& config, MemoryPlan& plan) {
    const bool is_asked_for = std::ranges::any_of(
        config.services,
        [](const VirtualService& service) { return service.syn_cookies == SynCookies::always; });
    if (is_asked_for) {
        const std::uint64_t count =
            config.director.workers.size() * (plan.sessions_per_worker + plan.sessions6_per_worker);
        plan.shares.push_back({"spliced sessions (" + std::to_string(count) + ")",
                               count * Splices::size_of_splice, false});
    }
}

void add_what_is_asked_for(const Config& config, MemoryPlan& plan) {
    add_gate(config, plan);
    add_peer(config, plan);
    add_local_ports(config, plan);
    add_splices(config, plan);
}

MemoryPlan plan_memory(const Config& config) {
    MemoryPlan plan{.frame_room = frame_room_of(config)};
    const std::uint64_t workers = config.director.workers.size();
    const auto ports = static_cast<std::uint64_t>(std::ranges::count_if(
        config.ports, [](const NicPort& port) { return port.kind != DeviceKind::vlan; }));

    // Every holder of packet buffers, at its fullest.
    plan.mbuf_count = workers * ports * (nic_descriptor_count + nic_descriptor_count)  // in queues
                      + workers * (workers - 1) * limits::handover_ring_length  // between workers
                      + workers * punt_class_count * limits::punt_ring_length   // to the kernel
                      + limits::from_kernel_ring_length                         // from the kernel
                      + workers * limits::held_packets_max              // waiting for neighbours
                      + workers * limits::early_fragments_max           // for first fragments
                      + workers * (ports + 2) * limits::burst_size_max  // in hand
                      + workers * nic_pool_cache_size * 2;              // in the pool's caches
    plan.sessions_per_worker = (config.director.sessions + workers - 1) / workers;
    const std::size_t buckets = SessionTable::bucket_count_for(plan.sessions_per_worker);
    plan.sessions6_per_worker = (sessions6_of(config) + workers - 1) / workers;
    const std::size_t buckets6 = SessionTable6::bucket_count_for(plan.sessions6_per_worker);
    const std::size_t table_bytes =
        rounded_up(SessionTable::size_for(buckets) + SessionTable6::size_for(buckets6), huge_page);

    std::uint64_t reals = 0;
    for (const VirtualService& service : config.services) {
        reals += service.reals.size() + 1;
    }
    // Room to grow by reloads without a restart.
    plan.tally_count = std::min<std::uint64_t>(limits::tallies_max, reals * 2 + 4'096);

    plan.service_count =
        std::min<std::uint64_t>(limits::service_numbers_max, config.services.size() * 2 + 256);

    plan.affinity_records_per_worker = (affinity_records_of(config) + workers - 1) / workers;

    plan.shares = {
        {"session tables (" + std::to_string(workers) + " x " +
             std::to_string(buckets * SessionTable::slots_per_bucket) + " slots" +
             (plan.sessions6_per_worker == 0
                  ? std::string{}
                  : ", " + std::to_string(buckets6 * SessionTable6::slots_per_bucket) +
                        " of IPv6") +
             ")",
         workers * table_bytes, false},
        {"packet buffers (" + std::to_string(plan.mbuf_count) + ")",
         plan.mbuf_count * (plan.frame_room + bytes_per_mbuf_beside_frame), true},
        {"rings and drivers", dpdk_base_bytes + workers * dpdk_worker_bytes, true},
        // Twice: explaining a packet has counters of its own.
        {"counters of reals", 2 * workers * plan.tally_count * bytes_per_tally, false},
        {"counters of services", workers * plan.service_count * sizeof(ServiceDrops), false},
        {"schedulers", workers * Chooser::size_for(plan.tally_count), false},
        {"affinity (" + std::to_string(workers) + " x " +
             std::to_string(plan.affinity_records_per_worker) + " clients)",
         workers * AffinityTable::size_for(plan.affinity_records_per_worker), false},
        // Twice: the next snapshot is compiled beside the running one.
        {"rings of services", 2 * ring_bytes_of(config), false},
        {"program", base_bytes, false},
    };
    add_what_is_asked_for(config, plan);
    return plan;
}

HostMemory look_at_host() {
    HostMemory host;
    host.available_bytes = read_line_number("/proc/meminfo", "MemAvailable:") * 1'024;
    host.huge_page_bytes = read_line_number("/proc/meminfo", "Hugepagesize:") * 1'024;
    host.huge_free_bytes =
        read_line_number("/proc/meminfo", "HugePages_Free:") * host.huge_page_bytes;
    return host;
}

Status check_memory(const MemoryPlan& plan, Memory kind, const HostMemory& host) {
    // What must lie in huge pages, and what in ordinary ones.
    std::uint64_t huge_bytes = 0;
    if (kind == Memory::hugepages) {
        huge_bytes = plan.shares[0].bytes + rounded_up(plan.dpdk_bytes(), huge_page);
        if (huge_bytes > host.huge_free_bytes) {
            const std::uint64_t missing = in_mebi(huge_bytes - host.huge_free_bytes);
            return Error{
                "director.memory: " + std::to_string(missing) + " MiB of huge pages are missing (" +
                std::to_string(in_mebi(huge_bytes)) + " needed, " +
                std::to_string(in_mebi(host.huge_free_bytes)) +
                " free): reserve them with sysctl vm.nr_hugepages, lower director.sessions, or set "
                "memory = \"ordinary\""};
        }
    }
    const std::uint64_t ordinary_bytes =
        plan.total_bytes() - std::min(plan.total_bytes(), huge_bytes);
    if (ordinary_bytes > host.available_bytes) {
        return Error{
            "director.sessions: " + std::to_string(in_mebi(ordinary_bytes - host.available_bytes)) +
            " MiB of memory are missing (" + std::to_string(in_mebi(ordinary_bytes)) + " needed, " +
            std::to_string(in_mebi(host.available_bytes)) +
            " available): lower director.sessions or give the machine more memory"};
    }
    return done();
}

Result<TableMemory> TableMemory::allocate(std::size_t size, Memory kind) {
    const std::size_t rounded = rounded_up(size, huge_page);
    const int flags =
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | (kind == Memory::hugepages ? MAP_HUGETLB : 0);
    const std::size_t slack = kind == Memory::hugepages ? 0 : huge_page;
    // Ordinary pages are populated only after the request that they be huge.
    void* memory = mmap(nullptr, rounded + slack, PROT_READ | PROT_WRITE,
                        kind == Memory::hugepages ? flags : flags & ~MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
        return Error{"director.sessions: cannot map " + std::to_string(in_mebi(rounded)) +
                     " MiB for a session table: " + std::strerror(errno)};
    }
    auto* bytes = static_cast<std::byte*>(memory);
    if (kind == Memory::ordinary) {
        madvise(memory, rounded + slack, MADV_HUGEPAGE);
        std::memset(memory, 0, rounded + slack);
    }
    return TableMemory{bytes, rounded + slack};
}

TableMemory::TableMemory(TableMemory&& other) noexcept
    : octets_{std::exchange(other.octets_, nullptr)}, size_{std::exchange(other.size_, 0)} {}

TableMemory::~TableMemory() {
    if (octets_ != nullptr) {
        munmap(octets_, size_);
    }
}

}  // namespace fulcrum
