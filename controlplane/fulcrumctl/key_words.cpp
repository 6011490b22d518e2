// Each dot of a key is a group.
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
        const auto key = std::ranges::find(schema(), std::string{of} + path, &SchemaKey::path);
        Json* place = &keys;
        for (std::size_t at = 0, dot = 0; dot != std::string::npos; at = dot + 1) {
            dot = path.find('.', at);
            place = &(*place)[path.substr(at, dot == std::string::npos ? dot : dot - at)];
            if (!place->is_null() && (dot == std::string::npos || !place->is_object())) {
                return Error{"the key " + in_quotes(path) + " stands there twice"};
            }
        }
        if (!text.empty()) {
            *place = values_of(key == schema().end() ? ValueType{} : key->type, text);
        }
    }
    return keys;
}

}  // namespace fulcrum
