// How a real is asked whether it serves, as the operator wrote it; and what each kind of check is
// made of, as one table, so that reading, refusing, explaining and probing agree on it. Pure.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fulcrum {

enum class CheckType : std::uint8_t {
    none,     // always up
    off,      // always down
    connect,  // the TCP connection is accepted
    tcp,      // what is sent over TCP is answered as expected
    tls,      // the same within TLS
    udp,      // the same by a datagram
    http,     // a request is answered with a status wanted, and the body is as expected
    https,
    ping,  // an ICMP echo is answered
    dns,   // a query is answered without an error
    smtp,  // greeting and HELP or NOOP, after a login if one is given
    smtps,
    ftp,  // login; the file is as expected
    ftps,
    imap,  // greeting and capabilities, after a login if one is given
    imaps,
    pop3,  // greeting and capabilities, after a login if one is given
    pop3s,
    ldap,  // bind, and a search of the base
    ldaps,
    nntp,     // the greeting says that reading is allowed
    mysql,    // greeting; with a login, a query too
    pgsql,    // the server answers the start of a session; with a login, a query too
    redis,    // PING is answered
    sip,      // OPTIONS is answered with 200
    radius,   // the login is accepted
    program,  // a program of the operator's ends with 0
};
inline constexpr std::size_t check_type_count = 27;

// What an answer may ride on.
enum class CheckCarrier : std::uint8_t { nothing, tcp, udp, icmp, program };

// The keys that have a meaning to some types and not to others, a bit each.
enum class CheckKey : std::uint32_t {
    path = 1U << 0U,
    host = 1U << 1U,
    method = 1U << 2U,
    headers = 1U << 3U,
    status = 1U << 4U,
    http2 = 1U << 5U,
    send = 1U << 6U,
    expect = 1U << 7U,
    match = 1U << 8U,
    tls = 1U << 9U,  // verify, ca_file
    login = 1U << 10U,
    database = 1U << 11U,
    secret = 1U << 12U,
    query = 1U << 13U,
    record = 1U << 14U,
    command = 1U << 15U,  // exit_weight
    port = 1U << 16U,
    when = 1U << 17U,  // interval, timeout, rise, fall, initial, passive
    starttls = 1U << 18U,
};

struct CheckFacts {
    std::string_view word;  // in the file
    CheckCarrier carrier = CheckCarrier::nothing;
    std::uint32_t keys = 0;

    constexpr bool knows(CheckKey key) const {
        return (keys & static_cast<std::uint32_t>(key)) != 0;
    }
};
const CheckFacts& facts_of(CheckType type);
std::string_view to_string(CheckType type);
// Whether there is anything to ask: not of `none` and `off`.
inline bool is_asked(CheckType type) { return facts_of(type).carrier != CheckCarrier::nothing; }

struct StatusRange {
    std::uint16_t first = 200;  // inclusive, both
    std::uint16_t last = 299;

    friend auto operator<=>(const StatusRange&, const StatusRange&) = default;
};
std::string to_string(const std::vector<StatusRange>& ranges);  // "200-299, 401"

// What a real is taken for until its first check has ended.
enum class InitialHealth : std::uint8_t {
    inherit,  // what it was when the director last ran; else not known, so it gets no sessions
    up,
    down,
};

// Each member belongs to those types whose facts know its key.
struct Check {
    CheckType type = CheckType::connect;
    std::string path = "/";
    std::string host;  // http: Host header, the real's address when empty; TLS: the name asked for
    std::string method = "GET";
    std::vector<std::string> headers;  // "Name: value"
    std::vector<StatusRange> status{StatusRange{}};
    bool http2 = false;
    std::string send;       // any octets
    std::string expect;     // the answer holds it; empty: any answer
    std::string match;      // a regular expression of RE2's that fits somewhere; empty: any
    bool starttls = false;  // TLS begins within the conversation
    bool verify = false;    // TLS: the certificate
    std::string ca_file;    // TLS: of the authorities; empty: the system's
    std::string login;
    std::string password;
    std::string database;
    std::string secret;
    std::string query;
    std::string record = "A";
    std::vector<std::string> command;  // the program and its arguments
    bool exit_weight = false;          // exit 2 to 255: up, with a weight of 2 less
    std::uint16_t port = 0;            // 0: the real's port
    std::chrono::milliseconds interval{5'000};
    std::chrono::milliseconds timeout{3'000};
    std::uint32_t rise = 1;  // successes in a row that bring a real up
    std::uint32_t fall = 1;  // failures in a row that take it down
    InitialHealth initial = InitialHealth::inherit;
    bool passive = true;  // connections that fail at the real make it due at once

    friend auto operator<=>(const Check&, const Check&) = default;
};

}  // namespace fulcrum
