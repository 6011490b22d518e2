// Lines, in the journal's form, in syslog's, or with the time of day; and who may write how many.
#include "controlplane/log.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

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

// RFC 8259, 7; what is no UTF-8 is somebody's answer, and told octet by octet.
std::string as_json(std::string_view text) {
    std::string result = "\"";
    for (const char letter : text) {
        const auto code = static_cast<unsigned char>(letter);
        if (letter == '"' || letter == '\\') {
            result += '\\';
            result += letter;
        } else if (code < 0x20 || code >= 0x7F) {
            std::array<char, 8> escaped{};
            std::snprintf(escaped.data(), escaped.size(), "\\u%04x", code);
            result += escaped.data();
        } else {
            result += letter;
        }
    }
    return result + "\"";
}

Severity severity_of(LogLevel level) {
    switch (level) {
        case LogLevel::error:
            return Severity::error;
        case LogLevel::warning:
            return Severity::warning;
        case LogLevel::notice:
            return Severity::notice;
        case LogLevel::debug:
            break;
    }
    return Severity::debug;
}

}  // namespace

Log::Log(int descriptor, Severity least)
    : least_{least},
      is_journal_{std::getenv("JOURNAL_STREAM") != nullptr},
      sink_{log_to_descriptor(descriptor)} {
    for (Allowance& allowance : allowances_) {
        allowance.lines = lines_burst;
    }
}

Log::Log(const LogSettings& settings, std::string node)
    : settings_{settings},
      node_{std::move(node)},
      least_{severity_of(settings.level)},
      is_journal_{settings.to == LogPlace::standard_error &&
                  std::getenv("JOURNAL_STREAM") != nullptr},
      sink_{sink_for(settings)} {
    for (Allowance& allowance : allowances_) {
        allowance.lines = lines_burst;
    }
}

void Log::write(Severity severity, LogArea area, std::string_view sentence,
                std::initializer_list<LogField> fields) {
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
            std::to_string(allowance.suppressed_count) + " lines were left out here", {});
        allowance.suppressed_count = 0;
    }
    put(severity, area, sentence, {fields.begin(), fields.size()});
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

// What stands before the line for whoever carries it.
std::string Log::head_of(Severity severity) const {
    const auto level = static_cast<unsigned>(severity);
    if (is_journal_) {
        return "<" + std::to_string(level) + ">";
    }
    if (settings_.to != LogPlace::syslog) {
        return "";
    }
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    localtime_r(&now, &parts);
    std::array<char, 32> time{};
    std::strftime(time.data(), time.size(), "%b %e %T", &parts);
    return "<" + std::to_string(settings_.facility * 8U + level) + ">" + time.data() +
           " fulcrumd[" + std::to_string(getpid()) + "]: ";
}

void Log::put(Severity severity, LogArea area, std::string_view sentence,
              std::span<const LogField> fields) {
    const std::string_view area_name = area_names[static_cast<std::size_t>(area)];
    std::string line = head_of(severity);
    if (settings_.form == LogForm::json) {
        line += "{";
        const auto add = [&line](std::string_view name, std::string_view value) {
            line.append(line.back() == '{' ? "\"" : ", \"").append(name).append("\": ");
            line.append(as_json(value));
        };
        add("time", time_of_day());
        add("node", node_);
        add("level", word_of(severity));
        add("area", area_name);
        for (const LogField& field : fields) {
            add(field.name, field.value);
        }
        add("sentence", sentence);
        line += "}";
    } else {
        if (line.empty()) {
            line.append(time_of_day()).append(" ");
            line.append(node_).append(node_.empty() ? "" : " ");
            line.append(word_of(severity)).append(" ");
        } else if (!is_journal_) {
            line.append(node_).append(node_.empty() ? "" : " ");
        }
        line.append(area_name).append(": ").append(printable(sentence));
    }
    dropped_count_ += sink_->put(line) ? 0 : 1;
}

}  // namespace fulcrum
