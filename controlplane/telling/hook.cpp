// Started, waited for, and killed when it must be.
#include "controlplane/telling/hook.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "controlplane/kernel/file_descriptor.h"
#include "controlplane/spawning.h"

namespace fulcrum {
namespace {

constexpr std::chrono::milliseconds look_period{100};  // how soon an end of ours is noticed

std::string path_variable() {
    const char* const path = std::getenv("PATH");
    return std::string{"PATH="}.append(path != nullptr ? path : "/usr/bin:/bin");
}

std::string in_words(std::time_t moment) {
    std::tm parts{};
    gmtime_r(&moment, &parts);
    std::array<char, 32> time{};
    std::strftime(time.data(), time.size(), "%FT%TZ", &parts);
    return time.data();
}

// Whether it has ended by itself.
bool wait_for_end(pid_t child, std::chrono::milliseconds timeout,
                  const std::atomic<bool>& is_stopping) {
    const FileDescriptor handle{
        static_cast<int>(syscall(SYS_pidfd_open, child, 0))};  // no wrapper in this library
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0 || is_stopping.load()) {
            return false;
        }
        pollfd ended{handle.get(), POLLIN, 0};
        if (poll(&ended, 1, static_cast<int>(std::min(left, look_period).count())) == 1) {
            return true;
        }
    }
}

std::string event_of(const RealChange& change) {
    const bool is_undrained = change.from == "drained" && change.to != "drained";
    return change.real.empty() ? "quorum_" + change.to : is_undrained ? "undrained" : change.to;
}

}  // namespace

std::vector<std::string> hook_environment(const RoleChange& change) {
    return {path_variable(),
            "FULCRUM_EVENT=role",
            "FULCRUM_TIME=" + in_words(change.time),
            "FULCRUM_DIRECTOR=" + change.director,
            "FULCRUM_GROUP=" + change.group,
            "FULCRUM_ADDRESSES=" + change.addresses,
            "FULCRUM_FROM=" + change.from,
            "FULCRUM_TO=" + change.to,
            "FULCRUM_REASON=" + change.reason};
}

std::vector<std::string> hook_environment(const RealChange& change) {
    return {path_variable(),
            "FULCRUM_EVENT=" + event_of(change),
            "FULCRUM_TIME=" + in_words(change.time),
            "FULCRUM_DIRECTOR=" + change.director,
            "FULCRUM_SERVICE=" + change.service,
            "FULCRUM_LISTENERS=" + change.listeners,
            "FULCRUM_REAL=" + change.real,
            "FULCRUM_ADDRESS=" + change.endpoint,
            "FULCRUM_FROM=" + change.from,
            "FULCRUM_TO=" + change.to,
            "FULCRUM_REASON=" + change.reason,
            "FULCRUM_REALS_UP=" + std::to_string(change.up_count),
            "FULCRUM_REALS=" + std::to_string(change.real_count)};
}

Status run_hook(const std::string& program, const std::vector<std::string>& environment,
                std::chrono::milliseconds timeout, const std::atomic<bool>& is_stopping) {
    const auto [child, error] = spawn({.words = {program}, .environment = environment});
    if (error != 0) {
        return Error{std::string{"cannot be started: "} + std::strerror(error)};
    }
    const bool has_ended = wait_for_end(child, timeout, is_stopping);
    if (!has_ended) {
        kill(-child, SIGKILL);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!has_ended) {
        return Error{"was killed after " + std::to_string(timeout.count()) + " ms"};
    }
    if (WIFSIGNALED(status)) {
        return Error{"was ended by signal " + std::to_string(WTERMSIG(status))};
    }
    const int code = WEXITSTATUS(status);
    return code == 0 ? done() : Status{Error{"ended with " + std::to_string(code)}};
}

}  // namespace fulcrum
