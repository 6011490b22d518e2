// The one way for anything to reach the workers: an event changes the director's state, the helper
// compiles what follows from it, the publisher stores one pointer, and whoever asked is answered
// when every worker has seen it.
//
//     reload, edit ──► helper: load or edit, validate ──┐
//     health, kernel ──► gathered 20 ms ────────────────┼─► state ──► helper: compile ──► publish
//     drain, undrain ───────────────────────────────────┘   ──► seen ──► reply   one at a time
//
// Configurations are made one after the other: an edit begins with what the one before it made.
// What came by edits is in no file, and the next reload replaces it. A refusal anywhere leaves what
// runs as it is. The control thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/model/service.h"
#include "controlplane/apply_result.h"
#include "controlplane/change_guard.h"
#include "controlplane/config_history.h"
#include "controlplane/config_version.h"
#include "controlplane/director_state.h"
#include "controlplane/event_book.h"
#include "controlplane/event_loop.h"
#include "controlplane/file_watch.h"
#include "controlplane/health/opening_watch.h"
#include "controlplane/helper_thread.h"
#include "controlplane/listing.h"
#include "controlplane/log.h"
#include "controlplane/request.h"
#include "controlplane/shown.h"
#include "controlplane/telling/real_change.h"
#include "dataplane/publication.h"

namespace fulcrum {

class Applier {
  public:
    using Finish = std::function<void(const ApplyResult&)>;

    struct Parts {
        EventLoop& loop;
        HelperThread& helper;
        DirectorState& state;
        SnapshotPublisher& publisher;
        Log& log;
        Boards boards;
        HealthCheck::Probers probers;
        // Called after a snapshot with another configuration is out: the kernel's side follows.
        std::function<void(const Config&)> on_config;
        // Where the reals' health is kept for the next start; empty: nowhere.
        std::string memory_path;
        // Called when a configuration is accepted, before anything is heard of its reals.
        std::function<void(const Config&)> on_adopted;
        std::function<void(const RealEvent&)> on_event;  // a check's verdict, a drain
        // Keeps what sessions' numbers mean for a next process, before workers learn of new ones.
        // Called on the helper; null: nobody does.
        std::function<Status(const IndexMemory&)> keep_indexes;
    };
    explicit Applier(Parts parts);

    // What was read to make a configuration of it, after `read_at`.
    struct Sources {
        std::vector<std::string> files;
        FileWatch::FileTime read_at;
    };
    // The first configuration. Everything below presumes it.
    void begin(std::shared_ptr<const Config> config, Sources sources, Finish finish);

    // Reads the file on the helper. Calls that come while a file is read share the next reading.
    void reload(const std::string& path, Finish finish);
    // What a reload of this file would change, and whom it would concern; changes nothing.
    void plan(const std::string& path, Finish finish);
    // Applies operations, as in edit.h, to what runs, on the helper.
    void edit(Json operations, Finish finish);
    // Puts it in the place of what runs; the file does not know of it before save().
    void take_common(CommonPart theirs, Finish finish);
    // If what runs is what the other director serves as well, it is of that version.
    void agree_on(const ConfigStanding& standing);
    // Lets a configuration of the history run again.
    void go_back(std::uint64_t number, Finish finish);
    // Writes what runs into the file that it was read from.
    void save(Finish finish);
    // What operators see of these counters begins at zero; metrics go on. `real`: empty for all.
    // False: there is none of that name.
    bool zero(const std::string& service, const std::string& real);
    void drain(DrainAsked asked, Finish finish);
    void undrain(const std::string& service, const std::string& real, Finish finish);
    // What the workers are to capture; null: nothing.
    void capture(std::shared_ptr<const CaptureOrder> order, Finish finish);
    // `finish` is called when the workers forward accordingly.
    void take_roles(const GroupRoles& roles, Finish finish);
    void on_path_mtu(const IpAddress& real, std::uint16_t mtu);
    void on_kernel_changed(std::shared_ptr<const KernelTables> tables);

    Log& log() { return log_; }
    EventBook& events() { return events_; }
    const DirectorState& state() const { return state_; }
    const HealthCheck& health() const { return health_; }
    const Boards& boards() const { return boards_; }
    const ReloadCounters& reloads() const { return reloads_; }
    const Shown<Listing>& listing() const { return listing_; }
    // What edits have changed since the file was read, in sentences.
    const std::vector<std::string>& not_in_file() const { return not_in_file_; }
    const ConfigHistory& history() const { return history_; }
    // Of what runs; under pair.replicate_config.
    const ConfigStanding& standing() const { return standing_; }
    // Of the file, and of what it did, in sentences.
    std::vector<std::string> problems() const;
    std::uint64_t epoch_published() const;
    std::uint64_t epoch_seen() const;  // the least of all workers

  private:
    struct Waiter {
        Finish finish;
        Applied applied;
        Instant deadline{};
    };
    // A configuration that is to be made: of a file, of what ran before, or of what runs; or what
    // runs is to be written into its file.
    struct Wish {
        std::string path;        // empty: none
        std::uint64_t past = 0;  // of the history; 0: none
        Json operations;
        std::optional<CommonPart> theirs;
        bool is_save = false;
        std::vector<Finish> askers;
    };
    // What the helper makes of it.
    struct Made {
        std::shared_ptr<const Config> config;
        std::shared_ptr<const KnownDiff> diff;  // from what ran when it was made
        CheckPlan plan;
        std::vector<std::string> warnings;
        std::optional<Refused> refused;
        bool is_of_file = false;
        bool is_of_past = false;
        std::string old_file;  // not empty: it has been saved, and nothing else
        std::vector<std::string> not_in_file;
        std::string origin;
        Sources sources;                       // of a file
        std::uint64_t checksum = 0;            // of what it serves; 0: nobody asks
        std::optional<ConfigVersion> version;  // none: new, if it is not what runs
    };

    void make_next();
    static Made load(const std::string& path);
    static Made saved(const std::shared_ptr<const Config>& running, const Config& of_file);
    static Made joined(const Config& running, const Config& of_file, const CommonPart& theirs);
    static Made edited(const Config& running, const Config& of_file, const Json& operations);
    static Made made_again(const PastConfig& past, const Config& of_file);
    void take_made(Made& made, const std::vector<Finish>& askers);
    bool adopt(const Made& made, Waiter waiter);
    // A reload tried on a copy of the state.
    struct Rehearsal {
        DirectorState state;
        Made made;
        Instant now{};
        std::shared_ptr<const CompiledParts> parts;
        std::shared_ptr<const Listing> listing;
        Boards boards;
    };
    static ApplyResult planned(Rehearsal& rehearsal);  // the helper thread
    void note_version(const Made& made);
    void keep_standing();
    void follow_files(Sources sources);
    void note_file_refused(const std::vector<std::string>& sentences);
    void take_back_if_harmed(const std::string& service);
    void on_health(const HealthChange& change);
    void on_hastened(const HastenedCheck& check);
    void tell(const RealEvent& event);
    void note_adopted(const Made& made, const std::vector<std::string>& changes);
    // `news`: what is told of it, if it is not refused; null: nothing.
    void ask(const Event& event, Waiter waiter, const RealEvent* news = nullptr);
    void tell_quorums(const Outcome& outcome);
    void note(const Outcome& outcome);
    void catch_up();
    void compile_next();
    void publish(Compiled compiled, const std::shared_ptr<const Config>& config);
    void answer_whom_workers_have_seen();
    void review_workers();
    void look_at_files();
    void maintain(const std::set<std::string>& names);
    void refresh_listing();

    EventLoop& loop_;
    HelperThread& helper_;
    DirectorState& state_;
    SnapshotPublisher& publisher_;
    Log& log_;
    Boards boards_;
    std::function<void(const Config&)> on_config_;
    std::function<void(const Config&)> on_adopted_;
    std::function<void(const RealEvent&)> on_event_;
    std::function<Status(const IndexMemory&)> keep_indexes_;
    std::uint64_t indexes_kept_ = 0;  // their revision
    HealthCheck health_;
    TallyBook book_;
    Shown<Listing> listing_;
    ReloadCounters reloads_;
    EventBook events_;
    OpeningWatch openings_;

    std::shared_ptr<const CompiledParts> parts_ = std::make_shared<CompiledParts>();
    bool needs_snapshot_ = false;  // the state has moved on since the last compile began
    bool is_compiling_ = false;
    std::shared_ptr<const Config> config_told_;  // to on_config
    std::vector<Waiter> for_next_compile_;
    std::vector<Waiter> for_this_compile_;
    std::vector<Waiter> for_workers_;

    bool is_making_ = false;
    std::deque<Wish> wishes_;
    std::shared_ptr<const Config> of_file_;  // as it was read last
    std::vector<std::string> not_in_file_;
    ConfigHistory history_;
    ConfigStanding standing_;
    FileWatch files_;
    ChangeGuard guard_;
    std::string file_problem_;  // why the file as it is now cannot run; empty: it can
    std::string taken_back_;    // what the last reload did, so that it runs no more

    Timer gather_;
    Timer poll_;
    Timer review_;
    std::string memory_path_;
    bool has_news_of_health_ = false;  // since it was noted
    Instant noted_at_{};
    bool is_with_files_ = false;   // on the helper
    bool is_maintaining_ = false;  // the maintenance folder holds names
};

}  // namespace fulcrum
