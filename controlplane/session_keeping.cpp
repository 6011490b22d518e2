// With a sentence for whatever is not taken up.
#include "controlplane/session_keeping.h"

#include <filesystem>
#include <system_error>

#include "controlplane/index_memory.h"
#include "dataplane/turn_clock.h"
#include "dataplane/worker_set.h"

namespace fulcrum {
namespace {

// A file that cannot be kept true is worse than none.
Status keep_indexes(const std::string& path, std::uint64_t number, const IndexMemory& indexes) {
    const Status written = write_index_memory(path, number, indexes);
    if (written) {
        return done();
    }
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    return Error{written.error().sentence + "; the next start will not know today's sessions"};
}

}  // namespace

Result<SessionFile> open_sessions(const Config& config, const MemoryPlan& plan,
                                  const std::string& indexes, const WhoTakesUp& who) {
    Result<SessionFile> sessions =
        SessionFile::open(session_file_wish(config, plan), boot_seconds());
    if (!sessions) {
        return sessions;
    }
    if (sessions->is_taken_up() || sessions->former() != nullptr) {
        const std::uint64_t number =
            sessions->is_taken_up() ? sessions->number() : sessions->former()->number();
        const Result<IndexMemory> memory = read_index_memory(indexes, number);
        if (memory && who.state.recall(*memory)) {
            who.log.notice(LogArea::director, "sessions of an earlier run are taken up from " +
                                                  config.director.session_file);
        } else {
            sessions->begin_afresh();
            who.log.warning(LogArea::director,
                            "the sessions in " + config.director.session_file +
                                " are not taken up: " +
                                (memory ? "there are more reals than director.sessions has room for"
                                        : memory.error().sentence));
        }
    } else if (!sessions->remark().empty()) {
        who.log.warning(LogArea::director, sessions->remark());
    }
    return sessions;
}

std::function<Status(const IndexMemory&)> keeper_of(const Config& config,
                                                    const SessionFile& sessions,
                                                    const std::string& indexes) {
    if (config.director.session_file.empty()) {
        return nullptr;
    }
    return [path = indexes, number = sessions.number()](const IndexMemory& memory) {
        return keep_indexes(path, number, memory);
    };
}

}  // namespace fulcrum
