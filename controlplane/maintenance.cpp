// Each name that would mean the real is looked up.
#include "controlplane/maintenance.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

namespace fulcrum {

std::set<std::string> names_in_folder(const std::string& folder) {
    std::set<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator entry{folder, error}, end; !error && entry != end;
         entry.increment(error)) {
        names.insert(entry->path().filename().string());
    }
    return names;
}

bool is_in_maintenance(const std::set<std::string>& names, const std::string& service,
                       const std::string& real, const Endpoint& endpoint) {
    const std::array meanings{service, real, to_string(endpoint.address), to_string(endpoint)};
    return std::ranges::any_of(meanings,
                               [&](const std::string& meaning) { return names.contains(meaning); });
}

}  // namespace fulcrum
