// The tree of a parsed file in our own words, so that only the loader knows libconfig. Texts are
// views into libconfig's tree, which outlives the reading. Pure; one thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace fulcrum {

enum class NodeKind : std::uint8_t { group, list, array, boolean, integer, floating, text };

struct Node {
    NodeKind kind = NodeKind::group;
    unsigned line = 0;         // of the whole text, see SourceText
    std::int64_t integer = 0;  // boolean: 0 or 1
    std::string_view name;     // empty for elements of lists and arrays
    std::string_view text;
    std::vector<Node> children;  // group, list, array

    const Node* child(std::string_view wanted) const {
        for (const Node& node : children) {
            if (node.name == wanted) {
                return &node;
            }
        }
        return nullptr;
    }
};

}  // namespace fulcrum
