// From a file to a Config that `validate` vouches for, or to every reason why not. The road: read
// the file and what it includes (source_text), check its tokens and grammar (prelexer, grammar),
// let libconfig build the tree, read the tree by the schema, check the rules across fields
// (validate). The only room that knows libconfig, and the end of its exceptions. It does file
// I/O and takes time in proportion to the file: called on the helper thread, and by fulcrumctl.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/model/service.h"

namespace fulcrum {

struct LoadOutcome {
    Config config;  // to be used only when there are no problems
    std::vector<std::string>
        problems;  // "director.cfg:41: service "web": ...", in the file's order
    std::vector<std::string> warnings;  // the same, for what works and is probably not meant
    std::vector<std::string> files;     // that were asked for, valid or not; the file itself first

    bool is_valid() const { return problems.empty(); }
};

LoadOutcome load_config(const std::string& path);

// The same from memory; `name` stands for the file in the sentences. It may include no other file.
LoadOutcome load_config_text(std::string_view text, const std::string& name);

// As if the file at `path` had this text: lists that it names are read from beside there.
LoadOutcome load_config_as(std::string_view text, const std::string& path);

}  // namespace fulcrum
