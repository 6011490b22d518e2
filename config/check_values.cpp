// Readers of small grammars.
#include "config/check_values.h"

#include <algorithm>
#include <charconv>

namespace fulcrum {
namespace {

std::optional<std::uint16_t> status_of(std::string_view text) {
    std::uint16_t status = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), status);
    const bool is_status =
        error == std::errc{} && end == text.data() + text.size() && status >= 100 && status <= 599;
    return is_status ? std::optional{status} : std::nullopt;
}

std::optional<StatusRange> status_range_of(std::string_view text) {
    const std::size_t dash = text.find('-');
    const auto least = status_of(text.substr(0, dash));
    const auto most = dash == std::string_view::npos ? least : status_of(text.substr(dash + 1));
    if (!least || !most || *least > *most) {
        return std::nullopt;
    }
    return StatusRange{*least, *most};
}

bool is_of_token(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

}  // namespace

std::string octets_of_hex(std::string_view digits) {
    std::string octets;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
        std::uint8_t octet = 0;
        std::from_chars(digits.data() + at, digits.data() + at + 2, octet, 16);
        octets.push_back(static_cast<char>(octet));
    }
    return octets;
}

std::optional<std::vector<StatusRange>> parse_statuses(std::string_view text) {
    constexpr std::size_t ranges_max = 16;
    std::vector<StatusRange> ranges;
    while (ranges.size() < ranges_max) {
        const std::size_t comma = text.find(',');
        const auto range = status_range_of(text.substr(0, comma));
        if (!range) {
            return std::nullopt;
        }
        ranges.push_back(*range);
        if (comma == std::string_view::npos) {
            return ranges;
        }
        text.remove_prefix(comma + 1);
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    }
    return std::nullopt;
}

bool is_hexadecimal(std::string_view text) {
    return text.size() % 2 == 0 &&
           text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

bool is_dns_name(std::string_view text) {
    constexpr std::size_t name_max = 253;
    constexpr std::size_t label_max = 63;
    if (text.empty() || text.size() > name_max) {
        return false;
    }
    text.remove_suffix(text.ends_with('.') ? 1 : 0);
    while (!text.empty()) {
        const std::string_view label = text.substr(0, text.find('.'));
        const bool is_visible =
            std::all_of(label.begin(), label.end(), [](char c) { return c > ' ' && c < 0x7F; });
        if (label.empty() || label.size() > label_max || !is_visible) {
            return false;
        }
        text.remove_prefix(std::min(text.size(), label.size() + 1));
    }
    return true;
}

bool is_http_header(std::string_view text) {
    const std::size_t colon = text.find(": ");
    if (colon == std::string_view::npos || colon == 0) {
        return false;
    }
    const std::string_view name = text.substr(0, colon);
    return std::all_of(name.begin(), name.end(), is_of_token) && text.back() != ' ' &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7F; });
}

}  // namespace fulcrum
