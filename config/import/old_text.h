// The text of an old file in pieces: its lines with their places, the words of a line, numbers,
// names that follow from addresses. What every dialect needs. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/address.h"
#include "config/model/source_place.h"

namespace fulcrum {

struct OldLine {
    SourcePlace place;
    std::string text;  // as it stands there, without blanks around it
};

// The lines of a text, without their ends.
std::vector<OldLine> lines_in(const std::string& path, std::string_view text);
// Of words between blanks; "..." and '...' hold one together.
std::vector<std::string> words_in(std::string_view text);
std::string_view trimmed(std::string_view text);
// The number, if the text is one and nothing else.
std::optional<std::int64_t> number_in(std::string_view text);

// With \n, \r, \t and \\ as what they stand for; another letter behind \ stays as it is.
std::string unescaped(std::string_view text);

// What a regular expression matches, if that is one text alone, dots taken for themselves.
std::optional<std::string> only_match_of(std::string_view regex);
// Whether a dot of it would match any character.
bool has_wild_dot(std::string_view regex);

// "192.0.2.1-8080", "2001-db8--1": an address as part of a name; port 0: alone.
std::string name_of(const IpAddress& address, std::uint16_t port);
// "192.0.2.1-80", "192.0.2.1-53-udp": of what serves there.
std::string name_of(const Endpoint& vip, L4Protocol protocol);

}  // namespace fulcrum
