// ldirectord.cf as statements: those that hold everywhere, and those of each virtual section. And
// what there is to say of a statement that has no counterpart. Pure.
#pragma once

#include <list>
#include <string>
#include <string_view>

#include "config/import/draft.h"

namespace fulcrum {

struct Statement {
    OldLine line;
    std::string key;
    std::string value;     // without quotes around it
    bool is_used = false;  // something was made of it
};
using Statements = std::list<Statement>;  // they are pointed to

struct Section {
    Statement head;  // virtual or virtual6
    Statements children;
};

struct LdirectordFile {
    Statements globals;
    std::list<Section> sections;
    Statements repeated;  // another of the same key follows in the same place, and counts
};

LdirectordFile ldirectord_file_in(const ImportSource& source);

// The last statement of that key, which counts for ldirectord, too; null: there is none. All of
// them are used then.
Statement* find_in(Statements& statements, std::string_view key);

// A remark about a statement that nothing was made of.
void tell_of(Draft& draft, const Statement& statement);

}  // namespace fulcrum
