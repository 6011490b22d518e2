// A control plane without a director around it: the real loop, helper, state, compiler and
// publication, probes that answer as a test says, and threads that stand for workers: they take up
// snapshots and answer walks over a session table that the test writes down.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "config/loader.h"
#include "controlplane/apply.h"
#include "controlplane/commands.h"
#include "controlplane/worker_mail.h"
#include "tests/support/loop_until.h"

namespace fulcrum {

// Answers by the target's last octet; "up" unless told otherwise.
class ObedientProber : public Prober {
  public:
    explicit ObedientProber(EventLoop& loop) : loop_{loop} {}

    void probe(const ProbeSpec& spec, Done done) override {
        const bool is_down = down[spec.target.address.v4().host() & 0xFF];
        ++probe_count;
        loop_.post([is_down, done = std::move(done)] {
            done(is_down ? ProbeOutcome{ProbeVerdict::failure, "connection refused"}
                         : ProbeOutcome{ProbeVerdict::success, "connection accepted"});
        });
    }

    std::map<unsigned, bool> down;
    int probe_count = 0;

  private:
    EventLoop& loop_;
};

// Turns like a worker: looks at the snapshot, answers requests, is quiescent, rests a little.
class StandInWorker {
  public:
    StandInWorker(Publication& publication, unsigned id, CounterBoard& board)
        : inbox{Mailbox<WorkerRequest>::create("inbox" + std::to_string(serial()), 16)},
          outbox{Mailbox<WorkerReport>::create("outbox" + std::to_string(serial()), 64)},
          explanations{Mailbox<Explanation>::create("explain" + std::to_string(serial()), 4)},
          publication_{publication},
          id_{id},
          board_{board},
          thread_{[this] { run(); }} {}
    ~StandInWorker() {
        is_stopping_ = true;
        thread_.join();
    }

    std::unique_ptr<Mailbox<WorkerRequest>> inbox;
    std::unique_ptr<Mailbox<WorkerReport>> outbox;
    std::unique_ptr<Mailbox<Explanation>> explanations;
    std::atomic<std::uint8_t> owner{0};   // of every packet, as this one explains
    std::vector<SessionRecord> sessions;  // before the first walk
    std::vector<ClientReport> clients;    // before the first walk
    std::atomic<bool> is_frozen{false};   // takes up no snapshot
    std::atomic<bool> is_halted{false};   // does not turn at all
    std::atomic<bool> is_mute{false};     // answers no request
    std::atomic<unsigned> last_limit{0};  // of the latest walk

  private:
    static unsigned serial() {
        static unsigned next = 0;
        return next++;
    }
    void run() {
        SnapshotReader reader{publication_, id_};
        reader.online();
        while (!is_stopping_) {
            const Snapshot* snapshot = reader.current();
            if (snapshot != nullptr && !is_frozen) {
                board_.worker().epoch_seen.set(snapshot->epoch);
            }
            if (!is_halted) {
                board_.worker().turns.add(1);
                answer();
            }
            reader.quiescent();
            std::this_thread::sleep_for(std::chrono::microseconds{200});
        }
        reader.offline();
    }
    void answer() {
        WorkerRequest request;
        if (is_mute || inbox->collect(&request, 1) == 0) {
            return;
        }
        if (request.kind == RequestKind::explain) {
            Explanation told;
            told.question_id = request.question.id;
            told.worker = static_cast<std::uint8_t>(id_);
            told.owner = owner;
            told.the_class = "request";
            told.verdict = "transmit";
            explanations->post(told);
            return;
        }
        last_limit = request.records_max;
        WorkerReport report;
        report.walk_id = request.walk_id;
        std::uint32_t count = 0;
        const bool is_for_clients = request.table == WalkedTable::affinity;
        report.kind = ReportKind::client;
        for (std::size_t i = 0; is_for_clients && i < clients.size(); ++i) {
            report.client = clients[i];
            outbox->post(report);
        }
        report.kind = ReportKind::session;
        for (const SessionRecord& session : sessions) {
            const bool is_asked =
                !is_for_clients &&
                (request.service == limits::service_id_none ||
                 (request.service == session.listener &&  // a listener a service, numbered alike
                  (request.real == limits::index_none || request.real == session.real)));
            if (is_asked && count++ < request.records_max) {
                report.session = session;
                outbox->post(report);
            }
        }
        report.kind = ReportKind::walk_done;
        outbox->post(report);
    }

    Publication& publication_;
    unsigned id_;
    CounterBoard& board_;
    std::atomic<bool> is_stopping_{false};
    std::thread thread_;
};

class ControlBench : public testing::Test {
  protected:
    ControlBench() {
        std::string pattern = testing::TempDir() + "control_bench_XXXXXX";
        folder_ = mkdtemp(pattern.data());
        file_ = folder_ + "/director.cfg";
        for (unsigned id = 0; id < 2; ++id) {
            boards_.push_back(std::make_unique<CounterBoard>(64));
            workers_.push_back(std::make_unique<StandInWorker>(publication_, id, *boards_.back()));
        }
        HealthCheck::Probers probers;
        auto obedient = std::make_unique<ObedientProber>(loop_);
        prober_ = obedient.get();
        probers[CheckType::connect] = std::move(obedient);
        applier_ = std::make_unique<Applier>(
            Applier::Parts{loop_,
                           helper_,
                           state_,
                           publisher_,
                           log_,
                           {boards_[0].get(), boards_[1].get()},
                           std::move(probers),
                           [this](const Config& config) { told_.push_back(config); }});
    }
    ~ControlBench() override {
        workers_.clear();
        close(silence_);
        unlink(file_.c_str());
        rmdir(folder_.c_str());
    }

    // One service "web" on 10.1.0.80:80; `reals` are names such as "web11", whose last two digits
    // are the last octet of their address.
    static std::string text_of(const std::vector<std::string>& reals) {
        std::string list;
        for (const std::string& name : reals) {
            list += std::string{list.empty() ? "" : ",\n"} + "        { name = \"" + name +
                    "\"; address = \"10.2.0." + name.substr(name.size() - 2) + "\"; port = 8080; }";
        }
        return "director = { workers = [ 1 ]; };\n"
               "ports = (\n"
               "    { name = \"wan\"; device = \"af_packet:eth0\"; addresses = [ \"10.1.0.2/24\" "
               "]; },\n"
               "    { name = \"lan\"; device = \"af_packet:eth1\"; addresses = [ \"10.2.0.1/24\" "
               "]; }\n"
               ");\n"
               "services = ( {\n"
               "    name = \"web\"; vip = \"10.1.0.80\"; port = 80;\n"
               "    check = { type = \"connect\"; interval = \"100ms\"; timeout = \"100ms\"; };\n"
               "    reals = (\n" +
               list + "\n    );\n} );\n";
    }
    void write(const std::string& text) {
        FILE* file = fopen(file_.c_str(), "w");
        ASSERT_NE(file, nullptr);
        fwrite(text.data(), 1, text.size(), file);
        fclose(file);
    }

    // Begins with the file as written.
    void begin() {
        const auto read_at = std::chrono::system_clock::now();
        LoadOutcome loaded = load_config(file_);
        ASSERT_TRUE(loaded.is_valid()) << loaded.problems.front();
        bool is_begun = false;
        applier_->begin(std::make_shared<const Config>(std::move(loaded.config)),
                        {std::move(loaded.files), read_at},
                        [&](const ApplyResult&) { is_begun = true; });
        ASSERT_TRUE(loop_until(loop_, [&] { return is_begun; }));
    }
    // Begins with these reals and waits until all are up.
    void begin_with(const std::vector<std::string>& reals) {
        write(text_of(reals));
        begin();
        ASSERT_TRUE(becomes_usable(reals.size()));
    }
    bool becomes_usable(std::size_t count) {
        return loop_until(loop_, [&] { return usable_count() == count; });
    }
    // In the snapshot that workers read.
    std::size_t usable_count() const {
        std::size_t count = 0;
        const Snapshot* snapshot = publisher_.current();
        if (snapshot != nullptr) {
            for (const SnapshotReal& real : snapshot->reals) {
                count += real.standing == RealStanding::usable ? 1U : 0U;
            }
        }
        return count;
    }
    ApplyResult reload() {
        std::optional<ApplyResult> result;
        applier_->reload(file_, [&](const ApplyResult& told) { result = told; });
        EXPECT_TRUE(loop_until(loop_, [&] { return result.has_value(); }));
        return result.value_or(Refused{});
    }

    EventLoop loop_;
    HelperThread helper_{loop_};
    DirectorState state_;
    Publication publication_{2};
    SnapshotPublisher publisher_{publication_};
    int silence_ = open("/dev/null", O_WRONLY | O_CLOEXEC);
    Log log_{silence_};
    std::vector<std::unique_ptr<CounterBoard>> boards_;
    std::vector<std::unique_ptr<StandInWorker>> workers_;
    ObedientProber* prober_ = nullptr;
    std::vector<Config> told_;  // to the kernel's side
    std::unique_ptr<Applier> applier_;
    std::string folder_;
    std::string file_;
};

}  // namespace fulcrum
