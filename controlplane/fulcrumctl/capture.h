// `fulcrumctl capture`: packets as the director sees them, before and after, into a pcapng file.
// What to capture is said in names and in libpcap's filter language, and compiled here: the
// director gets a program, and looks up no names for anybody.
#pragma once

#include <string>

#include "controlplane/fulcrumctl/client.h"

namespace fulcrum {

struct CaptureWords {
    std::string file;  // "-": standard output
    std::string expression;
    std::string client;
    std::string service;
    std::string real;
    unsigned packets = 0;  // 0: as many as the director likes
    unsigned seconds = 0;
    unsigned octets = 0;
};

// libpcap's expression for all that the words ask for at once; empty: everything. `ask(command)`
// gives the result of a listing command.
using AskListing = Result<Json> (*)(const std::string& socket_path, const char* command);
Result<std::string> expression_of(const CaptureWords& words, const std::string& socket_path,
                                  AskListing ask);

// As the command socket takes it: "COUNT,CODE TRUE FALSE OPERAND,...".
Result<std::string> compile_expression(const std::string& expression);

// Until one of its limits is met, or SIGINT or SIGTERM comes. What became of it is in the result.
Result<Json> capture(const CaptureWords& words, const std::string& socket_path);

}  // namespace fulcrum
