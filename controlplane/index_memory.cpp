// One JSON object. Whatever does not read as the memory of numbers that may stand side by side is
// refused whole: with wrong numbers sessions would reach strangers' servers.
#include "controlplane/index_memory.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

namespace fulcrum {
namespace {

using Json = nlohmann::json;

Json json_of(const IndexMemory::Real& real) {
    return {{"name", real.name},
            {"address", to_string(real.endpoint.address)},
            {"port", real.endpoint.port.host()},
            {"mode", static_cast<unsigned>(real.mode)},
            {"tunnel_port", real.tunnel.port.host()},
            {"tunnel_checksum", real.tunnel.has_checksum},
            {"index", real.place.index},
            {"tally", real.place.tally},
            {"gone", real.is_gone}};
}

Json json_of(const IndexMemory::Listener& listener) {
    return {{"vip", to_string(listener.point.vip)},
            {"first", listener.point.ports.first},
            {"last", listener.point.ports.last},
            {"protocol", static_cast<unsigned>(listener.point.protocol)},
            {"index", listener.index},
            {"gone", listener.is_gone}};
}

IpAddress address_in(const Json& json, const char* key) {
    const auto address = parse_ip_address(json.at(key).get<std::string>());
    if (!address) {
        throw Json::other_error::create(501, "no address", nullptr);
    }
    return *address;
}

IndexMemory::Real real_of(const Json& json) {
    return {.name = json.at("name"),
            .endpoint = {address_in(json, "address"), be16{json.at("port").get<std::uint16_t>()}},
            .mode = static_cast<ForwardingMode>(json.at("mode").get<std::uint8_t>()),
            .tunnel = {.port = be16{json.at("tunnel_port").get<std::uint16_t>()},
                       .has_checksum = json.at("tunnel_checksum")},
            .place = {.index = json.at("index"), .tally = json.at("tally")},
            .is_gone = json.at("gone")};
}

IndexMemory::Listener listener_of(const Json& json) {
    return {.point = {.vip = address_in(json, "vip"),
                      .ports = {json.at("first"), json.at("last")},
                      .protocol = static_cast<L4Protocol>(json.at("protocol").get<std::uint8_t>())},
            .index = json.at("index"),
            .is_gone = json.at("gone")};
}

IndexMemory::Service service_of(const Json& json) {
    IndexMemory::Service service{
        .name = json.at("name"), .number = json.at("number"), .listeners = {}, .reals = {}};
    for (const Json& listener : json.at("listeners")) {
        service.listeners.push_back(listener_of(listener));
    }
    for (const Json& real : json.at("reals")) {
        service.reals.push_back(real_of(real));
    }
    return service;
}

// No number twice, and none that nobody could have.
bool is_consistent(const IndexMemory& memory) {
    std::set<std::uint32_t> numbers;
    std::set<std::uint32_t> listeners;
    std::set<std::uint32_t> tallies;
    const auto is_new = [](std::set<std::uint32_t>& taken, std::uint32_t index,
                           std::uint64_t limit) {
        return index < limit && taken.insert(index).second;
    };
    for (const IndexMemory::Service& service : memory.services) {
        std::set<std::uint32_t> reals;
        bool is_sound = is_new(numbers, service.number, limits::service_numbers_max);
        for (const IndexMemory::Listener& listener : service.listeners) {
            is_sound = is_sound && is_new(listeners, listener.index, limits::listeners_max);
        }
        for (const IndexMemory::Real& real : service.reals) {
            is_sound = is_sound && real.mode <= ForwardingMode::local &&
                       is_new(reals, real.place.index, limits::reals_per_service_max) &&
                       is_new(tallies, real.place.tally, limits::tallies_max);
        }
        if (!is_sound) {
            return false;
        }
    }
    return true;
}

}  // namespace

Result<IndexMemory> read_index_memory(const std::string& path, std::uint64_t session_file) {
    std::ifstream file{path};
    if (!file) {
        return Error{path + " cannot be read: " + std::strerror(errno)};
    }
    try {
        const Json json = Json::parse(file);
        if (json.at("session_file") != session_file) {
            return Error{path + " belongs to another session file"};
        }
        IndexMemory memory;
        for (const Json& service : json.at("services")) {
            memory.services.push_back(service_of(service));
        }
        return is_consistent(memory) ? Result<IndexMemory>{std::move(memory)}
                                     : Error{path + " gives one number to two"};
    } catch (const Json::exception&) {
        return Error{path + " is damaged"};
    }
}

Status write_index_memory(const std::string& path, std::uint64_t session_file,
                          const IndexMemory& memory) {
    Json services = Json::array();
    for (const IndexMemory::Service& service : memory.services) {
        Json listeners = Json::array();
        for (const IndexMemory::Listener& listener : service.listeners) {
            listeners.push_back(json_of(listener));
        }
        Json reals = Json::array();
        for (const IndexMemory::Real& real : service.reals) {
            reals.push_back(json_of(real));
        }
        services.push_back({{"name", service.name},
                            {"number", service.number},
                            {"listeners", std::move(listeners)},
                            {"reals", std::move(reals)}});
    }
    const std::string fresh = path + ".new";
    {
        std::ofstream file{fresh, std::ios::trunc};
        file << Json{{"session_file", session_file}, {"services", std::move(services)}}.dump();
        file.close();
        if (!file) {
            return Error{fresh + ": cannot be written: " + std::strerror(errno)};
        }
    }
    std::error_code error;
    std::filesystem::rename(fresh, path, error);
    return error ? Status{Error{path + ": cannot be replaced: " + error.message()}} : done();
}

}  // namespace fulcrum
