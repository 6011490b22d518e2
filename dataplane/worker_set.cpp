// Making, starting and stopping, each in the order that the others need.
#include "dataplane/worker_set.h"

#include <rte_lcore.h>
#include <sched.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "config/model/hash.h"
#include "config/model/owner_prefix.h"
#include "dataplane/affinity.h"

namespace fulcrum {
namespace {

Error no_memory_for(const std::string& what) {
    return Error{"cannot allocate " + what +
                 ": raise the machine's memory or lower director.workers"};
}

// Sessions that are only put elsewhere: whoever takes them up asks how old they are.
struct Ageless {
    static bool is_expired(const auto&) { return false; }
    static std::uint32_t age_s(const auto&) { return 0; }
};

bool completes_partial_checksums(DeviceKind kind) {
    return kind == DeviceKind::af_packet || kind == DeviceKind::af_xdp;
}

std::size_t place_of(const std::string& name, const std::vector<NicPort>& ports) {
    return static_cast<std::size_t>(std::ranges::find(ports, name, &NicPort::name) - ports.begin());
}

// By port; `open` are the devices. All of a worker's queues have the worker's number.
std::vector<PortQueues> queues_of(const Config& config, const std::vector<OpenPort>& open,
                                  std::uint16_t queue) {
    const std::vector<std::size_t> devices = devices_of(config.ports);
    std::vector<PortQueues> all;
    for (std::size_t i = 0; i < config.ports.size(); ++i) {
        const NicPort& port = config.ports[i];
        const OpenPort& device = open[devices[i]];
        const bool is_vlan = port.kind == DeviceKind::vlan;
        const std::size_t parent = is_vlan ? place_of(port.parent, config.ports) : i;
        all.push_back({
            .port_id = is_vlan ? vlan_port_id(i) : device.id(),
            .receive_queue = queue,
            .transmit_queue = queue,
            .has_receive_queue = !is_vlan && queue < device.receive_queue_count(),
            .completes_partial_checksums = completes_partial_checksums(config.ports[parent].kind),
            .mac = device.link().mac,
            .vlan = port.vlan,
            .parent = static_cast<std::uint8_t>(parent),
        });
    }
    return all;
}

}  // namespace

SessionFile::Wish session_file_wish(const Config& config, const MemoryPlan& plan) {
    const OwnerPrefix prefix = owner_prefix_of(config);
    const HashKey key = derive_key(config.director.seed, "owner");
    return {.path = config.director.session_file,
            .kind = config.director.memory,
            .sizes = {.worker_count = static_cast<std::uint32_t>(config.director.workers.size()),
                      .buckets = SessionTable::bucket_count_for(plan.sessions_per_worker),
                      .buckets6 = SessionTable6::bucket_count_for(plan.sessions6_per_worker),
                      .affinity_records = plan.affinity_records_per_worker},
            .owners = hash_words(key, prefix.v4, prefix.v6)};
}

WorkerSet::WorkerSet(const Config& config, unsigned worker_count)
    : publication_{worker_count},
      steering_{config},
      cpus_{config.director.workers},
      twin_counters_(config.ports.size()) {}

Result<std::unique_ptr<WorkerSet>> WorkerSet::create(const Config& config, const MemoryPlan& plan,
                                                     const Ground& ground) {
    const auto worker_count = static_cast<unsigned>(config.director.workers.size());
    std::unique_ptr<WorkerSet> set{new WorkerSet{config, worker_count}};
    if (Status made = set->make_tables(plan, ground.sessions); !made) {
        return made.error();
    }
    if (Status made = set->make_mailboxes(config.ports.size()); !made) {
        return made.error();
    }
    if (Status made = set->make_peers_mailboxes(config.pair.has_value()); !made) {
        return made.error();
    }
    if (Status made = set->make_twin(config, ground.ports, ground.pool, ground.tap_fds); !made) {
        return made.error();
    }
    set->make_workers(config, ground.ports);
    return set;
}

Status WorkerSet::make_tables(const MemoryPlan& plan, SessionFile& sessions) {
    secret_ = sessions.secret();
    affinity_records_per_worker_ = plan.affinity_records_per_worker;
    const TableSizes& sizes = sessions.sizes();
    for (std::size_t i = 0; i < cpus_.size(); ++i) {
        const SessionFile::Tables memory = sessions.tables_of(i);
        tables_.push_back(std::make_unique<SessionTable>(memory.sessions, sizes.buckets, secret_));
        tables6_.push_back(
            std::make_unique<SessionTable6>(memory.sessions6, sizes.buckets6, secret_));
        affinity_memory_.push_back(memory.affinity);
        boards_.push_back(std::make_unique<CounterBoard>(plan.tally_count, plan.service_count));
        local_ends_.push_back(LocalEnds::create(
            {static_cast<unsigned>(i), static_cast<unsigned>(cpus_.size()), &steering_}, secret_));
        if (local_ends_.back() == nullptr) {
            return no_memory_for("local ports of worker " + std::to_string(i));
        }
        cookies_.push_back(CookieDesk::create(
            tables_.back()->slot_count() + tables6_.back()->slot_count(), secret_));
        if (cookies_.back() == nullptr) {
            return no_memory_for("spliced sessions of worker " + std::to_string(i));
        }
    }
    takes_up_ = sessions.is_taken_up();
    if (sessions.former() != nullptr) {
        place_former(sessions);
    }
    return done();
}

// From tables of other sizes, or for another number of workers. Without room the oldest records are
// not looked for: who does not fit is a stranger again.
void WorkerSet::place_former(SessionFile& sessions) {
    const SessionFile& former = *sessions.former();
    const TableSizes& sizes = former.sizes();
    std::vector<std::unique_ptr<AffinityTable>> affinity;
    for (const std::span<std::byte> memory : affinity_memory_) {
        affinity.push_back(
            std::make_unique<AffinityTable>(memory, affinity_records_per_worker_, secret_));
    }
    const auto place_all = [&](const auto& from, auto& tables) {
        from.walk(0, from.swept_count(), [&](const auto& session) {
            auto& table = *tables[steering_.owner_of(session.client_address)];
            table.insert(session, table.home_of(client_key_of(session)), Ageless{});
        });
    };
    for (std::size_t i = 0; i < sizes.worker_count; ++i) {
        const SessionFile::Tables memory = former.tables_of(i);
        place_all(SessionTable{memory.sessions, sizes.buckets, former.secret()}, tables_);
        place_all(SessionTable6{memory.sessions6, sizes.buckets6, former.secret()}, tables6_);
        const AffinityTable records{memory.affinity, sizes.affinity_records, former.secret()};
        records.walk(0, records.bucket_count(), [&](const AffinityRecord& record) {
            affinity[steering_.owner_of(address_of(record.client()))]->place(record);
        });
    }
    sessions.forget_former();
    takes_up_ = true;
}

Status WorkerSet::make_mailboxes(std::size_t port_count) {
    const std::size_t count = cpus_.size();
    between_.resize(count * count);
    for (std::size_t from = 0; from < count; ++from) {
        for (std::size_t to = 0; to < count; ++to) {
            if (from == to) {
                continue;
            }
            const std::string name = "over_" + std::to_string(from) + "_" + std::to_string(to);
            between_[from * count + to] = PacketMailbox::create(name, limits::handover_ring_length);
            if (between_[from * count + to] == nullptr) {
                return no_memory_for("the mailboxes between workers");
            }
        }
        const std::string own = std::to_string(from);
        inboxes_.push_back(
            Mailbox<WorkerRequest>::create("inbox_" + own, limits::worker_inbox_length));
        outboxes_.push_back(
            Mailbox<WorkerReport>::create("outbox_" + own, limits::worker_outbox_length));
        explanations_.push_back(
            Mailbox<Explanation>::create("explain_" + own, limits::explanations_length));
        captured_.push_back(
            Mailbox<CapturedFrame>::create("captured_" + own, limits::captured_frames_length));
        doors_.push_back(TwinDoor::create(static_cast<unsigned>(from), bell_));
        if (inboxes_.back() == nullptr || outboxes_.back() == nullptr ||
            explanations_.back() == nullptr || captured_.back() == nullptr ||
            doors_.back() == nullptr) {
            return no_memory_for("the mailboxes of worker " + own);
        }
    }
    from_kernel_ = PacketMailbox::create("from_kernel", limits::from_kernel_ring_length);
    return from_kernel_ != nullptr && port_count <= limits::ports_max
               ? done()
               : Status{no_memory_for("the mailbox from the kernel")};
}

Status WorkerSet::make_peers_mailboxes(bool has_peer) {
    replicas_told_.resize(cpus_.size());
    replicas_heard_.resize(cpus_.size());
    for (std::size_t i = 0; i < cpus_.size() && has_peer; ++i) {
        const std::string own = std::to_string(i);
        replicas_told_[i] = Mailbox<Replica>::create("told_" + own, limits::replicas_told_length);
        replicas_heard_[i] =
            Mailbox<Replica>::create("heard_" + own, limits::replicas_heard_length);
        if (replicas_told_[i] == nullptr || replicas_heard_[i] == nullptr) {
            return no_memory_for("the peer's mailboxes of worker " + own);
        }
    }
    return done();
}

Status WorkerSet::make_twin(const Config& config, const std::vector<OpenPort>& ports,
                            const PacketPool& pool, const std::vector<int>& tap_fds) {
    TwinWiring wiring;
    wiring.tap_fds = tap_fds;
    for (const PortQueues& queues : queues_of(config, ports, 0)) {
        wiring.port_ids.push_back(queues.port_id);
    }
    for (const auto& door : doors_) {
        wiring.doors.push_back(door.get());
    }
    wiring.to_worker = from_kernel_.get();
    wiring.pool = pool.get();
    wiring.bell = &bell_;
    wiring.counters = &twin_counters_;
    wiring.speaks_until_ns = &speaks_until_ns_;
    Result<std::unique_ptr<Twin>> twin = Twin::create(wiring);
    if (!twin) {
        return twin.error();
    }
    twin_ = std::move(*twin);
    return done();
}

void WorkerSet::make_workers(const Config& config, const std::vector<OpenPort>& ports) {
    const std::size_t count = cpus_.size();
    for (std::size_t i = 0; i < count; ++i) {
        WorkerWiring wiring;
        wiring.id = static_cast<unsigned>(i);
        wiring.worker_count = static_cast<unsigned>(count);
        wiring.ports = queues_of(config, ports, static_cast<std::uint16_t>(i));
        wiring.steering = &steering_;
        wiring.table = tables_[i].get();
        wiring.table6 = tables6_[i].get();
        wiring.board = boards_[i].get();
        wiring.local_ends = local_ends_[i].get();
        wiring.cookies = cookies_[i].get();
        for (std::size_t other = 0; other < count; ++other) {
            wiring.others[other] = other == i ? nullptr : boards_[other].get();
        }
        wiring.affinity_record_count = affinity_records_per_worker_;
        wiring.affinity_memory = affinity_memory_[i];
        wiring.takes_up = takes_up_;
        wiring.limit_record_count = limits::limited_clients_max;
        wiring.secret = secret_;
        wiring.publication = &publication_;
        for (std::size_t other = 0; other < count; ++other) {
            wiring.to_workers[other] = between_[i * count + other].get();
            wiring.from_workers[other] = between_[other * count + i].get();
        }
        wiring.twin = doors_[i].get();
        wiring.from_kernel = i == 0 ? from_kernel_.get() : nullptr;
        wiring.inbox = inboxes_[i].get();
        wiring.outbox = outboxes_[i].get();
        wiring.explanations = explanations_[i].get();
        wiring.captured = captured_[i].get();
        wiring.replicas_told = replicas_told_[i].get();
        wiring.replicas_heard = replicas_heard_[i].get();
        wiring.idle = config.director.idle;
        workers_.push_back(std::make_unique<Worker>(wiring));
    }
}

WorkerSet::~WorkerSet() { stop(); }

Status WorkerSet::start() {
    threads_.resize(workers_.size() + 1);
    for (std::size_t i = 0; i < threads_.size(); ++i) {
        threads_[i] = {this, i, i < cpus_.size() ? cpus_[i] : 0, {}, false};
        if (Status started = start_thread(threads_[i]); !started) {
            stop();
            return started;
        }
    }
    return done();
}

Status WorkerSet::start_thread(Thread& thread) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    const bool is_worker = thread.worker < workers_.size();
    if (is_worker) {
        cpu_set_t cpu;
        CPU_ZERO(&cpu);
        CPU_SET(thread.cpu, &cpu);
        pthread_attr_setaffinity_np(&attributes, sizeof(cpu), &cpu);
    }
    const int error = pthread_create(&thread.handle, &attributes, &run_thread, &thread);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        const std::string who = is_worker ? "worker " + std::to_string(thread.worker) + " on CPU " +
                                                std::to_string(thread.cpu)
                                          : std::string{"the twin thread"};
        return Error{"director.workers: cannot start " + who + ": " + std::strerror(error) +
                     "; lscpu lists this machine's CPUs"};
    }
    const std::string name = is_worker ? "worker-" + std::to_string(thread.worker) : "twin";
    pthread_setname_np(thread.handle, name.c_str());
    thread.is_running = true;
    return done();
}

void* WorkerSet::run_thread(void* started) {
    auto& thread = *static_cast<Thread*>(started);
    WorkerSet& set = *thread.set;
    // Naps of ten microseconds are to be that, and not sixty.
    prctl(PR_SET_TIMERSLACK, 1);
    // An lcore id of its own gives the thread its cache of packet buffers.
    rte_thread_register();
    if (thread.worker < set.workers_.size()) {
        set.workers_[thread.worker]->run(set.stop_workers_);
    } else {
        set.twin_->run(set.stop_twin_);
    }
    rte_thread_unregister();
    return nullptr;
}

// The twin last: what the workers punted in their last turn still reaches the kernel.
void WorkerSet::stop() {
    stop_workers_.store(true, std::memory_order_relaxed);
    for (Thread& thread : threads_) {
        if (thread.worker == workers_.size()) {
            stop_twin_.store(true, std::memory_order_relaxed);
            bell_.ring();
        }
        if (thread.is_running) {
            pthread_join(thread.handle, nullptr);
            thread.is_running = false;
        }
    }
    threads_.clear();
}

}  // namespace fulcrum
