// The door for snapshots: the control thread publishes, workers read, nobody waits.
//
// A worker loads the pointer once a turn and reports quiescence at the turn's end; before any sleep
// it goes offline, and online again with the pointer reloaded after. A replaced snapshot is freed
// once every worker has been quiescent since (RCU by quiescent states, rte_rcu_qsbr).
#pragma once

#include <rte_rcu_qsbr.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "config/model/snapshot.h"

namespace fulcrum {

// Shared by both sides; owned by the composition root, which outlives them.
class Publication {
  public:
    explicit Publication(unsigned worker_count);
    Publication(const Publication&) = delete;
    Publication& operator=(const Publication&) = delete;

  private:
    friend class SnapshotPublisher;
    friend class SnapshotReader;

    struct Free {
        void operator()(rte_rcu_qsbr* qsbr) const;
    };
    std::unique_ptr<rte_rcu_qsbr, Free> qsbr_;
    alignas(limits::cache_line_size) std::atomic<const Snapshot*> current_{nullptr};
};

// The control thread's half.
class SnapshotPublisher {
  public:
    explicit SnapshotPublisher(Publication& publication) : publication_{publication} {}
    // Only after the workers have ended.
    ~SnapshotPublisher();
    SnapshotPublisher(const SnapshotPublisher&) = delete;
    SnapshotPublisher& operator=(const SnapshotPublisher&) = delete;

    void publish(std::unique_ptr<const Snapshot> snapshot);
    const Snapshot* current() const { return current_.get(); }

    // Frees the snapshots that no worker can hold any more; to be called now and then. How many
    // are still waiting.
    std::size_t reclaim();

  private:
    struct Retired {
        std::unique_ptr<const Snapshot> snapshot;
        std::uint64_t token;
    };

    Publication& publication_;
    std::unique_ptr<const Snapshot> current_;
    std::vector<Retired> retired_;
};

// One worker's half.
class SnapshotReader {
  public:
    SnapshotReader(Publication& publication, unsigned worker_id);

    // Before the first turn, and after a sleep.
    void online();
    // Null until the first publication. Valid until the next quiescent() or offline().
    const Snapshot* current() const {
        // Pairs with the release in publish(): what the pointer leads to is seen whole.
        return publication_.current_.load(std::memory_order_acquire);
    }
    void quiescent() { rte_rcu_qsbr_quiescent(publication_.qsbr_.get(), worker_id_); }
    void offline() { rte_rcu_qsbr_thread_offline(publication_.qsbr_.get(), worker_id_); }

  private:
    Publication& publication_;
    unsigned worker_id_;
};

}  // namespace fulcrum
