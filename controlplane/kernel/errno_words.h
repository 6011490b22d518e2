// The system's own words for an error number, in the shape that our sentences have: lower case
// first, so that they can follow a colon.
#pragma once

#include <cctype>
#include <string>
#include <system_error>

namespace fulcrum {

inline std::string errno_words(int error) {
    std::string words = std::generic_category().message(error);
    if (words.size() > 1 && std::islower(static_cast<unsigned char>(words[1])) != 0) {
        words[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(words[0])));
    }
    return words;
}

}  // namespace fulcrum
