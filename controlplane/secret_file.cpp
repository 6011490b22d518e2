// What it is, whose it is, and then what it holds.
#include "controlplane/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "config/wording.h"
#include "controlplane/kernel/file_descriptor.h"

namespace fulcrum {
namespace {

constexpr std::size_t file_size_max = std::size_t{64} << 10;

}  // namespace

Result<std::string> read_small_file(const std::string& key, const std::string& path,
                                    bool is_secret) {
    const std::string label = key + " " + in_quotes(path);
    const FileDescriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat found {};
    if (!file.is_open() || fstat(file.get(), &found) != 0) {
        return Error{label + " cannot be read: " + std::generic_category().message(errno)};
    }
    if (!S_ISREG(found.st_mode)) {
        return Error{label + " is no file"};
    }
    if (is_secret && (found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return Error{label + " can be read by others than its owner: chmod 600 it"};
    }
    if (is_secret && found.st_uid != 0 && found.st_uid != geteuid()) {
        return Error{label + " belongs to somebody else than root and the director's user"};
    }
    std::string content;
    std::array<char, 4'096> piece{};
    ssize_t length = 0;
    while ((length = read(file.get(), piece.data(), piece.size())) > 0) {
        content.append(piece.data(), static_cast<std::size_t>(length));
        if (content.size() > file_size_max) {
            return Error{label + " is longer than " + std::to_string(file_size_max) + " octets"};
        }
    }
    return content.empty() ? Result<std::string>{Error{label + " is empty"}}
                           : Result<std::string>{std::move(content)};
}

}  // namespace fulcrum
