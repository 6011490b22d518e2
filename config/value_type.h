// What one key of the file may hold, and reading it: numbers with a range, words of a list, texts
// that mean an address, a duration, a device. The same description serves the refusal ("70000 is
// not an integer from 1 to 65535") and the reference page, so the two cannot differ. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/model/result.h"
#include "config/model/service.h"
#include "config/node.h"

namespace fulcrum {

enum class ValueKind : std::uint8_t {
    group,
    list,  // of groups
    integer,
    text,    // printable
    octets,  // any but NUL
    name,    // what stands on command lines and in metrics: letters, digits, ".", "_", "-"
    word,    // one of a list
    boolean,
    duration,       // "500ms", "5s", "10m", "8h", "31d"; kept in milliseconds
    whole_seconds,  // a duration without a fraction of a second; kept in milliseconds
    real_address,   // a host's, or one of loopback
    host_address,   // a host's: not unspecified, loopback, multicast, broadcast nor link-local
    prefix_length,  // 24, or as a netmask: "255.255.255.0"
    host_prefix,    // such an address, or a link-local one, and the length of its network
    client_prefix,  // addresses alike in their leading bits: "198.51.100.0/24", or one alone
    vip,            // such an address, or a block of them: "192.0.2.0/28"
    port_range,     // an integer, "8000-8099" or "any"
    endpoint,       // address and port, of this machine
    device,         // how a NIC port is reached
    octets_hex,     // pairs of hexadecimal digits
    expression,     // a regular one, of RE2's
    http_path,
    http_method,
    http_header,  // "Name: value"
    http_host,
    http_statuses,  // "200", "200-299" or "200-299, 401"
    file_path,      // absolute, and short enough for a socket
};

// One constexpr value a key; see the functions below for how to make one.
struct ValueType {
    ValueKind kind = ValueKind::group;
    // integer: value; prefix: bits; text, name: characters; duration: milliseconds
    std::int64_t least = 0;
    std::int64_t most = 0;
    std::span<const std::string_view> words{};
    bool is_array = false;         // an array of such values
    std::int64_t count_least = 0;  // arrays and lists: elements
    std::int64_t count_most = 0;
};

constexpr ValueType integer(std::int64_t least, std::int64_t most) {
    return {ValueKind::integer, least, most};
}
constexpr ValueType prefix_length(std::int64_t least, std::int64_t most) {
    return {ValueKind::prefix_length, least, most};
}
constexpr ValueType text(std::int64_t least, std::int64_t most) {
    return {ValueKind::text, least, most};
}
constexpr ValueType octets(std::int64_t least, std::int64_t most) {
    return {ValueKind::octets, least, most};
}
constexpr ValueType octets_hex(std::int64_t least, std::int64_t most) {
    return {ValueKind::octets_hex, least, most};
}
constexpr ValueType expression(std::int64_t least, std::int64_t most) {
    return {ValueKind::expression, least, most};
}
constexpr ValueType one_of(std::span<const std::string_view> words) {
    return {ValueKind::word, 0, 0, words};
}
constexpr ValueType duration(std::int64_t least_ms, std::int64_t most_ms) {
    return {ValueKind::duration, least_ms, most_ms};
}
constexpr ValueType whole_seconds(std::int64_t least_s, std::int64_t most_s) {
    return {ValueKind::whole_seconds, least_s * 1'000, most_s * 1'000};
}
constexpr ValueType array_of(ValueType element, std::int64_t least, std::int64_t most) {
    element.is_array = true;
    element.count_least = least;
    element.count_most = most;
    return element;
}
constexpr ValueType list(std::int64_t least, std::int64_t most) {
    return {ValueKind::list, 0, 0, {}, false, least, most};
}

// A value that was read; which members count is the kind's matter.
struct Value {
    // integer; prefix: bits; word: its index; duration: ms; port_range: first;
    // DeviceKind
    std::int64_t number = 0;
    std::int64_t number_most = 0;  // port_range: last
    std::string_view text;         // texts of all kinds; device: without its prefix
    IpPrefix prefix{};             // addresses
    be16 port{};                   // endpoint
    SourcePlace place;             // groups, and the elements of lists
};

// Of one value; of an element, if the type is an array.
Result<Value> read_value(const ValueType& type, const Node& node);

// A network without bits behind its length, or one address. Not of an address that hides another.
std::optional<IpPrefix> parse_client_prefix(std::string_view text);

// "an integer from 1 to 65535"; for a list or an array, of its elements ("1 to 16 of: ...").
std::string describe(const ValueType& type);

// The node's value as it may stand in a sentence: 70000, "web", a group.
std::string describe(const Node& node);

// The largest unit that divides it: "100ms", "5s", "8h".
std::string describe_duration(std::int64_t duration_ms);

}  // namespace fulcrum
