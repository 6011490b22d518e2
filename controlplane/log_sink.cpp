// One class a place.
#include "controlplane/log_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstring>
#include <utility>

#include "controlplane/kernel/file_descriptor.h"

namespace fulcrum {
namespace {

std::string ended(std::string_view line) {
    std::string text{line.substr(0, PIPE_BUF - 1)};
    return text += '\n';
}

class DescriptorSink : public LogSink {
  public:
    explicit DescriptorSink(int descriptor) : descriptor_{descriptor} {}

    bool put(std::string_view line) override {
        const std::string text = ended(line);
        // A pipe that polls as writable takes PIPE_BUF octets without waiting.
        pollfd ready{descriptor_, POLLOUT, 0};
        return poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0 &&
               ::write(descriptor_, text.data(), text.size()) >= 0;
    }

  private:
    const int descriptor_;
};

class FileSink : public LogSink {
  public:
    explicit FileSink(std::string path) : path_{std::move(path)} {}

    bool put(std::string_view line) override {
        if (!is_there()) {
            file_ = FileDescriptor{::open(
                path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640)};
        }
        const std::string text = ended(line);
        return file_.is_open() && ::write(file_.get(), text.data(), text.size()) >= 0;
    }

  private:
    // Whether our file is still the one of that name.
    bool is_there() const {
        struct stat ours {};
        struct stat named {};
        return file_.is_open() && ::fstat(file_.get(), &ours) == 0 &&
               ::stat(path_.c_str(), &named) == 0 && ours.st_ino == named.st_ino &&
               ours.st_dev == named.st_dev;
    }

    const std::string path_;
    FileDescriptor file_;
};

class SyslogSink : public LogSink {
  public:
    explicit SyslogSink(std::string socket) : socket_{std::move(socket)} {}

    bool put(std::string_view line) override { return give(line) || (connect() && give(line)); }

  private:
    bool give(std::string_view line) const {
        return wire_.is_open() &&
               ::send(wire_.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
    }
    // Anew after a restart of the syslog.
    bool connect() {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        socket_.copy(address.sun_path, sizeof address.sun_path - 1);
        wire_ = FileDescriptor{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        if (::connect(wire_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
            0) {
            wire_.close();
        }
        return wire_.is_open();
    }

    const std::string socket_;
    FileDescriptor wire_;
};

}  // namespace

std::unique_ptr<LogSink> log_to_descriptor(int descriptor) {
    return std::make_unique<DescriptorSink>(descriptor);
}
std::unique_ptr<LogSink> log_to_file(const std::string& path) {
    return std::make_unique<FileSink>(path);
}
std::unique_ptr<LogSink> log_to_syslog(const std::string& socket) {
    return std::make_unique<SyslogSink>(socket);
}

std::unique_ptr<LogSink> sink_for(const LogSettings& settings) {
    switch (settings.to) {
        case LogPlace::file:
            return log_to_file(settings.file);
        case LogPlace::syslog:
            return log_to_syslog("/dev/log");
        case LogPlace::standard_error:
            break;
    }
    return log_to_descriptor(STDERR_FILENO);
}

}  // namespace fulcrum
