// The rows of the schema by their paths, and what they say of a value.
#include "config/group_writer.h"

#include <cassert>
#include <limits>
#include <unordered_map>

#include "config/schema.h"

namespace fulcrum {
namespace {

const SchemaKey& key_at(const std::string& path) {
    static const auto keys = [] {
        std::unordered_map<std::string_view, const SchemaKey*> by_path;
        for (const SchemaKey& key : schema()) {
            by_path.emplace(key.path, &key);
        }
        return by_path;
    }();
    const auto found = keys.find(path);
    assert(found != keys.end() && "the writer and the schema agree on the names of keys");
    return *found->second;
}

}  // namespace

std::string GroupWriter::as_said(std::string_view name, std::int64_t number) const {
    const ValueType& type = key_at(prefix_ + std::string{name}).type;
    switch (type.kind) {
        case ValueKind::word:
            return as_file_text(type.words[static_cast<std::size_t>(number)]);
        case ValueKind::boolean:
            return number != 0 ? "true" : "false";
        case ValueKind::duration:
        case ValueKind::whole_seconds:
            return as_file_text(describe_duration(number));
        default:  // what takes more than 32 bits says so to libconfig
            return std::to_string(number) +
                   (number > std::numeric_limits<std::int32_t>::max() ? "L" : "");
    }
}

void GroupWriter::put(std::string_view name, std::string value) {
    const SchemaKey& key = key_at(prefix_ + std::string{name});
    if (key.presence != Presence::optional || key.preset != value) {
        parts_.push_back({.name = std::string{name}, .text = std::move(value)});
    }
}

void GroupWriter::add(std::string_view name, FilePart part) {
    part.name = key_at(prefix_ + std::string{name}).name();
    parts_.push_back(std::move(part));
}

}  // namespace fulcrum
