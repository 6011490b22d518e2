// posix_spawn, which stops us for no longer than the kernel needs to load a program however much
// memory we have; a descriptor of the process (pidfd) tells of its end.
#include "controlplane/health/program_probe.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "config/wording.h"
#include "controlplane/health/answer_rule.h"
#include "controlplane/kernel/file_descriptor.h"

namespace fulcrum {
namespace {

constexpr Duration grace = 500ms;  // between the request to end and the end
constexpr std::size_t line_length_max = 120;

// The environment of a program: nothing of ours but what it is asked about.
std::vector<std::string> environment_of(const ProbeSpec& spec) {
    return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
            "FULCRUM_REAL=" + to_string(spec.target.address),
            "FULCRUM_REAL_PORT=" + std::to_string(spec.target.port.host()),
            "FULCRUM_VIP=" + to_string(spec.vip.address),
            "FULCRUM_VIP_PORT=" + std::to_string(spec.vip.port.host())};
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

struct SpawnSetting {
    SpawnSetting() {
        posix_spawnattr_init(&attributes);
        posix_spawn_file_actions_init(&actions);
    }
    ~SpawnSetting() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    SpawnSetting(const SpawnSetting&) = delete;
    SpawnSetting& operator=(const SpawnSetting&) = delete;

    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
};

// The process, in a group of its own; or an errno.
struct Spawned {
    pid_t leader = 0;
    int error = 0;
};

Spawned spawn(const ProbeSpec& spec, int output) {
    std::vector<std::string> words = words_of_command(spec);
    std::vector<std::string> environment = environment_of(spec);
    SpawnSetting setting;
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setflags(&setting.attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                      POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&setting.attributes, 0);
    posix_spawnattr_setsigmask(&setting.attributes, &none);
    posix_spawnattr_setsigdefault(&setting.attributes, &all);
    posix_spawn_file_actions_addopen(&setting.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&setting.actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&setting.actions, output, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&setting.actions, STDERR_FILENO + 1);
    posix_spawn_file_actions_addchdir_np(&setting.actions, "/");
    Spawned spawned;
    spawned.error =
        posix_spawn(&spawned.leader, words[0].c_str(), &setting.actions, &setting.attributes,
                    pointers_to(words).data(), pointers_to(environment).data());
    return spawned;
}

// The first line, printable, for a sentence.
std::string first_line_of(const std::string& output) {
    std::string line = output.substr(0, std::min(output.find('\n'), line_length_max));
    std::ranges::replace_if(
        line, [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; }, ' ');
    return line;
}

}  // namespace

// One process. Its group is ours to kill until it is reaped: so long its number is nobody else's.
struct ProgramProber::Run {
    Run(ProgramProber& prober, ProbeSpec probe_spec, Done when_done)
        : owner{prober},
          spec{std::move(probe_spec)},
          done{std::move(when_done)},
          deadline{prober.loop_} {}
    ~Run() {
        ended.reset();
        readable.reset();
    }

    void kill_group(int signal) const { ::kill(-leader, signal); }
    void read_output();
    bool has_ended() const;
    int reap();

    ProgramProber& owner;
    ProbeSpec spec;
    Done done;  // null: told already
    Timer deadline;
    pid_t leader = 0;
    FileDescriptor pidfd;
    FileDescriptor output;
    std::string said;
    std::optional<DescriptorWatch> ended;
    std::optional<DescriptorWatch> readable;
};

// What is written beyond the bound meets a closed pipe.
void ProgramProber::Run::read_output() {
    std::array<char, 4'096> room;
    const ssize_t count = ::read(output.get(), room.data(), room.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (count > 0) {
        said.append(room.data(), static_cast<std::size_t>(count));
    }
    if (count <= 0 || said.size() > answer_size_max) {
        readable.reset();
        output.close();
    }
}

// A wake-up may be meant for a descriptor that had this number before.
bool ProgramProber::Run::has_ended() const {
    siginfo_t ending{};
    return ::waitid(P_PID, static_cast<id_t>(leader), &ending, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ending.si_pid == leader;
}

int ProgramProber::Run::reap() {
    kill_group(SIGKILL);
    siginfo_t ending{};
    ::waitid(P_PID, static_cast<id_t>(leader), &ending, WEXITED);
    return ending.si_code == CLD_EXITED ? W_EXITCODE(ending.si_status, 0)
                                        : W_EXITCODE(0, ending.si_status);
}

ProgramProber::ProgramProber(EventLoop& loop) : loop_{loop} {}

ProgramProber::~ProgramProber() {
    for (auto& [leader, run] : runs_) {
        run->reap();
    }
}

void ProgramProber::probe(const ProbeSpec& spec, Done done) {
    if (runs_.size() >= running_max) {
        waiting_.push_back({spec, std::move(done)});
    } else {
        start(spec, std::move(done));
    }
}

void ProgramProber::tell_later(Done done, ProbeOutcome outcome) {
    loop_.post([done = std::move(done), outcome = std::move(outcome), life = std::weak_ptr{life_}] {
        if (!life.expired()) {
            done(outcome);
        }
    });
}

void ProgramProber::start(const ProbeSpec& spec, Done done) {
    const auto refuse = [&](int error) {
        tell_later(std::move(done),
                   {ProbeVerdict::not_sent, "probe not sent: " + spec.check.command[0] + ": " +
                                                std::generic_category().message(error)});
    };
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
        return refuse(errno);
    }
    FileDescriptor output{pipe[0]};
    FileDescriptor input{pipe[1]};
    ::fcntl(output.get(), F_SETFL, O_NONBLOCK);
    const Spawned spawned = spawn(spec, input.get());
    if (spawned.error != 0) {
        return refuse(spawned.error);
    }
    auto& run = *runs_.emplace(spawned.leader, std::make_unique<Run>(*this, spec, std::move(done)))
                     .first->second;
    run.leader = spawned.leader;
    run.output = std::move(output);
    run.pidfd = FileDescriptor{static_cast<int>(::syscall(SYS_pidfd_open, spawned.leader, 0))};
    if (!run.pidfd.is_open()) {
        const int error = errno;
        done = std::move(run.done);
        run.reap();
        runs_.erase(spawned.leader);
        return refuse(error);
    }
    run.readable.emplace(loop_, run.output.get(),
                         [&run](DescriptorWatch::Ready) { run.read_output(); });
    run.readable->want(true, false);
    run.ended.emplace(loop_, run.pidfd.get(),
                      [this, &run](DescriptorWatch::Ready) { on_end(run); });
    run.ended->want(true, false);
    run.deadline.after(spec.check.timeout, [this, &run] { on_deadline(run); });
}

void ProgramProber::on_end(Run& run) {
    if (!run.has_ended()) {
        return;
    }
    if (run.output.is_open()) {
        run.read_output();
    }
    const int status = run.reap();
    const Done done = std::move(run.done);
    const ProbeOutcome outcome = outcome_of_exit(run.spec.check, status, first_line_of(run.said));
    runs_.erase(run.leader);
    start_waiting();
    if (done != nullptr) {
        done(outcome);
    }
}

// First a word, so that it may clean up; told is the outcome at once.
void ProgramProber::on_deadline(Run& run) {
    run.kill_group(SIGTERM);
    run.deadline.after(grace, [&run] { run.kill_group(SIGKILL); });
    const Done done = std::exchange(run.done, nullptr);
    done({ProbeVerdict::failure,
          outcome_of_timeout(run.spec).sentence + ": the program was killed"});
}

void ProgramProber::start_waiting() {
    if (!waiting_.empty() && runs_.size() < running_max) {
        Waiting next = std::move(waiting_.front());
        waiting_.pop_front();
        start(next.spec, std::move(next.done));
    }
}

std::vector<std::string> words_of_command(const ProbeSpec& spec) {
    const std::map<char, std::string> values{{'h', to_string(spec.target.address)},
                                             {'p', std::to_string(spec.target.port.host())},
                                             {'H', to_string(spec.vip.address)},
                                             {'P', std::to_string(spec.vip.port.host())},
                                             {'%', "%"}};
    std::vector<std::string> words;
    for (const std::string& word : spec.check.command) {
        std::string& filled = words.emplace_back();
        for (std::size_t at = 0; at < word.size(); ++at) {
            const auto value =
                word[at] == '%' && at + 1 < word.size() ? values.find(word[at + 1]) : values.end();
            if (value == values.end()) {
                filled.push_back(word[at]);
            } else {
                filled.append(value->second);
                ++at;
            }
        }
    }
    return words;
}

ProbeOutcome outcome_of_exit(const Check& check, int status, const std::string& first_line) {
    const std::string said = first_line.empty() ? "" : ": " + first_line;
    if (WIFSIGNALED(status)) {
        return {ProbeVerdict::failure,
                "the program was killed by signal " + std::to_string(WTERMSIG(status)) + said};
    }
    constexpr int weights_from = 2;  // keepalived's convention
    const int code = WEXITSTATUS(status);
    const std::string sentence = "the program ended with " + std::to_string(code) + said;
    if (check.exit_weight && code >= weights_from) {
        return {ProbeVerdict::success, sentence, static_cast<std::uint32_t>(code - weights_from)};
    }
    return {code == 0 ? ProbeVerdict::success : ProbeVerdict::failure, sentence};
}

}  // namespace fulcrum
