// One rename.
#include "controlplane/fulcrumctl/kept_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "controlplane/fulcrumctl/client.h"

namespace fulcrum {
namespace {

Status keep_file(const std::string& path, const std::string& text) {
    std::string fresh = path + ".XXXXXX";
    const int descriptor = mkstemp(fresh.data());
    FILE* const file = descriptor < 0 ? nullptr : fdopen(descriptor, "w");
    constexpr mode_t mode = 0644;
    const bool is_written = file != nullptr && fchmod(descriptor, mode) == 0 &&
                            std::fwrite(text.data(), 1, text.size(), file) == text.size() &&
                            std::fflush(file) == 0 && fsync(descriptor) == 0;
    const int cause = errno;
    if (file != nullptr) {
        std::fclose(file);
    }
    if (!is_written || std::rename(fresh.c_str(), path.c_str()) != 0) {
        const int reason = is_written ? errno : cause;
        unlink(fresh.c_str());
        return Error{path + " cannot be written: " + std::generic_category().message(reason)};
    }
    return done();
}

}  // namespace

Status keep_config(const std::string& socket, const std::string& path) {
    const Result<Json> reply =
        ask_director(socket, {{"command", "config"}, {"arguments", Json::object()}});
    if (!reply) {
        return reply.error();
    }
    if (!reply->value("ok", false)) {
        return Error{reply->at("error").at("sentence").get<std::string>()};
    }
    const std::string text = reply->at("result").at("text");
    if (path != "-") {
        return keep_file(path, text);
    }
    std::fwrite(text.data(), 1, text.size(), stdout);
    return done();
}

}  // namespace fulcrum
