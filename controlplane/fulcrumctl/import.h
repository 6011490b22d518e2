// A file of ldirectord, keepalived, Piranha or ipvsadm turned into one of ours. Needs no director;
// asks the system's resolver for names that stand in the file.
#pragma once

#include <string>
#include <vector>

#include "config/model/result.h"
#include "controlplane/fulcrumctl/client.h"

namespace fulcrum {

struct ImportWords {
    std::string file;                // "-": standard input
    std::string from;                // a dialect; empty: guessed
    std::vector<std::string> ports;  // "NAME DEVICE [ADDRESS/LENGTH ...]"
    std::vector<unsigned> workers{1};
    std::vector<std::string> marks;  // "80=192.0.2.1:80/tcp,192.0.2.1:443/tcp"
};

// {from, config, services, reals, remarks: [{file, line, text, kind, why, remedy}], problems:
// [...]}. `problems` are what `check` will say of the new file, other than that it has no ports
// yet.
Result<Json> import_file(const ImportWords& words);

// Whether all of it is said in the new file.
bool is_whole(const Json& import);
// For standard error: a line for each remark and problem, and how many there are.
std::string show_remarks(const Json& import);

}  // namespace fulcrum
