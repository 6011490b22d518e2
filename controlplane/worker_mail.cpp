// Polling, because a worker that rang a bell would make a system call.
#include "controlplane/worker_mail.h"

#include <algorithm>
#include <utility>

namespace fulcrum {
namespace {

constexpr Duration calm_period = 5ms;       // a packet that waits for a neighbour can spare this
constexpr Duration walking_period = 200us;  // a worker walks on when its mailbox is empty
constexpr Duration walk_length_max = 2s;
constexpr Duration explaining_max = 2s;
constexpr std::size_t reports_per_turn_max = 4'096;  // about a millisecond's work

}  // namespace

WorkerMail::WorkerMail(EventLoop& loop, std::vector<WorkerDoors> workers,
                       OnNeighbourWanted on_wanted, OnPathMtu on_path_mtu)
    : loop_{loop},
      workers_{std::move(workers)},
      on_wanted_{std::move(on_wanted)},
      on_path_mtu_{std::move(on_path_mtu)},
      next_{loop},
      reports_(reports_per_turn_max) {
    next_.after(calm_period, [this] { collect(); });
}

void WorkerMail::walk(const SessionQuery& query, OnWalked on_walked) {
    walks_.push_back({query, std::move(on_walked), {}, {}, {}});
    if (walks_.size() == 1) {
        begin_walk();
        next_.after(walking_period, [this] { collect(); });
    }
}

void WorkerMail::begin_walk() {
    Walk& walk = walks_.front();
    walk.is_done.assign(workers_.size(), false);
    walk.deadline = loop_.now() + walk_length_max;
    ++walk_id_;
    WorkerRequest request;
    request.walk_id = walk_id_;
    request.records_max = walk.query.records_max + 1;  // one more than asked tells of the rest
    request.table = walk.query.table;
    request.service = walk.query.service;
    request.real = walk.query.real;
    request.client = walk.query.client;
    for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
        if (!workers_[worker].inbox->post(request)) {
            walk.is_done[worker] = true;
            walk.found.is_truncated = true;
        }
    }
}

void WorkerMail::collect() {
    for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
        collect_from(worker);
    }
    if (!walks_.empty()) {
        end_walk_if_due();
    }
    if (!asked_.empty()) {
        collect_explanations();
    }
    const bool is_calm = walks_.empty() && asked_.empty();
    next_.after(is_calm ? calm_period : walking_period, [this] { collect(); });
}

void WorkerMail::explain(const Question& question, OnExplained on_explained) {
    asked_.push_back({question, std::move(on_explained), {}});
    if (asked_.size() == 1) {
        begin_question();
        next_.after(walking_period, [this] { collect(); });
    }
}

void WorkerMail::begin_question() {
    Asked& asked = asked_.front();
    asked.deadline = loop_.now() + explaining_max;
    WorkerRequest request;
    request.kind = RequestKind::explain;
    request.question = asked.question;
    request.question.id = ++question_id_;
    for (const WorkerDoors& worker : workers_) {
        worker.inbox->post(request);  // who has no room does not answer: then the deadline does
    }
}

void WorkerMail::collect_explanations() {
    Explanation explanation;
    bool is_answered = false;
    for (const WorkerDoors& worker : workers_) {
        Explanation told;
        while (worker.explanations != nullptr && worker.explanations->collect(&told, 1) == 1) {
            if (told.question_id == question_id_ && told.worker == told.owner && !is_answered) {
                explanation = told;
                is_answered = true;
            }
        }
    }
    if (!is_answered && loop_.now() < asked_.front().deadline) {
        return;
    }
    const OnExplained on_explained = std::move(asked_.front().on_explained);
    asked_.pop_front();
    if (!asked_.empty()) {
        begin_question();
    }
    on_explained(is_answered ? &explanation : nullptr);
}

void WorkerMail::collect_from(std::size_t worker) {
    const unsigned count =
        workers_[worker].outbox->collect(reports_.data(), static_cast<unsigned>(reports_.size()));
    for (unsigned n = 0; n < count; ++n) {
        take(worker, reports_[n]);
    }
}

void WorkerMail::take(std::size_t worker, const WorkerReport& report) {
    if (report.kind == ReportKind::neighbour_wanted) {
        on_wanted_(report.port, report.neighbour);
        return;
    }
    if (report.kind == ReportKind::path_mtu) {
        on_path_mtu_(report.neighbour, report.mtu);
        return;
    }
    if (walks_.empty() || report.walk_id != walk_id_) {
        return;  // of a walk that was given up
    }
    Walk& walk = walks_.front();
    if (report.kind == ReportKind::walk_done) {
        walk.is_done[worker] = true;
    } else if (walk.found.sessions.size() + walk.found.clients.size() >= walk.query.records_max) {
        walk.found.is_truncated = true;
    } else if (report.kind == ReportKind::client) {
        walk.found.clients.push_back(report.client);
    } else {
        walk.found.sessions.push_back(report.session);
    }
}

void WorkerMail::end_walk_if_due() {
    Walk& walk = walks_.front();
    const bool is_complete =
        std::ranges::all_of(walk.is_done, [](bool is_done) { return is_done; });
    if (!is_complete && loop_.now() < walk.deadline) {
        return;
    }
    walk.found.is_truncated |= !is_complete;
    const Walk ended = std::move(walk);
    walks_.pop_front();
    if (!walks_.empty()) {
        begin_walk();
    }
    ended.on_walked(ended.found);
}

}  // namespace fulcrum
