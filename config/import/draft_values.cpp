// Each value of an old file held against the row of the schema that it is to stand in. What the
// new file could not say again, octets that are no UTF-8 among it, is lost here.
#include <algorithm>
#include <string>
#include <utility>

#include "config/import/draft.h"
#include "config/prelexer.h"
#include "config/schema.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

// Null: there is no such key.
const SchemaKey* key_at(std::string_view path) {
    const auto keys = schema();
    const auto found = std::ranges::find(keys, path, &SchemaKey::path);
    return found == keys.end() ? nullptr : &*found;
}

// Whether the file can hold the text. What is sent may be any octets: it has a form for them.
bool is_sayable(std::string_view key, const Node& node) {
    return node.kind != NodeKind::text || key == "services[].check.send" ||
           (is_utf8(node.text) && node.text.find('\0') == std::string_view::npos);
}

}  // namespace

bool Draft::fits(const OldLine& line, std::string_view key, std::string_view text) {
    return value_of(line, key, {.kind = NodeKind::text, .text = text}).has_value();
}

bool Draft::fits(const OldLine& line, std::string_view key, std::int64_t number) {
    return value_of(line, key, {.kind = NodeKind::integer, .integer = number}).has_value();
}

std::optional<Value> Draft::value_of(const OldLine& line, std::string_view key, const Node& node) {
    const auto value = read_value(key_at(key)->type, node);
    if (!value) {
        lost(line, std::string{key} + ": " + value.error().sentence);
        return std::nullopt;
    }
    if (!is_sayable(key, node)) {
        lost(line,
             std::string{key} + ": " + in_quotes(node.text) +
                 " is not UTF-8 without zeros, as texts of the new file are",
             "check.match takes such an octet as \\x and two hexadecimal digits");
        return std::nullopt;
    }
    return *value;
}

std::optional<std::size_t> Draft::word_of(std::string_view key, std::string_view word) {
    const auto& words = key_at(key)->type.words;
    const auto found = std::ranges::find(words, word);
    return found == words.end() ? std::nullopt
                                : std::optional{static_cast<std::size_t>(found - words.begin())};
}

bool Draft::store(const OldLine& line, std::string_view check_key, const Node& node) {
    const std::string path = "services[].check." + std::string{check_key};
    const SchemaKey* const key = key_at(path);
    if (key == nullptr) {
        lost(line, "checks have no " + std::string{check_key});
        return false;
    }
    const auto value = value_of(line, path, node);
    if (value) {
        SchemaTarget target{.config = config_, .service = &service(), .check = &service().check};
        key->store(target, *value);
    }
    return value.has_value();
}

bool Draft::set(const OldLine& line, std::string_view check_key, std::string_view text) {
    return store(line, check_key, {.kind = NodeKind::text, .text = text});
}

bool Draft::set(const OldLine& line, std::string_view check_key, std::int64_t number) {
    return store(line, check_key, {.kind = NodeKind::integer, .integer = number});
}

bool Draft::set_seconds(const OldLine& line, std::string_view check_key, const std::string& text) {
    const std::string path = "services[].check." + std::string{check_key};
    const auto seconds = seconds_of(line, path, text);
    return seconds && set(line, check_key, describe_duration(std::int64_t{*seconds} * 1'000));
}

bool Draft::set_command(const OldLine& line, std::string_view text,
                        std::initializer_list<std::string_view> behind) {
    const std::vector<std::string> words = words_in(text);
    const auto most =
        static_cast<std::size_t>(key_at("services[].check.command")->type.count_most) -
        behind.size();
    bool is_fit = !words.empty() && words.size() <= most && words[0].starts_with('/');
    if (!is_fit) {
        lost(line, "a program is named by its absolute path, with up to " +
                       std::to_string(most - 1) + " words behind it");
    }
    for (std::size_t i = 0; is_fit && i < words.size(); ++i) {
        std::string word;
        for (const char c : words[i]) {
            word.append(c == '%' ? 2 : 1, c);
        }
        is_fit = set(line, "command", word);
    }
    for (const std::string_view word : behind) {
        is_fit = is_fit && set(line, "command", word);
    }
    if (!is_fit) {
        service().check.command.clear();
        service().check.type = CheckType::none;
    }
    return is_fit;
}

bool Draft::set_check(const OldLine& line, std::string_view type) {
    if (knows_check(type)) {
        return set(line, "type", type);
    }
    const std::vector<Listener> listeners = listeners_of(service());
    const bool has_tcp = std::ranges::any_of(
        listeners, [](const Listener& listener) { return listener.protocol == L4Protocol::tcp; });
    const std::string_view nearest = has_tcp ? "connect" : "none";
    lost(line, "there is no check of the kind " + in_quotes(type),
         has_tcp ? "the reals are asked for a TCP connection instead"
                 : "the reals are not checked: name a TCP port of theirs with check.port");
    set(line, "type", nearest);
    return false;
}

std::optional<IpAddress> Draft::address_of(const OldLine& line, const std::string& text,
                                           IpFamily family, std::string_view key) {
    const bool has_brackets = text.size() > 2 && text.front() == '[' && text.back() == ']';
    const std::string bare = has_brackets ? text.substr(1, text.size() - 2) : text;
    if (const auto address = parse_ip_address(bare)) {
        const bool is_fit = fits(line, key, bare);
        return is_fit ? address : std::nullopt;
    }
    if (source_.names.host) {
        if (const auto found = source_.names.host(bare, family)) {
            if (!fits(line, key, to_string(*found))) {
                return std::nullopt;
            }
            changed(line,
                    "the host " + in_quotes(bare) + " is " + to_string(*found) +
                        " now, and that is what the file says",
                    "");
            return found;
        }
    }
    lost(line, in_quotes(bare) + " is neither an address nor a host that is known here",
         "write its address");
    return std::nullopt;
}

std::optional<std::uint16_t> Draft::port_of(const OldLine& line, const std::string& text) {
    const auto number = number_in(text);
    if (number && *number >= 0 && *number <= 65'535) {
        return static_cast<std::uint16_t>(*number);
    }
    if (!number && source_.names.port) {
        if (const auto port = source_.names.port(text)) {
            return port;
        }
    }
    lost(line, in_quotes(text) + " is neither a port nor the name of one", "write its number");
    return std::nullopt;
}

std::optional<std::uint32_t> Draft::seconds_of(const OldLine& line, std::string_view key,
                                               const std::string& text) {
    const auto number = number_in(text);
    constexpr std::int64_t most = 1'000'000'000;
    if (!number || *number < 0 || *number > most) {
        lost(line, in_quotes(text) + " is not a number of seconds");
        return std::nullopt;
    }
    const bool is_fit = fits(line, key, describe_duration(*number * 1'000));
    return is_fit ? std::optional{static_cast<std::uint32_t>(*number)} : std::nullopt;
}

std::optional<std::uint32_t> Draft::whole_of(const OldLine& line, std::string_view key,
                                             const std::string& text) {
    const auto number = number_in(text);
    if (!number) {
        lost(line, in_quotes(text) + " is not a number");
        return std::nullopt;
    }
    return fits(line, key, *number) ? std::optional{static_cast<std::uint32_t>(*number)}
                                    : std::nullopt;
}

void Draft::set_match(const OldLine& line, const std::string& regex) {
    const auto text = only_match_of(regex);
    if (regex.empty()) {
        return needless(line, "any answer will do as it is");
    }
    if (text && !has_wild_dot(regex)) {
        set(line, "expect", *text);
    } else if (key_at("services[].check.match") != nullptr) {
        set(line, "match", regex);
    } else if (!text) {
        lost(line, "it is a pattern, and an answer is held against texts alone",
             "choose a text that a sound answer always holds, for check.expect");
    } else if (set(line, "expect", *text)) {
        changed(line, "a dot stands for itself, and not for any character");
    }
}

}  // namespace fulcrum
