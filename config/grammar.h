// The grammar of libconfig's language, checked over the tokens before libconfig parses them,
// because libconfig says only "syntax error" and often names the line after the mistake. Here the
// sentence says what was expected and what stands there. What this room accepts, libconfig accepts;
// the fuzz target holds us to it.
//
//   file     = { setting }
//   setting  = name ( "=" | ":" ) value [ ";" | "," ]
//   value    = scalar | "{" { setting } "}" | "[" [ scalar { "," scalar } ] "]"
//            | "(" [ value { "," value } ] ")"
//   scalar   = boolean | integer | integer64 | floating | text { text }
//
// Pure; any thread.
#pragma once

#include <string_view>
#include <vector>

#include "config/prelexer.h"

namespace fulcrum {

// All problems of tokens, and the first of the grammar: what follows a first one is mostly noise.
std::vector<LineProblem> check_grammar(std::string_view text);

}  // namespace fulcrum
