// Each dot of a key is a group, or before a number a list.
#include "controlplane/fulcrumctl/key_words.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "config/schema.h"
#include "config/wording.h"

namespace fulcrum {
namespace {

bool may_be_number(ValueKind kind) {
    return kind == ValueKind::integer || kind == ValueKind::prefix_length ||
           kind == ValueKind::port_range;
}

Json value_of(const ValueType& type, const std::string& text) {
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [parsed_to, error] = std::from_chars(text.data(), end, number);
    if (may_be_number(type.kind) && error == std::errc{} && parsed_to == end) {
        return number;
    }
    if (type.kind == ValueKind::boolean && (text == "true" || text == "false")) {
        return text == "true";
    }
    return text;
}

Json values_of(const ValueType& type, const std::string& text) {
    if (!type.is_array) {
        return value_of(type, text);
    }
    Json values = Json::array();
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        values.push_back(value_of(type, text.substr(at, comma - at)));
        at = comma + 1;
    }
    return values;
}

bool is_number(std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
}

struct Place {
    Json* value = nullptr;
    std::string in_table;  // "checks[].type"
};

// Where a key's value stands among `keys`; what leads there is made.
Result<Place> place_of(Json& keys, const std::string& path) {
    Place place{&keys, {}};
    for (std::size_t at = 0, dot = 0; dot != std::string::npos; at = dot + 1) {
        dot = path.find('.', at);
        const std::string part = path.substr(at, dot == std::string::npos ? dot : dot - at);
        const bool is_element = at > 0 && is_number(part);
        Json& within = *place.value;
        if (!within.is_null() && within.is_array() != is_element) {
            return Error{"the key " + in_quotes(path) + " stands there twice"};
        }
        if (!is_element) {
            place.value = &within[part];
            place.in_table += (at > 0 ? "." : "") + part;
        } else if (const std::string next = std::to_string(within.size() + 1); part == next) {
            place.value = &within.emplace_back();
            place.in_table += "[]";
        } else if (within.size() > 0 && part == std::to_string(within.size())) {
            place.value = &within.back();
            place.in_table += "[]";
        } else {
            return Error{"the key " + in_quotes(path) + " comes out of turn: elements are told " +
                         "one after the other, and the next is " + next};
        }
        const bool is_value = place.value->is_object() || place.value->is_array();
        if (!place.value->is_null() && (dot == std::string::npos || !is_value)) {
            return Error{"the key " + in_quotes(path) + " stands there twice"};
        }
    }
    return place;
}

}  // namespace

Result<Json> keys_from(const std::vector<std::string>& words, std::string_view of) {
    Json keys = Json::object();
    for (const std::string& word : words) {
        const std::size_t equals = word.find('=');
        if (equals == 0 || equals == std::string::npos) {
            return Error{in_quotes(word) + " does not read KEY=VALUE"};
        }
        const std::string path = word.substr(0, equals);
        const std::string text = word.substr(equals + 1);
        const Result<Place> place = place_of(keys, path);
        if (!place) {
            return place.error();
        }
        const auto key =
            std::ranges::find(schema(), std::string{of} + place->in_table, &SchemaKey::path);
        if (!text.empty()) {
            *place->value = values_of(key == schema().end() ? ValueType{} : key->type, text);
        }
    }
    return keys;
}

}  // namespace fulcrum
