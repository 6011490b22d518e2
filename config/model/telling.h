// How the director tells of what happens: in its log, by mail, and by calling a program. Plain
// values. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fulcrum {

enum class LogPlace : std::uint8_t {
    standard_error,  // under the service manager in the journal's form
    file,            // made anew when somebody has moved it away
    syslog,          // the machine's own, by /dev/log
};
enum class LogLevel : std::uint8_t { error, warning, notice, debug };
enum class LogForm : std::uint8_t {
    text,
    json,  // an object a line, with the parts of the sentence as members
};

struct LogSettings {
    LogPlace to = LogPlace::standard_error;
    std::string file;
    LogLevel level = LogLevel::notice;  // and what is graver
    LogForm form = LogForm::text;
    std::uint8_t facility = 3;  // syslog's number (RFC 5424, 6.2.1): daemon

    friend bool operator==(const LogSettings&, const LogSettings&) = default;
};

// In which of the director's phases changes of reals are worth a mail.
struct MailPhases {
    bool starting = true;   // a real's first verdict
    bool running = true;    // every later one
    bool reloading = true;  // the first verdict of what a reload brought

    friend bool operator==(const MailPhases&, const MailPhases&) = default;
};

struct MailSettings {
    std::string server;  // of SMTP: "mail.example.net", "192.0.2.25:25"
    std::string from;
    std::vector<std::string> to;
    MailPhases when;
    std::uint32_t repeat_s = 0;  // a real that stays down is told of so often; 0: once
    std::uint32_t gather_s = 5;  // what happens within so long is one mail

    friend bool operator==(const MailSettings&, const MailSettings&) = default;
};

// A program that is called for each change of a real.
struct HookSettings {
    std::string program;
    std::uint32_t timeout_s = 10;  // then it is killed, with all that it started

    friend bool operator==(const HookSettings&, const HookSettings&) = default;
};

}  // namespace fulcrum
