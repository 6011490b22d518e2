// Lines to standard error, in the journal's form or with the time of day.
#include "controlplane/log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <ctime>

namespace fulcrum {
namespace {

constexpr double lines_per_second = 50;
constexpr double lines_burst = 500;  // a service with hundreds of reals may go down at once

constexpr std::array<std::string_view, log_area_count> area_names{"director", "config", "health",
                                                                  "control",  "kernel", "metrics"};

// The only place that asks for the wall clock: people read it.
std::string time_of_day() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    std::tm parts{};
    gmtime_r(&now.tv_sec, &parts);
    std::array<char, 32> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%FT%TZ", &parts);
    return {text.data(), length};
}

std::string_view word_of(Severity severity) {
    switch (severity) {
        case Severity::error:
            return "error";
        case Severity::warning:
            return "warning";
        case Severity::notice:
            return "notice";
        case Severity::debug:
            return "debug";
    }
    return "";
}

// One line stays one line, whatever a server's answer or a file's name put into the sentence.
std::string printable(std::string_view sentence) {
    std::string clean{sentence};
    for (char& letter : clean) {
        const auto code = static_cast<unsigned char>(letter);
        if (code < 0x20 || code == 0x7F) {
            letter = ' ';
        }
    }
    return clean;
}

}  // namespace

Log::Log(int descriptor, Severity least)
    : descriptor_{descriptor},
      least_{least},
      is_journal_{std::getenv("JOURNAL_STREAM") != nullptr} {
    for (Allowance& allowance : allowances_) {
        allowance.lines = lines_burst;
    }
}

void Log::write(Severity severity, LogArea area, std::string_view sentence) {
    if (severity > least_) {
        return;
    }
    const std::lock_guard lock{mutex_};
    Allowance& allowance = allowances_[static_cast<std::size_t>(area)];
    if (!may_write(allowance, std::chrono::steady_clock::now())) {
        ++allowance.suppressed_count;
        ++dropped_count_;
        return;
    }
    if (allowance.suppressed_count != 0) {
        put(Severity::warning, area,
            std::to_string(allowance.suppressed_count) + " lines were left out here");
        allowance.suppressed_count = 0;
    }
    put(severity, area, sentence);
}

std::uint64_t Log::dropped_count() const {
    const std::lock_guard lock{mutex_};
    return dropped_count_;
}

bool Log::may_write(Allowance& allowance, Instant now) {
    if (allowance.filled_at != Instant{}) {
        const std::chrono::duration<double> passed = now - allowance.filled_at;
        allowance.lines =
            std::min(lines_burst, allowance.lines + passed.count() * lines_per_second);
    }
    allowance.filled_at = now;
    if (allowance.lines < 1) {
        return false;
    }
    allowance.lines -= 1;
    return true;
}

void Log::put(Severity severity, LogArea area, std::string_view sentence) {
    std::string line;
    if (is_journal_) {
        line.append("<").append(std::to_string(static_cast<unsigned>(severity))).append(">");
    } else {
        line.append(time_of_day()).append(" ").append(word_of(severity)).append(" ");
    }
    line.append(area_names[static_cast<std::size_t>(area)])
        .append(": ")
        .append(printable(sentence));
    line.resize(std::min<std::size_t>(line.size(), PIPE_BUF - 1));
    line += '\n';
    // A pipe that polls as writable takes PIPE_BUF octets without waiting.
    pollfd ready{descriptor_, POLLOUT, 0};
    if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0 ||
        ::write(descriptor_, line.data(), line.size()) < 0) {
        ++dropped_count_;
    }
}

}  // namespace fulcrum
