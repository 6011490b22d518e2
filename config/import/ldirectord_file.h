// ldirectord.cf as statements: those that hold everywhere, and those of each virtual section. And
// what there is to say of a statement that has no counterpart. Pure.
#pragma once

#include <cstdint>
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

// Which service negotiates on a port, where none is said.
std::string service_of_port(std::uint16_t port);
// Our word for the kind of check that a service's negotiation is.
std::string check_of_service(const std::string& service);

// A request and an answer of some reals alone.
struct OwnTalk {
    OldLine line;
    std::string request;
    std::string receive;
};
OwnTalk talk_in(const OldLine& line, std::string_view quoted);  // "REQUEST", "ANSWER"

}  // namespace fulcrum
