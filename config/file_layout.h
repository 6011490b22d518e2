// Text of a configuration file from its parts: keys with plain values, arrays, lists and groups,
// laid out as a person would who cares for whoever reads it next. What fits stands in one line; a
// group that holds others, and a list of several groups, have a line for each. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fulcrum {

struct FilePart {
    enum class Shape : std::uint8_t {
        plain,
        array,    // of plain ones
        list,     // of groups
        group,    // of parts with names
        comment,  // lines for people, between the parts of a group
    };

    Shape shape = Shape::plain;
    std::string name;             // empty: an element, or a comment
    std::string text;             // plain: as the file says it, with its quotes; comment: its lines
    std::vector<FilePart> parts;  // array, list, group
};

// `text` as a value: in double quotes, with the escapes that the file knows.
std::string as_file_text(std::string_view text);

// The whole file: its parts with empty lines between them.
std::string lay_out(const std::vector<FilePart>& parts);

}  // namespace fulcrum
