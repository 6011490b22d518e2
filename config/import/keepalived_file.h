// keepalived.conf as a tree of statements: comments taken out, definitions put in, included files
// in the place of their line. Pure but for reading those.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "config/import/draft.h"

namespace fulcrum {

// A line's words, and what stands in the braces behind them.
struct KeepalivedNode {
    OldLine line;
    std::vector<std::string> words;
    std::list<KeepalivedNode> inner;
    bool is_used = false;  // something was made of it

    std::string_view key() const { return words.empty() ? std::string_view{} : words.front(); }
    // The word behind the key; empty: there is none.
    std::string value(std::size_t index = 1) const {
        return index < words.size() ? words[index] : std::string{};
    }
    // The last of that key, which is used then; null: there is none.
    KeepalivedNode* find(std::string_view wanted) { return find_either(wanted, wanted); }
    // The same of a key with two names.
    KeepalivedNode* find_either(std::string_view wanted, std::string_view or_wanted);
};

// Its root. Lines that cannot be read get their remarks.
KeepalivedNode keepalived_tree_of(const ImportSource& source, Draft& draft);

// Its words and those within, whatever their places: equal ones mean the same.
std::string meaning_of(const KeepalivedNode& node);

// Whether a statement of the same key, further down in the same braces, was used in its stead.
bool is_said_again(const KeepalivedNode& parent, const KeepalivedNode& statement);

// Remarks for what nothing was made of: for the node's line, and all within it.
void lose(Draft& draft, const KeepalivedNode& node, const std::string& why,
          const std::string& remedy = "");

}  // namespace fulcrum
