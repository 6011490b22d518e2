// Small readers, each for one thing.
#include "config/import/old_text.h"

#include <algorithm>
#include <charconv>

namespace fulcrum {

std::string name_of(const IpAddress& address, std::uint16_t port) {
    std::string name = to_string(address);
    std::ranges::replace(name, ':', '-');
    return port == 0 ? name : name + "-" + std::to_string(port);
}

std::string name_of(const Endpoint& vip, L4Protocol protocol) {
    std::string name = name_of(vip.address, vip.port.host());
    return protocol == L4Protocol::tcp ? name : name.append("-").append(to_string(protocol));
}

std::optional<std::int64_t> number_in(std::string_view text) {
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && stop == end && !text.empty() ? std::optional{number}
                                                                : std::nullopt;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\v\f";
    const std::size_t first = text.find_first_not_of(blanks);
    return first == std::string_view::npos
               ? std::string_view{}
               : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string> words_in(std::string_view text) {
    std::vector<std::string> words;
    bool is_open = false;
    char quote = 0;
    for (const char c : text) {
        if (quote != 0) {
            if (c == quote) {
                quote = 0;
            } else {
                words.back() += c;
            }
        } else if (c == ' ' || c == '\t' || c == '\r') {
            is_open = false;
        } else {
            if (!is_open) {
                words.emplace_back();
                is_open = true;
            }
            if (c == '"' || c == '\'') {
                quote = c;
            } else {
                words.back() += c;
            }
        }
    }
    return words;
}

std::vector<OldLine> lines_in(const std::string& path, std::string_view text) {
    std::vector<OldLine> lines;
    unsigned number = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back({{path, ++number}, std::string{text.substr(0, end)}});
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::string unescaped(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
        const std::size_t known = std::string_view{"nrt\\\""}.find(next);
        if (next == '\0' || known == std::string_view::npos) {
            result += text[i];
        } else {
            result += "\n\r\t\\\""[known];
            ++i;
        }
    }
    return result;
}

std::optional<std::string> only_match_of(std::string_view regex) {
    std::string match;
    for (std::size_t i = 0; i < regex.size(); ++i) {
        const char c = regex[i];
        const bool is_escape = c == '\\';
        if (is_escape) {
            const char next = i + 1 < regex.size() ? regex[++i] : '\0';
            const bool is_class = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') ||
                                  (next >= '0' && next <= '9') || next == '\0';
            if (is_class) {
                return std::nullopt;
            }
            match += next;
        } else if (std::string_view{"[](){}*+?|^$"}.find(c) != std::string_view::npos) {
            return std::nullopt;
        } else {
            match += c;
        }
    }
    return match;
}

bool has_wild_dot(std::string_view regex) {
    for (std::size_t i = 0; i < regex.size(); ++i) {
        if (regex[i] == '\\') {
            ++i;
        } else if (regex[i] == '.') {
            return true;
        }
    }
    return false;
}

}  // namespace fulcrum
