// What --help and --version print. Pure.
#pragma once

#include <string>

namespace fulcrum {

std::string version_text();
std::string help_text(const std::string& program);

}  // namespace fulcrum
