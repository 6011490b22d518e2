// Texts of a check's keys that mean more than themselves: statuses, header lines, octets in digits.
// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/check.h"

namespace fulcrum {

// "200-299, 401": one to sixteen, of 100 to 599 each.
std::optional<std::vector<StatusRange>> parse_statuses(std::string_view text);

// Pairs of hexadecimal digits, and what they stand for.
bool is_hexadecimal(std::string_view text);
std::string octets_of_hex(std::string_view digits);

// Labels of 1 to 63 octets with dots between, 253 in all, or "." alone. Addresses are such too.
bool is_dns_name(std::string_view text);

// "Name: value", as HTTP's grammar has it: a token, a colon, visible text with blanks within.
bool is_http_header(std::string_view text);

}  // namespace fulcrum
