// posix_spawn, and a descriptor of the process (pidfd) that tells of its end.
#include "controlplane/roles/program_run.h"

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
#include <system_error>
#include <utility>

namespace fulcrum {
namespace {

constexpr std::size_t said_length_max = 4'096;
constexpr std::size_t line_length_max = 160;

std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

// Errno, or 0 and the process.
int spawn(const ProgramOrder& order, int input, int output, pid_t& leader) {
    std::vector<std::string> words = order.words;
    std::vector<std::string> environment = order.environment;
    environment.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    environment.emplace_back("LANG=C.UTF-8");
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&files);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    posix_spawn_file_actions_addchdir_np(&files, "/");
    const int error = posix_spawn(&leader, words[0].c_str(), &files, &attributes,
                                  pointers_to(words).data(), pointers_to(environment).data());
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return error;
}

std::string in_words(int error) { return std::generic_category().message(error); }

std::string first_line_of(const std::string& said) {
    std::string line = said.substr(0, std::min(said.find('\n'), line_length_max));
    std::ranges::replace_if(
        line, [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; }, ' ');
    return line.empty() ? "" : ": " + line;
}

ProgramEnd end_of(int status, const std::string& said) {
    if (WIFSIGNALED(status)) {
        return {false,
                "was ended by signal " + std::to_string(WTERMSIG(status)) + first_line_of(said)};
    }
    const int code = WEXITSTATUS(status);
    return {code == 0, "ended with " + std::to_string(code) + first_line_of(said)};
}

}  // namespace

void ProgramRun::start(const ProgramOrder& order, Done done) {
    cancel();
    done_ = std::move(done);
    const auto fail = [this](const std::string& sentence) {
        loop_.post([this, sentence, life = std::weak_ptr{life_}] {
            if (!life.expired()) {
                finish({false, sentence});
            }
        });
    };
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (order.input.size() > ProgramOrder::input_length_max) {
        return fail("cannot be told all of its options: they are too long");
    }
    if (::pipe2(in.data(), O_CLOEXEC) != 0) {
        return fail("cannot be started: " + in_words(errno));
    }
    const FileDescriptor its_input{in[0]};
    const FileDescriptor our_input{in[1]};
    if (::pipe2(out.data(), O_CLOEXEC) != 0) {
        return fail("cannot be started: " + in_words(errno));
    }
    output_ = FileDescriptor{out[0]};
    const FileDescriptor its_output{out[1]};
    ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
    // Before it runs: the pipe takes it all, and at its end the program sees the end of the file.
    const ssize_t written = ::write(our_input.get(), order.input.data(), order.input.size());
    const int error =
        written < 0 ? errno : spawn(order, its_input.get(), its_output.get(), leader_);
    if (error != 0) {
        leader_ = 0;
        return fail("cannot be started: " + in_words(error));
    }
    pidfd_ = FileDescriptor{static_cast<int>(::syscall(SYS_pidfd_open, leader_, 0))};
    if (!pidfd_.is_open()) {
        reap();
        return fail("cannot be followed: " + in_words(errno));
    }
    readable_ = std::make_unique<DescriptorWatch>(
        loop_, output_.get(), [this](DescriptorWatch::Ready) { read_output(); });
    readable_->want(true, false);
    ended_ = std::make_unique<DescriptorWatch>(loop_, pidfd_.get(),
                                               [this](DescriptorWatch::Ready) { on_end(); });
    ended_->want(true, false);
    deadline_.after(order.timeout, [this] {
        reap();
        finish({false, "was killed, as it took too long" + first_line_of(said_)});
    });
}

// What is said beyond the bound meets a closed pipe.
void ProgramRun::read_output() {
    std::array<char, said_length_max> room;
    const ssize_t count = ::read(output_.get(), room.data(), room.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (count > 0) {
        said_.append(room.data(), static_cast<std::size_t>(count));
    }
    if (count <= 0 || said_.size() > said_length_max) {
        readable_.reset();
        output_.close();
    }
}

void ProgramRun::on_end() {
    siginfo_t ending{};
    const bool has_ended =
        ::waitid(P_PID, static_cast<id_t>(leader_), &ending, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        ending.si_pid == leader_;
    if (!has_ended) {
        return;
    }
    if (output_.is_open()) {
        read_output();
    }
    const int status = reap();
    finish(end_of(status, said_));
}

// The group is ours to kill until its leader is reaped: so long its number is nobody else's.
int ProgramRun::reap() {
    ::kill(-leader_, SIGKILL);
    int status = 0;
    while (::waitpid(leader_, &status, 0) < 0 && errno == EINTR) {
    }
    leader_ = 0;
    return status;
}

void ProgramRun::finish(const ProgramEnd& end) {
    const Done done = std::exchange(done_, nullptr);
    cancel();
    if (done != nullptr) {
        done(end);
    }
}

void ProgramRun::cancel() {
    done_ = nullptr;
    deadline_.cancel();
    ended_.reset();
    readable_.reset();
    if (leader_ > 0) {
        reap();
    }
    pidfd_.close();
    output_.close();
    said_.clear();
}

}  // namespace fulcrum
