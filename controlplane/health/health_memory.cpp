// A line each: service, real, address, port, "up" or "down", with tabs between; names hold none.
#include "controlplane/health/health_memory.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace fulcrum {
namespace {

constexpr std::chrono::minutes age_max{10};

bool is_recent(const std::string& path) {
    std::error_code error;
    const auto written = std::filesystem::last_write_time(path, error);
    const auto age = std::filesystem::file_time_type::clock::now() - written;
    return !error && age < age_max && age > -age_max;
}

}  // namespace

HealthMemory read_health_memory(const std::string& path) {
    HealthMemory memory;
    if (!is_recent(path)) {
        return memory;
    }
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);) {
        std::istringstream words{line};
        std::string service;
        std::string real;
        std::string address;
        std::uint16_t port = 0;
        std::string health;
        words >> service >> real >> address >> port >> health;
        const auto place = parse_ip_address(address);
        if (!words || !place || (health != "up" && health != "down")) {
            return {};
        }
        memory[{service, real, {*place, be16{port}}}] = health == "up";
    }
    return memory;
}

bool write_health_memory(const std::string& path, const HealthNotes& notes) {
    const std::string fresh = path + ".new";
    {
        std::ofstream file{fresh, std::ios::trunc};
        for (const auto& [real, is_up] : notes) {
            file << real.service << '\t' << real.real << '\t' << to_string(real.endpoint.address)
                 << '\t' << real.endpoint.port.host() << '\t' << (is_up ? "up" : "down") << '\n';
        }
        file.close();
        if (!file) {
            return false;
        }
    }
    std::error_code error;
    std::filesystem::rename(fresh, path, error);
    return !error;
}

}  // namespace fulcrum
