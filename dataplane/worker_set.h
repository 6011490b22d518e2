// All workers with what is theirs: tables, counters, mailboxes between them and to the control
// thread, the twin, and the threads. Built once at start, sized for the life of the process. Made,
// started and stopped by the main thread; the doors are then used from the control thread.
#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "config/model/result.h"
#include "config/model/service.h"
#include "config/model/worker_messages.h"
#include "dataplane/counters.h"
#include "dataplane/mailbox.h"
#include "dataplane/memory_plan.h"
#include "dataplane/nic.h"
#include "dataplane/publication.h"
#include "dataplane/session_file.h"
#include "dataplane/steering.h"
#include "dataplane/twin.h"
#include "dataplane/worker.h"

namespace fulcrum {

SessionFile::Wish session_file_wish(const Config& config, const MemoryPlan& plan);

class WorkerSet {
  public:
    // What it stands on, alive as long as it.
    struct Ground {
        const std::vector<OpenPort>& ports;
        const PacketPool& pool;
        std::vector<int> tap_fds;  // by port index
        SessionFile& sessions;     // made for session_file_wish()
    };
    static Result<std::unique_ptr<WorkerSet>> create(const Config& config, const MemoryPlan& plan,
                                                     const Ground& ground);
    // Stops what runs.
    ~WorkerSet();
    WorkerSet(const WorkerSet&) = delete;
    WorkerSet& operator=(const WorkerSet&) = delete;

    // Threads on their CPUs. An error names the worker and its CPU; what had started is stopped.
    Status start();
    void stop();

    std::size_t count() const { return workers_.size(); }
    Publication& publication() { return publication_; }
    const CounterBoard& board(std::size_t worker) const { return *boards_[worker]; }
    Mailbox<WorkerRequest>& inbox(std::size_t worker) { return *inboxes_[worker]; }
    Mailbox<WorkerReport>& outbox(std::size_t worker) { return *outboxes_[worker]; }
    Mailbox<CapturedFrame>& captured(std::size_t worker) { return *captured_[worker]; }
    Mailbox<Explanation>& explanations(std::size_t worker) { return *explanations_[worker]; }
    // What the kernel says leaves for so long from now on, unless this is called again; before the
    // first call it always does. The control thread.
    void speak_for_kernel_for(std::chrono::nanoseconds length) {
        const auto until = std::chrono::steady_clock::now() + length;
        speaks_until_ns_.set(static_cast<std::uint64_t>(until.time_since_epoch().count()));
    }
    // Null, both: there is no peer.
    Mailbox<Replica>* replicas_told(std::size_t worker) { return replicas_told_[worker].get(); }
    Mailbox<Replica>* replicas_heard(std::size_t worker) { return replicas_heard_[worker].get(); }
    const Steering& steering() const { return steering_; }
    const TwinCounters& twin_counters(std::size_t port) const { return twin_counters_[port]; }

  private:
    struct Thread {
        WorkerSet* set = nullptr;
        std::size_t worker = 0;  // count(): the twin
        unsigned cpu = 0;
        pthread_t handle{};
        bool is_running = false;
    };

    WorkerSet(const Config& config, unsigned worker_count);

    Status make_tables(const MemoryPlan& plan, SessionFile& sessions);
    void place_former(SessionFile& sessions);
    Status make_mailboxes(std::size_t port_count);
    Status make_peers_mailboxes(bool has_peer);
    Status make_twin(const Config& config, const std::vector<OpenPort>& ports,
                     const PacketPool& pool, const std::vector<int>& tap_fds);
    void make_workers(const Config& config, const std::vector<OpenPort>& ports);
    Status start_thread(Thread& thread);
    static void* run_thread(void* thread);

    Publication publication_;
    Steering steering_;
    std::vector<unsigned> cpus_;
    HashKey secret_;
    std::size_t affinity_records_per_worker_ = 0;
    std::vector<std::span<std::byte>> affinity_memory_;
    bool takes_up_ = false;  // what an earlier process has left in the tables
    std::vector<std::unique_ptr<SessionTable>> tables_;
    std::vector<std::unique_ptr<SessionTable6>> tables6_;
    std::vector<std::unique_ptr<LocalEnds>> local_ends_;
    std::vector<std::unique_ptr<CookieDesk>> cookies_;
    std::vector<std::unique_ptr<CounterBoard>> boards_;
    std::vector<std::unique_ptr<PacketMailbox>> between_;  // [from * count + to]
    std::vector<std::unique_ptr<Mailbox<WorkerRequest>>> inboxes_;
    std::vector<std::unique_ptr<Mailbox<WorkerReport>>> outboxes_;
    std::vector<std::unique_ptr<Mailbox<Explanation>>> explanations_;
    std::vector<std::unique_ptr<Mailbox<CapturedFrame>>> captured_;
    std::vector<std::unique_ptr<Mailbox<Replica>>> replicas_told_;
    std::vector<std::unique_ptr<Mailbox<Replica>>> replicas_heard_;
    TwinBell bell_;
    std::vector<std::unique_ptr<TwinDoor>> doors_;
    std::unique_ptr<PacketMailbox> from_kernel_;
    std::vector<TwinCounters> twin_counters_;
    SingleWriterCounter speaks_until_ns_;
    std::unique_ptr<Twin> twin_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<Thread> threads_;
    std::atomic<bool> stop_workers_{false};
    std::atomic<bool> stop_twin_{false};
};

}  // namespace fulcrum
