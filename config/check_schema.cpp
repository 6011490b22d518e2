// The rows, and the words for kinds of checks; what is made of the checks' results comes first.
#include "config/check_schema.h"

#include <array>
#include <chrono>
#include <deque>
#include <string>

#include "config/check_values.h"

namespace fulcrum {
namespace {

using std::string_view;
using Target = SchemaTarget;
using enum Presence;

constexpr std::array check_types{
    CheckType::none,   CheckType::off,    CheckType::connect, CheckType::tcp,   CheckType::tls,
    CheckType::udp,    CheckType::http,   CheckType::https,   CheckType::ping,  CheckType::dns,
    CheckType::smtp,   CheckType::smtps,  CheckType::ftp,     CheckType::ftps,  CheckType::imap,
    CheckType::imaps,  CheckType::pop3,   CheckType::pop3s,   CheckType::ldap,  CheckType::ldaps,
    CheckType::nntp,   CheckType::mysql,  CheckType::pgsql,   CheckType::redis, CheckType::sip,
    CheckType::radius, CheckType::program};
constexpr std::array<string_view, check_types.size()> check_words{
    "none", "off",   "connect", "tcp",   "tls",   "udp",   "http",  "https",  "ping",
    "dns",  "smtp",  "smtps",   "ftp",   "ftps",  "imap",  "imaps", "pop3",   "pop3s",
    "ldap", "ldaps", "nntp",    "mysql", "pgsql", "redis", "sip",   "radius", "program"};
constexpr std::array<string_view, 9> record_words{"A",   "AAAA", "CNAME", "MX", "NS",
                                                  "PTR", "SOA",  "SRV",   "TXT"};

constexpr std::array<string_view, 3> initial_words{"inherit", "up", "down"};

constexpr ValueType name{ValueKind::name, 1, limits::name_length_max};
constexpr ValueType l4_port = integer(1, 65'535);

std::string string_of(const Value& value) { return std::string{value.text}; }
std::chrono::milliseconds duration_of(const Value& value) {
    return std::chrono::milliseconds{value.number};
}
template <typename T>
T number_as(const Value& value) {
    return static_cast<T>(value.number);  // the type's range has been checked
}
Check& check_of(Target& target) { return *target.check; }

Check preset_of(const Target& target) {
    const bool is_tcp = target.preset.protocol == L4Protocol::tcp;
    return {.type = is_tcp ? CheckType::connect : CheckType::none};
}

// The first of a list takes the place of the one that nobody has said.
void begin_further_check(Target& t) {
    VirtualService& service = *t.service;
    t.check = t.has_said_check ? &service.further_checks.emplace_back() : &service.check;
    *t.check = preset_of(t);
    t.has_said_check = true;
}

// clang-format off
constexpr SchemaKey keys[] = {
    {"services[].enabled", {ValueKind::boolean}, optional, "true",
     "`false`: it answers as a service without reals and fallback; the sessions that it has go on",
     [](Target& t, const Value& v) { t.service->enabled = v.number != 0; }},
    {"services[].quorum", integer(1, 2'000'000'000), optional, "1",
     "the service is up while its sound reals weigh so much together; below it the fallback serves",
     [](Target& t, const Value& v) { t.service->quorum = number_as<std::uint32_t>(v); }},
    {"services[].hysteresis", integer(0, 1'000'000'000), optional, "0",
     "it comes up with so much more than `quorum`, and goes down with so much less",
     [](Target& t, const Value& v) { t.service->hysteresis = number_as<std::uint32_t>(v); }},
    {"services[].slow_start", whole_seconds(1, 3'600), optional_in_words, "at once",
     "a real that comes back from being down reaches its full share of new sessions after so long",
     [](Target& t, const Value& v) { t.service->slow_start_s = static_cast<std::uint32_t>(v.number / 1'000); }},
    {"services[].quiescent", {ValueKind::boolean}, optional, "true",
     "a real that is down stands in listings, with weight 0; `false`: it is not there until it is up again",
     [](Target& t, const Value& v) { t.service->quiescent = v.number != 0; }},
    {"services[].check", {ValueKind::group}, optional_in_words, "as below", "how the reals are checked",
     [](Target& t, const Value&) {
         t.check = &t.service->check;
         t.has_said_check = true;
     }},
    {"services[].check.type", one_of(check_words), optional_in_words,
     "`\"connect\"`, for UDP and SCTP `\"none\"`", "the kind of check, see below",
     [](Target& t, const Value& v) { check_of(t).type = check_types[static_cast<std::size_t>(v.number)]; }},
    {"services[].check.path", {ValueKind::http_path}, optional, "\"/\"",
     "what http asks for; of ftp, a file that must be there: `/` is none",
     [](Target& t, const Value& v) { check_of(t).path = string_of(v); }},
    {"services[].check.host", {ValueKind::http_host}, optional_in_words, "the real's address",
     "http's Host header; within TLS, the name that the server is asked for",
     [](Target& t, const Value& v) { check_of(t).host = string_of(v); }},
    {"services[].check.method", {ValueKind::http_method}, optional, "\"GET\"", "of http",
     [](Target& t, const Value& v) { check_of(t).method = string_of(v); }},
    {"services[].check.headers", array_of({ValueKind::http_header}, 0, 32), optional, "[]",
     "of http, further ones",
     [](Target& t, const Value& v) { check_of(t).headers.push_back(string_of(v)); }},
    {"services[].check.http2", {ValueKind::boolean}, optional, "false",
     "of http: version 2, without TLS from the first octet on; else 1.1",
     [](Target& t, const Value& v) { check_of(t).http2 = v.number != 0; }},
    {"services[].check.send", octets(1, 4'096), optional_in_words, "nothing",
     "what is said to the server first",
     [](Target& t, const Value& v) { check_of(t).send = string_of(v); }},
    {"services[].check.send_hex", octets_hex(2, 8'192), optional_in_words, "nothing",
     "the same in place of `send`, for octets that cannot be written there",
     [](Target& t, const Value& v) { check_of(t).send = octets_of_hex(v.text); }},
    {"services[].check.expect", octets(1, 1'024), optional_in_words, "any answer",
     "text that the answer must hold; of http, its body",
     [](Target& t, const Value& v) { check_of(t).expect = string_of(v); }},
    {"services[].check.match", expression(1, 1'024), optional_in_words, "any answer",
     "a regular expression that must fit somewhere in the answer; of http, in its body",
     [](Target& t, const Value& v) { check_of(t).match = string_of(v); }},
    {"services[].check.status", {ValueKind::http_statuses}, optional, "\"200-299\"",
     "what http accepts",
     [](Target& t, const Value& v) { check_of(t).status = parse_statuses(v.text).value(); }},
    {"services[].check.starttls", {ValueKind::boolean}, optional, "false",
     "of smtp, imap, pop3, ldap and ftp: TLS begins within the conversation, before any login; a server that has none "
     "fails",
     [](Target& t, const Value& v) { check_of(t).starttls = v.number != 0; }},
    {"services[].check.verify", {ValueKind::boolean}, optional, "false",
     "within TLS: the certificate must be `host`'s (the real's address without one) and its issuer "
     "be trusted; else any will do",
     [](Target& t, const Value& v) { check_of(t).verify = v.number != 0; }},
    {"services[].check.ca_file", text(1, 1'024), optional_in_words, "the system's",
     "with `verify`: a file of the issuers that are trusted, in PEM; read once",
     [](Target& t, const Value& v) { check_of(t).ca_file = string_of(v); }},
    {"services[].check.login", text(1, 255), optional_in_words, "nobody's; of ftp, anonymous",
     "who logs in; of ldap, the DN that binds; of sip, the user who is asked for",
     [](Target& t, const Value& v) { check_of(t).login = string_of(v); }},
    {"services[].check.password", text(1, 255), optional_in_words, "none", "with `login`; of redis, also alone",
     [](Target& t, const Value& v) { check_of(t).password = string_of(v); }},
    {"services[].check.database", name, optional_in_words, "none", "of mysql and pgsql: which one",
     [](Target& t, const Value& v) { check_of(t).database = string_of(v); }},
    {"services[].check.secret", text(1, 128), optional_in_words, "none", "of radius: shared with the server",
     [](Target& t, const Value& v) { check_of(t).secret = string_of(v); }},
    {"services[].check.query", text(1, 1'024), optional_in_words, "none; of ldap, the root",
     "of dns, the name that is asked for, with `record` \"PTR\" an address too; of ldap, the DN of the entry "
     "that must be there; of mysql and pgsql, with a login, a query that must find a row",
     [](Target& t, const Value& v) { check_of(t).query = string_of(v); }},
    {"services[].check.record", one_of(record_words), optional, "\"A\"", "of dns, the kind of record",
     [](Target& t, const Value& v) { check_of(t).record = record_words[static_cast<std::size_t>(v.number)]; }},
    {"services[].check.command", array_of(text(1, 1'024), 1, 64), optional_in_words, "none",
     "of program: the program, by its absolute path, and its arguments, in which `%h` and `%p` stand for "
     "the real's address and port, `%H` and `%P` for the VIP's, `%%` for `%`",
     [](Target& t, const Value& v) { check_of(t).command.push_back(string_of(v)); }},
    {"services[].check.exit_weight", {ValueKind::boolean}, optional, "false",
     "of program: an exit of 2 to 255 means sound too, and a weight of 2 less than that",
     [](Target& t, const Value& v) { check_of(t).exit_weight = v.number != 0; }},
    {"services[].check.port", l4_port, optional_in_words, "the real's port",
     "the port to check; needed where the service has none of the check's protocol",
     [](Target& t, const Value& v) { check_of(t).port = number_as<std::uint16_t>(v); }},
    {"services[].check.interval", duration(100, 3'600'000), optional, "\"5s\"",
     "between the beginnings of two checks of a real",
     [](Target& t, const Value& v) { check_of(t).interval = duration_of(v); }},
    {"services[].check.timeout", duration(10, 3'600'000), optional, "\"3s\"",
     "after which a check has failed; at most `interval`",
     [](Target& t, const Value& v) { check_of(t).timeout = duration_of(v); }},
    {"services[].check.rise", integer(1, 1'000), optional, "1",
     "successes in a row that bring a real up",
     [](Target& t, const Value& v) { check_of(t).rise = number_as<std::uint32_t>(v); }},
    {"services[].check.fall", integer(1, 1'000), optional, "1",
     "failures in a row that take it down",
     [](Target& t, const Value& v) { check_of(t).fall = number_as<std::uint32_t>(v); }},
    {"services[].check.initial", one_of(initial_words), optional, "\"inherit\"",
     "what a real is until its first check has ended: `inherit`: what it was when the director last ran, "
     "at most ten minutes ago, else not known, so it gets no sessions yet; `up`; `down`",
     [](Target& t, const Value& v) { check_of(t).initial = number_as<InitialHealth>(v); }},
    {"services[].check.passive", {ValueKind::boolean}, optional, "true",
     "of reals by NAT and full NAT: clients' connections that the real refuses or leaves unanswered make the check due "
     "at once, see below",
     [](Target& t, const Value& v) { check_of(t).passive = v.number != 0; }},
};
constexpr SchemaKey places[] = {
    {"services[].checks", list(1, 16), optional_in_words, "`check` alone",
     "checks that a real has to pass all, besides `check` if that is said too; the keys of each are those of "
     "`check`",
     [](Target& t, const Value&) { begin_further_check(t); }},
    {"services[].reals[].check", {ValueKind::group}, optional_in_words, "the service's",
     "how this real is checked, in place of the service's checks; the keys are those of `services[].check`",
     [](Target& t, const Value&) {
         if (t.real->checks.empty()) {
             t.real->checks.push_back(preset_of(t));
         }
         t.check = &t.real->checks.front();
     }},
    {"services[].reals[].checks", list(1, 16), optional_in_words, "`check` alone",
     "checks of this real's own that it has to pass all",
     [](Target& t, const Value&) { t.check = &t.real->checks.emplace_back(preset_of(t)); }},
};
// clang-format on

}  // namespace

std::span<const SchemaKey> check_keys() { return keys; }

std::span<const SchemaKey> check_keys_elsewhere() {
    static constexpr string_view first_place = "services[].check.";
    static std::deque<std::string> paths;
    static const std::vector<SchemaKey> elsewhere = [] {
        std::vector<SchemaKey> all{std::begin(places), std::end(places)};
        for (const string_view prefix : {"services[].checks[].", "services[].reals[].check.",
                                         "services[].reals[].checks[]."}) {
            for (SchemaKey key : keys) {
                if (key.path.starts_with(first_place)) {
                    key.path = paths.emplace_back(prefix).append(key.name());
                    key.is_told_elsewhere = true;
                    all.push_back(key);
                }
            }
        }
        return all;
    }();
    return elsewhere;
}

}  // namespace fulcrum
