// Where in the operator's file something stands. Pure.
#pragma once

#include <string>

namespace fulcrum {

// A place in the configuration, for the sentences of validation: "director.cfg:41".
struct SourcePlace {
    std::string file;
    unsigned line = 0;

    friend bool operator==(const SourcePlace&, const SourcePlace&) { return true; }
};

}  // namespace fulcrum
