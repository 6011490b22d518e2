// Quoting, guessing, placing.
#include "config/wording.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <vector>

namespace fulcrum {
namespace {

// One row of the table below: row[i] is the distance from the first i letters of `wanted` to the
// first `length` letters of `word`.
using Row = std::vector<std::size_t>;

struct Letters {
    std::string_view wanted;
    std::string_view word;

    bool are_swapped(std::size_t i, std::size_t j) const {
        return i > 1 && j > 1 && wanted[i - 1] == word[j - 2] && wanted[i - 2] == word[j - 1];
    }
};

Row next_row(const Letters& letters, std::size_t length, const Row& last, const Row& last_but_one) {
    Row row{length};
    for (std::size_t i = 1; i <= letters.wanted.size(); ++i) {
        const bool is_same = letters.wanted[i - 1] == letters.word[length - 1];
        const std::size_t replaced = last[i - 1] + (is_same ? 0 : 1);
        std::size_t slips = std::min({replaced, last[i] + 1, row[i - 1] + 1});
        if (letters.are_swapped(i, length)) {
            slips = std::min(slips, last_but_one[i - 2] + 1);
        }
        row.push_back(slips);
    }
    return row;
}

// Letters replaced, left out, put in, or swapped with their neighbour: Levenshtein's distance with
// adjacent transpositions.
std::size_t slips_between(const Letters& letters) {
    Row last_but_one;
    Row last(letters.wanted.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t length = 1; length <= letters.word.size(); ++length) {
        Row row = next_row(letters, length, last, last_but_one);
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
        const std::size_t slips = slips_between({wanted, word});
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
