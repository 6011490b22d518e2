// Where the log's lines go. A sink never waits: it takes a line at once, or not. Under the log's
// mutex.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/model/telling.h"

namespace fulcrum {

class LogSink {
  public:
    LogSink() = default;
    virtual ~LogSink() = default;
    LogSink(const LogSink&) = delete;
    LogSink& operator=(const LogSink&) = delete;

    // `line` has no end yet. False: it is dropped.
    virtual bool put(std::string_view line) = 0;
};

// A descriptor that somebody else owns.
std::unique_ptr<LogSink> log_to_descriptor(int descriptor);
// Appends; when the file has been moved or removed, it is made anew.
std::unique_ptr<LogSink> log_to_file(const std::string& path);
// Datagrams to a syslog's socket, "/dev/log" on a machine that has one.
std::unique_ptr<LogSink> log_to_syslog(const std::string& socket);

std::unique_ptr<LogSink> sink_for(const LogSettings& settings);

}  // namespace fulcrum
