// The words themselves: options with their letters, and which of them fit which verb. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/ipvsadm/command_line.h"

namespace fulcrum {

enum class Takes : std::uint8_t { nothing, text, perhaps_text };

// What a word of the command line turns out to be.
enum class Meaning : std::uint8_t {
    verb,
    tcp,
    udp,
    sctp,
    mark,
    ipv6,
    masquerade,
    route,
    tunnel,
    full_nat,
    nothing,  // for old scripts
    option,   // what `option` says
};

struct Word {
    std::string_view name;
    char letter;  // '\0': none
    Takes takes;
    Meaning meaning;
    Verb verb{};
    Option option{};
};

// One that is on the command line, with its text.
struct Spoken {
    const Word* word = nullptr;  // null: none of ours, or one that lacks its text
    std::string as_written;
    std::string text;
    bool has_text = false;
    std::string_view fault;  // with no word: why
};

struct Speech {
    std::vector<Spoken> words;       // up to the first that is none
    std::vector<std::string> loose;  // what belongs to no option
};

// As popt reads it: letters may share a dash, an option's text may stick to its letter or follow
// "=", "--" ends the options.
Speech listen(const std::vector<std::string>& words);

std::string_view name_of(Option option);
std::string_view name_of(Verb verb);

// The first complaint about an option that is missing, does not fit, or contradicts another.
std::string misfit(const Invocation& invocation);
std::string tunnel_misfit(const Invocation& invocation);

}  // namespace fulcrum
