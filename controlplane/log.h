// What the operator reads afterwards: one line an event, with a place and a sentence, as text or as
// an object of JSON: to standard error (under the service manager in the journal's form), to a
// file, or to the machine's syslog. A writer never waits: when the reader is slow, or one area
// talks too much, lines are dropped, counted, and the count is said later. Any thread of the
// control plane; workers never log.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "config/model/telling.h"
#include "config/model/time.h"
#include "controlplane/log_sink.h"

namespace fulcrum {

// The numbers are those of syslog (RFC 5424, 6.2.1).
enum class Severity : std::uint8_t { error = 3, warning = 4, notice = 5, debug = 7 };

// Rooms that speak; each has its own allowance, so that one cannot drown another.
enum class LogArea : std::uint8_t { director, config, health, control, kernel, metrics };
inline constexpr std::size_t log_area_count = 6;

// A part of the sentence by its name, for programs that read the log.
struct LogField {
    std::string_view name;
    std::string_view value;
};

class Log {
  public:
    // `descriptor` is usually standard error. Lines below `least` in importance are not written.
    explicit Log(int descriptor = 2, Severity least = Severity::notice);
    // As the configuration says; `node` is the director's name. What cannot be opened is retried
    // with every line, which is dropped.
    Log(const LogSettings& settings, std::string node);
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    void error(LogArea area, std::string_view sentence) { write(Severity::error, area, sentence); }
    void warning(LogArea area, std::string_view sentence) {
        write(Severity::warning, area, sentence);
    }
    void notice(LogArea area, std::string_view sentence) {
        write(Severity::notice, area, sentence);
    }
    // From now on: what is less important than `least` is not written.
    void set_least(Severity least) { least_.store(least, std::memory_order_relaxed); }
    void write(Severity severity, LogArea area, std::string_view sentence,
               std::initializer_list<LogField> fields = {});

    std::uint64_t dropped_count() const;

  private:
    struct Allowance {
        double lines = 0;
        Instant filled_at{};
        std::uint64_t suppressed_count = 0;
    };

    bool may_write(Allowance& allowance, Instant now);
    void put(Severity severity, LogArea area, std::string_view sentence,
             std::span<const LogField> fields);
    std::string head_of(Severity severity) const;

    const LogSettings settings_;
    const std::string node_;  // empty: nobody asked
    std::atomic<Severity> least_;
    const bool is_journal_;
    const std::unique_ptr<LogSink> sink_;
    mutable std::mutex mutex_;
    std::array<Allowance, log_area_count> allowances_;  // under mutex_
    std::uint64_t dropped_count_ = 0;                   // under mutex_
};

}  // namespace fulcrum
