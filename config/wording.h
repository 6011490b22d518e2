// Pieces of the sentences that an operator reads: a value quoted so that nothing in it can spoil a
// terminal or a reply, a guess at what was meant, a place. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/model/service.h"

namespace fulcrum {

// `text` in double quotes, shortened to 60 bytes, with nothing unprintable.
std::string in_quotes(std::string_view text);

// The one of `known` that differs from `wanted` by few slips of the finger: at most two, and one in
// three letters. Empty: none.
std::string_view nearest_word(std::string_view wanted, std::span<const std::string_view> known);

// " at director.cfg:41"; nothing for what has no line.
std::string at_place(const SourcePlace& place);

}  // namespace fulcrum
