// Tells when one of some files has become another: by what the file system says of them, read on
// the helper at every interval, so that a file on a slow disk holds nobody up. A file that appears,
// disappears, or is replaced by another of its name has changed too. The control thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/event_loop.h"
#include "controlplane/helper_thread.h"

namespace fulcrum {

class FileWatch {
  public:
    using OnChange = std::function<void()>;

    FileWatch(EventLoop& loop, HelperThread& helper, OnChange on_change)
        : helper_{helper}, on_change_{std::move(on_change)}, next_{loop} {}

    // From now on these, which were read after `read_at`: what has become another since is told at
    // the first look. An interval of 0: none.
    using FileTime = std::chrono::system_clock::time_point;
    void follow(std::vector<std::string> files, FileTime read_at, Duration interval);

  private:
    // What stat(2) tells of a file; all zero: it is not there.
    struct Stamp {
        std::uint64_t device = 0;
        std::uint64_t inode = 0;
        std::int64_t size = 0;
        std::int64_t modified_ns = 0;
        std::int64_t changed_ns = 0;

        friend bool operator==(const Stamp&, const Stamp&) = default;
    };
    static std::vector<Stamp> stamps_of(const std::vector<std::string>& files);
    void look();

    HelperThread& helper_;
    OnChange on_change_;
    std::vector<std::string> files_;
    FileTime read_at_;
    Duration interval_{0};
    std::vector<Stamp> stamps_;  // by file; empty: nobody has looked yet
    std::uint64_t order_ = 0;    // of follow(), so that an old look is told from a new one
    Timer next_;
};

}  // namespace fulcrum
