// Kernel settings: one small file each, read and written whole in one call.
#include "controlplane/kernel/proc_sys.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "controlplane/kernel/errno_words.h"
#include "controlplane/kernel/file_descriptor.h"

namespace fulcrum {

std::optional<std::string> read_proc_sys(const std::string& path) {
    const FileDescriptor file{open(("/proc/sys/" + path).c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file.is_open()) {
        return std::nullopt;
    }
    std::array<char, 256> text{};
    const ssize_t size = read(file.get(), text.data(), text.size());
    if (size < 0) {
        return std::nullopt;
    }
    std::string value{text.data(), static_cast<std::size_t>(size)};
    while (!value.empty() && value.back() == '\n') {
        value.pop_back();
    }
    return value;
}

Status write_proc_sys(const std::string& path, const std::string& value) {
    if (read_proc_sys(path) == value) {
        return done();
    }
    const FileDescriptor file{open(("/proc/sys/" + path).c_str(), O_WRONLY | O_CLOEXEC)};
    if (!file.is_open() ||
        write(file.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
        return Error{"/proc/sys/" + path + ": writing " + value + " failed: " + errno_words(errno)};
    }
    return done();
}

bool kernel_forwards_ipv4() { return read_proc_sys("net/ipv4/ip_forward") == "1"; }

}  // namespace fulcrum
