// Looking, and looking again.
#include "controlplane/file_watch.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace fulcrum {
namespace {

std::int64_t in_ns(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

void FileWatch::follow(std::vector<std::string> files, FileTime read_at, Duration interval) {
    next_.cancel();
    files_ = std::move(files);
    read_at_ = read_at;
    stamps_.clear();
    interval_ = interval;
    ++order_;
    if (interval_ > Duration{0}) {
        look();
    }
}

std::vector<FileWatch::Stamp> FileWatch::stamps_of(const std::vector<std::string>& files) {
    std::vector<Stamp> stamps;
    for (const std::string& file : files) {
        struct stat found {};
        Stamp stamp;
        if (stat(file.c_str(), &found) == 0) {
            stamp = {found.st_dev, found.st_ino, found.st_size, in_ns(found.st_mtim),
                     in_ns(found.st_ctim)};
        }
        stamps.push_back(stamp);
    }
    return stamps;
}

void FileWatch::look() {
    helper_.run([files = files_] { return stamps_of(files); },
                [this, order = order_](std::vector<Stamp> seen) {
                    if (order != order_) {
                        return;
                    }
                    const std::int64_t read_ns =
                        std::chrono::nanoseconds{read_at_.time_since_epoch()}.count();
                    const bool is_first = stamps_.empty();
                    const bool has_changed =
                        is_first ? std::ranges::any_of(seen,
                                                       [read_ns](const Stamp& stamp) {
                                                           return stamp.changed_ns > read_ns;
                                                       })
                                 : stamps_ != seen;
                    stamps_ = std::move(seen);
                    next_.after(interval_, [this] { look(); });
                    if (has_changed) {
                        on_change_();
                    }
                });
}

}  // namespace fulcrum
