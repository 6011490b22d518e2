// One reader a kind; each returns nothing when the text is not such a value, and the sentence is
// made in one place from the type's description.
#include "config/value_type.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <limits>
#include <optional>

#include "config/check_values.h"
#include "config/expression.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

struct DurationUnit {
    std::string_view name;
    std::int64_t ms;
};
// From the largest, as describe_duration wants them.
constexpr std::array duration_units{DurationUnit{"d", 86'400'000}, DurationUnit{"h", 3'600'000},
                                    DurationUnit{"m", 60'000}, DurationUnit{"s", 1'000},
                                    DurationUnit{"ms", 1}};

std::optional<std::int64_t> eat_number(std::string_view& text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || text.front() == '-') {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

std::optional<std::int64_t> duration_ms_of(std::string_view text) {
    const auto number = eat_number(text);
    if (!number) {
        return std::nullopt;
    }
    for (const DurationUnit& unit : duration_units) {
        if (text == unit.name && *number <= std::numeric_limits<std::int64_t>::max() / unit.ms) {
            return *number * unit.ms;
        }
    }
    return std::nullopt;
}

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Alphanumeric at first, then also of `others`.
bool is_made_of(std::string_view text, std::string_view others) {
    const auto is_allowed = [others](char c) {
        return is_alphanumeric(c) || others.find(c) != std::string_view::npos;
    };
    return !text.empty() && is_alphanumeric(text.front()) &&
           std::all_of(text.begin(), text.end(), is_allowed);
}

// Visible ASCII: nothing that would end a line of HTTP or split a word.
bool is_visible(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

bool is_host(const IpAddress& address) {
    if (!address.is_v4()) {
        return !address.is_unspecified() && !address.is_loopback() && !address.is_multicast();
    }
    const Ipv4Address v4 = address.v4();
    const bool is_reserved = (v4.host() >> 28) == 0xF;  // 240.0.0.0/4 with the broadcast address
    const bool is_this_network = (v4.host() >> 24) == 0;
    return !is_this_network && !v4.is_loopback() && !v4.is_multicast() && !is_reserved;
}

// An IPv4 address in the dress of IPv6 ("::ffff:192.0.2.1") is no IPv6 host's.
bool is_disguised(std::string_view text, const IpAddress& address) {
    return address.is_v4() && text.find(':') != std::string_view::npos;
}

std::optional<Value> host_prefix_of(std::string_view text) {
    const auto prefix = parse_ip_prefix(text);
    if (!prefix || !is_host(prefix->address) || is_disguised(text, prefix->address) ||
        prefix->length == 0) {
        return std::nullopt;
    }
    return Value{.prefix = *prefix};
}

// A link-local address says nothing without its link.
std::optional<Value> host_address_of(std::string_view text) {
    const auto address = parse_ip_address(text);
    if (!address || !is_host(*address) || is_disguised(text, *address) ||
        (!address->is_v4() && address->v6().is_link_local())) {
        return std::nullopt;
    }
    return Value{.prefix = {*address, static_cast<std::uint8_t>(address->is_v4() ? 32 : 128)}};
}

std::optional<Value> client_prefix_value_of(std::string_view text) {
    const auto prefix = parse_client_prefix(text);
    return prefix ? std::optional{Value{.prefix = *prefix}} : std::nullopt;
}

// A block has no host bits; one of more than 256 addresses would be listed address by address in
// every snapshot.
std::optional<Value> vip_of(std::string_view text) {
    constexpr unsigned host_bits_most = 8;
    if (text.find('/') == std::string_view::npos) {
        return host_address_of(text);
    }
    const auto value = host_prefix_of(text);
    const bool is_block = value &&
                          value->prefix.length + host_bits_most >= value->prefix.length_max() &&
                          value->prefix.network() == value->prefix.address;
    return is_block ? value : std::nullopt;
}

std::optional<Value> port_range_of(std::string_view text) {
    if (text == "any") {
        return Value{.number = PortRange::any().first, .number_most = PortRange::any().last};
    }
    const auto first = eat_number(text);
    const bool is_range = text.starts_with('-');
    text.remove_prefix(is_range ? 1 : 0);
    const auto last = eat_number(text);
    if (!is_range || !first || !last || !text.empty() || *first < 1 || *last > 65'535 ||
        *first > *last) {
        return std::nullopt;
    }
    return Value{.number = *first, .number_most = *last};
}

// Of a netmask: ones, then zeros.
std::optional<Value> netmask_of(const ValueType& type, std::string_view text) {
    const auto mask = parse_ipv4_address(text);
    if (!mask || type.most != 32) {
        return std::nullopt;
    }
    const int length = std::countl_one(mask->host());
    const bool is_mask = std::popcount(mask->host()) == length;
    return is_mask && length >= type.least ? std::optional{Value{.number = length}} : std::nullopt;
}

std::optional<Value> endpoint_of(std::string_view text) {
    const auto endpoint = parse_endpoint(text);
    if (!endpoint || is_disguised(text.substr(0, text.rfind(':')), endpoint->address)) {
        return std::nullopt;
    }
    return Value{.prefix = {endpoint->address, 0}, .port = endpoint->port};
}

// "0000:01:00.0": domain, bus, device, function.
bool is_pci_address(std::string_view text) {
    constexpr std::string_view shape = "xxxx:xx:xx.7";
    if (text.size() != shape.size()) {
        return false;
    }
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const char c = text[i];
        const bool is_hexadecimal = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        const bool fits = shape[i] == 'x'   ? is_hexadecimal
                          : shape[i] == '7' ? c >= '0' && c <= '7'
                                            : c == shape[i];
        if (!fits) {
            return false;
        }
    }
    return true;
}

std::optional<Value> device_of(std::string_view text) {
    if (is_pci_address(text)) {
        return Value{.number = static_cast<std::int64_t>(DeviceKind::pci), .text = text};
    }
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view prefix = text.substr(0, colon);
    const std::string_view rest = text.substr(colon + 1);
    constexpr std::size_t interface_name_length_max = 15;  // the kernel's IFNAMSIZ less the end
    if (prefix == "vdev" && rest.starts_with("net_") && is_visible(rest)) {
        return Value{.number = static_cast<std::int64_t>(DeviceKind::vdev), .text = rest};
    }
    const bool is_interface = is_made_of(rest, "._-@") && rest.size() <= interface_name_length_max;
    if (is_interface && (prefix == "af_packet" || prefix == "af_xdp")) {
        const auto kind = prefix == "af_xdp" ? DeviceKind::af_xdp : DeviceKind::af_packet;
        return Value{.number = static_cast<std::int64_t>(kind), .text = rest};
    }
    return std::nullopt;
}

std::optional<Value> text_within(const ValueType& type, std::string_view text) {
    const auto length = static_cast<std::int64_t>(text.size());
    const bool is_name = type.kind == ValueKind::name;
    const bool is_printable = std::none_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
    if (length < type.least || length > type.most || !is_printable ||
        (is_name && !is_made_of(text, "._-"))) {
        return std::nullopt;
    }
    return Value{.text = text};
}

bool is_within(const ValueType& type, std::string_view text) {
    const auto length = static_cast<std::int64_t>(text.size());
    return length >= type.least && length <= type.most;
}

std::optional<Value> text_if(bool is_fit, std::string_view text) {
    return is_fit ? std::optional{Value{.text = text}} : std::nullopt;
}

std::optional<Value> word_of(const ValueType& type, std::string_view text) {
    const auto word = std::find(type.words.begin(), type.words.end(), text);
    if (word == type.words.end()) {
        return std::nullopt;
    }
    return Value{.number = word - type.words.begin()};
}

std::optional<Value> duration_of(const ValueType& type, std::string_view text) {
    const auto ms = duration_ms_of(text);
    const std::int64_t grain_ms = type.kind == ValueKind::whole_seconds ? 1'000 : 1;
    if (!ms || *ms < type.least || *ms > type.most || *ms % grain_ms != 0) {
        return std::nullopt;
    }
    return Value{.number = *ms};
}

std::optional<Value> read_text(const ValueType& type, std::string_view text) {
    constexpr std::string_view upper_case = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    constexpr auto npos = std::string_view::npos;
    constexpr std::size_t socket_path_length_max = 107;  // sun_path less its end
    switch (type.kind) {
        case ValueKind::text:
        case ValueKind::name:
            return text_within(type, text);
        case ValueKind::octets:
            return text_if(is_within(type, text), text);
        case ValueKind::octets_hex:
            return text_if(is_within(type, text) && is_hexadecimal(text), text);
        case ValueKind::expression:
            return text_if(is_within(type, text) && Expression::compile(std::string{text}), text);
        case ValueKind::word:
            return word_of(type, text);
        case ValueKind::duration:
        case ValueKind::whole_seconds:
            return duration_of(type, text);
        case ValueKind::host_address:
            return host_address_of(text);
        case ValueKind::real_address:
            return text == "127.0.0.1" || text == "::1"
                       ? Value{.prefix = IpPrefix::only(*parse_ip_address(text))}
                       : host_address_of(text);
        case ValueKind::prefix_length:
            return netmask_of(type, text);
        case ValueKind::host_prefix:
            return host_prefix_of(text);
        case ValueKind::client_prefix:
            return client_prefix_value_of(text);
        case ValueKind::vip:
            return vip_of(text);
        case ValueKind::port_range:
            return port_range_of(text);
        case ValueKind::endpoint:
            return endpoint_of(text);
        case ValueKind::device:
            return device_of(text);
        case ValueKind::http_method:
            return text_if(text.size() <= 20 && text.find_first_not_of(upper_case) == npos, text);
        case ValueKind::http_header:
            return text_if(text.size() <= 1'024 && is_http_header(text), text);
        case ValueKind::http_path:
            return text_if(is_visible(text) && text.starts_with('/') && text.size() <= 1'024, text);
        case ValueKind::http_host:
            return text_if(is_made_of(text, ".-_:") && text.size() <= 255, text);
        case ValueKind::http_statuses:
            return text_if(parse_statuses(text).has_value(), text);
        case ValueKind::file_path:
            return text_if(
                is_visible(text) && text.starts_with('/') && text.size() <= socket_path_length_max,
                text);
        case ValueKind::group:
        case ValueKind::list:
        case ValueKind::integer:
        case ValueKind::boolean:
            break;
    }
    return std::nullopt;
}

// What the person should do, where it can be told.
std::string remedy(const ValueType& type, const Node& node) {
    const bool is_number = node.kind == NodeKind::integer;
    if (type.kind == ValueKind::prefix_length && is_number) {
        return "";
    }
    if (type.kind == ValueKind::integer && node.kind == NodeKind::text) {
        return ": write it without quotes";
    }
    const bool is_plain = type.kind == ValueKind::boolean ||
                          (type.kind == ValueKind::port_range && node.kind == NodeKind::integer);
    if (is_plain) {
        return "";
    }
    if (type.kind != ValueKind::integer && node.kind != NodeKind::text) {
        const bool is_duration =
            type.kind == ValueKind::duration || type.kind == ValueKind::whole_seconds;
        const bool is_scalar =
            node.kind == NodeKind::boolean || is_number || node.kind == NodeKind::floating;
        return !is_scalar     ? ""
               : !is_duration ? ": write it in quotes"
                              : ": write it in quotes with a unit, as in \"5s\"";
    }
    const std::string_view nearest = nearest_word(node.text, type.words);
    return nearest.empty() ? "" : ": did you mean " + in_quotes(nearest) + "?";
}

std::string describe_range(std::int64_t least, std::int64_t most) {
    return std::to_string(least) + " to " + std::to_string(most);
}

std::string describe_words(std::span<const std::string_view> words) {
    std::string result = words.size() > 1 ? "one of " : "";
    for (std::size_t i = 0; i < words.size(); ++i) {
        result += (i == 0 ? "" : ", ") + in_quotes(words[i]);
    }
    return result;
}

std::string describe_one(const ValueType& type) {
    switch (type.kind) {
        case ValueKind::group:
            return "a group { ... }";
        case ValueKind::list:
            return "a list ( { ... }, ... )";
        case ValueKind::integer:
            return "an integer from " + describe_range(type.least, type.most);
        case ValueKind::text:
            return "a text of " + describe_range(type.least, type.most) + " printable bytes";
        case ValueKind::octets:
            return "a text of " + describe_range(type.least, type.most) +
                   " octets, of which \\r, \\n and \\x01 to \\x7f may be written so";
        case ValueKind::octets_hex:
            return describe_range(type.least / 2, type.most / 2) +
                   " octets in hexadecimal digits, as in \"0d0a00\"";
        case ValueKind::expression:
            return "a regular expression of " + describe_range(type.least, type.most) +
                   " octets, as RE2 knows them";
        case ValueKind::http_method:
            return "a method of HTTP in capitals, as in \"HEAD\"";
        case ValueKind::http_header:
            return "a header line, as in \"Accept: text/html\"";
        case ValueKind::name:
            return "a name of " + describe_range(type.least, type.most) +
                   " letters, digits, \".\", \"_\", \"-\", of which the first is a letter or digit";
        case ValueKind::word:
            return describe_words(type.words);
        case ValueKind::boolean:
            return "true or false";
        case ValueKind::duration:
        case ValueKind::whole_seconds:
            return "a duration from " + in_quotes(describe_duration(type.least)) + " to " +
                   in_quotes(describe_duration(type.most)) +
                   (type.kind == ValueKind::whole_seconds ? " in whole seconds" : "");
        case ValueKind::real_address:
            return "a host's IPv4 or IPv6 address; \"127.0.0.1\" or \"::1\" for the director "
                   "itself";
        case ValueKind::host_address:
            return "a host's IPv4 or IPv6 address";
        case ValueKind::prefix_length:
            return "a number of bits from " + describe_range(type.least, type.most) +
                   (type.most == 32 ? ", or a netmask as in \"255.255.255.0\"" : "");
        case ValueKind::host_prefix:
            return "a host's address with the length of its network, as in \"192.0.2.1/24\" or "
                   "\"2001:db8::1/64\"";
        case ValueKind::client_prefix:
            return "an address or a network without host bits, as in \"198.51.100.0/24\"";
        case ValueKind::vip:
            return "a host's IPv4 or IPv6 address, or a block of at most 256 as in "
                   "\"192.0.2.0/28\"";
        case ValueKind::port_range:
            return "an integer from 1 to 65535, a range as in \"8000-8099\", or \"any\"";
        case ValueKind::endpoint:
            return "an address and port, as in \"127.0.0.1:9464\" or \"[::1]:9464\"";
        case ValueKind::device:
            return "a device: \"af_packet:eth1\", \"af_xdp:eth1\", \"0000:01:00.0\" or "
                   "\"vdev:net_...\"";
        case ValueKind::http_path:
            return "a path that begins with \"/\", of at most 1024 visible characters";
        case ValueKind::http_host:
            return "a host name or address, with or without a port";
        case ValueKind::http_statuses:
            return "HTTP statuses and ranges of them, as in \"200\" or \"200-299, 401\"";
        case ValueKind::file_path:
            return "an absolute path of at most 107 visible characters";
    }
    return {};
}

}  // namespace

std::optional<IpPrefix> parse_client_prefix(std::string_view text) {
    if (text.find('/') == std::string_view::npos) {
        const auto address = parse_ip_address(text);
        return address && !is_disguised(text, *address) ? std::optional{IpPrefix::only(*address)}
                                                        : std::nullopt;
    }
    const auto prefix = parse_ip_prefix(text);
    return prefix && !is_disguised(text, prefix->address) && prefix->network() == prefix->address
               ? prefix
               : std::nullopt;
}

Result<Value> read_value(const ValueType& type, const Node& node) {
    std::optional<Value> value;
    if (node.kind == NodeKind::integer &&
        (type.kind == ValueKind::integer || type.kind == ValueKind::prefix_length)) {
        if (node.integer >= type.least && node.integer <= type.most) {
            value = Value{.number = node.integer};
        }
    } else if (type.kind == ValueKind::boolean) {
        if (node.kind == NodeKind::boolean) {
            value = Value{.number = node.integer};
        }
    } else if (type.kind == ValueKind::port_range && node.kind == NodeKind::integer) {
        if (node.integer >= 1 && node.integer <= 65'535) {
            value = Value{.number = node.integer, .number_most = node.integer};
        }
    } else if (node.kind == NodeKind::text) {
        value = read_text(type, node.text);
    }
    if (value) {
        return *value;
    }
    return Error{describe(node) + " is not " + describe_one(type) + remedy(type, node)};
}

std::string describe(const ValueType& type) {
    const std::string one = describe_one(type);
    const std::string count = describe_range(type.count_least, type.count_most);
    if (type.kind == ValueKind::list) {
        return one + " of " + count;
    }
    return type.is_array ? "an array [ ... ] of " + count + ": " + one : one;
}

std::string describe(const Node& node) {
    switch (node.kind) {
        case NodeKind::group:
            return "a group";
        case NodeKind::list:
            return "a list";
        case NodeKind::array:
            return "an array";
        case NodeKind::boolean:
            return node.integer != 0 ? "true" : "false";
        case NodeKind::integer:
            return std::to_string(node.integer);
        case NodeKind::floating:
            return "a number with a fraction";
        case NodeKind::text:
            return in_quotes(node.text);
    }
    return {};
}

std::string describe_duration(std::int64_t duration_ms) {
    for (const DurationUnit& unit : duration_units) {
        if (duration_ms % unit.ms == 0 && duration_ms >= unit.ms) {
            return std::to_string(duration_ms / unit.ms) + std::string{unit.name};
        }
    }
    return "0s";
}

}  // namespace fulcrum
