// The rows. Words stand in the order of the enumerators that they mean; facilities in that of their
// numbers.
#include "config/telling_schema.h"

#include <array>
#include <string>

#include "config/telling_rules.h"

namespace fulcrum {
namespace {

using std::string_view;
using Target = SchemaTarget;
using enum Presence;

constexpr std::array<string_view, 3> place_words{"stderr", "file", "syslog"};
constexpr std::array<string_view, 4> level_words{"error", "warning", "notice", "debug"};
constexpr std::array<string_view, 2> form_words{"text", "json"};
constexpr std::array<string_view, 24> facility_words{
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};
constexpr std::array<string_view, 3> phase_words{"starting", "running", "reloading"};

constexpr ValueType group{ValueKind::group};
constexpr ValueType file_path{ValueKind::file_path};
constexpr ValueType mail_address = text(3, 254);

template <typename T>
T number_as(const Value& value) {
    return static_cast<T>(value.number);  // the type's range has been checked
}
std::string string_of(const Value& value) { return std::string{value.text}; }
std::uint32_t seconds_of(const Value& value) {
    return static_cast<std::uint32_t>(value.number / 1'000);
}

// The first of them takes the place of all.
void add_phase(MailPhases& when, std::int64_t word) {
    if (when == MailPhases{}) {
        when = {false, false, false};
    }
    (word == 0 ? when.starting : word == 1 ? when.running : when.reloading) = true;
}

// clang-format off
constexpr SchemaKey keys[] = {
    {"services[].mail_to", array_of(mail_address, 0, mail_recipients_max), optional_in_words, "`mail.to`",
     "who gets mail about the service's reals",
     [](Target& t, const Value& v) { t.service->mail_to.push_back(string_of(v)); }},

    {"metrics", group, optional_in_words, "none", "metrics for Prometheus",
     [](Target&, const Value&) {}},
    {"metrics.listen", {ValueKind::endpoint}, optional_in_words, "not served",
     "where `/metrics` is served, by the kernel's network stack",
     [](Target& t, const Value& v) { t.config.metrics.listen = Endpoint{v.prefix.address, v.port}; }},
    {"metrics.logins", {ValueKind::file_path}, optional_in_words, "anybody may ask",
     "a file of lines `NAME:PASSWORD`, of which HTTP's basic authentication wants one; nobody but its owner "
     "may read it",
     [](Target& t, const Value& v) { t.config.metrics.logins = string_of(v); }},
    {"metrics.certificate", {ValueKind::file_path}, optional_in_words, "no TLS",
     "the certificate, in PEM, under which `/metrics` is served within TLS; read at start",
     [](Target& t, const Value& v) { t.config.metrics.certificate = string_of(v); }},
    {"metrics.key", {ValueKind::file_path}, optional_in_words, "none",
     "the certificate's private key, in PEM; nobody but its owner may read it",
     [](Target& t, const Value& v) { t.config.metrics.key = string_of(v); }},

    {"log", group, optional_in_words, "as below", "what the operator reads afterwards",
     [](Target&, const Value&) {}},
    {"log.to", one_of(place_words), optional, "\"stderr\"",
     "`stderr`: standard error, under systemd in the journal's form; `file`: see `log.file`; `syslog`: "
     "the machine's, by `/dev/log`",
     [](Target& t, const Value& v) { t.config.log.to = number_as<LogPlace>(v); }},
    {"log.file", file_path, optional_in_words, "none",
     "with `to = \"file\"`: the file, which is made anew when somebody has moved it away",
     [](Target& t, const Value& v) { t.config.log.file = string_of(v); }},
    {"log.level", one_of(level_words), optional, "\"notice\"", "what is written: that, and what is graver",
     [](Target& t, const Value& v) { t.config.log.level = number_as<LogLevel>(v); }},
    {"log.form", one_of(form_words), optional, "\"text\"",
     "`json`: an object a line, with time, node, level, area, sentence and, for a real, service, real, "
     "state and reason",
     [](Target& t, const Value& v) { t.config.log.form = number_as<LogForm>(v); }},
    {"log.facility", one_of(facility_words), optional, "\"daemon\"", "with `to = \"syslog\"`",
     [](Target& t, const Value& v) { t.config.log.facility = number_as<std::uint8_t>(v); }},

    {"mail", group, optional_in_words, "none", "mail when a real goes down, comes up or is drained",
     [](Target& t, const Value&) { t.config.mail.emplace(); }},
    {"mail.server", {ValueKind::http_host}, required, "",
     "the SMTP server that takes it, without a login; port 25 unless it says another",
     [](Target& t, const Value& v) { t.config.mail->server = string_of(v); }},
    {"mail.from", mail_address, required, "", "its sender",
     [](Target& t, const Value& v) { t.config.mail->from = string_of(v); }},
    {"mail.to", array_of(mail_address, 1, mail_recipients_max), required, "", "who gets it",
     [](Target& t, const Value& v) { t.config.mail->to.push_back(string_of(v)); }},
    {"mail.when", array_of(one_of(phase_words), 1, 3), optional_in_words, "all of them",
     "`starting`: first verdicts after a start; `running`: every change; `reloading`: first verdicts of what "
     "a reload brought",
     [](Target& t, const Value& v) { add_phase(t.config.mail->when, v.number); }},
    {"mail.repeat", whole_seconds(0, limits::timeout_max_s), optional, "\"0s\"",
     "a real that stays down is told of again so often; 0: never",
     [](Target& t, const Value& v) { t.config.mail->repeat_s = seconds_of(v); }},
    {"mail.gather", whole_seconds(0, 3'600), optional, "\"5s\"", "what happens within so long is one mail",
     [](Target& t, const Value& v) { t.config.mail->gather_s = seconds_of(v); }},

    {"hook", group, optional_in_words, "none", "a program that is called for each change of a real",
     [](Target& t, const Value&) { t.config.hook.emplace(); }},
    {"hook.program", file_path, required, "", "it is called itself, without a shell, one call after the other",
     [](Target& t, const Value& v) { t.config.hook->program = string_of(v); }},
    {"hook.timeout", whole_seconds(1, 3'600), optional, "\"10s\"",
     "then it is killed, with all that it started",
     [](Target& t, const Value& v) { t.config.hook->timeout_s = seconds_of(v); }},
};
// clang-format on

}  // namespace

std::span<const SchemaKey> telling_keys() { return keys; }

}  // namespace fulcrum
