// The control thread's end of the workers' mailboxes: collects their reports in its own rhythm,
// passes on which neighbours they want, and carries out one walk over their session tables at a
// time. A worker never waits for us and we never wait for a worker: a walk that is not back in time
// is told as far as it got.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "config/model/worker_messages.h"
#include "controlplane/event_loop.h"
#include "dataplane/mailbox.h"

namespace fulcrum {

// Owned by the composition root, which outlives us.
struct WorkerDoors {
    Mailbox<WorkerRequest>* inbox = nullptr;
    Mailbox<WorkerReport>* outbox = nullptr;
    Mailbox<Explanation>* explanations = nullptr;
};

// Which sessions or clients, and how many at most. Members as in WorkerRequest.
struct SessionQuery {
    WalkedTable table = WalkedTable::sessions;
    std::uint32_t service = limits::service_id_none;
    std::uint16_t real = limits::index_none;
    IpAddress client;
    std::uint32_t records_max = 0;
};

struct SessionWalk {
    std::vector<SessionRecord> sessions;  // one of the two
    std::vector<ClientReport> clients;
    bool is_truncated = false;  // there are more, or a worker did not end in time
};

class WorkerMail {
  public:
    using OnNeighbourWanted = std::function<void(std::uint8_t port, const IpAddress& neighbour)>;
    using OnPathMtu = std::function<void(const IpAddress& real, std::uint16_t mtu)>;
    using OnWalked = std::function<void(const SessionWalk&)>;
    using OnExplained = std::function<void(const Explanation*)>;  // null: nobody answered in time

    WorkerMail(EventLoop& loop, std::vector<WorkerDoors> workers, OnNeighbourWanted on_wanted,
               OnPathMtu on_path_mtu);

    // In the order of the calls; `on_walked` is called from a later turn.
    void walk(const SessionQuery& query, OnWalked on_walked);
    // Asked of all workers; the answer of the client's owner counts. Likewise.
    void explain(const Question& question, OnExplained on_explained);

  private:
    struct Walk {
        SessionQuery query;
        OnWalked on_walked;
        SessionWalk found;
        std::vector<bool> is_done;  // by worker
        Instant deadline{};
    };

    struct Asked {
        Question question;
        OnExplained on_explained;
        Instant deadline{};
    };

    void collect();
    void begin_question();
    void collect_explanations();
    void collect_from(std::size_t worker);
    void take(std::size_t worker, const WorkerReport& report);
    void begin_walk();
    void end_walk_if_due();

    EventLoop& loop_;
    std::vector<WorkerDoors> workers_;
    OnNeighbourWanted on_wanted_;
    OnPathMtu on_path_mtu_;
    std::deque<Walk> walks_;  // the first is under way
    std::uint32_t walk_id_ = 0;
    std::deque<Asked> asked_;  // the first is under way
    std::uint32_t question_id_ = 0;
    Timer next_;
    std::vector<WorkerReport> reports_;
};

}  // namespace fulcrum
