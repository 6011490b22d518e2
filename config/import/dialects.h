// The configuration files that we can import, told apart and read. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "config/import/draft.h"

namespace fulcrum {

enum class Dialect : std::uint8_t { ipvsadm, ldirectord, keepalived, piranha };

std::string_view to_string(Dialect dialect);
std::optional<Dialect> dialect_named(std::string_view name);
// By what only one of them would say. Nothing: it could be none of them.
std::optional<Dialect> guess_dialect(std::string_view text);

Imported import_as(Dialect dialect, const ImportSource& source);

}  // namespace fulcrum
