// Making configurations, one after the other: of a file, of what runs and an edit, of what ran
// before.
#include <algorithm>
#include <chrono>
#include <utility>

#include "config/common_part.h"
#include "config/loader.h"
#include "controlplane/apply.h"
#include "controlplane/config_diff.h"
#include "controlplane/config_file.h"
#include "controlplane/edit.h"

namespace fulcrum {

// One reading of the file is enough for all who wait for one.
void Applier::reload(const std::string& path, Finish finish) {
    if (wishes_.empty() || wishes_.back().path != path) {
        wishes_.push_back({.path = path});
    }
    wishes_.back().askers.push_back(std::move(finish));
    make_next();
}

void Applier::edit(Json operations, Finish finish) {
    wishes_.push_back({.operations = std::move(operations), .askers = {std::move(finish)}});
    make_next();
}

void Applier::take_common(CommonPart theirs, Finish finish) {
    wishes_.push_back({.theirs = std::move(theirs), .askers = {std::move(finish)}});
    make_next();
}

void Applier::go_back(std::uint64_t number, Finish finish) {
    wishes_.push_back({.past = number, .askers = {std::move(finish)}});
    make_next();
}

void Applier::save(Finish finish) {
    wishes_.push_back({.is_save = true, .askers = {std::move(finish)}});
    make_next();
}

void Applier::make_next() {
    if (is_making_ || wishes_.empty()) {
        return;
    }
    Wish wish = std::move(wishes_.front());
    wishes_.pop_front();
    const PastConfig* const past = history_.find(wish.past);
    if (wish.past != 0 && past == nullptr) {
        wish.askers.front()(Refused{"unknown_configuration",
                                    {"configuration " + std::to_string(wish.past) +
                                     " is not kept: fulcrumctl history lists those that are"},
                                    std::nullopt});
        return make_next();
    }
    is_making_ = true;
    helper_.run(
        [path = wish.path, is_save = wish.is_save, operations = std::move(wish.operations),
         theirs = std::move(wish.theirs), running = state_.config(), of_file = of_file_,
         past = past == nullptr ? PastConfig{} : *past] {
            Made made = is_save                  ? saved(running, *of_file)
                        : theirs                 ? joined(*running, *of_file, *theirs)
                        : !path.empty()          ? load(path)
                        : past.config != nullptr ? made_again(past, *of_file)
                                                 : edited(*running, *of_file, operations);
            if (made.config != nullptr && !is_save) {
                made.diff = std::make_shared<const KnownDiff>(know_diff(running, *made.config));
            }
            if (made.config != nullptr && replicates(*made.config)) {
                made.checksum = checksum_of_service(*made.config);
            }
            return made;
        },
        [this, askers = std::move(wish.askers)](Made made) {
            is_making_ = false;
            take_made(made, askers);
            make_next();
        });
}

Applier::Made Applier::load(const std::string& path) {
    const auto read_at = std::chrono::system_clock::now();
    LoadOutcome outcome = load_config(path);
    Made made{.warnings = std::move(outcome.warnings),
              .is_of_file = true,
              .origin = "the file",
              .sources = {std::move(outcome.files), read_at}};
    if (!outcome.problems.empty()) {
        made.refused = Refused{"config_invalid", std::move(outcome.problems), std::nullopt};
        return made;
    }
    made.config = std::make_shared<const Config>(std::move(outcome.config));
    made.plan = plan_checks(*made.config);
    return made;
}

Applier::Made Applier::saved(const std::shared_ptr<const Config>& running, const Config& of_file) {
    Made made{.config = running};
    Result<std::string> old_file = write_config_file(*running, of_file);
    if (old_file) {
        made.old_file = std::move(*old_file);
    } else {
        made.refused = Refused{"not_saved", {old_file.error().sentence}, std::nullopt};
    }
    return made;
}

Applier::Made Applier::edited(const Config& running, const Config& of_file,
                              const Json& operations) {
    Edited outcome = fulcrum::edit(running, operations);
    Made made{.warnings = std::move(outcome.warnings), .origin = "an edit"};
    if (outcome.refusal) {
        made.refused = Refused{std::move(outcome.refusal->code),
                               std::move(outcome.refusal->sentences), outcome.refusal->operation};
        return made;
    }
    made.not_in_file = compare(of_file, outcome.config).changes;
    made.config = std::make_shared<const Config>(std::move(outcome.config));
    made.plan = plan_checks(*made.config);
    return made;
}

Applier::Made Applier::joined(const Config& running, const Config& of_file,
                              const CommonPart& theirs) {
    LoadOutcome outcome = with_common_part(running, theirs.text);
    Made made{.warnings = std::move(outcome.warnings),
              .origin = "the director \"" + theirs.director + "\"",
              .version = theirs.version};
    if (!outcome.is_valid()) {
        made.refused = Refused{"config_invalid", std::move(outcome.problems), std::nullopt};
        return made;
    }
    made.not_in_file = compare(of_file, outcome.config).changes;
    made.config = std::make_shared<const Config>(std::move(outcome.config));
    made.plan = plan_checks(*made.config);
    return made;
}

Applier::Made Applier::made_again(const PastConfig& past, const Config& of_file) {
    return {.config = past.config,
            .plan = plan_checks(*past.config),
            .is_of_past = true,
            .not_in_file = compare(of_file, *past.config).changes,
            .origin = "a return to " + std::to_string(past.number)};
}

void Applier::note_version(const Made& made) {
    if (made.version) {
        standing_.version = *made.version;
    } else if (made.checksum != standing_.checksum) {
        // A clock that goes behind the other director's makes no change older than the one before.
        standing_.version = std::max(version_now(), ConfigVersion{standing_.version.us + 1});
    }
    standing_.checksum = made.checksum;
    keep_standing();
}

void Applier::agree_on(const ConfigStanding& standing) {
    if (standing.checksum == standing_.checksum && standing_.version < standing.version) {
        standing_ = standing;
        keep_standing();
    }
}

void Applier::keep_standing() {
    if (standing_.checksum != 0) {
        helper_.run([file = state_.config()->source_file,
                     standing = standing_] { return note_standing(file, standing); },
                    [](bool) {});
    }
}

// The first changes in words, and how many there are.
void Applier::note_adopted(const Made& made, const std::vector<std::string>& changes) {
    constexpr std::size_t told_max = 5;
    std::string sentence = made.origin;
    for (std::size_t i = 0; i < std::min(changes.size(), told_max); ++i) {
        sentence += (i == 0 ? ": " : "; ") + changes[i];
    }
    if (changes.size() > told_max) {
        sentence += "; and " + std::to_string(changes.size() - told_max) + " more";
    }
    events_.note({made.is_of_file   ? EventKind::reload_applied
                  : made.is_of_past ? EventKind::returned
                                    : EventKind::edit_applied,
                  {},
                  {},
                  sentence});
}

void Applier::take_made(Made& made, const std::vector<Finish>& askers) {
    Waiter waiter;
    waiter.finish = [askers](const ApplyResult& result) {
        for (const Finish& asker : askers) {
            asker(result);
        }
    };
    if (made.refused) {
        if (made.is_of_file) {
            reloads_.invalid.add(1);
            log_.error(LogArea::config, "reload refused: " + made.refused->sentences.front());
            events_.note({EventKind::reload_refused, {}, {}, made.refused->sentences.front()});
            note_file_refused(made.refused->sentences);
            follow_files(std::move(made.sources));
        }
        waiter.finish(*made.refused);
        return;
    }
    if (!made.old_file.empty()) {
        of_file_ = made.config;
        not_in_file_.clear();
        log_.notice(LogArea::config, "what runs is saved; the old file is " + made.old_file);
        events_.note({EventKind::saved, {}, {}, "the old file is " + made.old_file});
        waiter.applied.epoch = epoch_published();
        waiter.applied.old_file = made.old_file;
        waiter.finish(waiter.applied);
        return;
    }
    waiter.applied.warnings = std::move(made.warnings);
    if (made.is_of_file) {
        waiter.applied.dropped = not_in_file_;
    }
    const bool is_adopted = adopt(made, std::move(waiter));
    if (is_adopted) {
        of_file_ = made.is_of_file ? made.config : of_file_;
        not_in_file_ = std::move(made.not_in_file);
    }
    if (made.is_of_file) {
        follow_files(std::move(made.sources));
    }
}

}  // namespace fulcrum
