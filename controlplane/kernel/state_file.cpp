// The file is rewritten in place, because the lock belongs to the file and not to its name; a text
// that a crash left half-written is for the reader to recognise.
#include "controlplane/kernel/state_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "controlplane/kernel/errno_words.h"

namespace fulcrum {

namespace {

constexpr int open_attempts_max = 10;

Error failure(const std::string& path, const char* what) {
    return Error{path + ": " + what + ": " + errno_words(errno)};
}

}  // namespace

Result<StateFile> StateFile::open(const std::string& folder, const std::string& name) {
    if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
        return failure(folder, "making the folder failed");
    }
    const std::string path = folder + "/" + name;
    for (int attempt = 0; attempt < open_attempts_max; ++attempt) {
        FileDescriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
        if (!file.is_open()) {
            return failure(path, "opening failed");
        }
        if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
            return errno == EWOULDBLOCK ? Error{path + ": is held by another running director"}
                                        : failure(path, "locking failed");
        }
        struct stat status {};
        // Its last holder may have removed it between our opening and our locking it.
        if (fstat(file.get(), &status) == 0 && status.st_nlink > 0) {
            return StateFile{path, std::move(file)};
        }
    }
    return Error{path + ": is held by another running director"};
}

Result<std::string> StateFile::read() const {
    std::string text;
    std::array<char, 4'096> piece{};
    for (;;) {
        const ssize_t size =
            pread(file_.get(), piece.data(), piece.size(), static_cast<off_t>(text.size()));
        if (size < 0) {
            return failure(path_, "reading failed");
        }
        if (size == 0) {
            return text;
        }
        text.append(piece.data(), static_cast<std::size_t>(size));
    }
}

Status StateFile::write(const std::string& text) {
    if (ftruncate(file_.get(), 0) != 0 ||
        pwrite(file_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
        return failure(path_, "writing failed");
    }
    return done();
}

Status StateFile::remove() {
    if (unlink(path_.c_str()) != 0 && errno != ENOENT) {
        return failure(path_, "removing failed");
    }
    return done();
}

}  // namespace fulcrum
