// The one table of all keys: what a key is called and where it stands, what it holds, what it is
// when absent, what it means, and where its value goes. Reading, the refusal of unknown keys and
// the reference page in README.md all follow from it. Order counts: keys are read in the table's
// order, so that a default may follow from an earlier key. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/model/service.h"
#include "config/value_type.h"

namespace fulcrum {

// Where values go: the configuration, and the elements of its lists that are being read.
struct SchemaTarget {
    Config& config;
    NicPort* port = nullptr;
    VirtualService* service = nullptr;
    Listener preset{};  // what the service's own keys say, for the elements of `listen`
    RealServer* real = nullptr;
    PairLink* link = nullptr;
    Check* check = nullptr;
    bool has_said_check = false;  // of the service
};

enum class Presence : std::uint8_t {
    required,
    optional,           // `preset` is the default as one would write it in the file
    optional_in_words,  // `preset` says in words what holds when the key is absent
};

struct SchemaKey {
    std::string_view path;  // "services[].reals[].weight"
    ValueType type;
    Presence presence;
    std::string_view preset;
    std::string_view help;
    // Called once a value, once an element of an array or list, at the beginning of a group.
    void (*store)(SchemaTarget& target, const Value& value);
    // required: the keys beside it of which any stands in for it, "a, b".
    std::string_view unless{};
    // The keys of a check at its other places; README.md tells of them at the first one alone.
    bool is_told_elsewhere = false;

    std::string_view name() const { return path.substr(path.rfind('.') + 1); }
};

std::span<const SchemaKey> schema();

// The table of keys as it stands in README.md, in Markdown.
std::string reference_page();

}  // namespace fulcrum
