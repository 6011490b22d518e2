// When that came to be which two directors have in common: of two versions that differ, the later
// one is what the operator means now. It begins with the reload or edit that changed it, or with
// the file's latest change, where a director starts with what it does not know; what a director
// took over from the other one keeps the version that it had there. Clocks of the two have to agree
// as far as changes at one and at the other lie apart.
//
// A note beside the configuration's file, its name with ".version", tells the next start.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace fulcrum {

// The microseconds since 1970 that both directors can say; 0: there is none.
struct ConfigVersion {
    std::uint64_t us = 0;

    friend auto operator<=>(const ConfigVersion&, const ConfigVersion&) = default;
};

inline ConfigVersion version_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return {static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(now).count())};
}

// "2026-11-21 23:50:12.123456 UTC"
std::string to_string(ConfigVersion version);

// What a director serves. Equal checksums: the same; see checksum_of_service.
struct ConfigStanding {
    ConfigVersion version;
    std::uint64_t checksum = 0;  // 0: nobody has asked

    friend bool operator==(const ConfigStanding&, const ConfigStanding&) = default;
};

// What another director serves, to be served here as well: see config/common_part.h.
struct CommonPart {
    std::string director;  // its name
    std::string text;
    ConfigVersion version;
};

// Of what was read from `files`, of which the first is the configuration's own. File I/O.
ConfigStanding standing_at_start(const std::vector<std::string>& files, std::uint64_t checksum);
// False: it cannot be written; then the file's latest change is what the next start knows.
bool note_standing(const std::string& file, const ConfigStanding& standing);

}  // namespace fulcrum
