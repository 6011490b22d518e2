// As the commands "drain" and "undrain" do.
#include "controlplane/peer/obey.h"

#include <chrono>
#include <utility>
#include <variant>

namespace fulcrum {

void obey(const PeerDrain& drain, Applier& applier) {
    const auto ignored = [](const ApplyResult&) {};
    if (!drain.is_drained) {
        return applier.undrain(drain.service, drain.real, ignored);
    }
    DrainAsked asked{.service = drain.service, .real = drain.real, .deadline = {}};
    asked.then = drain.then;
    if (drain.deadline_s != 0) {
        asked.deadline = std::chrono::seconds{drain.deadline_s};
    }
    applier.drain(asked, ignored);
}

void obey(CommonPart theirs, Applier& applier, ConfigSync::Doors::Judged judged) {
    const ConfigVersion version = theirs.version;
    applier.take_common(std::move(theirs), [&applier, version,
                                            judged = std::move(judged)](const ApplyResult& result) {
        ConfigVerdict verdict{.version = version};
        if (const auto* refused = std::get_if<Refused>(&result)) {
            verdict.sentences = refused->sentences;
            return judged(verdict);
        }
        verdict.is_applied = true;
        verdict.epoch = std::get<Applied>(result).epoch;
        applier.save([verdict, judged](const ApplyResult& saved) {
            ConfigVerdict whole = verdict;
            if (const auto* refused = std::get_if<Refused>(&saved)) {
                whole.sentences = {"what runs is not in its file: " + refused->sentences.front()};
            }
            judged(whole);
        });
    });
}

}  // namespace fulcrum
