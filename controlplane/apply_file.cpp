// The applier and its file: what a reload would do, watching for changes, and taking back those
// that do harm.
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "config/loader.h"
#include "controlplane/apply.h"

namespace fulcrum {
namespace {

// By real, of those that `after` does not have as they are.
std::map<std::string, std::uint64_t> sessions_without(const Listing& listing, const Boards& boards,
                                                      const Config& after) {
    std::map<std::pair<std::string_view, std::string_view>, const RealServer*> wanted;
    for (const VirtualService& service : after.services) {
        for (const RealServer& real : service.reals) {
            wanted[{service.name, real.name}] = &real;
        }
    }
    std::map<std::string, std::uint64_t> left;
    for (const ListedService& service : listing.services) {
        for (const ListedReal& real : service.reals) {
            const auto found = wanted.find({service.name, real.name});
            const bool stays = real.is_fallback ||
                               (found != wanted.end() && found->second->endpoint == real.endpoint &&
                                found->second->forward == real.forward);
            const std::uint64_t live = real.totals(boards).sessions_live;
            if (!stays && live > 0) {
                left[service.name + "/" + real.name] = live;
            }
        }
    }
    return left;
}

}  // namespace

void Applier::follow_files(Sources sources) {
    files_.follow(std::move(sources.files), sources.read_at, state_.config()->reload.watch);
}

void Applier::note_file_refused(const std::vector<std::string>& sentences) {
    file_problem_ = sentences.front();
    if (sentences.size() > 1) {
        file_problem_ += " (and " + std::to_string(sentences.size() - 1) + " more)";
    }
}

std::vector<std::string> Applier::problems() const {
    std::vector<std::string> sentences;
    if (!file_problem_.empty()) {
        sentences.push_back("what is in the file does not run, as it was refused: " +
                            file_problem_);
    }
    if (!taken_back_.empty()) {
        sentences.push_back(taken_back_);
    }
    return sentences;
}

// Only what ran before is known to have done better.
void Applier::take_back_if_harmed(const std::string& service) {
    const std::optional<ServiceView> view = state_.service(service);
    const auto& kept = history_.kept();
    if (!view || kept.size() < 2 || !guard_.is_harmed(*view, loop_.now())) {
        return;
    }
    guard_.forget();
    reloads_.taken_back.add(1);
    const PastConfig& before = kept[kept.size() - 2];
    std::string taken_back = "configuration " + std::to_string(kept.back().number) +
                             " was taken back, because service \"" + service +
                             "\" lost every real under it; " + std::to_string(before.number) +
                             " runs again, and the file still says otherwise";
    log_.error(LogArea::config, taken_back);
    events_.note({EventKind::taken_back, service, {}, taken_back});
    go_back(before.number, [this, taken_back](const ApplyResult& result) {
        if (std::holds_alternative<Applied>(result)) {
            taken_back_ = taken_back;
        }
    });
}

// On a copy of the state, which is then forgotten. All but the copying takes too long for the loop.
void Applier::plan(const std::string& path, Finish finish) {
    helper_.run([path] { return load(path); },
                [this, finish = std::move(finish)](Made made) {
                    if (made.refused) {
                        finish(*made.refused);
                        return;
                    }
                    auto rehearsal = std::make_shared<Rehearsal>(Rehearsal{
                        state_, std::move(made), loop_.now(), parts_, listing_.look(), boards_});
                    helper_.run([rehearsal] { return planned(*rehearsal); },
                                [finish](const ApplyResult& result) { finish(result); });
                });
}

ApplyResult Applier::planned(Rehearsal& rehearsal) {
    const Made& made = rehearsal.made;
    Outcome outcome = rehearsal.state.on_event(ConfigLoaded{made.config, made.diff}, rehearsal.now);
    if (outcome.refusal) {
        return Refused{std::string{outcome.refusal->code}, outcome.refusal->sentences,
                       std::nullopt};
    }
    const CompileInput input = rehearsal.state.compile_input();
    Applied applied;
    applied.changes = std::move(outcome.changes);
    applied.warnings = made.warnings;
    applied.slots_moved = compile(input, *rehearsal.parts).slots_moved;
    applied.sessions_left = sessions_without(*rehearsal.listing, rehearsal.boards, *input.config);
    return applied;
}

}  // namespace fulcrum
