// Each step leaves the old file as it is, but for the last.
#include "controlplane/config_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "config/loader.h"
#include "config/writer.h"

namespace fulcrum {
namespace {

Error failure(const std::string& path, const std::string& what) {
    return {path + ": " + what + ": " + std::generic_category().message(errno)};
}

// The same but for where it stands.
bool say_the_same(Config a, const Config& b) {
    a.source_file = b.source_file;
    return a == b;
}

bool write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = write(file, text.data(), text.size());
        if (count < 0) {
            return false;
        }
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

// A file that is not yet anybody's; it goes with us unless it has got its name.
class NewFile {
  public:
    explicit NewFile(const std::string& beside) : path_{beside + ".XXXXXX"} {
        file_ = mkostemp(path_.data(), O_CLOEXEC);
    }
    ~NewFile() {
        close(file_);
        unlink(path_.c_str());
    }
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    const std::string& path() const { return path_; }
    bool is_open() const { return file_ >= 0; }

    // Written, owned and readable as the old one.
    bool fill(const std::string& text, const std::string& old) const {
        struct stat facts {};
        return stat(old.c_str(), &facts) == 0 && write_all(file_, text) &&
               fchown(file_, facts.st_uid, facts.st_gid) == 0 &&
               fchmod(file_, facts.st_mode & 07777) == 0 && fsync(file_) == 0;
    }

  private:
    std::string path_;
    int file_ = -1;
};

// So that the new name outlives a loss of power, too.
void sync_folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const int file = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fsync(file);
    close(file);
}

}  // namespace

Result<std::string> write_config_file(const Config& running, const Config& of_file) {
    const std::string& path = running.source_file;
    const LoadOutcome there = load_config(path);
    if (!there.is_valid() || !say_the_same(there.config, of_file)) {
        return Error{path + " has changed since it was read: reload it, or save to another file"};
    }
    const NewFile fresh{path};
    if (!fresh.is_open()) {
        return failure(path, "a file beside it cannot be made");
    }
    if (!fresh.fill(write_config(running), path)) {
        return failure(fresh.path(), "cannot be written");
    }
    const LoadOutcome written = load_config(fresh.path());
    if (!written.is_valid() || !say_the_same(written.config, running)) {
        return Error{"what runs has no words in a file" +
                     (written.is_valid() ? std::string{} : ": " + written.problems.front())};
    }
    const std::string old = path + ".old";
    unlink(old.c_str());
    if (link(path.c_str(), old.c_str()) != 0) {
        return failure(old, "cannot be made");
    }
    if (rename(fresh.path().c_str(), path.c_str()) != 0) {
        return failure(path, "cannot be replaced");
    }
    sync_folder_of(path);
    return old;
}

}  // namespace fulcrum
