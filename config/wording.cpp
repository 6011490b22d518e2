// Quoting, guessing, placing.
#include "config/wording.h"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace fulcrum {

std::string in_quotes(std::string_view text) {
    constexpr std::size_t length_max = 60;
    std::string result = "\"";
    for (const char c : text.substr(0, length_max)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7F) {
            result += c;
        } else {
            char escaped[5];
            std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
            result += escaped;
        }
    }
    result += text.size() > length_max ? "...\"" : "\"";
    return result;
}

std::string_view nearest_word(std::string_view wanted, std::span<const std::string_view> known) {
    constexpr std::size_t slips_max = 2;
    constexpr std::size_t length_max = 64;  // of a key or a word; bounds the rows below
    std::size_t fewest_slips = slips_max + 1;
    std::string_view nearest;
    if (wanted.size() > length_max) {
        return nearest;
    }
    for (const std::string_view word : known) {
        // Levenshtein's distance, by rows.
        std::vector<std::size_t> above(wanted.size() + 1);
        for (std::size_t i = 0; i <= wanted.size(); ++i) {
            above[i] = i;
        }
        for (std::size_t j = 1; j <= word.size(); ++j) {
            std::vector<std::size_t> row{j};
            for (std::size_t i = 1; i <= wanted.size(); ++i) {
                const std::size_t replaced = above[i - 1] + (wanted[i - 1] == word[j - 1] ? 0 : 1);
                row.push_back(std::min({replaced, above[i] + 1, row[i - 1] + 1}));
            }
            above = std::move(row);
        }
        // Two slips are much in a short word; two letters swapped count as two.
        const std::size_t letters = std::max<std::size_t>(word.size(), 4);
        if (above.back() < fewest_slips && above.back() * 2 <= letters) {
            fewest_slips = above.back();
            nearest = word;
        }
    }
    return nearest;
}

std::string at_place(const SourcePlace& place) {
    return place.line == 0 ? "" : " at " + place.file + ":" + std::to_string(place.line);
}

}  // namespace fulcrum
