// posix_spawn, which stops us for no longer than the kernel needs, however much memory we have.
#include "controlplane/spawning.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <csignal>

namespace fulcrum {
namespace {

class Setting {
  public:
    explicit Setting(const SpawnOrder& order) {
        posix_spawnattr_init(&attributes_);
        posix_spawn_file_actions_init(&files_);
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setpgroup(&attributes_, 0);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        connect(STDIN_FILENO, order.input, O_RDONLY);
        connect(STDOUT_FILENO, order.output, O_WRONLY);
        connect(STDERR_FILENO, order.output, O_WRONLY);
        posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
        posix_spawn_file_actions_addchdir_np(&files_, "/");
    }
    ~Setting() {
        posix_spawn_file_actions_destroy(&files_);
        posix_spawnattr_destroy(&attributes_);
    }
    Setting(const Setting&) = delete;
    Setting& operator=(const Setting&) = delete;

    const posix_spawnattr_t* attributes() const { return &attributes_; }
    const posix_spawn_file_actions_t* files() const { return &files_; }

  private:
    void connect(int theirs, int ours, int flags) {
        if (ours >= 0) {
            posix_spawn_file_actions_adddup2(&files_, ours, theirs);
        } else {
            posix_spawn_file_actions_addopen(&files_, theirs, "/dev/null", flags, 0);
        }
    }

    posix_spawnattr_t attributes_;
    posix_spawn_file_actions_t files_;
};

std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace

Spawned spawn(const SpawnOrder& order) {
    std::vector<std::string> words = order.words;
    std::vector<std::string> environment = order.environment;
    const Setting setting{order};
    Spawned spawned;
    spawned.error =
        posix_spawn(&spawned.leader, words.front().c_str(), setting.files(), setting.attributes(),
                    pointers_to(words).data(), pointers_to(environment).data());
    return spawned;
}

}  // namespace fulcrum
