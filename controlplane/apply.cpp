// The road, stage by stage.
#include "controlplane/apply.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <utility>

#include "config/common_part.h"
#include "controlplane/health/health_memory.h"
#include "controlplane/maintenance.h"

namespace fulcrum {
namespace {

constexpr Duration gather_length = 20ms;  // one flapping switch makes one snapshot, not hundreds
constexpr Duration poll_period = 1ms;
constexpr Duration seen_length_max = 1s;
constexpr Duration review_period = 1s;
constexpr Duration note_period_max = 60s;  // well within the time that notes are believed

std::string_view word_of(Health health) {
    switch (health) {
        case Health::up:
            return "up";
        case Health::down:
            return "down";
        case Health::unknown:
            break;
    }
    return "unknown";
}

std::uint64_t least_of(const Boards& boards, SingleWriterCounter WorkerCounters::*counter) {
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (const CounterBoard* board : boards) {
        least = std::min(least, (board->worker().*counter).read());
    }
    return least;
}

}  // namespace

Applier::Applier(Parts parts)
    : loop_{parts.loop},
      helper_{parts.helper},
      state_{parts.state},
      publisher_{parts.publisher},
      log_{parts.log},
      boards_{std::move(parts.boards)},
      on_config_{std::move(parts.on_config)},
      on_adopted_{std::move(parts.on_adopted)},
      on_event_{std::move(parts.on_event)},
      keep_indexes_{std::move(parts.keep_indexes)},
      health_{loop_, std::move(parts.probers),
              [this](const HealthChange& change) { on_health(change); }},
      book_{boards_},
      openings_{loop_, boards_, health_,
                [this](const HastenedCheck& check) { on_hastened(check); }},
      files_{loop_, helper_,
             [this] {
                 log_.notice(LogArea::config, "the file has changed");
                 reload(of_file_->source_file, [](const ApplyResult&) {});
             }},
      gather_{loop_},
      poll_{loop_},
      review_{loop_},
      memory_path_{std::move(parts.memory_path)} {}

void Applier::begin(std::shared_ptr<const Config> config, Sources sources, Finish finish) {
    if (!memory_path_.empty()) {
        state_.on_event(HealthRemembered{read_health_memory(memory_path_)}, loop_.now());
    }
    Made made;
    made.plan = plan_checks(*config);
    made.config = of_file_ = std::move(config);
    made.is_of_file = true;
    made.origin = "the file";
    if (replicates(*made.config)) {
        const auto standing = standing_at_start(sources.files, checksum_of_service(*made.config));
        made.checksum = standing.checksum;
        made.version = standing.version;
    }
    health_.hold();
    adopt(made, {[this, finish = std::move(finish)](const ApplyResult& result) {
                     health_.release();
                     finish(result);
                 },
                 {},
                 {}});
    follow_files(std::move(sources));
    review_.after(review_period, [this] { review_workers(); });
}

// False: refused.
bool Applier::adopt(const Made& made, Waiter waiter) {
    const bool is_first = state_.config() == nullptr;
    const std::uint64_t reload_count = made.is_of_file && !is_first ? 1 : 0;
    const Duration guarded = made.config->reload.rollback_within;
    if (reload_count != 0 && guarded > Duration{0}) {
        guard_.watch(state_.services(), loop_.now() + guarded);
    } else {
        guard_.forget();
    }
    Outcome outcome = state_.on_event(ConfigLoaded{made.config, made.diff}, loop_.now());
    if (outcome.refusal) {
        reloads_.refused.add(reload_count);
        log_.error(LogArea::config, "configuration refused: " + outcome.refusal->sentences.front());
        if (made.is_of_file) {
            note_file_refused(outcome.refusal->sentences);
            events_.note({EventKind::reload_refused, {}, {}, outcome.refusal->sentences.front()});
        }
        waiter.finish(
            Refused{std::string{outcome.refusal->code}, outcome.refusal->sentences, std::nullopt});
        return false;
    }
    if (!is_first) {
        reloads_.applied.add(reload_count);
        for (const std::string& change : outcome.changes) {
            log_.notice(LogArea::config,
                        (made.is_of_file ? "" : "by " + made.origin + ": ") + change);
        }
        note_adopted(made, outcome.changes);
        waiter.applied.changes = std::move(outcome.changes);
    }
    if (made.is_of_file) {
        file_problem_.clear();
        taken_back_.clear();
    }
    history_.add(made.config, made.origin, waiter.applied.changes.size(),
                 std::chrono::system_clock::now());
    note_version(made);
    if (on_adopted_ != nullptr) {
        on_adopted_(*state_.config());
    }
    health_.follow(made.plan, [this](const CheckSubject& subject) {
        return state_.health_of(subject.service, subject.real);
    });
    tell_quorums(outcome);
    needs_snapshot_ = true;  // for the reply's epoch, even if workers would see no difference
    for_next_compile_.push_back(std::move(waiter));
    if (is_first) {
        refresh_listing();  // later ones show what runs until the next snapshot does
        openings_.follow(*listing_.look());
    }
    catch_up();
    return true;
}

void Applier::on_hastened(const HastenedCheck& check) {
    const std::string sentence = "check hastened: " + check.reason;
    log_.write(Severity::notice, LogArea::health,
               "service \"" + check.service + "\": real \"" + check.real + "\": " + sentence,
               {{"service", check.service}, {"real", check.real}, {"reason", sentence}});
    events_.note({EventKind::check_hastened, check.service, check.real, sentence});
}

void Applier::on_health(const HealthChange& change) {
    has_news_of_health_ = true;
    const std::string_view state = word_of(change.health);
    const std::string weight =
        change.weight ? " with weight " + std::to_string(*change.weight) : std::string{};
    log_.write(Severity::notice, LogArea::health,
               "service \"" + change.service + "\": real \"" + change.real + "\" is " +
                   std::string{state} + weight + ": " + change.sentence,
               {{"service", change.service},
                {"real", change.real},
                {"state", state},
                {"reason", change.sentence}});
    tell({change.service, change.real, change.health == Health::up ? RealNews::up : RealNews::down,
          change.sentence});
    note(state_.on_event(HealthChanged{change.service, change.real, change.health == Health::up,
                                       change.sentence, change.weight},
                         loop_.now()));
    take_back_if_harmed(change.service);
}

void Applier::tell(const RealEvent& event) {
    constexpr std::array kinds{EventKind::real_up,      EventKind::real_down,
                               EventKind::real_drained, EventKind::real_undrained,
                               EventKind::quorum_up,    EventKind::quorum_down};
    events_.note(
        {kinds[static_cast<std::size_t>(event.news)], event.service, event.real, event.reason});
    if (on_event_ != nullptr) {
        on_event_(event);
    }
}

bool Applier::zero(const std::string& service, const std::string& real) {
    const auto listing = listing_.look();
    const ListedService* const found = listing->find(service);
    if (found == nullptr || (!real.empty() && found->find(real) == nullptr)) {
        return false;
    }
    book_.zero(*found, real);
    refresh_listing();
    return true;
}

void Applier::drain(DrainAsked asked, Finish finish) {
    std::string sentence = "drain of \"";
    sentence.append(asked.service).append("/").append(asked.real).append("\" asked");
    sentence.append(asked.is_by_file ? " by the maintenance folder" : "");
    if (asked.deadline) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*asked.deadline);
        sentence.append(", with a deadline in ")
            .append(std::to_string(seconds.count()))
            .append(" s, then ")
            .append(to_string(asked.then));
    }
    log_.notice(LogArea::director, sentence);
    const RealEvent news{
        asked.service, asked.real, RealNews::drained,
        asked.is_by_file ? "a file in the maintenance folder drains it" : "an operator drains it"};
    ask(std::move(asked), {std::move(finish), {}, {}}, &news);
}

void Applier::undrain(const std::string& service, const std::string& real, Finish finish) {
    log_.notice(LogArea::director, "undrain of \"" + service + "/" + real + "\" asked");
    const RealEvent news{service, real, RealNews::undrained, "its drain has ended"};
    ask(UndrainAsked{service, real}, {std::move(finish), {}, {}}, &news);
}

void Applier::capture(std::shared_ptr<const CaptureOrder> order, Finish finish) {
    log_.notice(LogArea::director, order != nullptr ? "a capture begins" : "the capture ends");
    ask(CaptureChanged{std::move(order)}, {std::move(finish), {}, {}});
}

void Applier::take_roles(const GroupRoles& roles, Finish finish) {
    ask(RolesChanged{roles}, {std::move(finish), {}, {}});
}

void Applier::on_kernel_changed(std::shared_ptr<const KernelTables> tables) {
    note(state_.on_event(KernelChanged{std::move(tables)}, loop_.now()));
}

void Applier::on_path_mtu(const IpAddress& real, std::uint16_t mtu) {
    const Outcome outcome = state_.on_event(PathMtuHeard{real, mtu}, loop_.now());
    if (outcome.needs_snapshot) {
        log_.notice(LogArea::director, "a router on the way to the tunnel's real " +
                                           to_string(real) + " carries " + std::to_string(mtu) +
                                           " octets and no more");
        note(outcome);
    }
}

// What an operator waits for is not gathered.
void Applier::ask(const Event& event, Waiter waiter, const RealEvent* news) {
    const Outcome outcome = state_.on_event(event, loop_.now());
    if (outcome.refusal) {
        waiter.finish(
            Refused{std::string{outcome.refusal->code}, outcome.refusal->sentences, std::nullopt});
        return;
    }
    if (news != nullptr) {
        tell(*news);
    }
    tell_quorums(outcome);
    needs_snapshot_ |= outcome.needs_snapshot;
    if (needs_snapshot_ || is_compiling_) {
        needs_snapshot_ = true;
        for_next_compile_.push_back(std::move(waiter));
    } else {
        waiter.applied.epoch = epoch_published();
        waiter.finish(waiter.applied);
    }
    catch_up();
}

void Applier::tell_quorums(const Outcome& outcome) {
    for (const QuorumChange& change : outcome.quorums) {
        const std::string sound = "its sound reals weigh " + std::to_string(change.weight);
        log_.notice(LogArea::health,
                    "service \"" + change.service + "\" is " +
                        (change.is_reached ? "up: " : "down, for want of its quorum: ") + sound);
        tell({change.service,
              {},
              change.is_reached ? RealNews::quorum_up : RealNews::quorum_down,
              sound});
        if (change.has_fallback) {
            events_.note(
                {change.is_reached ? EventKind::fallback_rests : EventKind::fallback_used,
                 change.service,
                 {},
                 change.is_reached ? "new sessions go to the reals" : "it takes new sessions"});
        }
    }
}

void Applier::note(const Outcome& outcome) {
    tell_quorums(outcome);
    needs_snapshot_ |= outcome.needs_snapshot;
    if (!gather_.is_set()) {
        gather_.after(gather_length, [this] { catch_up(); });
    }
}

void Applier::catch_up() {
    gather_.cancel();
    if (is_compiling_) {
        return;  // publish() comes back here
    }
    if (needs_snapshot_) {
        compile_next();
    } else {
        refresh_listing();
    }
}

void Applier::compile_next() {
    is_compiling_ = true;
    needs_snapshot_ = false;
    for_this_compile_ = std::exchange(for_next_compile_, {});
    auto input = std::make_shared<const CompileInput>(state_.compile_input());
    std::shared_ptr<const IndexMemory> indexes;
    if (keep_indexes_ != nullptr && indexes_kept_ != state_.index_revision()) {
        indexes_kept_ = state_.index_revision();
        indexes = std::make_shared<const IndexMemory>(state_.index_memory());
    }
    struct Ready {
        Status kept = done();
        Compiled compiled;
    };
    helper_.run(
        [input, previous = parts_, indexes, keep = keep_indexes_] {
            Ready ready;
            ready.kept = indexes == nullptr ? done() : keep(*indexes);
            ready.compiled = compile(*input, *previous);
            return ready;
        },
        [this, input](Ready ready) {
            if (!ready.kept) {
                log_.error(LogArea::director, ready.kept.error().sentence);
            }
            publish(std::move(ready.compiled), input->config);
        });
}

void Applier::publish(Compiled compiled, const std::shared_ptr<const Config>& config) {
    is_compiling_ = false;
    const std::uint64_t epoch = compiled.snapshot->epoch;
    refresh_listing();  // before workers count for new reals
    if (config_told_ != config) {
        openings_.follow(*listing_.look());
    }
    publisher_.publish(std::move(compiled.snapshot));
    parts_ = std::make_shared<const CompiledParts>(std::move(compiled.parts));
    for (Waiter& waiter : for_this_compile_) {
        waiter.applied.epoch = epoch;
        waiter.applied.slots_moved = compiled.slots_moved;
        waiter.deadline = loop_.now() + seen_length_max;
        for_workers_.push_back(std::move(waiter));
    }
    for_this_compile_.clear();
    // Workers accept a new VIP before the kernel announces it.
    if (config_told_ != config) {
        config_told_ = config;
        if (on_config_ != nullptr) {
            on_config_(*config_told_);
        }
    }
    answer_whom_workers_have_seen();
    if (needs_snapshot_) {
        catch_up();
    }
}

void Applier::answer_whom_workers_have_seen() {
    publisher_.reclaim();
    const std::uint64_t seen = epoch_seen();
    const auto first_waiting =
        std::stable_partition(for_workers_.begin(), for_workers_.end(), [&](const Waiter& waiter) {
            return waiter.applied.epoch <= seen || waiter.deadline <= loop_.now();
        });
    std::vector<Waiter> answered{std::make_move_iterator(for_workers_.begin()),
                                 std::make_move_iterator(first_waiting)};
    for_workers_.erase(for_workers_.begin(), first_waiting);
    for (const Waiter& waiter : answered) {
        waiter.finish(waiter.applied);
    }
    if (!for_workers_.empty()) {
        poll_.after(poll_period, [this] { answer_whom_workers_have_seen(); });
    }
}

void Applier::review_workers() {
    review_.after(review_period, [this] { review_workers(); });
    publisher_.reclaim();
    WorkersSeen seen;
    seen.epoch_seen = epoch_seen();
    seen.epoch_swept = least_of(boards_, &WorkerCounters::epoch_swept);
    for (const std::uint32_t tally : state_.leaving_tallies()) {
        if (read_tally(boards_, tally).sessions_live == 0) {
            seen.idle_tallies.push_back(tally);
        }
    }
    const Outcome outcome = state_.on_event(seen, loop_.now());
    if (outcome.needs_snapshot) {
        note(outcome);
    }
    look_at_files();
}

// The maintenance folder, and the memory of health: both are the helper's to read and write.
void Applier::look_at_files() {
    const std::shared_ptr<const Config> config = state_.config();
    if (is_with_files_ || config == nullptr) {
        return;
    }
    is_with_files_ = true;
    const bool is_note_due =
        !memory_path_.empty() && (has_news_of_health_ || loop_.now() - noted_at_ > note_period_max);
    HealthNotes notes;
    if (is_note_due) {
        notes = state_.health_notes();
        has_news_of_health_ = false;
        noted_at_ = loop_.now();
    }
    helper_.run(
        [folder = config->director.maintenance, path = is_note_due ? memory_path_ : "",
         notes = std::move(notes)] {
            if (!path.empty()) {
                write_health_memory(path, notes);
            }
            return folder.empty() ? std::set<std::string>{} : names_in_folder(folder);
        },
        [this](const std::set<std::string>& names) {
            is_with_files_ = false;
            maintain(names);
        });
}

// What an operator has drained by command stays drained, file or not.
void Applier::maintain(const std::set<std::string>& names) {
    if (names.empty() && !is_maintaining_) {
        return;
    }
    is_maintaining_ = !names.empty();
    for (const ServiceView& service : state_.services()) {
        for (const RealView& real : service.reals) {
            const std::string name{real.name};
            const bool is_wanted =
                real.state != RealState::removed && !real.is_fallback &&
                is_in_maintenance(names, service.asked->name, name, real.endpoint);
            if (is_wanted && !real.drain) {
                drain({.service = service.asked->name,
                       .real = name,
                       .sessions_live = read_tally(boards_, real.tally).sessions_live,
                       .is_by_file = true},
                      [](const ApplyResult&) {});
            } else if (!is_wanted && real.drain && real.drain->is_by_file) {
                undrain(service.asked->name, name, [](const ApplyResult&) {});
            }
        }
    }
}

void Applier::refresh_listing() {
    Listing fresh = list(state_, &health_);
    book_.keep(fresh);
    listing_.show(std::move(fresh));
}

std::uint64_t Applier::epoch_published() const {
    const Snapshot* current = publisher_.current();
    return current == nullptr ? 0 : current->epoch;
}

std::uint64_t Applier::epoch_seen() const { return least_of(boards_, &WorkerCounters::epoch_seen); }

}  // namespace fulcrum
