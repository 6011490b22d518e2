// From the words so far to what fits behind them.
#include "controlplane/fulcrumctl/complete.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fulcrum {
namespace {

bool is_option(const std::string& word) { return word.starts_with("-"); }

// Of the option that wants the next word as its value; else null.
const CLI::Option* option_awaiting(const CLI::App& app, const std::string& word) {
    if (!is_option(word)) {
        return nullptr;
    }
    for (const CLI::App* place = &app; place != nullptr; place = place->get_parent()) {
        const CLI::Option* const option = place->get_option_no_throw(word);
        if (option != nullptr) {
            return option->get_expected_max() > 0 ? option : nullptr;
        }
    }
    return nullptr;
}

// The command that the words name, and those behind it that are no option's.
struct Told {
    const CLI::App* command = nullptr;
    std::size_t operand_count = 0;
};

Told told_by(const CLI::App& app, const std::vector<std::string>& words) {
    Told told{&app, 0};
    for (std::size_t at = 0; at + 1 < words.size(); ++at) {
        if (option_awaiting(*told.command, words[at]) != nullptr) {
            ++at;
        } else if (!is_option(words[at]) && told.command == &app) {
            const auto named = app.get_subcommands(
                [&](const CLI::App* each) { return each->get_name() == words[at]; });
            told = {named.empty() ? &app : named.front(), 0};
        } else if (!is_option(words[at])) {
            ++told.operand_count;
        }
    }
    return told;
}

void add_options(const CLI::App& app, std::vector<std::string>& offered) {
    for (const CLI::App* place = &app; place != nullptr; place = place->get_parent()) {
        for (const CLI::Option* option : place->get_options()) {
            for (const std::string& name : option->get_lnames()) {
                offered.push_back("--" + name);
            }
        }
    }
}

// What an option or an operand wants is said by its own words.
std::vector<std::string> names_for(const CLI::Option& wanted, const KnownNames& names) {
    const std::string name = wanted.get_name();
    const std::string help = wanted.get_description();
    std::vector<std::string> offered;
    if (name == "--service" || name == "SERVICE" || help.starts_with("SERVICE")) {
        offered = help == "SERVICE/REAL" ? std::vector<std::string>{} : names.services;
    }
    if (name == "TARGET" && help.find("SERVICE/REAL") != std::string::npos) {
        offered.insert(offered.end(), names.reals.begin(), names.reals.end());
    }
    if (name == "--real") {
        for (const std::string& real : names.reals) {
            offered.push_back(real.substr(real.find('/') + 1));
        }
    }
    return offered;
}

const CLI::Option* operand(const CLI::App& command, std::size_t number) {
    for (const CLI::Option* option : command.get_options()) {
        if (option->get_positional() && number-- == 0) {
            return option;
        }
    }
    return nullptr;
}

}  // namespace

std::vector<std::string> completions(const CLI::App& app, const std::vector<std::string>& words,
                                     const std::function<KnownNames()>& ask) {
    const std::string& current = words.back();
    const Told told = told_by(app, words);
    const CLI::Option* const awaiting =
        words.size() > 1 ? option_awaiting(*told.command, words[words.size() - 2]) : nullptr;
    std::vector<std::string> offered;
    if (awaiting != nullptr) {
        offered = names_for(*awaiting, ask());
    } else if (is_option(current)) {
        add_options(*told.command, offered);
    } else if (told.command == &app) {
        for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; })) {
            offered.push_back(each->get_name());
        }
    } else if (const CLI::Option* wanted = operand(*told.command, told.operand_count)) {
        offered = names_for(*wanted, ask());
    }
    std::erase_if(offered, [&](const std::string& each) { return !each.starts_with(current); });
    std::ranges::sort(offered);
    offered.erase(std::unique(offered.begin(), offered.end()), offered.end());
    return offered;
}

std::string completion_script(const std::string& shell) {
    const std::string bash = R"(_fulcrumctl() {
    local IFS=$'\n'
    COMPREPLY=($(fulcrumctl __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _fulcrumctl fulcrumctl
)";
    const std::array<std::pair<std::string, std::string>, 3> scripts{{
        {"bash", bash},
        {"zsh", "autoload -U +X bashcompinit && bashcompinit\n" + bash},
        {"fish",
         "complete -c fulcrumctl -a '(fulcrumctl __complete (commandline -opc)[2..-1] "
         "(commandline -ct) 2>/dev/null)'\n"},
    }};
    for (const auto& [name, script] : scripts) {
        if (name == shell) {
            return script;
        }
    }
    return {};
}

}  // namespace fulcrum
