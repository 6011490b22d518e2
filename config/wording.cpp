// Quoting, guessing, placing.
#include "config/wording.h"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace fulcrum {
namespace {

// Letters replaced, left out, put in, or swapped with their neighbour: Levenshtein's distance with
// adjacent transpositions, by rows.
std::size_t slips_between(std::string_view a, std::string_view b) {
    std::vector<std::size_t> last_but_one;
    std::vector<std::size_t> last(a.size() + 1);
    for (std::size_t i = 0; i <= a.size(); ++i) {
        last[i] = i;
    }
    for (std::size_t j = 1; j <= b.size(); ++j) {
        std::vector<std::size_t> row{j};
        for (std::size_t i = 1; i <= a.size(); ++i) {
            const std::size_t replaced = last[i - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            std::size_t slips = std::min({replaced, last[i] + 1, row[i - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                slips = std::min(slips, last_but_one[i - 2] + 1);
            }
            row.push_back(slips);
        }
        last_but_one = std::move(last);
        last = std::move(row);
    }
    return last.back();
}

}  // namespace

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
    constexpr std::size_t length_max = 64;  // of a key or a word; bounds the work
    std::size_t fewest_slips = slips_max + 1;
    std::string_view nearest;
    if (wanted.size() > length_max) {
        return nearest;
    }
    for (const std::string_view word : known) {
        const std::size_t slips = slips_between(wanted, word);
        if (slips < fewest_slips &&
            slips * 3 <= word.size()) {  // two slips are much in a short word
            fewest_slips = slips;
            nearest = word;
        }
    }
    return nearest;
}

std::string at_place(const SourcePlace& place) {
    return place.line == 0 ? "" : " at " + place.file + ":" + std::to_string(place.line);
}

}  // namespace fulcrum
