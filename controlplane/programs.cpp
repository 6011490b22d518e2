// A descriptor of the process (pidfd) tells of its end.
#include "controlplane/programs.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <optional>
#include <system_error>
#include <utility>

#include "controlplane/kernel/file_descriptor.h"
#include "controlplane/spawning.h"

namespace fulcrum {
namespace {

constexpr Duration grace = 500ms;  // between the request to end and the end
constexpr int parting_ms = 1'000;  // for what is killed as we end
constexpr std::size_t said_length_max = 4'096;
constexpr std::size_t line_length_max = 160;

std::string first_line_of(const std::string& said) {
    std::string line = said.substr(0, std::min(said.find('\n'), line_length_max));
    std::ranges::replace_if(
        line, [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; }, ' ');
    return line;
}

}  // namespace

std::string in_words(const ProgramEnd& end) {
    const std::string said = end.said.empty() ? "" : ": " + end.said;
    switch (end.kind) {
        case ProgramEnd::Kind::exited:
            return "ended with " + std::to_string(end.number) + said;
        case ProgramEnd::Kind::ended:
            return "was ended by signal " + std::to_string(end.number) + said;
        case ProgramEnd::Kind::too_long:
            return "was killed, as it took too long" + said;
        case ProgramEnd::Kind::not_started:
            break;
    }
    return "cannot be started: " + std::generic_category().message(end.number);
}

// One process. Its group is ours to kill until it is reaped: so long its number is nobody else's.
struct Programs::Run {
    Run(EventLoop& loop, Done when_done) : done{std::move(when_done)}, deadline{loop} {}

    void kill_group(int signal) const { ::kill(-leader, signal); }
    void read_output();
    bool has_ended() const;
    ProgramEnd reap();

    Done done;  // null: told already, or nobody wants to know
    Timer deadline;
    pid_t leader = 0;  // 0: it has not been started
    FileDescriptor pidfd;
    FileDescriptor output;
    std::string said;
    std::optional<DescriptorWatch> ended;
    std::optional<DescriptorWatch> readable;
};

// What is said beyond the bound meets a closed pipe.
void Programs::Run::read_output() {
    std::array<char, said_length_max> room;
    const ssize_t count = ::read(output.get(), room.data(), room.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (count > 0) {
        said.append(room.data(), static_cast<std::size_t>(count));
    }
    if (count <= 0 || said.size() > said_length_max) {
        readable.reset();
        output.close();
    }
}

// A wake-up may be meant for a descriptor that had this number before.
bool Programs::Run::has_ended() const {
    siginfo_t ending{};
    return ::waitid(P_PID, static_cast<id_t>(leader), &ending, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ending.si_pid == leader;
}

ProgramEnd Programs::Run::reap() {
    kill_group(SIGKILL);
    siginfo_t ending{};
    ::waitid(P_PID, static_cast<id_t>(leader), &ending, WEXITED);
    return {ending.si_code == CLD_EXITED ? ProgramEnd::Kind::exited : ProgramEnd::Kind::ended,
            ending.si_status, first_line_of(said)};
}

Programs::Programs(EventLoop& loop, std::function<void()> on_gone)
    : loop_{loop}, on_gone_{std::move(on_gone)} {}

Programs::~Programs() {
    std::erase_if(runs_, [](const auto& numbered) { return numbered.second->leader == 0; });
    for (const auto& [number, run] : runs_) {
        run->kill_group(SIGKILL);
    }
    for (const auto& [number, run] : runs_) {
        pollfd ended{run->pidfd.get(), POLLIN, 0};
        if (::poll(&ended, 1, parting_ms) == 1) {
            run->reap();
        }
    }
}

Programs::Number Programs::start(const ProgramOrder& order, Done done) {
    const Number number = ++latest_;
    Run& run = *runs_.emplace(number, std::make_unique<Run>(loop_, std::move(done))).first->second;
    if (const int error = open(run, order); error != 0) {
        loop_.post([this, number, error, life = std::weak_ptr{life_}] {
            if (!life.expired()) {
                const auto never_run = runs_.extract(number);
                tell(*never_run.mapped(), {ProgramEnd::Kind::not_started, error, {}});
            }
        });
        return number;
    }
    run.readable.emplace(loop_, run.output.get(),
                         [&run](DescriptorWatch::Ready) { run.read_output(); });
    run.readable->want(true, false);
    run.ended.emplace(loop_, run.pidfd.get(),
                      [this, number](DescriptorWatch::Ready) { on_end(number); });
    run.ended->want(true, false);
    run.deadline.after(order.timeout, [this, &run] {
        end(run);
        tell(run, {ProgramEnd::Kind::too_long, 0, first_line_of(run.said)});
    });
    return number;
}

// 0, or the errno for which it does not run.
int Programs::open(Run& run, const ProgramOrder& order) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (order.input.size() > ProgramOrder::input_length_max) {
        return E2BIG;
    }
    if (::pipe2(in.data(), O_CLOEXEC) != 0) {
        return errno;
    }
    const FileDescriptor its_input{in[0]};
    const FileDescriptor our_input{in[1]};
    if (::pipe2(out.data(), O_CLOEXEC) != 0) {
        return errno;
    }
    run.output = FileDescriptor{out[0]};
    const FileDescriptor its_output{out[1]};
    ::fcntl(run.output.get(), F_SETFL, O_NONBLOCK);
    // Before it runs: the pipe takes it all, and behind it the program sees the end of the file.
    if (::write(our_input.get(), order.input.data(), order.input.size()) < 0) {
        return errno;
    }
    SpawnOrder asked{.words = order.words,
                     .environment = order.environment,
                     .input = its_input.get(),
                     .output = its_output.get()};
    asked.environment.emplace_back(
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    asked.environment.emplace_back("LANG=C.UTF-8");
    const Spawned spawned = spawn(asked);
    if (spawned.error != 0) {
        return spawned.error;
    }
    run.leader = spawned.leader;
    run.pidfd = FileDescriptor{static_cast<int>(::syscall(SYS_pidfd_open, run.leader, 0))};
    if (!run.pidfd.is_open()) {
        const int error = errno;
        run.reap();
        run.leader = 0;
        return error;
    }
    return 0;
}

void Programs::on_end(Number number) {
    const auto at = runs_.find(number);
    if (at == runs_.end() || !at->second->has_ended()) {
        return;
    }
    const std::unique_ptr<Run> run = std::move(at->second);
    runs_.erase(at);
    if (run->output.is_open()) {
        run->read_output();
    }
    tell(*run, run->reap());
    if (on_gone_ != nullptr) {
        on_gone_();
    }
}

// First a word, so that it may clean up.
void Programs::end(Run& run) {
    run.kill_group(SIGTERM);
    run.deadline.after(grace, [&run] { run.kill_group(SIGKILL); });
}

void Programs::tell(Run& run, const ProgramEnd& end) {
    if (const Done done = std::exchange(run.done, nullptr)) {
        done(end);
    }
}

void Programs::abandon(Number number) {
    const auto at = runs_.find(number);
    if (at == runs_.end()) {
        return;
    }
    Run& run = *at->second;
    run.done = nullptr;
    if (run.leader > 0) {
        end(run);
    }
}

}  // namespace fulcrum
