// The rows.
#include "config/pair_schema.h"

#include <string>

namespace fulcrum {
namespace {

using Target = SchemaTarget;
using enum Presence;

constexpr ValueType group{ValueKind::group};
constexpr ValueType name{ValueKind::name, 1, limits::name_length_max};
constexpr ValueType end{ValueKind::endpoint};

std::string string_of(const Value& value) { return std::string{value.text}; }
Endpoint endpoint_of(const Value& value) { return {value.prefix.address, value.port}; }

// clang-format off
constexpr SchemaKey keys[] = {
    {"pair", group, optional_in_words, "none",
     "the other director, which takes over with the sessions of this one; both have the same services and seed",
     [](Target& t, const Value& v) { t.config.pair.emplace().place = v.place; }},
    {"pair.peer", name, required, "", "its `director.name`",
     [](Target& t, const Value& v) { t.config.pair->peer = string_of(v); }},
    {"pair.key", {ValueKind::file_path}, required, "",
     "a file with 64 or more hexadecimal digits on one line, the same on both, which others may not read; "
     "`fulcrumctl pair-key FILE` makes one",
     [](Target& t, const Value& v) { t.config.pair->key_file = string_of(v); }},
    {"pair.links", list(1, limits::pair_links_max), required, "",
     "the ways to it: over either of them while both are alive",
     [](Target& t, const Value& v) {
         t.link = &t.config.pair->links.emplace_back();
         t.link->place = v.place;
     }},
    {"pair.links[].local", end, required, "", "an address of this machine's kernel, and a UDP port of it",
     [](Target& t, const Value& v) { t.link->local = endpoint_of(v); }},
    {"pair.links[].peer", end, required, "", "the same of the peer's machine",
     [](Target& t, const Value& v) { t.link->peer = endpoint_of(v); }},
    {"pair.replicate_config", {ValueKind::boolean}, optional, "false",
     "what both serve goes from the active director to the other one, which writes it into its file; on both or not at "
     "all, see below",
     [](Target& t, const Value& v) { t.config.pair->replicates_config = v.number != 0; }},
};
// clang-format on

}  // namespace

std::span<const SchemaKey> pair_keys() { return keys; }

}  // namespace fulcrum
