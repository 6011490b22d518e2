// What a shell may offer for the word that is being typed: commands, options, and names that the
// running director knows. The scripts that tie it to bash, zsh and fish.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace fulcrum {

struct KnownNames {
    std::vector<std::string> services;
    std::vector<std::string> reals;  // "web/web1"
};

// `words` are those behind the program's name; the last one is unfinished, perhaps empty. `ask` is
// called at most once, where a name is wanted.
std::vector<std::string> completions(const CLI::App& app, const std::vector<std::string>& words,
                                     const std::function<KnownNames()>& ask);

// Empty for a shell that is none of bash, zsh, fish.
std::string completion_script(const std::string& shell);

}  // namespace fulcrum
