// What holds of log, mail and hook beyond single keys. Pure; called by `validate`.
#pragma once

#include <cstddef>
#include <string_view>

#include "config/findings.h"
#include "config/model/service.h"

namespace fulcrum {

inline constexpr std::size_t mail_recipients_max = 32;

// "NAME@HOST" of visible ASCII, without what SMTP and headers give a meaning to.
bool is_mail_address(std::string_view text);

void check_telling(const Config& config, Findings& findings);

}  // namespace fulcrum
