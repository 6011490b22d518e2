// Microseconds of the file system, of a note, and of a calendar.
#include "controlplane/config_version.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace fulcrum {
namespace {

constexpr std::uint64_t per_second = 1'000'000;

// Of all of them; what is not there is passed over.
ConfigVersion latest_change_of(const std::vector<std::string>& files) {
    ConfigVersion latest;
    for (const std::string& file : files) {
        struct stat facts {};
        if (stat(file.c_str(), &facts) == 0 && facts.st_mtim.tv_sec > 0) {
            const auto us = static_cast<std::uint64_t>(facts.st_mtim.tv_sec) * per_second +
                            static_cast<std::uint64_t>(facts.st_mtim.tv_nsec) / 1'000;
            latest = std::max(latest, ConfigVersion{us});
        }
    }
    return latest;
}

std::string note_of(const std::string& file) { return file + ".version"; }

}  // namespace

std::string to_string(ConfigVersion version) {
    const auto seconds = static_cast<std::time_t>(version.us / per_second);
    std::tm time{};
    gmtime_r(&seconds, &time);
    std::array<char, 64> text{};
    std::array<char, 64> fraction{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &time);
    std::snprintf(fraction.data(), fraction.size(), ".%06u UTC",
                  static_cast<unsigned>(version.us % per_second));
    return std::string{text.data()} + fraction.data();
}

ConfigStanding standing_at_start(const std::vector<std::string>& files, std::uint64_t checksum) {
    ConfigStanding noted;
    std::ifstream note{note_of(files.front())};
    if (note >> noted.version.us >> noted.checksum && noted.checksum == checksum) {
        return noted;
    }
    return {latest_change_of(files), checksum};
}

bool note_standing(const std::string& file, const ConfigStanding& standing) {
    const std::string fresh = note_of(file) + ".new";
    {
        std::ofstream note{fresh, std::ios::trunc};
        note << standing.version.us << ' ' << standing.checksum << '\n';
        note.close();
        if (!note) {
            return false;
        }
    }
    std::error_code error;
    std::filesystem::rename(fresh, note_of(file), error);
    return !error;
}

}  // namespace fulcrum
