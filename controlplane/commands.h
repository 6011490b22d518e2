// What the operator can ask for: one row a command, with its arguments and the function that
// answers. Reads come from the listing and the counters, changes go to the Applier, sessions are
// walked by the workers. The control thread; long replies are made on the helper.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/apply.h"
#include "controlplane/capture_desk.h"
#include "controlplane/command_socket.h"
#include "controlplane/peer/peer_report.h"
#include "controlplane/rates.h"
#include "controlplane/recent_count.h"
#include "controlplane/request.h"
#include "controlplane/roles/role_report.h"
#include "controlplane/worker_mail.h"

namespace fulcrum {

struct PortReport {
    std::string name;
    std::string device;
    std::string twin;
    MacAddress mac;
    bool is_link_up = false;
    unsigned receive_queues = 0;
    std::string_view queue_choice;  // see QueueChoice
};
struct MemoryReport {
    std::string what;
    std::uint64_t bytes = 0;
};

// What only the composition root knows.
struct DirectorFacts {
    std::vector<unsigned> worker_cpus;  // by worker
    double cycles_per_s = 1;            // of the clock that workers count their turns by
    std::vector<MemoryReport> memory;
    std::function<std::vector<PortReport>()> ports;
    std::function<std::vector<std::string>()> problems;   // sentences of other rooms; may be empty
    std::function<std::vector<std::string>()> conflicts;  // who else is at our addresses
    std::function<bool()> kernel_forwards;                // between interfaces; empty: it does
    // Empty: the director is alone.
    std::function<std::vector<GroupReport>()> groups;
    std::function<std::vector<std::string>()> role_problems;
    std::function<Status(const std::string& group)> give_up;  // of all groups, if it is empty
    std::function<Status(const std::string& group)> take_over;
    std::function<Status(const std::string& group)> confirm_fence;
    std::function<PeerReport()> peer;  // empty: this director is alone
};

class Commands {
  public:
    using Answer = CommandSocket::Answer;

    struct Parts {
        EventLoop& loop;
        HelperThread& helper;
        Applier& applier;
        WorkerMail& mail;
        CaptureDesk& captures;
        DirectorFacts facts;
    };
    explicit Commands(Parts parts);

    void serve(const Request& request, const Answer& answer);

    // What stands in the way of service, in sentences; none: all is well.
    std::vector<std::string> problems() const;
    std::vector<std::string> notes() const;  // what an operator may want to know

  private:
    struct Argument {
        std::string_view name;
        enum class Kind : std::uint8_t { text, count, list, flag } kind = Kind::text;
        bool is_required = false;
    };
    struct Row {
        std::string_view name;
        std::vector<Argument> arguments;
        void (Commands::*run)(const Json& arguments, const Answer& answer);
        bool is_for_all = false;  // readers too: it changes nothing, and shows nobody's packets
    };
    static const std::vector<Row>& rows();
    static std::string_view misses(Argument::Kind kind, const Json& value);
    static std::string misfit(const Row& row, const Json& arguments);

    void status(const Json& arguments, const Answer& answer);
    void services(const Json& arguments, const Answer& answer);
    void reals(const Json& arguments, const Answer& answer);
    void table(const Json& arguments, const Answer& answer);
    void sessions(const Json& arguments, const Answer& answer);
    void affinity(const Json& arguments, const Answer& answer);
    void peer(const Json& arguments, const Answer& answer);
    void doctor(const Json& arguments, const Answer& answer);
    void explain(const Json& arguments, const Answer& answer);
    void capture(const Json& arguments, const Answer& answer);
    void events(const Json& arguments, const Answer& answer);
    void reload(const Json& arguments, const Answer& answer);
    void plan(const Json& arguments, const Answer& answer);
    void history(const Json& arguments, const Answer& answer);
    void rollback(const Json& arguments, const Answer& answer);
    void drain(const Json& arguments, const Answer& answer);
    void undrain(const Json& arguments, const Answer& answer);
    void edit(const Json& arguments, const Answer& answer);
    void save(const Json& arguments, const Answer& answer);
    void config(const Json& arguments, const Answer& answer);
    void zero(const Json& arguments, const Answer& answer);
    void log_level(const Json& arguments, const Answer& answer);
    void standby(const Json& arguments, const Answer& answer);
    void takeover(const Json& arguments, const Answer& answer);
    void fence_confirm(const Json& arguments, const Answer& answer);
    void version(const Json& arguments, const Answer& answer);

    // A worker's counters a second ago, and what follows from the difference.
    struct Pace {
        std::uint64_t busy_cycles = 0;
        std::uint64_t total_cycles = 0;
        std::uint64_t turns = 0;
        double busy_share = 0;
        bool is_stalled = false;
        bool is_behind = false;  // has not seen the epoch that was published a second ago
    };
    void add_roles(Json& report) const;
    void change_role(const std::function<Status(const std::string&)>& change, const Json& arguments,
                     const Answer& answer);
    void measure_pace();
    void measure_rates();
    void add_worker_problems(std::vector<std::string>& sentences) const;
    void add_full_table(std::vector<std::string>& sentences) const;
    Json report_worker(std::size_t worker) const;
    std::vector<std::string> port_names() const;
    void answer_listing(std::function<Json()> make, const Answer& answer);
    // Operations of an edit that comes in several requests, as one line may not hold it.
    struct Unfinished {
        Json operations = Json::array();
        Instant touched{};
    };
    Result<Json> collected(const Json& arguments);
    static Reply reply_to_drain(const ApplyResult& result, const Json& arguments,
                                const Applier& applier);

    EventLoop& loop_;
    HelperThread& helper_;
    Applier& applier_;
    WorkerMail& mail_;
    CaptureDesk& captures_;
    DirectorFacts facts_;
    Instant started_;
    std::vector<Pace> paces_;  // by worker
    std::uint64_t epoch_a_second_ago_ = 0;
    RecentCount refused_;                  // newcomers that found the session tables full
    RecentCount cookies_;                  // SYNs answered by ourselves
    RecentCount untracked_;                // packets that passed all the same, without a session
    std::uint64_t transit_count_ = 0;      // frames of reals for elsewhere, a second ago
    std::optional<Instant> last_transit_;  // when there was one
    std::map<std::string, Unfinished> unfinished_;  // by the transaction's name
    Timer second_;
    std::shared_ptr<const Rates> rates_ = std::make_shared<const Rates>();
    Timer measured_rates_;
    Instant rates_of_;  // when they were measured last
};

}  // namespace fulcrum
